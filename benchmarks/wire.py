"""What the Wire costs: the same client, the same echo server, directly and through a Wire.

Run it with ``python benchmarks/wire.py``; ``--quick`` takes a few seconds. The echo server and the wire live in one process,
each in its thread, as in a notebook; the client has a process of its own. Direct and relayed rounds take turns, so that a busy
moment of the machine hits both alike; the table shows medians over the rounds.
"""

import argparse
import asyncio
import multiprocessing
from multiprocessing.connection import Connection
from statistics import median
from time import perf_counter

from websockets.asyncio.client import ClientConnection, connect

from helpers import EchoServer, Wire

# what, the message, connections, exchanges in a round
CASES = [
    ("64-byte texts, 1 connection", "x" * 64, 1, 2_000),
    ("64-byte texts, 10 connections", "x" * 64, 10, 5_000),
    ("1 MiB messages, 1 connection", bytes(2**20), 1, 50),
]


def serve(pipe: Connection) -> None:
    """The process of the server and the wire: serve until told to stop, and forget the recording when told so."""
    # the limit is never reached: all of it is recorded
    with EchoServer() as server, Wire(server, limit=2**30) as wire:
        pipe.send((server.uri, wire.uri))
        while pipe.recv() == "clear":
            wire.clear()


async def rally(client: ClientConnection, message: str | bytes, count: int) -> list[float]:
    """Send a message and wait for its echo, again and again. Returns the seconds that each exchange took."""
    times = []
    for _ in range(count):
        start = perf_counter()
        await client.send(message)
        await client.recv()
        times.append(perf_counter() - start)
    return times


async def measure(uri: str, message: str | bytes, connections: int, count: int) -> tuple[float, float]:
    """Rally on several connections at once. Returns messages per second, and the median seconds of one exchange."""
    clients = [await connect(uri, proxy=None, compression=None, ping_interval=None) for _ in range(connections)]
    try:
        await asyncio.gather(*(rally(client, message, 3) for client in clients))
        start = perf_counter()
        rallies = await asyncio.gather(*(rally(client, message, count // connections) for client in clients))
        return count / (perf_counter() - start), median(sum(rallies, []))
    finally:
        await asyncio.gather(*(client.close() for client in clients))


def main() -> None:
    """Measure every case and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds of fewer messages")
    quick = parser.parse_args().quick
    rounds = 3 if quick else 9

    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        direct, wired = pipe.recv()
        print(f"{'':30} {'direct':>11} {'wire':>11} {'ratio':>6} {'direct':>10} {'wire':>10} {'ratio':>6}")
        print(f"{'':30} {'messages/s':>11} {'messages/s':>11} {'':>6} {'µs each':>10} {'µs each':>10}")
        for what, message, connections, count in CASES:
            if quick:
                count //= 5
            results = []
            for _ in range(rounds):
                results.append(
                    asyncio.run(measure(direct, message, connections, count))
                    + asyncio.run(measure(wired, message, connections, count))
                )
                pipe.send("clear")
            speed, time, wire_speed, wire_time = (median(column) for column in zip(*results))
            print(
                f"{what:30} {speed:11,.0f} {wire_speed:11,.0f} {wire_speed / speed:6.2f}"
                f" {time * 1e6:10,.0f} {wire_time * 1e6:10,.0f} {wire_time / time:6.2f}"
            )
        pipe.send("stop")
        server.join(5)
    finally:
        server.kill()


if __name__ == "__main__":
    main()
