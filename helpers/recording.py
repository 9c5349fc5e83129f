"""What a Wire has seen, in the order in which it saw it."""

import threading
from dataclasses import dataclass
from typing import Literal, get_args

Sender = Literal["client", "server"]

_EVENT_COST = 200  # bytes that an event takes besides its data, about


def check_sender(sender: object) -> Sender:
    """The same; ValueError for what is no sender."""
    if sender not in get_args(Sender):
        raise ValueError(f"sender is 'client' or 'server', not {sender!r}")
    return sender


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a wire saw or did.

    ``time`` is in seconds since the wire started. ``connection`` is 1 for its first connection, then 2, ...
    ``sender`` is the side that the bytes come from: what a client sent has the sender "client" on its whole way.
    ``data`` is empty unless ``kind`` is "received" or "passed".

    The kinds:
        "open": a client has called. "refused": nobody answers at the target, so the client's connection is reset.
        "received", "passed": bytes came from the sender; bytes were handed on towards the other side.
        "end", "end passed": the sender has sent its last byte (FIN), and the other side was told.
        "reset", "reset passed": the sender broke the connection off (RST), and so did the wire towards the other side.
        "cut", "half-closed", "silent", "restored": a fault was switched on, or silence off, for what this sender sends.
        "full": the recording has reached its limit; bytes pass on, but nothing more is recorded until ``clear()``.
    """

    time: float
    connection: int
    sender: Sender
    kind: str
    data: bytes = b""


def checked_limit(limit: object) -> int:
    """How much memory a recording may take, in bytes; ValueError if it can't be that."""
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise ValueError(f"limit is how many bytes of memory the recording may take, for example 2**26; not {limit!r}")
    return limit


class Recording:
    """A list of events, written in one thread and read in another, that stops at about ``limit`` bytes of memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._size = 0

    def add(self, time: float, connection: int, sender: Sender, kind: str, data: bytes = b"") -> None:
        """Record one event, or that the recording is full."""
        with self._lock:
            if self._size >= self._limit:
                return
            self._size += _EVENT_COST + len(data)
            if self._size >= self._limit:
                kind, data = "full", b""
            self._events.append(Event(time, connection, sender, kind, data))

    def events(self) -> list[Event]:
        """Everything so far, oldest first: a copy."""
        with self._lock:
            return self._events.copy()

    def clear(self) -> None:
        """Forget everything so far."""
        with self._lock:
            self._events = []
            self._size = 0
