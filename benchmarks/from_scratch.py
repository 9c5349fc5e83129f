"""The server of notebook 18 beside `websockets`, aiohttp and a plain TCP echo: messages per second, memory per idle connection.

    uv run python benchmarks/from_scratch.py [--quick]

Each server lives in a process of its own, with its loop in the main thread; one client process (this one) drives them all, see
harness.py. Compression is off everywhere. The TCP echo is what asyncio's streams can do when nobody reads frames: it sends the same
payload and no mask comes off. Its line is there to see how much room there is, as is aiohttp's; neither has a target.

The exit code is 0 when every target is met.
"""

import argparse
import asyncio
import sys
from pathlib import Path
from statistics import median

from harness import Play, compared, echoed, memory, report, table, tidy_up_when_told

SPEED, MEMORY = 0.8, 15_000  # of websockets' messages at least; bytes at most
KINDS = ("websockets", "scratch", "aiohttp", "tcp")
LARGEST = 2**20


# The servers, each run as `python from_scratch.py --serve KIND`


async def websockets() -> None:
    from websockets.asyncio.server import ServerConnection, serve

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0, compression=None, ping_interval=None, max_size=LARGEST, backlog=1_024) as server:
        await _serve(server)


async def scratch() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from conformance import scratch as lifted

    course = lifted()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ws = course.Connection(reader, writer, limits)
        try:
            await course.converse(ws, watched)
        finally:
            if ws.clock:
                ws.clock.cancel()

    async def watched(ws: object) -> None:
        course.watch(ws)
        await course.echo(ws)

    limits = course.Limits(size=LARGEST, silence=60)
    async with await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1_024) as server:
        await _serve(server)


async def aiohttp() -> None:
    from aiohttp import WSMsgType, web

    async def echo(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False, max_msg_size=2 * LARGEST, autoping=True)
        await ws.prepare(request)
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        return ws

    app = web.Application()
    app.router.add_get("/", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1_024).start()
    print(runner.addresses[0][1], flush=True)
    tidy_up_when_told()
    await asyncio.Event().wait()


async def tcp() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0, backlog=1_024) as server:
        await _serve(server)


async def _serve(server: object) -> None:
    print(server.sockets[0].getsockname()[1], flush=True)  # type: ignore[attr-defined]
    tidy_up_when_told()
    await server.serve_forever()  # type: ignore[attr-defined]


# The tables


def plays(size: int) -> dict[str, Play]:
    """The same payload for every server."""
    payload = b"x" * size
    return {kind: Play(payload, payload, b"") if kind == "tcp" else echoed(payload) for kind in KINDS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(globals()[options.serve]())
        return 0

    from helpers.limits import connections_that_fit

    rounds, seconds, repeats = (20, 0.05, 1) if options.quick else (60, 0.1, 3)
    idle = min(6_000, connections_that_fit(per_connection=1)) - 1_000
    met = []
    table("messages per second / those of websockets", ["scratch", "aiohttp", "tcp", "target"])
    for size, connections in ((64, 1), (64, 10), (64, 100), (2**14, 1), (2**20, 1)):
        found = asyncio.run(compared(__file__, plays(size), connections, rounds, seconds))
        ratio = {kind: found[kind][0] for kind in KINDS}
        held = connections >= 10
        name = f"{size:>9,} bytes, {connections} connection{'s' if connections > 1 else ''}"
        ending = f"{f'>= {SPEED}':>12}   {'pass' if ratio['scratch'] >= SPEED else 'FAIL'}" if held else ""
        print(f"{name:<44} {ratio['scratch']:>12.2f} {ratio['aiohttp']:>12.2f} {ratio['tcp']:>12.2f} {ending}", flush=True)
        print(f"{'    (websockets: about':>24} {found['websockets'][1]:,.0f} a second on this machine now)", flush=True)
        met.append(ratio["scratch"] >= SPEED or not held)
    if sys.platform == "win32":
        print("memory per idle connection: not measured on Windows")
        return 0 if all(met) else 1
    print()
    for kind in KINDS:
        bytes_each = median(asyncio.run(memory(__file__, kind, idle, plays(64)[kind])) for _ in range(repeats))
        name = f"kB per idle connection, {idle:,} of them: {kind}"
        if kind == "scratch":
            met.append(report(name, f"{bytes_each / 1000:.1f}", f"<= {MEMORY / 1000:.0f}", bytes_each <= MEMORY))
        else:
            print(f"{name:<44} {bytes_each / 1000:>10.1f}", flush=True)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
