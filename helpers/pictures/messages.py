"""The messages in a recording: an HTTP handshake and WebSocket frames, or bare chunks, each with its two moments."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from .style import shown

_OPCODES = {0x1: "text", 0x2: "binary", 0x8: "close", 0x9: "ping", 0xA: "pong"}
_FIRST_BYTES = {0x81, 0x82, 0x88, 0x89, 0x8A}  # of a frame; no text in UTF-8 begins with one of these


@dataclass(frozen=True)
class Message:
    """One message from end to end: when it left the sender, when it came to the other side (seconds; None: never)."""

    sent: float
    received: float | None
    sender: str  # "client" or "server"
    text: str
    kind: str = "text"  # or "binary", "http", "ping", "pong", "close", "bytes"
    connection: int = 1


class _Event(Protocol):
    """What is used of the events that `helpers.Wire` records."""

    time: float
    connection: int
    sender: str
    kind: str
    data: bytes


def messages(recording: object, connection: int | None = None) -> list[Message]:
    """The messages of a recording, oldest first.

    `recording`: a `Wire`, its `.events`, or a list of `Message`s or of tuples (time sent, time received or None,
    sender, text).
    `connection`: only those of this one. Frames are decoded as in RFC 6455, section 5.2; a connection
    that doesn't speak WebSocket gives one message for each chunk. ValueError for anything else.

        [message.text for message in pictures.messages(wire) if message.kind == "text"]
    """
    entries = getattr(recording, "events", recording)
    if isinstance(entries, (str, bytes)) or not isinstance(entries, Iterable):
        raise ValueError(f"pass a Wire, its events, or a list of messages, not {type(recording).__name__}")
    found: list[Message] = []
    events: list[_Event] = []
    for entry in entries:
        if isinstance(entry, Message):
            found.append(entry)
        elif isinstance(entry, tuple) and len(entry) == 4:
            found.append(Message(*entry))
        elif all(hasattr(entry, name) for name in ("time", "connection", "sender", "kind", "data")):
            events.append(entry)
        else:
            raise ValueError(f"a message is a tuple (time sent, time received, sender, text), not {entry!r:.60}")
    for number in dict.fromkeys(event.connection for event in events):
        found += _decoded([event for event in events if event.connection == number], number)
    for message in found:
        if message.sender not in ("client", "server"):
            raise ValueError(f'the sender of a message is "client" or "server", not {message.sender!r}')
        if message.received is not None and message.received < message.sent:
            raise ValueError(f"the message {message.text!r:.40} was received before it was sent")
    return sorted((m for m in found if connection in (None, m.connection)), key=lambda message: message.sent)


class _Stream:
    """The bytes that one side sent, and when each of them was received by the wire and passed on."""

    def __init__(self, events: Sequence[_Event], sender: str) -> None:
        received = [event for event in events if event.sender == sender and event.kind == "received" and event.data]
        passed = [event for event in events if event.sender == sender and event.kind == "passed" and event.data]
        self.chunks = [event.data for event in received]
        self.bytes = b"".join(self.chunks)
        self._received = list(accumulate(len(event.data) for event in received)), [event.time for event in received]
        self._passed = list(accumulate(len(event.data) for event in passed)), [event.time for event in passed]

    def sent(self, first: int) -> float:
        ends, times = self._received
        return times[bisect_right(ends, first)]

    def arrived(self, last: int) -> float | None:
        ends, times = self._passed
        place = bisect_right(ends, last)
        return times[place] if place < len(times) else None


def _decoded(events: Sequence[_Event], connection: int) -> list[Message]:
    streams = {sender: _Stream(events, sender) for sender in ("client", "server")}
    http = streams["client"].bytes.startswith(b"GET ") and streams["server"].bytes.startswith(b"HTTP/")
    frames = any(stream.bytes[:1] and stream.bytes[0] in _FIRST_BYTES for stream in streams.values())
    found = []
    for sender, stream in streams.items():
        if http or frames:
            pieces = _handshake_and_frames(stream.bytes)
        else:
            ends = list(accumulate(len(chunk) for chunk in stream.chunks))
            pieces = [
                (end - len(chunk), end, "bytes", shown(chunk)) for chunk, end in zip(stream.chunks, ends, strict=True)
            ]
        for start, end, kind, text in pieces:
            found.append(Message(stream.sent(start), stream.arrived(end - 1), sender, text, kind, connection))
    return found


def _handshake_and_frames(data: bytes) -> list[tuple[int, int, str, str]]:
    """(start, end, kind, text) of what is complete in `data`."""
    pieces = []
    at = 0
    if data.startswith((b"GET ", b"HTTP/")):
        end = data.find(b"\r\n\r\n") + 4
        first_line = shown(data.partition(b"\r\n")[0])
        upgraded = data.startswith(b"GET ") or first_line.split()[1:2] == ["101"]
        at = end if upgraded and end > 3 else len(data)
        pieces.append((0, at, "http", first_line))
    start, kind, parts = at, "", []
    while (frame := _frame(data, at)) is not None:
        end, opcode, fin, compressed, payload = frame
        if opcode >= 0x8:
            pieces.append((at, end, _OPCODES.get(opcode, "text"), _control(opcode, payload)))
        else:
            if opcode:
                start, kind, parts = at, _OPCODES.get(opcode, "binary"), []
                packed = compressed
            parts.append(payload)
            if fin:
                whole = b"".join(parts)
                pieces.append((start, end, kind, f"{len(whole)} bytes, compressed" if packed else shown(whole)))
        at = end
    return pieces


def _frame(data: bytes, at: int) -> tuple[int, int, bool, bool, bytes] | None:
    """The frame that begins at `at`: where it ends, opcode, FIN, RSV1, payload. None when it isn't complete."""
    if len(data) < at + 2:
        return None
    opcode, masked, length, head = data[at] & 0x0F, data[at + 1] & 0x80, data[at + 1] & 0x7F, at + 2
    if length >= 126:
        size = 2 if length == 126 else 8
        length, head = int.from_bytes(data[head : head + size], "big"), head + size
    mask, head = (data[head : head + 4], head + 4) if masked else (b"", head)
    payload = data[head : head + length]
    if len(data) < head or len(payload) < length:
        return None
    if mask:
        payload = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
    return head + length, opcode, bool(data[at] & 0x80), bool(data[at] & 0x40), payload


def _control(opcode: int, payload: bytes) -> str:
    if opcode == 0x8:
        return f"close {int.from_bytes(payload[:2], 'big')}" if len(payload) >= 2 else "close"
    return f"{_OPCODES.get(opcode, 'control')} {shown(payload)}".strip()
