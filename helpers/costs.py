"""What connections cost a server: its memory and its time, against how many of them are open."""

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from .limits import connections_that_fit
from .server_process import ServerProcess

_ENOUGH = 0.06  # seconds of the server's processor: the clocks of some systems tick every hundredth of a second
_LONGEST = 1.5  # seconds for which one size is measured, at most, however busy the machine
_PATIENCE = 4.0  # seconds for one answer
_SELECTABLE = 500  # lines: the select() of Windows takes 512 sockets at most


class Cost(NamedTuple):
    """One size of one server."""

    connections: int
    memory: int
    """Bytes that the server's whole process has in use (RSS), with so many connections open."""
    message: float
    """Seconds for which a message keeps a processor busy in the server, when all connections speak at once."""


def measure(serve: Callable[[Any], Any], sizes: Sequence[int] = (10, 100, 1000)) -> list[Cost]:
    """Run the echo server ``serve`` in a process of its own, anew for each size, open so many connections, and measure.

    Sizes beyond what the system allows (open files; on Windows 500 lines) are lowered to what fits. The clients are in this
    process, which waits meanwhile.

    Raises, besides what ``ServerProcess.start()`` does, TimeoutError when an answer takes four seconds, OSError when the
    server breaks a line.
    """
    room = connections_that_fit(per_connection=1)
    if sys.platform == "win32":
        room = min(room, _SELECTABLE)
    return [_cost(serve, min(size, room)) for size in sizes]


def per_connection(costs: Sequence[Cost]) -> float:
    """Bytes of memory for each further connection: the slope of the line that fits best. NaN for fewer than two sizes."""
    xs, ys = [cost.connections for cost in costs], [cost.memory for cost in costs]
    if len(set(xs)) < 2:
        return float("nan")
    x0, y0 = sum(xs) / len(xs), sum(ys) / len(ys)
    return sum((x - x0) * (y - y0) for x, y in zip(xs, ys)) / sum((x - x0) ** 2 for x in xs)


def _cost(serve: Callable[[Any], Any], size: int) -> Cost:
    with contextlib.ExitStack() as lines, ServerProcess(serve, name=f"{serve.__name__} measured") as server:
        clients = [lines.enter_context(_client(server.address)) for _ in range(size)]
        _round(clients)  # the first one also finds memory and pages; what it leaves is what an open connection holds
        memory = server.memory
        rounds, busy, until = 0, server.cpu, perf_counter() + _LONGEST
        while (used := server.cpu - busy) < _ENOUGH and perf_counter() < until:
            for _ in range(max(1, 300 // size)):
                _round(clients)
                rounds += 1
        return Cost(size, memory, used / max(1, rounds * size))


@contextlib.contextmanager
def _client(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A line that the server has picked up."""
    with socket.create_connection(address, timeout=_PATIENCE) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _round([line])
        yield line


def _round(clients: Sequence[socket.socket]) -> None:
    """Each says a byte, and then each hears it."""
    for line in clients:
        line.sendall(b"x")
    for line in clients:
        if not line.recv(16):
            raise ConnectionError("the server has hung up")
