"""What both sides of a connection said: a recording of a Wire as HTTP and frames, in the order of the wire."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from ..recording import Sender, check_sender
from .decoder import Decoder
from .frame import Frame
from .http import Http, HttpDecoder


class Event(Protocol):
    """What is used of the events that ``helpers.Wire`` records."""

    time: float
    connection: int
    sender: str
    kind: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a side said. ``sent``, ``received``: the seconds at which its first byte came to the wire, and its
    last one was passed on (None: not yet, or never)."""

    connection: int
    sender: Sender
    sent: float
    received: float | None
    what: Http | Frame

    def __str__(self) -> str:
        return f"{self.sender}  {self.what}"


class Side:
    """What one side of a connection sends, decoded while it comes: HTTP, then frames.

    A stream that doesn't begin with a letter is frames from its start: a recording that was begun later. Whether a
    client's request was followed by frames is for the server's answer to say: until ``answered()``, what a client sends
    after its request is kept.
    """

    def __init__(self, sender: Sender) -> None:
        self.sender: Sender = sender
        self._at = 0  # bytes that are decoded
        self._http: HttpDecoder | None = None
        self._frames: Decoder | None = None
        self._waiting = False
        self._kept = b""

    def feed(self, data: bytes) -> list[Http | Frame]:
        """Take the next bytes; returns what they complete."""
        if self._frames:
            return list(self._frames.feed(data))
        self._kept += data
        found: list[Http | Frame] = []
        while self._kept and not self._waiting:
            if self._http is None:
                if not self._kept[:1].isalpha():
                    return found + self.speak(None)
                self._http = HttpDecoder(self._at)
            http, self._kept = self._http.feed(self._kept)
            if http is None:
                break
            found.append(http)
            self._at += len(http.raw)
            self._http = None
            if http.upgraded:
                return found + self.speak(http.get("Sec-WebSocket-Extensions"))
            self._waiting = http.status is None
        return found

    def speak(self, extensions: str | None) -> list[Http | Frame]:
        """From here on these are frames."""
        self._frames = Decoder(self.sender, extensions, start=self._at)
        kept, self._kept = self._kept, b""
        return list(self._frames.feed(kept))

    def answered(self, answer: Http) -> list[Http | Frame]:
        """The server has answered this client's request; returns what was kept until then."""
        if not self._waiting or (answer.status or 0) < 101:
            return []
        self._waiting = False
        if answer.upgraded:
            return self.speak(answer.get("Sec-WebSocket-Extensions"))
        return self.feed(b"")

    def unfinished(self, *, ended: bool) -> Http | Frame | None:
        """What has begun and isn't complete, or what was complete only because the connection has ended."""
        if self._frames:
            return self._frames.partial
        if self._http:
            return self._http.ended() if ended else self._http.so_far
        return None


class Clock:
    """When the bytes of one side came to the wire, and when they were passed on."""

    def __init__(self, events: Iterable[Event], sender: str) -> None:
        self._times: dict[str, tuple[list[int], list[float]]] = {}
        own = [event for event in events if event.sender == sender and event.data]
        for kind in ("received", "passed"):
            chunks = [event for event in own if event.kind == kind]
            self._times[kind] = list(accumulate(len(event.data) for event in chunks)), [event.time for event in chunks]

    def sent(self, first: int) -> float:
        """When the byte of this number came to the wire."""
        ends, times = self._times["received"]
        return times[bisect_right(ends, first)]

    def received(self, last: int) -> float | None:
        """When the byte of this number was passed on; None: not yet, or never."""
        ends, times = self._times["passed"]
        place = bisect_right(ends, last)
        return times[place] if place < len(times) else None


def conversation(recording: object, connection: int | None = None) -> list[Part]:
    """What was said, in the order in which the first byte of each part came to the wire.

    recording: a ``Wire``, or its ``.events``. connection: only this one, by its number.
    A part that has begun and isn't complete is in it too, its ``complete`` False; what a side sends after it
    broke a rule is not.

    Raises ValueError when it is no recording.

        [str(part) for part in frames.conversation(wire)]
    """
    events = events_of(recording)
    numbers = dict.fromkeys(event.connection for event in events)
    found = [
        (order, part)
        for number in numbers
        if connection in (None, number)
        for order, part in _one(events, number)
    ]
    return [part for _, part in sorted(found, key=lambda entry: entry[0])]


def table(recording: object, connection: int | None = None) -> str:
    """A recording as lines to print: who said what. It has no keys, ports or times, so it is the same on every run.

    Parameters and errors as for ``conversation``.

        print(frames.table(wire))
    """
    return "\n".join(map(str, conversation(recording, connection)))


def sent_by(recording: object, sender: Sender, connection: int | None = None) -> list[Frame]:
    """The frames that one side sent. Parameters and errors as for ``conversation``; ValueError for an unknown sender.

    frames.sent_by(wire, "client")[0].mask
    """
    check_sender(sender)
    return [
        part.what
        for part in conversation(recording, connection)
        if part.sender == sender and isinstance(part.what, Frame)
    ]


def events_of(recording: object) -> list[Event]:
    """The events of a ``Wire`` or of a list of them. ValueError for anything else."""
    entries = getattr(recording, "events", recording)
    if isinstance(entries, Iterable) and not isinstance(entries, (str, bytes)):
        entries = list(entries)
        if all(hasattr(entry, name) for entry in entries for name in ("time", "connection", "sender", "kind", "data")):
            return entries
    raise ValueError(f"pass a Wire or its events, not {type(recording).__name__}")


def _one(events: list[Event], number: int) -> list[tuple[tuple[int, int], Part]]:
    """The parts of one connection, each with its place: the event and the byte of it with which it begins."""
    own = [(place, event) for place, event in enumerate(events) if event.connection == number]
    sides = {sender: Side(sender) for sender in ("client", "server")}
    found: list[tuple[Sender, Http | Frame]] = []
    for _, event in own:
        if event.kind != "received" or not event.data:
            continue
        for what in sides[event.sender].feed(event.data):
            found.append((event.sender, what))
            if event.sender == "server" and isinstance(what, Http):
                found += [("client", more) for more in sides["client"].answered(what)]
    ended = {event.sender for _, event in own if event.kind in ("end", "reset")}
    found += [
        (sender, rest)
        for sender, side in sides.items()
        if (rest := side.unfinished(ended=sender in ended)) is not None
    ]
    clocks = {sender: Clock([event for _, event in own], sender) for sender in sides}
    begins = {sender: _starts(own, sender) for sender in sides}
    parts = []
    for sender, what in found:
        ends, places = begins[sender]
        chunk = bisect_right(ends, what.start)
        received = clocks[sender].received(what.start + len(what.raw) - 1)
        part = Part(number, sender, clocks[sender].sent(what.start), received, what)
        parts.append(((places[chunk], what.start), part))
    return parts


def _starts(own: list[tuple[int, Event]], sender: str) -> tuple[list[int], list[int]]:
    """For each chunk that a side sent: the number of the byte after it, and the place of its event."""
    chunks = [(place, len(event.data)) for place, event in own if event.sender == sender and event.kind == "received" and event.data]
    return list(accumulate(size for _, size in chunks)), [place for place, _ in chunks]
