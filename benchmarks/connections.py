"""What a connection costs an echo server: with a thread each, with one selector, and with asyncio's streams.

Run it with ``python benchmarks/connections.py``; ``--quick`` takes a few seconds. Each server runs in a process of its own, anew for each
number of connections, from 10 to as many as the limit on open files allows. All connections speak at once, and then hear their
echoes. The fit is a straight line through the memory of the whole process, and the median of the processor time for a message; both
stand beside the ratio to the selector, measured in the same run. The ways take turns, so that a busy moment hits all of them.
"""

import argparse
import asyncio
import socket
from collections import defaultdict
from statistics import median

from helpers.costs import Cost, measure, per_connection
from helpers.limits import connections_that_fit
from helpers.servers import one_selector, thread_each

MOST_THREADS = 5_000  # systems limit threads too, and say so less clearly


async def streams(listener: socket.socket) -> None:
    """The echo server on asyncio's streams, as the helpers' own and notebook 08 have it."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while words := await reader.read(1024):
            writer.write(words)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, sock=listener, backlog=1024)
    await server.serve_forever()


WAYS = {"one selector": one_selector, "a thread each": thread_each, "asyncio streams": streams}


def sizes_up_to(most: int) -> list[int]:
    """10, 30, 100, 300, ... and the last one that fits."""
    found = [size for power in range(1, 7) for size in (10**power, 3 * 10**power) if size < most]
    return [*found, most] if most > 0 else []


def main() -> None:
    """Measure, and print a row for each way and size, then the fits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="10 to 300 connections")
    quick = parser.parse_args().quick
    most = min(300 if quick else 100_000, connections_that_fit(per_connection=1))

    costs: dict[str, list[Cost]] = defaultdict(list)
    print(f"{'connections':>11}  {'':18}{'MiB in all':>11}{'µs a message':>14}{'/ selector':>12}")
    for size in sizes_up_to(most):
        for name, serve in WAYS.items():
            if serve is thread_each and size > MOST_THREADS:
                continue
            [cost] = measure(serve, [size])
            costs[name].append(cost)
            base = costs["one selector"][-1].message or float("nan")
            ratio = cost.message / base
            print(f"{size:11,}  {name:18}{cost.memory / 2**20:11.1f}{cost.message * 1e6:14.1f}{ratio:12.2f}", flush=True)

    print(f"\n{'the fit':31}{'bytes each':>11}{'µs a message':>14}{'/ selector':>12}")
    for name, of_way in costs.items():
        message, base = (median(cost.message for cost in costs[one]) for one in (name, "one selector"))
        print(f"{name:31}{per_connection(of_way):11,.0f}{message * 1e6:14.1f}{message / base:12.2f}")


if __name__ == "__main__":
    main()
