"""The same events fetched in several ways at once, each way through a wire of its own that counts."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession

from .recording import Event, Sender
from .scores import GAPS, ScoreServer
from .wire import Wire

__all__ = ["BROWSER", "Arrivals", "Delivery", "caller", "race", "silence"]

BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "*/*",
    "Accept-Language": "en-GB,en;q=0.8,de;q=0.5",
    "Accept-Encoding": "gzip, deflate",
    "Referer": "http://127.0.0.1/match.html",
    "Cookie": "session=4f1c9a7e2b6d8035; consent=necessary; theme=dark",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-origin",
}
"""What a browser tells with each request, about; the cookie is what a small site sets."""

DELAY = 0.02  # seconds that a byte is under way, in each direction

_PATIENCE = 4.5  # seconds for a whole race
_LOOK = 0.02  # seconds between two looks at the wires
_QUIET = 8  # looks without a byte, after which a way is taken to have settled; not seconds, which pass when this loop is held up
_LOOKS = 5 * _QUIET  # after which it is taken to be one that never settles
_GOODBYE = 1.0  # seconds that a way has to end when it is cancelled

Client = Callable[[ClientSession, "Arrivals"], Awaitable[object]]


class Arrivals(list[Any]):
    """A list that notes when each thing was put into it, in ``moments``, on the clock ``time.monotonic()``."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []

    def append(self, thing: Any) -> None:
        """Put one thing at the end."""
        self.moments.append(time.monotonic())
        super().append(thing)

    def extend(self, things: Iterable[Any]) -> None:
        """Put several things at the end."""
        for thing in things:
            self.append(thing)


@dataclass(frozen=True)
class Delivery:
    """What one way of delivering did.

    flights: for each event when it was published and when the client had it, in seconds since the first one was published.
    recording: what the wire saw.
    """

    flights: list[tuple[float, float]]
    recording: list[Event] = field(repr=False)

    @property
    def late(self) -> float:
        """Seconds from publishing to having it, for the event in the middle (the median). ValueError without events."""
        if not self.flights:
            raise ValueError("nothing was delivered")
        return statistics.median(heard - published for published, heard in self.flights)

    @property
    def requests(self) -> int:
        """How many HTTP requests the client has sent; a handshake is one."""
        said = b"".join(event.data for event in self.recording if event.kind == "received" and event.sender == "client")
        return said.count(b" HTTP/1.1\r\n")

    def bytes_from(self, *senders: Sender) -> int:
        """How many bytes these sides have sent, headers and all; without a side: both."""
        return sum(
            len(event.data)
            for event in self.recording
            if event.kind == "received" and event.sender in (senders or ("client", "server"))
        )


@asynccontextmanager
async def caller(wire: Wire) -> AsyncIterator[ClientSession]:
    """A client that calls through a wire, with the headers of a browser. Its paths begin with a slash."""
    host, port = wire.address
    async with ClientSession(f"http://{host}:{port}", headers=BROWSER) as session:
        yield session


async def race(
    server: ScoreServer, ways: Mapping[str, Client], *, gaps: Sequence[float] = GAPS, delay: float = DELAY
) -> dict[str, Delivery]:
    """Play one match while all ``ways`` listen, each through a wire of its own, and say what each of them did.

    A way is ``async def way(http, got)``: it fetches points with the session ``http``, puts each of them into ``got``, and
    returns when it has them all. The match begins when the first requests of all are through.

    Raises what a way raises, and TimeoutError when they aren't done after four and a half seconds.
    """
    async with _listening(server, ways, delay) as (wires, arrivals, tasks), asyncio.timeout(_PATIENCE):
        server.play(gaps)
        await asyncio.gather(*tasks.values())
        moments = server.moments
        return {name: Delivery(_flights(moments, arrivals[name]), wires[name].events) for name in ways}


async def silence(
    server: ScoreServer, ways: Mapping[str, Client], seconds: float = 1.0, *, delay: float = DELAY
) -> dict[str, Delivery]:
    """Let all ``ways`` hear one point, and then nothing for a while; say what went over the wires in that while.

    Raises what ``race`` raises, and RuntimeError when a way returns before the point has come. All of it, ``seconds``
    included, has four and a half seconds.
    """
    async with _listening(server, ways, delay) as (wires, arrivals, tasks), asyncio.timeout(_PATIENCE):
        server.play([0.0])
        await asyncio.gather(*(_settled(wires[name], arrivals[name], tasks[name]) for name in ways))
        for wire in wires.values():
            wire.clear()
        await asyncio.sleep(seconds)
        return {name: Delivery([], wires[name].events) for name in ways}


def _flights(moments: list[float], got: Arrivals) -> list[tuple[float, float]]:
    numbers = [point["n"] for point in got]
    return [(moments[n - 1] - moments[0], heard - moments[0]) for n, heard in zip(numbers, got.moments, strict=True)]


@asynccontextmanager
async def _listening(
    server: ScoreServer, ways: Mapping[str, Client], delay: float
) -> AsyncIterator[tuple[dict[str, Wire], dict[str, Arrivals], dict[str, "asyncio.Task[None]"]]]:
    """All ways, each as a task that has asked its first question; cancelled at the end."""
    server.play([])
    arrivals = {name: Arrivals() for name in ways}
    async with AsyncExitStack() as stack:
        wires = {name: stack.enter_context(Wire(server, delay=delay)) for name in ways}
        tasks = {name: asyncio.create_task(_follow(way, wires[name], arrivals[name])) for name, way in ways.items()}
        try:
            async with asyncio.timeout(_PATIENCE):
                for name, task in tasks.items():
                    while not task.done() and b"\r\n\r\n" not in wires[name].bytes_from("client", passed=True):
                        await asyncio.sleep(_LOOK)
            yield wires, arrivals, tasks
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.wait(tasks.values(), timeout=_GOODBYE)
            for task in tasks.values():
                if task.done() and not task.cancelled():
                    task.exception()  # looked at, so that nobody complains that nobody did


async def _follow(way: Client, wire: Wire, got: Arrivals) -> None:
    async with caller(wire) as http:
        await way(http, got)


async def _settled(wire: Wire, got: Arrivals, way: "asyncio.Task[None]") -> None:
    """Wait until the first event is there, and what it brings along has passed; whoever never settles talks all the time."""
    while not got:
        if way.done():
            way.result()
            raise RuntimeError("a way has ended, and no point had come")
        await asyncio.sleep(_LOOK)
    seen, quiet = 0, 0
    for _ in range(_LOOKS):
        before, seen = seen, len(wire.events)
        quiet = quiet + 1 if seen == before else 0
        if quiet == _QUIET:
            break
        await asyncio.sleep(_LOOK)
