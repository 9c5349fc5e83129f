"""The server of notebook 18, held against RFC 6455 octet by octet, and against the library over generated streams.

The code is lifted out of the notebook's cells. An expectation is never what the library does but what the RFC says: what came
before the broken frame is answered, in order; then the connection is failed at the first wrong octet, with no octet after it.
"""

import ast
import asyncio
import itertools
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from books import NOTEBOOKS, Book
from conformance import FRAGMENTS, scratch, server
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lifted import lifted
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from helpers import BackgroundServer
from helpers.raw_client import HELLO, ask, dial, frame

MORE, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
COURSE = scratch()
PATIENCE = 20.0  # seconds without a word from a server that is to say something
LIMIT = 2**16 + 100
"""Octets in a message of the server that the cases are sent to."""

PLENTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(scope="module")
def strict() -> Iterator[BackgroundServer]:
    with server("scratch", size=LIMIT, fragments=50) as running:
        yield running


def said(opcode: int, payload: bytes = b"") -> bytes:
    """A server's frame, as the library builds it."""
    return Frame(Opcode(opcode), payload).serialize(mask=False)


def code(number: int, reason: bytes = b"") -> bytes:
    return number.to_bytes(2, "big") + reason


Tried = tuple[str, bytes, bytes, int | None]
"""What is tried, what is sent, what is to come back before the Close, and its code; None: it carries none."""


def judged(strict: BackgroundServer, cases: Iterator[Tried]) -> int:
    """How many cases there were. AssertionError with all that went otherwise; a server that waits for more counts as that."""
    wrong, number = [], 0
    for number, (what, sent, before, closed) in enumerate(cases, start=1):
        try:
            heard = ask(strict, sent, patience=PATIENCE)
        except OSError as error:
            wrong.append(f"{what}: {error!r}")
            continue
        end = said(CLOSE, b"" if closed is None else code(closed))
        rest = heard.removeprefix(before)
        # a reason may follow the code: the length is one of a Close that stands at the very end
        if not heard.startswith(before) or rest[:1] != end[:1] or rest[2:4] != end[2:4] or len(rest) != 2 + rest[1]:
            wrong.append(f"{what}: {heard[:80]!r}, not {before[:80]!r} and a Close with {closed}")
    assert not wrong, f"{len(wrong)} of {number}: " + "\n".join(wrong[:20])
    return number


OK, ECHO = frame(TEXT, b"ok"), said(TEXT, b"ok")
END = frame(CLOSE, code(1000))


def whole_messages() -> Iterator[Tried]:
    for opcode, size in itertools.product((TEXT, BINARY), (0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 1000, 65_535, 65_536, LIMIT)):
        payload = bytes(byte % 128 for byte in range(size % 1000)) + b"x" * (size - size % 1000)
        yield f"{size} octets, opcode {opcode}", frame(opcode, payload) + END, said(opcode, payload), 1000
    for size in (0, 1, 2, 60, 124, 125):
        yield f"a ping of {size}", frame(PING, b"p" * size) + END, said(PONG, b"p" * size), 1000
        yield f"a pong of {size}", frame(PONG, b"p" * size) + OK + END, ECHO, 1000
    yield "ten pings", b"".join(frame(PING, b"%d" % n) for n in range(10)) + END, b"".join(said(PONG, b"%d" % n) for n in range(10)), 1000
    for first, second in itertools.product((TEXT, BINARY), repeat=2):
        yield f"{first}, then {second}", frame(first, b"one") + frame(second, b"two") + END, said(first, b"one") + said(second, b"two"), 1000


def broken_heads() -> Iterator[Tried]:
    """Each of them broken by its last octet: with one octet more the server would not be at the first wrong one."""
    for before, echo in ((b"", b""), (OK, ECHO), (OK + frame(PING), ECHO + said(PONG))):
        for first in range(256):
            opcode = first & 0x0F
            if first & 0x70 or opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15) or (opcode >= 8 and first < 0x80) or opcode == MORE:
                if before == OK or first % 7 == 0 or opcode == MORE:
                    yield f"{first:08b}", before + bytes([first]), echo, 1002
        for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
            yield f"no mask, opcode {opcode}", before + bytes([0x80 | opcode, 5]), echo, 1002
        for opcode, length in itertools.product((CLOSE, PING, PONG), (126, 127)):
            yield f"opcode {opcode} with {length}", before + bytes([0x80 | opcode, 0x80 | length]), echo, 1002
        yield "half a close code", before + b"\x88\x81", echo, 1002
    for length in (0, 1, 124, 125):
        yield f"{length} in two octets", OK + b"\x82\xfe" + length.to_bytes(2, "big"), ECHO, 1002
    for length in (0, 1, 126, 65_535):
        yield f"{length} in eight octets", OK + b"\x82\xff" + length.to_bytes(8, "big")[:6], ECHO, 1002
    for first in (0x80, 0xC0, 0xFF):
        yield f"a length that begins with {first:x}", OK + b"\x82\xff" + bytes([first]), ECHO, 1002


def fragments() -> Iterator[Tried]:
    for opcode, parts in itertools.product((TEXT, BINARY), ([b"", b""], [b"a", b"b"], [b"", b"ab", b""], [b"x" * 126, b"y" * 125], [b"."] * 50)):
        frames = [frame(opcode if not n else MORE, part, fin=n == len(parts) - 1) for n, part in enumerate(parts)]
        for between, answer in ((b"", b""), (frame(PING, b"?"), said(PONG, b"?")), (frame(PONG), b"")):
            sent = between.join(frames)
            yield f"{len(parts)} parts, {between[:1]!r} between", sent + END, answer * (len(parts) - 1) + said(opcode, b"".join(parts)), 1000
    for opcode in (TEXT, BINARY):
        yield f"a new message inside one, opcode {opcode}", OK + frame(TEXT, b"a", fin=False) + bytes([0x80 | opcode]), ECHO, 1002
        yield f"the same in fragments, opcode {opcode}", OK + frame(TEXT, b"a", fin=False) + bytes([opcode]), ECHO, 1002
        yield f"a message ends, and goes on, opcode {opcode}", frame(opcode, b"a", fin=False) + frame(MORE, b"b") + b"\x80", said(opcode, b"ab"), 1002
        yield f"a close inside a message, opcode {opcode}", frame(opcode, b"a", fin=False) + END, b"", 1000
    yield "51 fragments", frame(TEXT, b"", fin=False) * 1 + frame(MORE, b"", fin=False) * 49 + b"\x80\x80", b"", 1009


def limits() -> Iterator[Tried]:
    yield "one octet above the limit", OK + b"\x82\xff" + (LIMIT + 1).to_bytes(8, "big"), ECHO, 1009
    yield "the largest length there is", OK + b"\x82\xff" + (2**63 - 1).to_bytes(8, "big"), ECHO, 1009
    half = frame(BINARY, bytes(LIMIT - 10), fin=False)
    yield "the limit in two fragments", half + frame(MORE, bytes(10)) + END, said(BINARY, bytes(LIMIT)), 1000
    yield "above the limit in two fragments", half + b"\x80\x8b", b"", 1009
    yield "a ping when the message is full", frame(BINARY, bytes(LIMIT), fin=False) + frame(PING, b"p" * 125) + frame(MORE) + END, said(PONG, b"p" * 125) + said(BINARY, bytes(LIMIT)), 1000


CODES = {1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)}


def closes() -> Iterator[Tried]:
    yield "no code", frame(CLOSE), b"", None
    for number in sorted({*range(995, 1020), 0, 1, 255, 256, 1100, 1999, 2000, 2999, 3000, 3999, 4000, 4999, 5000, 5001, 65_535}):
        yield f"code {number}", OK + frame(CLOSE, code(number)), ECHO, number if number in CODES else 1002
        bad = frame(CLOSE, code(number), announced=100)
        if number not in CODES:
            yield f"code {number}, and more to come", OK + bad, ECHO, 1002
    for size in (0, 1, 50, 122, 123):
        yield f"a reason of {size}", frame(CLOSE, code(1000, b"r" * size)), b"", 1000
    yield "a reason in Greek", frame(CLOSE, code(3000, "κόσμε".encode())), b"", 3000
    for reason in (b"\xff", b"ok\xc0", b"\xed\xa0", b"\xf4\x90"):
        yield f"the reason {reason!r}", OK + frame(CLOSE, code(1000, reason), announced=100), ECHO, 1007
    for reason in (b"\xce", b"ok\xe2\x82"):
        yield f"the reason {reason!r}, cut", OK + frame(CLOSE, code(1000, reason)), ECHO, 1007
    for after in (OK, frame(PING), END, b"\xff", b"\x00" * 5000):
        yield f"{after[:2]!r} behind a close", END + after, b"", 1000


GOOD = ["κόσμε", "\x00", "\x7f", "\x80", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "\U0010ffff", "Hello-µ@ßöäüàá-UTF-8!!"]
"""The borders of UTF-8, one after the other."""

BAD = [b"\x80", b"\xbf", b"\xc0", b"\xc1", b"\xc2\x20", b"\xe0\x9f", b"\xe1\x80\x20", b"\xed\xa0", b"\xed\xbf", b"\xef\xbf\x20",
       b"\xf0\x8f", b"\xf1\x80\x80\x20", b"\xf4\x90", b"\xf5", b"\xf8", b"\xfc", b"\xfe", b"\xff", b"\xce\xba\xe1\xbd\xb9\xed\xa0"]
"""What can't be UTF-8 whatever follows, each wrong in its last octet and no earlier."""


def texts() -> Iterator[Tried]:
    for text in GOOD:
        data = text.encode()
        yield f"{text!r}", frame(TEXT, data) + END, said(TEXT, data), 1000
        for cut in range(1, len(data)):
            parts = frame(TEXT, data[:cut], fin=False) + frame(PING) + frame(MORE, data[cut:])
            yield f"{text!r}, cut at {cut}", parts + END, said(PONG) + said(TEXT, data), 1000
        if data[-1] >= 0x80:
            yield f"{text!r} without its last octet", OK + frame(TEXT, data[:-1]), ECHO, 1007
    for data in BAD:
        good = b"caf\xc3\xa9"
        for what, begin in (("", b""), ("behind a text, ", good)):
            yield f"{what}{data!r} in a frame with more to come", OK + frame(TEXT, begin + data, announced=1000), ECHO, 1007
        yield f"{data!r} in a fragment", OK + frame(TEXT, good, fin=False) + frame(PING) + frame(MORE, data, fin=False), ECHO + said(PONG), 1007
        if len(data) > 1:
            yield f"{data!r}, cut by a border", OK + frame(TEXT, data[:-1], fin=False) + frame(MORE, data[-1:], announced=9), ECHO, 1007
            held = frame(TEXT, data[:-1], fin=False) + frame(PING)
            yield f"{data[:-1]!r} may still become a text", held + END, said(PONG), 1000
        yield f"{data!r} is binary", frame(BINARY, data) + END, said(BINARY, data), 1000


@pytest.mark.parametrize(
    "cases, least",
    [(whole_messages, 40), (broken_heads, 300), (fragments, 35), (limits, 5), (closes, 80), (texts, 120)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_cases(strict: BackgroundServer, cases: Callable[[], Iterator[Tried]], least: int) -> None:
    assert judged(strict, cases()) >= least


def test_octet_by_octet(strict: BackgroundServer) -> None:
    """Every octet in a packet of its own: the same answers."""
    sent = OK + frame(TEXT, "é".encode(), fin=False) + frame(PING, b"?") + frame(MORE, b"!") + frame(BINARY, bytes(130)) + END
    want = ECHO + said(PONG, b"?") + said(TEXT, "é!".encode()) + said(BINARY, bytes(130)) + said(CLOSE, code(1000))
    with dial(strict) as line:
        for octet in sent:
            line.sendall(bytes([octet]))
        heard = b"".join(iter(lambda: line.recv(2**16), b""))
    assert heard == want


def test_a_broken_octet_in_a_packet_of_its_own(strict: BackgroundServer) -> None:
    """The answer to what came before is there before the broken octet is sent."""
    with dial(strict) as line:
        line.sendall(OK + frame(TEXT, b"caf\xed", announced=100))
        assert line.recv(len(ECHO), socket.MSG_WAITALL) == ECHO
        line.sendall(bytes([0xA0 ^ b"mask"[0]]))
        heard = b"".join(iter(lambda: line.recv(2**16), b""))
    assert heard[:4] == b"\x88" + heard[1:2] + code(1007)


def test_a_close_and_a_flood_behind_it(strict: BackgroundServer) -> None:
    """What comes behind the broken frame doesn't eat the Close: no reset before the client has read it."""
    with dial(strict) as line:
        line.sendall(OK + b"\x83" + bytes(2**18))
        heard = b"".join(iter(lambda: line.recv(2**16), b""))
    assert heard.startswith(ECHO + b"\x88") and heard[len(ECHO) + 2 :][:2] == code(1002)


# --- the door


def asked(strict: BackgroundServer, request: bytes) -> bytes:
    with socket.create_connection(strict.address, timeout=3) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(2**16), b""))


KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.mark.parametrize(
    "old, new, status",
    [
        (b"", b"", 101),
        (b"Upgrade: websocket", b"UPGRADE:WebSocket", 101),
        (b"Connection: keep-alive, Upgrade", b"connection: upgrade", 101),
        (b"Connection: keep-alive, Upgrade", b"Connection: keep-alive\r\nConnection: Upgrade", 101),
        (b"GET /chat", b"GET /chat?with=query", 101),
        (b"GET", b"POST", 405),
        (b"GET /chat HTTP/1.1", b"GET /chat", 400),
        (b"HTTP/1.1", b"HTTP/1.0", 400),
        (b"Host: 127.0.0.1\r\n", b"", 400),
        (b"Host: 127.0.0.1\r\n", b"Host: 127.0.0.1\r\nHost: example.org\r\n", 400),  # RFC 9112, section 3.2
        (b"Upgrade: websocket\r\n", b"", 426),
        (b"Upgrade: websocket", b"Upgrade: h2c", 426),
        (b"Connection: keep-alive, Upgrade", b"Connection: keep-alive", 426),
        (b"Version: 13", b"Version: 8", 426),
        (b"Sec-WebSocket-Version: 13\r\n", b"", 426),
        (KEY, b"", 400),
        (KEY, KEY * 2, 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhlIHNhbXBsZQ==", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"dGhl!HNhbXBsZSBub25jZQ==", 400),
        (b"dGhlIHNhbXBsZSBub25jZQ==", b"", 400),
        (b"\r\n\r\n", b"\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 400),
    ],
    ids=str,
)
def test_the_door(strict: BackgroundServer, old: bytes, new: bytes, status: int) -> None:
    head, _, rest = asked(strict, HELLO.replace(old, new, 1) if old else HELLO).partition(b"\r\n\r\n")
    first, *headers = head.decode().split("\r\n")
    assert first.split(" ")[1] == str(status) and rest == b""
    if status == 101:
        assert "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in headers
    if b"Version" in old:
        assert "Sec-WebSocket-Version: 13" in headers
    if status == 426:  # RFC 9110, section 15.5.22
        assert "Upgrade: websocket" in headers


@pytest.mark.parametrize("said_first", [b"", b"GET / HT", b"hello\r\n"], ids=str)
def test_who_does_not_come_in_is_not_waited_for(said_first: bytes) -> None:
    with COURSE.ScratchServer(COURSE.echo, COURSE.Limits(opening=0.1)) as running, socket.create_connection(running.address, timeout=3) as line:
        line.sendall(said_first)
        assert line.recv(100) == b""


# --- no wait without a limit


@pytest.fixture
def impatient() -> Iterator[BackgroundServer]:
    with COURSE.ScratchServer(COURSE.echo, COURSE.Limits(size=2**24, silence=0.1, goodbye=0.2)) as running:
        yield running


@pytest.mark.parametrize("begun", [b"", b"\x81", b"\x81\xfe\x00", frame(TEXT, b"abc", announced=9), frame(TEXT, b"abc", fin=False)], ids=bytes.hex)
def test_who_says_nothing_is_asked_and_then_given_up(impatient: BackgroundServer, begun: bytes) -> None:
    with socket.create_connection(impatient.address, timeout=PATIENCE) as line:
        line.sendall(HELLO + begun)  # at once: what is said after a round of silence is a word, and another round begins
        heard = b"".join(iter(lambda: line.recv(2**16), b""))
    assert heard.partition(b"\r\n\r\n")[2] == said(PING, b"still there?")


def test_who_answers_is_kept() -> None:
    with COURSE.ScratchServer(COURSE.echo, COURSE.Limits(silence=0.6)) as patient, dial(patient) as line:
        for _ in range(2):
            assert line.recv(14, socket.MSG_WAITALL) == said(PING, b"still there?")
            line.sendall(frame(PONG, b"still there?"))
        line.sendall(OK)
        assert line.recv(len(ECHO), socket.MSG_WAITALL) == ECHO


def test_who_does_not_read_is_given_up(impatient: BackgroundServer, eventually: Callable[[Callable[[], object]], None]) -> None:
    """The echo of a message that is larger than what the system takes waits, and not for ever."""
    with dial(impatient) as line:
        assert impatient.log[0] == "client 1 connected"
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)

        def send() -> None:
            try:
                while True:
                    line.sendall(frame(BINARY, bytes(2**22)))
            except OSError:
                pass

        thread = threading.Thread(target=send)
        thread.start()
        eventually(lambda: impatient.clients == 0)
        thread.join(3)
        assert not thread.is_alive(), "the line was not closed"


def test_a_goodbye_that_nobody_answers_ends(impatient: BackgroundServer, eventually: Callable[[Callable[[], object]], None]) -> None:
    with socket.create_connection(impatient.address, timeout=PATIENCE) as line:
        line.sendall(HELLO + b"\x83")  # at once, as above
        heard = line.makefile("rb")
        while heard.readline() != b"\r\n":
            pass
        assert heard.read(4)[2:] == code(1002)
        eventually(lambda: impatient.clients == 0)  # although this end is still open


# --- both roles of a close, and the handler's own mistakes


def served(handler: Any, *sent: bytes) -> tuple[bytes, list[str]]:
    with COURSE.ScratchServer(handler, COURSE.Limits(goodbye=0.3)) as running:
        heard = ask(running, *sent, patience=PATIENCE)
    return heard, running.log


def test_a_handler_that_returns_closes() -> None:
    async def once(ws: Any) -> None:
        await COURSE.send(ws, await COURSE.receive(ws))

    heard, _ = served(once, OK, OK, frame(PING), END)
    assert heard == ECHO + said(CLOSE, code(1000)) + said(PONG), "a pong, but no message and no second Close, after our own"


def test_a_handler_closes_with_a_code_and_a_reason() -> None:
    async def polite(ws: Any) -> None:
        await COURSE.close(ws, 4001, "schön")
        await COURSE.send(ws, "too late")

    heard, _ = served(polite, END)
    assert heard == said(CLOSE, code(4001, "schön".encode()))


@pytest.mark.parametrize(
    "error, noted", [(LookupError, "LookupError: no such thing"), (FileNotFoundError, "handler failed: FileNotFoundError")]
)
def test_a_handler_that_fails(error: type[Exception], noted: str) -> None:
    async def broken(ws: Any) -> None:
        raise error("no such thing")

    heard, log = served(broken, OK)
    assert heard == said(CLOSE, code(1011))
    assert any(noted in line for line in log)


def test_a_handler_that_only_sends_ends_with_its_client(eventually: Callable[[Callable[[], object]], None]) -> None:
    async def flood(ws: Any) -> None:
        while True:
            await COURSE.send(ws, "ball")
            await asyncio.sleep(0)

    with COURSE.ScratchServer(flood) as running:
        with dial(running):
            pass
        eventually(lambda: running.clients == 0)


def test_who_is_there_hears_1001_when_it_stops(nothing_left: None) -> None:
    running = server("scratch").start()
    lines = [dial(running) for _ in range(20)]
    begin = time.monotonic()
    running.stop()
    assert time.monotonic() - begin < 10
    for line in lines:
        with line:
            assert b"".join(iter(lambda: line.recv(2**16), b"")) == said(CLOSE, code(1001))


# --- large, many, and in time linear in size


def test_16_MiB_and_65537_fragments() -> None:
    payload = bytes(range(256)) * 2**16
    with server("scratch") as running:
        for opcode, data in ((BINARY, payload), (TEXT, b"x" * 2**24)):
            assert ask(running, frame(opcode, data), END, patience=PATIENCE) == said(opcode, data) + said(CLOSE, code(1000))
        parts = [frame(BINARY if not n else MORE, b"%d" % (n % 10), fin=n == FRAGMENTS - 1) for n in range(FRAGMENTS)]
        heard = ask(running, *parts, END, patience=PATIENCE)
    assert heard == said(BINARY, b"".join(b"%d" % (n % 10) for n in range(FRAGMENTS))) + said(CLOSE, code(1000))


# --- pieces of it, exhaustively


def test_the_first_wrong_octet_of_a_text() -> None:
    """Of all beginnings of up to two octets, and the hard ones of three: refused exactly when nothing could make UTF-8 of them."""
    viable = {b""}
    for point in itertools.chain(range(0xD800), range(0xE000, 0x110000, 1)):
        if point < 0x10800 or point % 64 in (0, 63):  # every first, second and third octet there is
            data = chr(point).encode()
            viable.update(data[:cut] for cut in range(1, len(data) + 1))
    beginnings = [bytes(pair) for pair in itertools.product(range(0x80, 256), range(256))]
    beginnings += [bytes(three) for three in itertools.product((0xE0, 0xED, 0xEF, 0xF0, 0xF4), (0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF), range(256))]
    for data in [bytes([one]) for one in range(256)] + beginnings:
        good = next(cut for cut in range(len(data), -1, -1) if data[:cut] in viable)
        if good < len(data) - 1 or (data[0] < 0xE0 and good == 2):
            continue  # wrong before its last octet, or two characters
        message = COURSE.Message(TEXT)
        message.add(data[:-1])
        if data in viable:
            message.add(data[-1:])
        elif data[:-1] in viable and len(data[:-1]) and _unfinished(data[:-1]):
            with pytest.raises(COURSE.Broken) as caught:
                message.add(data[-1:])
            assert caught.value.code == 1007, data


def _unfinished(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return True
    return False


def test_every_close_code() -> None:
    for number in range(2**16):
        message = COURSE.Message(CLOSE)
        try:
            message.add(code(number))
            assert number in CODES, number
        except COURSE.Broken as broken:
            assert broken.code == 1002 and number not in CODES, number


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
@PLENTY
def test_unmask(data: bytes, key: bytes) -> None:
    assert COURSE.unmask(data, key) == bytes(octet ^ key[place % 4] for place, octet in enumerate(data))


@given(st.sampled_from([TEXT, BINARY, CLOSE, PING, PONG]), st.integers(0, 2**17) | st.sampled_from([125, 126, 65_535, 65_536]))
@PLENTY
def test_heads_are_built_as_by_the_library(opcode: int, length: int) -> None:
    payload = bytes(min(length, 125) if opcode >= CLOSE else length)
    assert COURSE.begin(opcode, len(payload)) + payload == said(opcode, payload)


# --- the same as the library, over generated streams in any cut


class Listener:
    """A writer that keeps what is written to it, in the place of a socket."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.transport = self

    def write(self, data: bytes) -> None:
        self.heard += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False


async def ours(pieces: list[bytes]) -> list[tuple[int, bytes]]:
    """What the notebook's code answers to a stream that comes in these pieces: (opcode, payload) of each frame."""
    reader, listener = asyncio.StreamReader(), Listener()
    ws = COURSE.Connection(reader, listener, COURSE.Limits(size=2**20))
    talk = asyncio.create_task(COURSE.echo(ws))
    for piece in pieces:
        reader.feed_data(piece)
        for _ in range(3):
            await asyncio.sleep(0)
    reader.feed_eof()
    try:
        await talk
    except COURSE.Broken as broken:
        COURSE.say_close(ws, broken.code, broken.reason)
    except EOFError:
        pass
    client = ClientProtocol(parse_uri("ws://127.0.0.1/"), state=OPEN, max_size=None)
    client.receive_data(bytes(listener.heard))
    assert client.parser_exc is None, "the library can't read what we built"
    return [(int(event.opcode), bytes(event.data)) for event in client.events_received()]


def theirs(stream: bytes) -> list[tuple[int, bytes]]:
    """What the library makes of the whole stream, echoed: its protocol, and the decoding that its connections do."""
    protocol = ServerProtocol(state=OPEN, max_size=2**20)
    protocol.receive_data(stream)
    answers: list[tuple[int, bytes]] = []
    kind, data = 0, b""
    for event in protocol.events_received():
        if event.opcode is Opcode.PING:
            answers.append((PONG, bytes(event.data)))
        elif event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            kind, data = (int(event.opcode), bytes(event.data)) if event.opcode else (kind, data + bytes(event.data))
            if event.fin:
                if kind == TEXT and _unfinished(data):
                    return [*answers, (CLOSE, code(CloseCode.INVALID_DATA))]
                answers.append((kind, data))
    if protocol.close_sent is not None:
        sent = protocol.close_sent.code
        answers.append((CLOSE, b"" if sent == CloseCode.NO_STATUS_RCVD else code(sent)))
    return answers


@st.composite
def streams(draw: Any, spoiled: bool = False) -> bytes:
    """Messages in fragments, with control frames in between, perhaps a Close; if spoiled, a broken frame at the end."""
    sent = []
    control = st.tuples(st.sampled_from([PING, PONG]), st.binary(max_size=125))
    for kind, data in draw(st.lists(st.one_of(
        st.tuples(st.just(TEXT), st.text(max_size=60).map(lambda text: text.encode(errors="ignore"))),
        st.tuples(st.just(BINARY), st.binary(max_size=200)),
    ), max_size=4)):
        cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=3)))
        parts = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)])]
        for number, part in enumerate(parts):
            sent.append(frame(MORE if number else kind, part, fin=number == len(parts) - 1))
            sent += [frame(*one) for one in draw(st.lists(control, max_size=1))]
    if spoiled:
        # not a Close in the middle of a message, which the library takes for a mistake and the RFC doesn't
        sent.append(draw(st.sampled_from([
            b"\x83\x80mask", b"\xc1\x80mask", b"\x09\x80mask", b"\x80\x80mask", b"\x00\x80mask", b"\x81\x05hello", b"\x89\xfe\x00\x7emask" + bytes(126),
            b"\x8a\xff" + (126).to_bytes(8, "big") + b"mask" + bytes(126), frame(CLOSE, b"\x03"), frame(CLOSE, code(999)), frame(CLOSE, code(1005)), frame(CLOSE, code(2999)),
            frame(CLOSE, code(1000, b"\xff")), frame(TEXT, b"\xff"), frame(TEXT, b"caf\xc3"), frame(TEXT, b"", fin=False) + b"\x81\x80mask",
            b"\x82\xff" + (2**21).to_bytes(8, "big") + b"mask",
        ])) + draw(st.binary(max_size=10)))
    else:
        sent += draw(st.sampled_from([[], [frame(CLOSE)], [frame(CLOSE, code(1001, b"bye"))], [frame(CLOSE, code(3999))]]))
    return b"".join(sent)


@st.composite
def cut(draw: Any, stream: bytes) -> list[bytes]:
    if draw(st.booleans()):
        size = draw(st.integers(1, 9))
        return [stream[at : at + size] for at in range(0, len(stream), size)]
    cuts = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=5)))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)])]


@pytest.mark.parametrize("spoiled", [False, True], ids=["valid", "spoiled"])
def test_the_same_answers_as_the_library(spoiled: bool) -> None:
    @given(st.data())
    @PLENTY
    def holds(data: Any) -> None:
        stream = data.draw(streams(spoiled))
        answers = asyncio.run(ours(data.draw(cut(stream))))
        assert [(opcode, payload[:2] if opcode == CLOSE else payload) for opcode, payload in answers] == theirs(stream)

    holds()


# --- what is lifted


def test_nothing_under_it() -> None:
    """The server stands on Python alone, and on the helper that runs a stream handler in a thread."""
    tree = ast.parse(lifted(Book(NOTEBOOKS / "18_from_scratch.ipynb"), "ScratchServer", "echo"))
    modules = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert {module for module in modules if module not in sys.stdlib_module_names} == {"helpers.streams"}


def test_lifted_is_what_is_needed_and_as_it_was_left_last() -> None:
    text = lifted(Book(NOTEBOOKS / "18_from_scratch.ipynb"), "check_first")
    assert text.count("def check_first") == 1 and "a reserved opcode" in text
    assert "class Broken" in text and "MORE, TEXT" in text and "def converse" not in text
    with pytest.raises(KeyError, match="no_such_thing"):
        lifted(Book(NOTEBOOKS / "18_from_scratch.ipynb"), "no_such_thing")
