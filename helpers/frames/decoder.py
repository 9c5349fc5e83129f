"""A stream of bytes taken apart into frames while it comes, and the byte at which it breaks the rules."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from ..recording import Sender, check_sender
from .deflate import LIMIT, Inflater, TooMuch, inflater
from .frame import BINARY, CLOSE, CONTINUATION, NAMES, TEXT, Frame, Problem, masked
from .text import Utf8

_SIZES = {126: 2, 127: 8}  # bytes that a length takes besides the first


class Decoder:
    """The frames that one side sends, however its bytes are cut.

    sender: "client" (masks its frames) or "server" (doesn't).
    extensions: what the handshake agreed on, the value of the server's Sec-WebSocket-Extensions; None: unknown, as in a
        recording that begins later. Then compressed messages pass, but stay compressed.
    start: the number of the first byte, for ``Frame.start`` and ``Problem.at``.

    ``problem`` is set as soon as the byte has come that breaks a rule. The frame in which it stands is still read
    to its end by its header; what follows is ignored, as a receiver would do, who has hung up.

    Works in any one thread. ValueError for an unknown sender.
    Source: RFC 6455, sections 5 to 8, and RFC 7692.
    """

    def __init__(self, sender: Sender, extensions: str | None = "", *, start: int = 0) -> None:
        self.sender: Sender = check_sender(sender)
        self.problem: Problem | None = None
        self.closed = False  # a close frame has come
        self._inflater: Inflater | None = inflater(extensions or "", sender)
        self._may_compress = extensions is None or self._inflater is not None
        self._start = start
        self._done = False  # the frame with the problem is complete
        # the message that goes on: its opcode, whether it is compressed, and its UTF-8
        self._message: int | None = None
        self._compressed = False
        self._utf8: Utf8 | None = None
        self._next()

    def feed(self, data: bytes | bytearray | memoryview) -> list[Frame]:
        """Take the next bytes of the stream; returns the frames that they complete."""
        data, at, frames = memoryview(data), 0, []
        while not self._done and at < len(data):
            if not self._ready:
                self._head.append(data[at])
                at += 1
                self._look_at_header()
            else:
                piece = data[at : at + self._length - len(self._payload)]
                at += len(piece)
                self._raw += piece
                self._look_at_payload(bytes(piece))
            if self._ready and len(self._payload) == self._length:
                if self.problem is None:
                    self._end_of_frame()
                frames.append(self._frame(complete=True))
                self._done = self.problem is not None
                self._start = frames[-1].start + len(frames[-1].raw)
                self._next()
        return frames

    @property
    def partial(self) -> Frame | None:
        """The frame that has begun and isn't complete; its ``complete`` is False. None between two frames."""
        return self._frame(complete=False) if self._head else None

    def _next(self) -> None:
        """Get ready for the next frame."""
        self._head = bytearray()
        self._ready = False  # the header is complete
        self._length = 0
        self._mask = b""
        self._raw = bytearray()  # of the payload, as it came
        self._payload = bytearray()
        self._data = bytearray()
        self._rejected: Problem | None = None

    def _frame(self, *, complete: bool) -> Frame:
        first = self._head[0]
        return Frame(
            sender=self.sender,
            start=self._start,
            raw=bytes(self._head + self._raw),
            fin=bool(first & 0x80),
            rsv1=bool(first & 0x40),
            rsv2=bool(first & 0x20),
            rsv3=bool(first & 0x10),
            opcode=first & 0x0F,
            masked=len(self._head) > 1 and bool(self._head[1] & 0x80),
            length=self._length,
            mask=self._mask,
            payload=bytes(self._payload),
            data=bytes(self._data if self._inflating else self._payload),
            header=bytes(self._head),
            compressed=self._packed,
            inflated=self._inflating,
            complete=complete,
            problem=self._rejected,
        )

    def _reject(self, place: int, says: str, section: str, code: int = 1002, *, rfc: int = 6455) -> None:
        """Note the first problem; ``place`` is the byte's number in this frame."""
        if self.problem is None:
            self.problem = self._rejected = Problem(self._start + place, says, f"RFC {rfc}, section {section}", code)

    # The header

    def _look_at_header(self) -> None:
        head = self._head
        if len(head) == 1:
            self._look_at_first_byte(head[0])
            return
        short, size = head[1] & 0x7F, _SIZES.get(head[1] & 0x7F, 0)
        if len(head) == 2:
            self._length = 0 if size else short
            self._look_at_second_byte(head[1])
        if size == 8 and len(head) == 3 and head[2] & 0x80:
            self._reject(2, "the first bit of a length of 8 bytes must be 0", "5.2")
        if size and len(head) == 2 + size:
            self._length = int.from_bytes(head[2:], "big")
            least = 126 if size == 2 else 2**16
            if self._length < least:
                self._reject(
                    1 + size, f"{self._length} fits into a shorter length, and the shortest one must be used", "5.2"
                )
        if len(head) == 2 + size + 4 * (head[1] >> 7):
            self._mask = bytes(head[2 + size :])
            self._ready = True

    def _look_at_first_byte(self, byte: int) -> None:
        fin, rsv1, opcode = byte & 0x80, byte & 0x40, byte & 0x0F
        data_frame = opcode in (TEXT, BINARY)
        self._inflating = self._packed = False
        if byte & 0x30:
            self._reject(0, "RSV2 and RSV3 must be 0: no extension gives them a meaning", "5.2")
        elif rsv1 and not self._may_compress:
            self._reject(0, "RSV1 must be 0: no extension was agreed on that gives it a meaning", "5.2")
        elif opcode not in NAMES:
            self._reject(0, f"opcode {opcode} is reserved", "5.2")
        elif rsv1 and not data_frame:
            self._reject(0, f"RSV1 must be 0 in a {NAMES[opcode]} frame", "6.1", rfc=7692)
        elif opcode >= 0x8 and not fin:
            self._reject(0, f"a {NAMES[opcode]} is a control frame: it can't be fragmented, FIN must be 1", "5.5")
        elif opcode < 0x8 and self.closed:
            self._reject(0, "after its close frame a side sends no more data", "5.5.1")
        elif opcode == CONTINUATION and self._message is None:
            self._reject(0, "a continuation, but no message has begun", "5.4")
        elif data_frame and self._message is not None:
            self._reject(0, "a new message begins before the last fragment of the message before", "5.4")
        if self.problem is not None:
            return
        if data_frame:
            self._message = opcode
            self._compressed = bool(rsv1)
            if rsv1 and self._inflater:
                self._inflater.begin()
            readable = not rsv1 or self._inflater is not None
            self._utf8 = Utf8() if opcode == TEXT and readable else None
        elif opcode == CLOSE:
            self._reason = Utf8()
        if opcode < 0x8:
            self._packed = self._compressed
            self._inflating = self._packed and self._inflater is not None

    def _look_at_second_byte(self, byte: int) -> None:
        opcode, short = self._head[0] & 0x0F, byte & 0x7F
        if bool(byte & 0x80) != (self.sender == "client"):
            self._reject(1, f"a {self.sender} must {'' if self.sender == 'client' else 'not '}mask its frames", "5.1")
        elif opcode >= 0x8 and short > 125:
            self._reject(1, "the payload of a control frame has at most 125 bytes", "5.5")
        elif opcode == CLOSE and short == 1:
            self._reject(1, "a close frame is empty or begins with a code of 2 bytes", "5.5.1")

    # The payload

    def _look_at_payload(self, piece: bytes) -> None:
        before = len(self._payload)
        piece = masked(piece, self._mask, before) if self._mask else piece
        self._payload += piece
        if self.problem is not None:
            return
        place = len(self._head) + before
        if self._head[0] & 0x0F == CLOSE:
            self._look_at_close(before, piece)
        elif self._inflating:
            assert self._inflater is not None
            for byte in piece:  # one by one, to find the one that is wrong
                if self._inflate(place, lambda byte=byte: self._inflater.feed(bytes((byte,)))):
                    return
                place += 1
        elif self._utf8 and self._head[0] & 0x0F < 0x8 and (wrong := self._utf8.feed(piece)) is not None:
            self._not_utf8(place + wrong)

    def _inflate(self, place: int, step: Callable[[], bytes]) -> bool:
        """Whether the byte at ``place`` broke a rule; else what it inflates to is added."""
        try:
            out = step()
        except zlib.error:
            self._reject(place, "this is no compressed data", "7.2.2", rfc=7692)
            return True
        except TooMuch:
            self._reject(place, f"the message inflates to more than {LIMIT // 2**20} MiB", "10.4", 1009)
            return True
        self._data += out
        if self._utf8 and self._utf8.feed(out) is not None:
            self._not_utf8(place)
            return True
        return False

    def _look_at_close(self, before: int, piece: bytes) -> None:
        if before < 2 <= len(self._payload):
            code = int.from_bytes(self._payload[:2], "big")
            if not (code in _CODES or 3000 <= code < 5000):
                section = "7.4.1" if 1000 <= code < 1016 else "7.4.2"
                self._reject(len(self._head) + 1, f"{code} is no code that a close frame may have", section)
                return
        skip = max(0, 2 - before)  # of this piece, what belongs to the code
        if (wrong := self._reason.feed(piece[skip:])) is not None:
            self._not_utf8(len(self._head) + before + skip + wrong)

    def _not_utf8(self, place: int) -> None:
        self._reject(place, "this is no UTF-8, as text must be", "8.1", 1007)

    def _end_of_frame(self) -> None:
        opcode, fin = self._head[0] & 0x0F, self._head[0] & 0x80
        last = len(self._head) + self._length - 1
        if opcode == CLOSE:
            self.closed = True
            if not self._reason.whole:
                self._not_utf8(last)
        elif opcode < 0x8 and fin:
            self._message = None
            if self._inflating and self._inflate(last, self._inflater.end):
                return
            if self._utf8 and not self._utf8.whole:
                self._not_utf8(last)


# RFC 6455, section 7.4.1, and what IANA has registered since; 1004, 1005, 1006 and 1015 never stand in a frame.
_CODES = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


def decode(data: bytes, sender: Sender = "client", extensions: str | None = "") -> list[Frame]:
    """The frames in ``data``, which ``sender`` sent; the last one may be incomplete. ValueError as for ``Decoder``.

    frames.decode(b"\\x81\\x02hi", "server")[0].payload
    """
    decoder = Decoder(sender, extensions)
    found = decoder.feed(data)
    return [*found, decoder.partial] if decoder.partial else found
