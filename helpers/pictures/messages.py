"""The messages in a recording: an HTTP handshake and WebSocket frames, or bare chunks, each with its two moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..frames import Event, Frame, Http, conversation
from ..frames.conversation import Clock
from ..frames.frame import BINARY, CLOSE, CONTINUATION, NAMES, TEXT
from .style import shown

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
    events: list[Event] = []
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


def _decoded(events: Sequence[Event], connection: int) -> list[Message]:
    clocks = {sender: Clock(events, sender) for sender in ("client", "server")}
    parts = conversation(events, connection)
    http = {part.sender for part in parts if isinstance(part.what, Http) and "HTTP/1." in part.what.first_line}
    begins = [part.what.raw[0] for part in parts if part.what.start == 0]
    if http != set(clocks) and not any(byte in _FIRST_BYTES for byte in begins):
        return [message for sender, clock in clocks.items() for message in _chunks(events, sender, clock, connection)]
    found = []
    for sender, clock in clocks.items():
        for start, end, kind, text in _pieces([part.what for part in parts if part.sender == sender]):
            found.append(Message(clock.sent(start), clock.received(end - 1), sender, text, kind, connection))
    return found


def _chunks(events: Sequence[Event], sender: str, clock: Clock, connection: int) -> Iterator[Message]:
    at = 0
    for event in events:
        if event.sender == sender and event.kind == "received" and event.data:
            end = at + len(event.data)
            yield Message(clock.sent(at), clock.received(end - 1), sender, shown(event.data), "bytes", connection)
            at = end


def _pieces(said: Sequence[Http | Frame]) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, kind, text) of the messages that are complete; fragments are joined."""
    fragments: list[Frame] = []
    for what in said:
        end = what.start + len(what.raw)
        if isinstance(what, Http):
            yield what.start, end, "http", shown(what.first_line)
        elif not what.complete:
            continue
        elif what.opcode >= 0x8:
            yield what.start, end, what.name if what.opcode in NAMES else "text", _control(what)
        else:
            fragments = [*fragments, what] if what.opcode == CONTINUATION else [what]
            if what.fin:
                kind = fragments[0].name if fragments[0].opcode in (TEXT, BINARY) else "binary"
                yield fragments[0].start, end, kind, _text(fragments)


def _text(fragments: Sequence[Frame]) -> str:
    if any(frame.compressed and not frame.inflated for frame in fragments):
        return f"{sum(frame.length for frame in fragments)} bytes, compressed"
    return shown(b"".join(frame.data for frame in fragments))


def _control(frame: Frame) -> str:
    if frame.opcode == CLOSE:
        return "close" if frame.code is None else f"close {frame.code}"
    return f"{NAMES.get(frame.opcode, 'control')} {shown(frame.payload)}".strip()
