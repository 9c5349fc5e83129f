"""A WebSocket client that keeps no rules: it shakes hands, sends whatever bytes it is given, and hears what comes back."""

import asyncio
import socket
import time

from websockets.utils import apply_mask

from .background import BackgroundServer

HELLO = (
    b"GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    b"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
"""A whole request for a WebSocket, with the key of the example in RFC 6455, section 1.3."""

_MASK = b"mask"
_PATIENCE = 3.0  # seconds that nothing may come


def dial(server: BackgroundServer, patience: float = _PATIENCE) -> socket.socket:
    """A connection to the server, behind a handshake that it has accepted. Waits at most `patience` seconds for a byte.

    Raises ConnectionError with the first line of the answer when it is another one than 101, OSError when nobody answers.
    """
    line = socket.create_connection(server.address, timeout=patience)
    try:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.sendall(HELLO)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (byte := line.recv(1)):
                raise ConnectionError("the server hung up in the middle of its answer")
            head += byte
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.partition(b"\r\n")[0].decode("latin-1"))
    except BaseException:
        line.close()
        raise
    return line


def ask(server: BackgroundServer, *data: bytes, patience: float = _PATIENCE) -> bytes:
    """Shake hands, send the data, keep the line open, and return all that comes back until the server hangs up.

    Raises what `dial` raises, and TimeoutError when the server says nothing for `patience` seconds and doesn't hang up.
    """
    with dial(server, patience) as line:
        line.sendall(b"".join(data))
        heard = bytearray()
        while piece := line.recv(2**16):
            heard += piece
        return bytes(heard)


def fed(data: bytes) -> asyncio.StreamReader:
    """A stream whose other side has sent these bytes and hung up. To be called where a loop runs, as in a cell."""
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, announced: int | None = None) -> bytes:
    """A client's frame, masked. `announced`: a length that its head gives instead of the true one.

    Source: https://www.rfc-editor.org/rfc/rfc6455#section-5.2
    """
    length = len(payload) if announced is None else announced
    short, octets = (length, 0) if length < 126 else (126, 2) if length < 2**16 else (127, 8)
    head = bytes([fin << 7 | opcode, 0x80 | short]) + (length.to_bytes(octets, "big") if octets else b"")
    return head + _MASK + apply_mask(payload, _MASK)


def round_trip(line: socket.socket, size: int) -> float:
    """Seconds until a binary message of `size` bytes has come back over a line that was dialled.

    Raises TimeoutError when the answer stays away for three seconds, ConnectionError when the server hangs up.
    """
    message = frame(2, bytes(size))
    missing = len(message) - len(_MASK)
    begin = time.perf_counter()
    line.sendall(message)
    while missing:
        if not (piece := line.recv(min(missing, 2**20))):
            raise ConnectionError("the server hung up in the middle of its answer")
        missing -= len(piece)
    return time.perf_counter() - begin


def compare(one: BackgroundServer, other: BackgroundServer, size: int) -> float:
    """How many times as many messages of `size` bytes `one` echoes a second as `other`.

    They take turns, and the quickest round trip of each counts: on a busy machine all others wait for somebody else, too.
    Raises as `dial` and `round_trip` do.
    """
    rounds = 200 if size < 2**12 else 24
    with dial(one) as first, dial(other) as second:
        pairs = [(round_trip(first, size), round_trip(second, size)) for _ in range(rounds)]
    return min(late for _, late in pairs) / min(early for early, _ in pairs)
