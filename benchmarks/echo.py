"""The background echo server against a bare `websockets` server: messages per second, start, memory.

    uv run python benchmarks/echo.py [--quick]

Each server lives in a process of its own; in the background server's process the main thread idles, as a notebook's
kernel does. One client process (this one) drives both. It speaks the protocol with bytes made beforehand, so that the
servers are what is measured. Figures of a busy machine mean little: rounds alternate between the two, and only ratios
are held against the targets.

The exit code is 0 when every target is met.
"""

import argparse
import asyncio
import socket
import sys
import time
from statistics import median

from harness import HANDSHAKE, compared, echoed, memory, report, tidy_up, tidy_up_when_told

PLAY = echoed(b"x" * 64, b"Echo: ", text=True)  # the answer has 70 bytes of text

SPEED, START, MEMORY = 0.9, 5.0, 1.05  # at least; milliseconds at most; at most


# The two servers, each run as `python echo.py --serve KIND`


async def bare() -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send("Echo: " + message if isinstance(message, str) else message)

    async with serve(
        echo, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=1, backlog=1_024
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        tidy_up_when_told()
        await server.serve_forever()


def background() -> None:
    from helpers import EchoServer

    print(EchoServer().start().port, flush=True)
    while True:
        tidy_up()


# From start() to the first connection, once everything is imported


def start_time(times: int) -> float:
    """Milliseconds from `EchoServer()` until the first client has the answer to its handshake, at the median."""
    from helpers import EchoServer

    took = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        server = EchoServer().start()
        with socket.create_connection(server.address) as client:
            client.sendall(HANDSHAKE)
            assert client.recv(1_000).startswith(b"HTTP/1.1 101 ")
            took.append(time.perf_counter() - begin)
        server.stop()
    return 1_000 * median(took[1:])


# The table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--serve", choices=["bare", "background"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve == "bare":
        asyncio.run(bare())
    if options.serve == "background":
        background()
    if options.serve:
        return 0

    from helpers.limits import connections_that_fit

    rounds, seconds, starts, repeats = (40, 0.05, 50, 1) if options.quick else (120, 0.05, 200, 3)
    idle = min(4_000, connections_that_fit(per_connection=1)) - 1_000
    print(f"{'background echo server / bare server':<44} {'measured':>10} {'target':>12}")
    met = []
    for connections in (1, 10, 100):
        found = asyncio.run(compared(__file__, {"bare": PLAY, "background": PLAY}, connections, rounds, seconds))
        ratio, rate = found["background"][0], found["bare"][1]
        name = f"messages per second, {connections} connection{'s' if connections > 1 else ''}"
        met.append(report(name, f"{ratio:.2f}", f">= {SPEED}", ratio >= SPEED))
        print(f"{'    (bare server: about':>24} {rate:,.0f} a second on this machine now)")
    took = start_time(starts)
    met.append(report("start to first connection, ms", f"{took:.1f}", f"<= {START}", took <= START))
    if sys.platform == "win32":
        print("memory per idle connection: not measured on Windows")
    else:
        pairs = [[asyncio.run(memory(__file__, kind, idle, PLAY)) for kind in ("background", "bare")] for _ in range(repeats)]
        ratio = median(ours for ours, _ in pairs) / median(plain for _, plain in pairs)
        met.append(report("memory per idle connection", f"{ratio:.2f}", f"<= {MEMORY}", ratio <= MEMORY))
        print(f"{'    (bare server: about':>24} {median(plain for _, plain in pairs) / 1024:.1f} KiB)")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
