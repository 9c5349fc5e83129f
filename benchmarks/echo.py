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
import contextlib
import gc
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

TEXT = "x" * 64
ANSWER = b"\x81\x46Echo: " + TEXT.encode()  # 70 bytes of text, unmasked
MASKED = b"\x81\xc0\x00\x00\x00\x00" + TEXT.encode()  # a mask of zeros changes nothing
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)

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
        if sys.platform != "win32":
            asyncio.get_running_loop().add_reader(sys.stdin, tidy_up)
        await server.serve_forever()


def background() -> None:
    from helpers import EchoServer

    print(EchoServer().start().port, flush=True)
    while True:
        tidy_up()


def tidy_up() -> None:
    """Throw away, each time the client says so, what Python would throw away at some time anyway."""
    if not sys.stdin.readline():
        sys.exit()
    gc.collect()
    print("tidy", flush=True)


@contextlib.contextmanager
def server_process(kind: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, __file__, "--serve", kind]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


# Messages per second


class Player(asyncio.Protocol):
    """Sends a message, waits for its answer, sends the next."""

    def __init__(self) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self.received = bytearray()
        self.playing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(HANDSHAKE)

    def play(self) -> None:
        self.playing, self.answers = True, 0
        self.over = asyncio.get_running_loop().create_future()
        self.transport.write(MASKED)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.ready.done():
            if self.received.endswith(b"\r\n\r\n"):
                assert self.received.startswith(b"HTTP/1.1 101 ")
                self.received.clear()
                self.ready.set_result(None)
        elif len(self.received) == len(ANSWER):
            assert self.received == ANSWER
            self.received.clear()
            self.answers += 1
            if self.playing:
                self.transport.write(MASKED)
            else:
                self.over.set_result(None)


async def connected(port: int, count: int) -> list[Player]:
    loop = asyncio.get_running_loop()
    players = [(await loop.create_connection(Player, "127.0.0.1", port))[1] for _ in range(count)]
    await asyncio.gather(*(player.ready for player in players))
    return players


async def messages_per_second(players: list[Player], seconds: float) -> float:
    begin = time.perf_counter()
    for player in players:
        player.play()
    await asyncio.sleep(seconds)
    for player in players:
        player.playing = False
    await asyncio.gather(*(player.over for player in players))
    return sum(player.answers for player in players) / (time.perf_counter() - begin)


async def speed(connections: int, rounds: int, seconds: float) -> tuple[float, float]:
    """The median of background / bare, and the bare server's median of messages per second."""
    with server_process("bare") as (_, bare_port), server_process("background") as (_, background_port):
        plain = await connected(bare_port, connections)
        ours = await connected(background_port, connections)
        ratios, rates = [], []
        for number in range(rounds + 2):
            pair = {}
            for name in ("plain", "ours") if number % 2 else ("ours", "plain"):
                pair[name] = await messages_per_second(plain if name == "plain" else ours, seconds)
            if number > 1:  # the first rounds warm up
                ratios.append(pair["ours"] / pair["plain"])
                rates.append(pair["plain"])
        for player in (*plain, *ours):
            player.transport.abort()
        return median(ratios), median(rates)


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


# Memory per idle connection


def resident(process: subprocess.Popen[str]) -> int:
    """Bytes of memory that a process has in use (RSS)."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    process.stdout.readline()
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024
    return int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(process.pid)])) * 1024


async def memory(kind: str, connections: int) -> float:
    """Bytes per connection. Memory comes in pieces of a megabyte, so it takes many to measure one."""
    with server_process(kind) as (process, port):
        # The first ones find memory that the imports have left in the main thread's heap, a fixed amount, where the
        # background thread's heap starts empty: no cost per connection. And the very first is alone: CPython makes
        # every connection larger, of either server, when many are made before one has all its attributes.
        first = [*await connected(port, 1), *await connected(port, 1_000)]
        before = resident(process)
        rest = await connected(port, connections)
        per_connection = (resident(process) - before) / connections
        for player in (*first, *rest):
            player.transport.abort()
        return per_connection


# The table


def report(name: str, measured: str, target: str, met: bool) -> bool:
    print(f"{name:<44} {measured:>10} {target:>12}   {'pass' if met else 'FAIL'}", flush=True)
    return met


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
        ratio, rate = asyncio.run(speed(connections, rounds, seconds))
        name = f"messages per second, {connections} connection{'s' if connections > 1 else ''}"
        met.append(report(name, f"{ratio:.2f}", f">= {SPEED}", ratio >= SPEED))
        print(f"{'    (bare server: about':>24} {rate:,.0f} a second on this machine now)")
    took = start_time(starts)
    met.append(report("start to first connection, ms", f"{took:.1f}", f"<= {START}", took <= START))
    if sys.platform == "win32":
        print("memory per idle connection: not measured on Windows")
    else:
        pairs = [(asyncio.run(memory("background", idle)), asyncio.run(memory("bare", idle))) for _ in range(repeats)]
        ratio = median(ours for ours, _ in pairs) / median(plain for _, plain in pairs)
        met.append(report("memory per idle connection", f"{ratio:.2f}", f"<= {MEMORY}", ratio <= MEMORY))
        print(f"{'    (bare server: about':>24} {median(plain for _, plain in pairs) / 1024:.1f} KiB)")
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
