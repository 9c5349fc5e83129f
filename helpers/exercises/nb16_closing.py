"""The exercises of notebook 16: a close frame byte by byte, a farewell from either side, and five endings."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from types import SimpleNamespace
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.utils import accept_key

from ..relay import RESET_ON_CLOSE
from .engine import Answer, Case, Cases, Seen, exercise, words

CLOSE, TEXT, PING = 8, 1, 9  # opcodes: RFC 6455, section 5.2

PATIENCE = 1.2  # seconds that the check's side waits for a frame
LINGER = 0.25  # seconds in which a client that should wait must not have hung up
HURRY = 0.05  # seconds in which an answer that doesn't read has hung up


PARTS = "A frame is bytes all through. `bytes([...])` takes numbers, and `+` wants bytes on both sides. Which of your parts does not fit?"


@exercise(
    hints=[
        (OverflowError, "A byte goes up to 255. How many of them does a code need, and which method of an `int` makes bytes of it?"),
        (
            lambda got: isinstance(got, (bytes, bytearray)) and got[:1] == b"\x08",
            "Opcode 8 is right. But the frame is the last of its message, as every control frame: which bit says so?",
        ),
        (
            lambda got: isinstance(got, (bytes, bytearray)) and len(got) > 1 and got[1] & 0x80,
            "The first byte is right. The bit 80 in the second one says that a mask follows. Does a server mask?",
        ),
    ]
)
def close_frame(answer: Answer, case: Cases) -> None:
    with case(
        "code 1000, no reason",
        sent=words("1000"),
        expected=b"\x88\x02\x03\xe8",
        hints=[
            (str, "That is a text. The digits above were for your eyes; a wire carries bytes. What do the digits stand for?"),
            (b"\x88\x02\xe8\x03", "The four bytes are there. But a network counts from the big end: which byte of the code comes first?"),
            (b"\x88\x041000", "It begins well. But these are four digits, as text. The code is a number in *two* bytes: which method of an `int` makes them?"),
            (lambda got: len(got) in (6, 10) and got.endswith(b"\x03\xe8"), "Code and big end are right. How many bytes does the code take?"),
            (lambda got: got[:1] == b"X", "The first byte is 88, but the `88` that you read above was hexadecimal. How does Python write such a number?"),
            (lambda got: got[:1] not in (b"\x88", b"\x08"), "What did the first byte of the server's close say, when you read it above?"),
            (lambda got: got[0] == 0x88 and got[1] < 0x80 and got[1] != len(got) - 2, "The first byte is right. The second says how many bytes *follow*. Which are these?"),
            (
                ValueError,
                "`bytes([...])` takes numbers up to 255, one for each byte. A code is larger: which method of an `int` makes two bytes of it?",
            ),
        ],
    ) as c:
        try:
            got = answer(1000)
        except TypeError as error:
            if any(part in str(error) for part in ("operand", "interpreted as an integer", "concat int")):
                c.hints.append((TypeError, PARTS))
            raise
        c.equal(got)

    with case(
        "a code and a reason",
        sent=words("1001, 'bye'"),
        expected=b"\x88\x05\x03\xe9bye",
        hints=[
            (b"\x88\x02\x03\xe9bye", "The payload is right. But the length says 2, and a reader would take `bye` for the next frame. What counts as well?"),
            (b"\x88\x03\x03\xe9bye", "The payload is right. Is the reason all of it?"),
            (lambda got: got.endswith(b"\x03\xe8bye"), "That is 1000. Which code were you given?"),
            (lambda got: b"bye" not in got, "The code is right. Where is the reason?"),
            (lambda got: got.endswith(b"\x03\xe9"), "All parts are there. Which comes first: the code or the reason?"),
        ],
    ) as c:
        c.equal(answer(1001, "bye"))

    reason = "à bientôt"
    with case(
        "a reason with accents",
        sent=words("1000, 'à bientôt'"),
        expected=b"\x88\x0d\x03\xe8" + reason.encode(),
        hints=[
            (UnicodeEncodeError, "Plain letters are right. A reason is UTF-8. Which rule did you encode by?"),
            (lambda got: reason.encode() not in got, "Plain letters are right. A reason is UTF-8. Which rule did you encode by?"),
            (
                lambda got: got[1] == len(reason) + 2,
                "Plain letters are right. `à bientôt` has nine of them. How many bytes are they, and what does the length count?",
            ),
        ],
    ) as c:
        c.equal(answer(1000, reason))

    with case("a real client reads it", sent=words("1001, 'going home'"), expected=(1001, "going home")) as c:
        frame = answer(1001, "going home")

        def talk(sock: socket.socket) -> None:
            _accept(sock)
            sock.sendall(frame)
            sock.shutdown(socket.SHUT_WR)
            c.hung_up(sock)

        host, port = c.listener(talk)
        with connect(f"ws://{host}:{port}", proxy=None, close_timeout=0.2) as client:
            try:
                c.equal(client.recv(timeout=PATIENCE))
            except ConnectionClosed as closed:
                c.equal((closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else None)


def _accept(sock: socket.socket) -> None:
    """The server's half of a handshake: RFC 6455, section 4.2.2."""
    request = b""
    while not request.endswith(b"\r\n\r\n") and (piece := sock.recv(4096)):
        request += piece
    key = re.search(rb"(?i)^sec-websocket-key: *(\S+)", request, re.MULTILINE)
    accept = accept_key(key[1].decode() if key else "")
    sock.sendall(
        f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )


BEGIN = "You hold a code, so you are the one who begins. What has the other side heard from you so far?"
FIRST = "Both closes are through, and that is right. But you are the client, and the line went dead before the server had hung up. Who goes first?"
UNREAD = "Your close came, and that is right. But then you hung up before you had read mine. What do you wait for before you hang up?"
TWICE = "It begins well. But then I heard a second close frame from you. When is their close already the answer to yours?"
WAITS = "Both closes are through, and that is right. But you are the server, and I still hear your line. Who hangs up first?"
UNANSWERED = "You heard my close. But I am still waiting for yours: nobody has answered it."
DEAF = "I said goodbye, and you did not come back. What do you do with a frame of opcode 8, and when is nothing left to wait for?"
LEFT_OPEN = "The code is right. But the socket is still open on your side. What closes it on every way out?"
SIDE = "A close came, and that is right. But who masks: a client or a server? What does `frame` need to know?"
OTHER_CODE = "A close came from you, and that is right. Which code were you given, and in how many bytes does it stand?"
LITTLE_END = "A close came from you, with the two bytes of the code. But a network counts from the big end: which of them comes first?"
MESSAGE = "You took a message for their close. Which opcode is a close?"
THEIRS = "A code came back. The question is which one *they* sent."


@exercise(
    hints=[
        (EOFError, "The line ended, and `read_frame` said so. What should the caller get in place of the error?"),
        (
            lambda got: isinstance(got, bytes),
            "The right bytes, perhaps. The caller wants the code, a number: which two of them, and which end comes first?",
        ),
        (lambda got: isinstance(got, tuple), "All of it is there. The caller wants the code alone."),
        ((Seen.STUCK, TimeoutError), DEAF),
        (
            (BrokenPipeError, ConnectionResetError),
            "Somebody had hung up when you spoke. In which order do the two closes and the two hang-ups come?",
        ),
        (Seen.SOCKET_LEFT, LEFT_OPEN),
    ]
)
def farewell(answer: Answer, case: Cases) -> None:
    for side in ("client", "server"):
        with case(f"you begin, as the {side}", sent=words(f"1000 as the {side}, answered by a close 1000"), expected=1000) as c:
            near, far = c.socketpair(2)
            c.thread(_hears_a_goodbye, c, far, judged := _judged(c), side)
            _says_farewell(c, answer, near, side, 1000, judged=judged)

    told = b"\x03\xe9back soon"
    for side in ("client", "server"):
        with case(
            f"they begin, and you are the {side}",
            sent=words("a message, then a close 1001"),
            expected=1001,
            hints=[
                (1000, "A goodbye came and went, and that is right. The code of *their* close: where in it does it stand?"),
                (1005, "A goodbye came and went, and that is right. Was their close frame empty?"),
                (None, "Nothing came back. You were given no code here, so `code` is `None`. Whose code does the caller ask for?"),
                (int.from_bytes(b"li", "big"), MESSAGE),
                (int.from_bytes(told, "big"), "Their close came, and that is right. But only its first two bytes are the code. What are the others?"),
                (
                    AttributeError,
                    "Beginning works. Here nobody gave you a code, so it is `None`: who speaks first then?",
                ),
            ],
        ) as c:
            near, far = c.socketpair(2)
            c.thread(_says_goodbye, c, far, judged := _judged(c), side, told)
            _says_farewell(c, answer, near, side, judged=judged)

    with case(
        "messages come before their answer",
        sent=words("1000 as the client; two messages and a ping, then a close 1000"),
        expected=1000,
        hints=[(lambda got: type(got) is int, "Without messages in between it is right. What is the opcode of the frame whose bytes you took for a code?")],
    ) as c:
        near, far = c.socketpair(2)
        c.thread(_hears_a_goodbye, c, far, judged := _judged(c), "client", [(TEXT, b"one more"), (PING, b"still there?"), (TEXT, b"and one")])
        _says_farewell(c, answer, near, "client", 1000, judged=judged)

    with case(
        "both begin at the same time",
        sent=words("1000 as the client, while a close 1001 is on its way"),
        expected=1001,
        hints=[(1000, "One close went out, and one came in, and that is right. The caller asks for the code of *theirs*.")],
    ) as c:
        near, far = c.socketpair(2)
        far.sendall(_frame("server", CLOSE, b"\x03\xe9"))
        c.thread(_hears_a_goodbye, c, far, judged := _judged(c), "client", None)
        _says_farewell(c, answer, near, "client", 1000, judged=judged)

    with case(
        "their close is empty",
        sent=words("a close without a code"),
        expected=1005,
        hints=[
            (0, "No bytes make 0. But a close without a code has a number of its own in the list above. Which?"),
            ((IndexError,), "A close with a code is right. This one has no payload. What should the caller get?"),
            (1006, "A close with a code is right. This one has none, but it is a close. Which of the two numbers stands for that?"),
        ],
    ) as c:
        near, far = c.socketpair(2)
        c.thread(_says_goodbye, c, far, judged := _judged(c), "client", b"")
        _says_farewell(c, answer, near, "client", judged=judged)

    with case("they hang up without a word", sent=words("a message, then a hang-up"), expected=1006) as c:
        near, far = c.socketpair(2)
        c.feed(far, _frame("server", TEXT, b"so long"), close=True)
        _says_farewell(c, answer, near, "client", 1000)

    with case(
        "they tear the line",
        sent=words("a reset: first while you wait, then as you begin"),
        expected=1006,
        hints=[
            (
                ConnectionError,
                "A hang-up is dealt with, and that is right. This line was torn, and the call that met it said so. What should the caller get in place of the error?",
            ),
        ],
    ) as c:
        for code in (None, 1000):
            near, far = c.socketpair(2)
            far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            far.close()
            _says_farewell(c, answer, near, "client", code)

    silent = "Whoever speaks is heard, and that is right. This peer says nothing more, and the limit of the socket runs out. What should the caller get?"
    with case(
        "they fall silent",
        sent=words("nothing at all"),
        expected=1006,
        hints=[(TimeoutError, silent), (Seen.STUCK, silent)],
    ) as c:
        near, far = c.socketpair(0.3)
        _says_farewell(c, answer, near, "client", 1000)

    kept = "You wait for the hang-up, and that is right. It never comes, and the limit of the socket runs out. But their close did come: with which code?"
    with case(
        "they say goodbye and never hang up",
        sent=words("1000 as the client; a close 1001, and the line stays open"),
        expected=1001,
        hints=[(1006, kept), (TimeoutError, kept), (Seen.STUCK, kept)],
    ) as c:
        near, far = c.socketpair(0.3)
        far.sendall(_frame("server", CLOSE, b"\x03\xe9"))
        _says_farewell(c, answer, near, "client", 1000)


def _judged(c: Case) -> threading.Event:
    """Set once the answer is judged, and at the case's end at the latest: nobody waits for it after that."""
    judged = threading.Event()
    c.closing(SimpleNamespace(close=judged.set))
    return judged


def _says_farewell(c: Case, answer: Answer, near: socket.socket, *args: Any, judged: threading.Event | None = None) -> None:
    """Call the answer and judge what it returned; if that is right, `judged` is set."""
    c.equal(answer(near, *args), hint=THEIRS)
    if judged is not None:
        judged.set()
    c.true(near.fileno() == -1, hint=LEFT_OPEN, received=words("an open socket"))


def _hears_a_goodbye(c: Case, far: socket.socket, judged: threading.Event, side: str, before: list[tuple[int, bytes]] | None = ()) -> None:
    """The other side when the answer begins: it answers, after some messages. None: its close is out already."""
    _hear_close(c, far, judged, side, b"\x03\xe8", BEGIN, OTHER_CODE)
    if before is not None:
        _still_there(c, far, judged)
        frames = [_frame(_other(side), opcode, payload) for opcode, payload in (*before, (CLOSE, b"\x03\xe8"))]
        with contextlib.suppress(OSError):  # it has hung up
            far.sendall(b"".join(frames))
    _hang_up(c, far, judged, side)


def _says_goodbye(c: Case, far: socket.socket, judged: threading.Event, side: str, payload: bytes) -> None:
    """The other side when it begins."""
    far.sendall(_frame(_other(side), TEXT, b"listen") + _frame(_other(side), CLOSE, payload))
    _hear_close(c, far, judged, side, payload, UNANSWERED, "You answered my close, and that is right. An answer repeats what it heard: which payload did I send?")
    _hang_up(c, far, judged, side)


def _hear_close(c: Case, far: socket.socket, judged: threading.Event, side: str, payload: bytes, missing: str, other: str) -> None:
    """Fail unless a close frame with this payload comes. What the answer raised is judged before its silence."""
    far.settimeout(PATIENCE)
    try:
        opcode, heard, masked = _hear(far)
    except TimeoutError:
        c.fail(missing, received=words("no close frame"))
    except ConnectionError:
        judged.wait(PATIENCE)
        c.fail(f"{missing} I heard you hang up.", received=words("a hang-up without a close frame"))
    c.true(opcode == CLOSE, hint="A frame came from you. Which opcode says goodbye?", received=words(f"a frame with opcode {opcode}"))
    c.true(masked == (side == "client"), hint=SIDE, received=words(f"a close frame {'with' if masked else 'without'} a mask from the {side}"))
    hints = {payload[::-1]: LITTLE_END, b"listen": MESSAGE}
    c.true(heard == payload, hint=hints.get(heard, other), received=words(f"a close frame with the payload {heard!r}"))


def _still_there(c: Case, far: socket.socket, judged: threading.Event) -> None:
    """Fail if the answer hangs up before it can have read a close. What it returned is judged before its hurry."""
    far.settimeout(HURRY)
    with contextlib.suppress(TimeoutError):
        try:
            gone = not far.recv(1, socket.MSG_PEEK)
        except ConnectionError:
            gone = True
        if gone:
            judged.wait(PATIENCE)
            c.fail(UNREAD, received=words("a hang-up before my answer"))


def _hang_up(c: Case, far: socket.socket, judged: threading.Event, side: str) -> None:
    """Both closes are through: a server hangs up now, a client waits for that. What the answer returned is judged before its hurry."""
    far.settimeout(LINGER if side == "client" else PATIENCE)
    try:
        more = far.recv(1024)
    except TimeoutError:
        c.true(side == "client", hint=WAITS, received=words("a line that is still open"))
    except ConnectionError:  # reset: the line was closed with something of mine unread
        judged.wait(PATIENCE)
        c.fail(UNREAD, received=words("a hang-up in the middle of my answer"))
    else:
        c.true(not more, hint=TWICE, received=words("two close frames"))
        judged.wait(PATIENCE)
        # an error behind the hang-up: my answer came to a line that was closed already
        c.true(not far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), hint=UNREAD, received=words("a hang-up before my answer"))
        c.true(side == "server", hint=FIRST, received=words("a client that hung up first"))
    with contextlib.suppress(OSError):  # an answer that hung up too early has reset the line
        far.shutdown(socket.SHUT_WR)


def _other(side: str) -> str:
    return "server" if side == "client" else "client"


def _frame(side: str, opcode: int, payload: bytes) -> bytes:
    """A short frame as this side would send it, masked by zeros for a client: RFC 6455, section 5.2."""
    return bytes([0x80 | opcode, len(payload) | (0x80 if side == "client" else 0)]) + bytes(4 if side == "client" else 0) + payload


def _hear(sock: socket.socket) -> tuple[int, bytes, bool]:
    """(opcode, payload, whether it was masked) of the next short frame. ConnectionError at a hang-up."""
    first, second = _exactly(sock, 2)
    mask = _exactly(sock, 4) if second & 0x80 else bytes(4)
    payload = _exactly(sock, second & 0x7F)
    return first & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload)), bool(second & 0x80)


def _exactly(sock: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        piece = sock.recv(n - len(data))
        if not piece:
            raise ConnectionError("hung up")
        data += piece
    return data


CODES = {1: 1001, 2: 1009, 3: 1006, 4: 1002, 5: 1011}


@exercise
def diagnose(answer: Answer, case: Cases) -> None:
    with case("five reports, five codes", expected=words("a number for each of the reports 1 to 5")) as c:
        got = answer()
        texts = isinstance(got, dict) and any(isinstance(code, str) for code in got.values())
        c.true(not texts, received=got, hint="One of these is a text, or all of them are. A code is a number: what makes a text of it?")
        hints = [
            ((1, 1000), "In report 1 it was a goodbye. But nobody was done: the server goes away, and comes back. Which of the two goodbyes is that?"),
            ((1, 1006), "In report 1 the chat *says* goodbye. Who is told something when a line is cut?"),
            ((1, 1012), "1012, \"service restart\", is a fine choice, and newer than the RFC. Which one does `close()` of a server send by itself?"),
            ((2, 1008), "In report 2 a rule was broken, indeed. But which code stands for this one rule?"),
            ((2, 1003), "Photos are taken in report 2. What is different about this one?"),
            ((3, 1011), "1011 is what the app *sent* when its ping had no answer. Did it arrive? And what did the app receive?"),
            ((3, 1001), "In report 3 the train went away. But who could have sent that, in a tunnel?"),
            ((3, 1000), "In report 3 somebody would have had to send it. Who, in a tunnel?"),
            ((3, 1005), "1005 means that a close frame came, without a code. What came in the tunnel?"),
            ((4, 1003), "In report 4 the server takes this kind of message from others. At the *first frame* of a home-made client: what does one forget?"),
            ((4, 1007), "It may be broken UTF-8, in report 4. But what does one forget first in a home-made client, at whatever frame?"),
            ((4, 1008), "In report 4 no rule of a handler was broken: it never saw the frame. Whose rules are they?"),
            ((4, 1011), "In report 4 the server works as it should. Whose mistake does 1011 stand for?"),
            ((5, 1007), "`twelve` is fine UTF-8. What may a handler do with it that raises?"),
            ((5, 1003), "In report 5 nobody refused anything. What may a handler do with `twelve` that raises?"),
            ((5, 1008), "In report 5 nobody refused anything. What may a handler do with `twelve` that raises?"),
            ((5, 1006), "In report 5 the line was fine, and the server said something. What, when its handler raised?"),
            (1, "Who goes away in report 1, and says so?"),
            (2, "What is different about the photo in report 2?"),
            (3, "Which code is written down when nobody has sent one?"),
            (4, "Which rules does a home-made client break first, those of a handler or those of the protocol?"),
            (5, "What does a client see when a handler has raised?"),
        ]
        c.match(got, CODES, hints=hints, hint="It should be a dictionary as in the stub: the numbers of the reports, 1 to 5, are the keys, and each value is a code from the table, a number.")
