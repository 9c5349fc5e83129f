"""One WebSocket frame, field by field (RFC 6455, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from ..recording import Sender

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NAMES = {
    CONTINUATION: "continuation",
    TEXT: "text",
    BINARY: "binary",
    CLOSE: "close",
    PING: "ping",
    PONG: "pong",
}
_MOST = 40  # characters of a payload in one line


@dataclass(frozen=True, slots=True)
class Problem:
    """Where a stream breaks the rules.

    ``at`` is the byte that broke the rule, counted from the start of its side's stream; a length and a close code are
    judged at their last byte.
    ``says``: what is wrong. ``where``: the rule, such as "RFC 6455, section 5.2". ``code``: how a receiver that notices
    it closes the connection (1002, 1007; 1009 for what is too much).
    """

    at: int
    says: str
    where: str
    code: int = 1002

    def __str__(self) -> str:
        return f"{self.says} ({self.where})"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a frame: its ``name``, its place in bits from the frame's first bit, and its value in a few words."""

    name: str
    start: int
    size: int
    value: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame, as much of it as has come.

    ``start``: where it begins in the stream of its ``sender``, in bytes. ``raw``: its bytes as they crossed the wire.
    ``length``: the bytes of payload that its header announces. ``mask``: four bytes, or none. ``payload``: unmasked.
    ``compressed``: it belongs to a compressed message; ``inflated``: ``data`` is what this frame added to that message.
    Else ``data`` is the payload: the frame isn't compressed, or the recording doesn't say how to inflate it.
    ``problem``: the first rule that was broken, when it was broken in this frame.

    Source: RFC 6455, section 5.2; RFC 7692, section 6, for ``rsv1`` and ``compressed``.
    """

    sender: Sender
    start: int
    raw: bytes
    fin: bool
    rsv1: bool
    rsv2: bool
    rsv3: bool
    opcode: int
    masked: bool
    length: int
    mask: bytes
    payload: bytes
    data: bytes
    header: bytes
    compressed: bool = False
    inflated: bool = False
    complete: bool = True
    problem: Problem | None = None

    @property
    def name(self) -> str:
        """What its opcode is called: "text", "ping", …, or "reserved opcode 3"."""
        return NAMES.get(self.opcode, f"reserved opcode {self.opcode}")

    @property
    def code(self) -> int | None:
        """The code of a close frame; None when it has none, and for other frames."""
        return int.from_bytes(self.payload[:2], "big") if self.opcode == CLOSE and len(self.payload) > 1 else None

    @property
    def reason(self) -> str:
        """The reason in a close frame; octets that aren't UTF-8 as U+FFFD. "" for other frames."""
        return self.payload[2:].decode("utf-8", "replace") if self.opcode == CLOSE else ""

    @property
    def fields(self) -> list[Field]:
        """The fields in the order of the wire; those of an incomplete frame as far as they have come."""
        raw, fields = self.raw, []
        if raw:
            fields += [
                Field("FIN", 0, 1, "the last frame of its message" if self.fin else "more frames follow"),
                Field("RSV", 1, 3, f"{raw[0] >> 4 & 7:03b}"),
                Field("opcode", 4, 4, f"{self.opcode}, {self.name}" if self.opcode in NAMES else self.name),
            ]
        if len(raw) > 1:
            short = raw[1] & 0x7F
            more = {126: "126: the next 2 bytes are the length", 127: "127: the next 8 bytes are the length"}
            fields += [
                Field("MASK", 8, 1, "masked" if self.masked else "not masked"),
                Field("length", 9, 7, more.get(short, f"{short}")),
            ]
            size = {126: 2, 127: 8}.get(short, 0)
            end = 2 + size
            if size and len(raw) >= end:
                fields.append(Field("extended length", 16, 8 * size, f"{self.length}"))
            if self.masked and len(raw) >= end + 4:
                fields.append(Field("masking key", 8 * end, 32, self.mask.hex(" ")))
                end += 4
            if self.payload:
                fields.append(Field("payload", 8 * end, 8 * len(self.payload), self.content))
        return fields

    @property
    def content(self) -> str:
        """What it says, on one line and not longer than a line: the text, the bytes, or a close frame's code and reason."""
        if self.opcode == CLOSE and self.code is not None:
            return f"{self.code} {_short(self.reason)}" if self.reason else f"{self.code}"
        if self.opcode in (TEXT, CONTINUATION, PING, PONG):
            try:
                return _short(self.data.decode())
            except UnicodeDecodeError:
                pass
        return _short(self.data)

    def __str__(self) -> str:
        words = [self.name]
        if not self.fin:
            words.append("no FIN")
        if self.compressed:
            words.append("compressed")
        if self.masked:
            words.append("masked")
        words.append(f"{self.length} byte{'s' * (self.length != 1)}")
        line = ", ".join(words)
        if not self.complete:
            line += f", {len(self.payload)} of them here" if len(self.raw) > 1 else ", cut off in its header"
        if self.data or self.code is not None:
            line += f": {self.content}"
        if self.problem:
            line += f"  × byte {self.problem.at - self.start}: {self.problem}"
        return line


def _short(data: bytes | str) -> str:
    """As Python writes it, its end left out when it is long."""
    return f"{data[:_MOST]!r}…" if len(data) > _MOST else repr(data)


def masked(data: bytes | bytearray | memoryview, mask: bytes, at: int = 0) -> bytes:
    """``data`` masked with the four bytes of ``mask``, or unmasked, which is the same (RFC 6455, section 5.3).

    ``at``: where in its payload ``data`` begins. All bytes at once, as two long numbers: that takes linear time, and
    about a millisecond for a megabyte.
    """
    if not data:
        return b""
    turn = at % 4
    key = (mask[turn:] + mask[:turn]) * (len(data) // 4 + 1)
    size = len(data)
    return (int.from_bytes(data, "little") ^ int.from_bytes(key[:size], "little")).to_bytes(size, "little")
