"""The HTTP before the frames: a request and its answer (RFC 9112), as far as a handshake needs it."""

from __future__ import annotations

from dataclasses import dataclass

_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Http:
    """A request or an answer.

    ``start``: where it begins in the stream of its sender, in bytes. ``raw``: its bytes. ``headers``: names and values in
    their order. ``complete``: False when its header or its body has not come whole.
    """

    start: int
    raw: bytes
    first_line: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    complete: bool = True

    @property
    def status(self) -> int | None:
        """The number in an answer, such as 101; None for a request."""
        words = self.first_line.split()
        return int(words[1]) if words[0:1] and words[0].startswith("HTTP/") and words[1:2] and words[1].isdecimal() else None

    @property
    def upgraded(self) -> bool:
        """Whether frames follow: it is an answer 101."""
        return self.status == 101

    def get(self, name: str) -> str:
        """The value of a header, in any case of its name; several of one name with commas between; "" for none."""
        return ", ".join(value for key, value in self.headers if key.lower() == name.lower())

    def __str__(self) -> str:
        line = self.first_line if self.first_line.isprintable() else repr(self.first_line)
        return line if self.complete else f"{line} (cut off)"


class HttpDecoder:
    """Takes one request or answer from the beginning of a stream. start: the number of its first byte."""

    def __init__(self, start: int = 0) -> None:
        self._start = start
        self._raw = bytearray()
        self._size: int | None = None  # of header and body; None: not known yet, or it ends when the connection ends

    def feed(self, data: bytes) -> tuple[Http | None, bytes]:
        """Take bytes; returns the request or answer when they complete it, and the bytes that are left after it."""
        searched = max(0, len(self._raw) - len(_END))
        head_known = _END in self._raw
        self._raw += data
        if not head_known and (end := self._raw.find(_END, searched)) >= 0:
            self._size = _size(self.so_far, end + len(_END))
        if self._size is None or len(self._raw) < self._size:
            return None, b""
        rest = bytes(self._raw[self._size :])
        del self._raw[self._size :]
        return self._http(complete=True), rest

    @property
    def so_far(self) -> Http:
        """What has come of it."""
        return self._http(complete=False)

    def ended(self) -> Http:
        """The connection has ended, which may be the end of a body."""
        return self._http(complete=_END in self._raw and self._size is None)

    def _http(self, *, complete: bool) -> Http:
        head, _, body = bytes(self._raw).partition(_END)
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name, value.strip()) for name, _, value in pairs)
        return Http(self._start, bytes(self._raw), first, headers, body, complete)


def _size(head: Http, end: int) -> int | None:
    """How many bytes a request or answer takes, whose header ends at ``end``; None: as many as come."""
    length = head.get("Content-Length")
    if length.isdecimal():
        return end + int(length)
    if head.status is None:
        return end
    return end if head.status < 200 or head.status in (204, 304) else None
