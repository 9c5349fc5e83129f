"""Compressed messages made readable (permessage-deflate, RFC 7692)."""

from __future__ import annotations

import zlib

from ..recording import Sender

_TAIL = b"\x00\x00\xff\xff"  # what a sender leaves off at the end of each message
_WINDOW = 2**15  # how far back deflate can point, at most
LIMIT = 2**26  # bytes that one message may inflate to: a few bytes can stand for gigabytes


class TooMuch(Exception):
    """A message inflates to more than LIMIT bytes."""


class Inflater:
    """Inflates what one side sends.

    takeover: whether a message may refer to the messages before it. bits: the size of the sender's window, 8 to 15.
    """

    def __init__(self, takeover: bool = True, bits: int = 15) -> None:
        self.takeover = takeover
        self.bits = bits
        self._history = bytearray()
        self._size = 0
        self._fresh()

    def begin(self) -> None:
        """A message begins."""
        self._size = 0
        if not self.takeover:
            self._history.clear()
            self._fresh()

    def feed(self, data: bytes) -> bytes:
        """What these bytes add to the message. Raises zlib.error for what isn't deflate, and TooMuch."""
        out = b""
        while data:
            out += self._zlib.decompress(data, LIMIT + 1 - self._size - len(out))
            if self._size + len(out) > LIMIT:
                raise TooMuch
            data = b""
            if self._zlib.eof:  # a block that called itself the last one: the message goes on after it (section 7.2.3.4)
                data = self._zlib.unused_data
                self._fresh(bytes(self._history) + out)
        self._size += len(out)
        self._history += out
        if len(self._history) > 4 * _WINDOW:
            del self._history[:-_WINDOW]
        return out

    def end(self) -> bytes:
        """The message is over: what was still missing of it. Raises as ``feed()``."""
        return self.feed(_TAIL)

    def _fresh(self, history: bytes = b"") -> None:
        window = 2 ** max(self.bits, 9)  # zlib takes 8 for 9
        self._zlib = zlib.decompressobj(-self.bits, zdict=history[-window:])


def inflater(extensions: str, sender: Sender) -> Inflater | None:
    """How to inflate what ``sender`` sends.

    extensions: the value of Sec-WebSocket-Extensions in the server's answer. None when that has no permessage-deflate.
    Source: RFC 7692, section 7.1.
    """
    for extension in extensions.split(","):
        name, *parameters = (part.strip() for part in extension.split(";"))
        if name == "permessage-deflate":
            values = {key.strip(): value.strip().strip('"') for key, _, value in (p.partition("=") for p in parameters)}
            bits = values.get(f"{sender}_max_window_bits", "")
            size = int(bits) if bits.isdecimal() and 8 <= int(bits) <= 15 else 15
            return Inflater(f"{sender}_no_context_takeover" not in values, size)
    return None
