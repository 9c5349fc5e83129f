"""The exercises of notebook 14: the answer to a key, a question that a server accepts, and a doorkeeper who refuses well."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
import socket
import traceback
from collections.abc import Callable
from typing import Any

from websockets.exceptions import InvalidHandshake, InvalidHeader, InvalidMessage, InvalidStatus
from websockets.sync.client import connect
from websockets.utils import GUID
from websockets.utils import accept_key as right_answer

from .engine import Answer, Case, Cases, Seen, exercise, words

RFC_KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # RFC 6455, section 1.3
OTHER_KEY = base64.b64encode(b"fifteen love 30!").decode()
NEXT_KEY = base64.b64encode(b"game, set, match").decode()


def _hear(line: socket.socket) -> bytes:
    """A head and its empty line; less when the other side hangs up or says nothing more in time."""
    head = b""
    try:
        while not head.endswith(b"\r\n\r\n") and (byte := line.recv(1)):
            head += byte
    except OSError:  # a time-out, too
        pass
    return head


def _rows(first: str, *headers: str) -> bytes:
    return "\r\n".join([first, *headers, "", ""]).encode()


# --- accept_key ------------------------------------------------------------------------------------------------


def _digest(data: bytes) -> str:
    return base64.b64encode(hashlib.sha1(data).digest()).decode()


OTHER_WAY = "`b64decode` reads base64, and the answer is to be written in it. Which function goes the other way?"


def _mistakes(key: str) -> list[tuple[Any, str]]:
    """What the usual mistakes make of a key, as text or still as bytes, and the hint for each."""
    full = (key + GUID).encode()
    wrong = {
        _digest(key.encode()): "A hash of the key, in base64: the tools are right. But this one anybody could make who knows base64. What hangs behind the key?",
        _digest((GUID + key).encode()): "The right two parts. Which of them comes first?",
        _digest(GUID.encode()): "A hash of the GUID, in base64: the tools are right. But it is the same for every key. What stands in front of the GUID?",
        _digest(f"{key.encode()}{GUID}".encode()): (
            "The right two parts. But `b'...'` went into the text along with the key: that is how Python *shows* bytes. Which comes first, putting together or `encode`?"
        ),
        _digest(base64.b64encode(key.encode()) + GUID.encode()): (
            "The right recipe, on other bytes: the key came in base64, and you wrote it in base64 once more. Take it as it came, as letters."
        ),
        base64.b64encode(hashlib.sha1(key.encode()).digest() + GUID.encode()).decode(): "The key was hashed, and then came the GUID. Of what is the hash to be taken?",
        f"Sec-WebSocket-Accept: {right_answer(key)}": "The right letters, behind the name of their header. Is the answer to a key the whole line, or its value?",
        _digest(base64.b64decode(key) + GUID.encode()): "The right recipe, on other bytes: you decoded the key first. Take it as it came, as letters.",
        _digest((key + GUID.lower()).encode()): "Nearly. The GUID is hashed letter by letter. In which case is it written?",
        _digest((key + "\r\n" + GUID).encode()): "The right two parts, but something stands between them. Where does a header's value end?",
        _digest((key + " " + GUID).encode()): "The right two parts, but something stands between them. Which character is neither key nor GUID?",
        base64.b64encode(hashlib.sha1(full).hexdigest().encode()).decode(): (
            "The right text was hashed. Then 40 letters were put into base64, and not the 20 bytes. What is the difference between `hexdigest` and `digest`?"
        ),
        hashlib.sha1(full).hexdigest(): "The right hash, written in hexadecimal. The header wants it written in another way. Which one?",
        base64.b64encode(hashlib.sha256(full).digest()).decode(): "The right text, and base64. But which hash does the RFC name? This one is longer.",
        base64.b64encode(full).decode(): "The right text, in base64. But where is the hash in between?",
        base64.urlsafe_b64encode(hashlib.sha1(full).digest()).decode(): "All but the letters `+` and `/`: that is the base64 for addresses of pages. Which is the plain one?",
        base64.encodebytes(hashlib.sha1(full).digest()).decode(): "The right letters, and then a line break: `encodebytes` is for mails. Which function ends with the last letter?",
        right_answer(key).rstrip("="): "The right letters, but one `=` is missing at the end. It belongs to base64.",
        key: "That is the key itself. A machine that sends back what it hears could do that.",
    }
    hints: list[tuple[Any, str]] = [(text, hint) for text, hint in wrong.items() if text != right_answer(key)]
    hints += [(text.encode(), hint) for text, hint in hints]
    with contextlib.suppress(binascii.Error):  # some digests can't be read as base64 at all
        hints.append((base64.b64decode(hashlib.sha1(full).digest()), OTHER_WAY))
    hints += [
        (hashlib.sha1(full).digest(), "The right twenty bytes. A header is text: what is missing between them and the answer?"),
        (
            lambda got: type(got) is str and got.startswith(("b'", 'b"')),
            "The right letters may be in it. But this is how Python *shows* bytes. What is the way back from `encode`?",
        ),
    ]
    return hints


@exercise(
    hints=[
        (
            TypeError,
            "A hash eats bytes, and base64 too: text has to be encoded first, bytes are not glued to text. Which of the two do you have at that line?",
        ),
        (UnicodeDecodeError, "These bytes are no letters, and `decode` can't read them as such. What writes any bytes as letters?"),
        (binascii.Error, OTHER_WAY),
        (AttributeError, "Is it text or bytes at that line? Text has `encode`, bytes have `decode`, and a hash object has `digest`."),
    ]
)
def accept_key(answer: Answer, case: Cases) -> None:
    with case("the key of the RFC", sent=RFC_KEY, expected="s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", hints=_mistakes(RFC_KEY)) as c:
        c.equal(_accepted(c, answer, RFC_KEY))

    with case(
        "another key",
        sent=OTHER_KEY,
        expected=right_answer(OTHER_KEY),
        hints=[(right_answer(RFC_KEY), "For the key of the RFC this is right. Does your function look at the key it is given?"), *_mistakes(OTHER_KEY)],
    ) as c:
        c.equal(_accepted(c, answer, OTHER_KEY))

    with case("a third key, which a real server answers, too", sent=NEXT_KEY, expected=words("what the server answers"), hints=_mistakes(NEXT_KEY)) as c:
        got = _accepted(c, answer, NEXT_KEY)
        with socket.create_connection(c.serve(_listen).address, timeout=1.5) as line:
            line.sendall(_rows("GET / HTTP/1.1", "Host: 127.0.0.1", *GOOD[2:4], f"Sec-WebSocket-Key: {NEXT_KEY}", GOOD[5]))
            said = _hear(line).decode().partition("Sec-WebSocket-Accept: ")[2].partition("\r\n")[0]
        c.equal(got, said, hint="Two keys were right. What does your function do with this one?")


def _accepted(c: Case, answer: Answer, key: str) -> Any:
    try:
        return answer(key)
    except TypeError as error:
        if re.search(r"HASH|\bsha1\b", str(error)):  # what `hashlib.sha1` makes, before it was asked for its bytes
            c.hints.insert(0, (TypeError, "That is the machine that computes the hash, and no bytes yet. Which method gets them out?"))
        raise


async def _listen(ws: Any) -> None:
    async for message in ws:
        await ws.send(message)


# --- upgrade ---------------------------------------------------------------------------------------------------

GOOD = [
    "GET / HTTP/1.1",
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    f"Sec-WebSocket-Key: {RFC_KEY}",
    "Sec-WebSocket-Version: 13",
]


def _fault(data: bytes, host: str, path: str, key: str) -> str:
    """What is wrong with a question, as a hint; "" when it is in order."""
    if not data:
        return "It can be sent, but nothing is in it. What is the first line?"
    if braces := re.search(rb"\{\w+\}", data):
        return f"`{braces[0].decode()}` went over the line with its braces. Only an f-string fills them, and an f-string is text. When do you make bytes of it?"
    if data[:1].isspace():
        return "The lines may be right. But the first one is not the first: a line break or a space comes before it."
    if b"\r\n" not in data and b"\n" in data:
        return "The lines are there. But in HTTP a line ends with two bytes, and you send one of them. Which is missing?"
    if re.search(rb"(?<!\r)\n|\r(?!\n)", data):
        return "Most lines end well. But somewhere a `\\n` or a `\\r` stands alone. Where?"
    if b"\r\n\r\n" not in data:
        return "The server has read what you sent, and listens on: how does it know that the head is complete?"
    head, _, rest = data.partition(b"\r\n\r\n")
    rows = head.decode("latin-1").split("\r\n")
    if rest:
        return "The head is complete, and then come more bytes. Behind the empty line everything is a frame. How many `\\r\\n` stand at your end?"
    return _fault_in_first(rows[0], path) or _fault_in_headers(rows[1:], host, key)


def _fault_in_first(row: str, path: str) -> str:
    asked = row.split(" ")
    if len(asked) != 3:
        return "The form is right. The first line has three words with one space between: the method, the path, the version. What is in yours?"
    method, where, version = asked
    if method != "GET":
        return "The form is right. But this method is refused. Which one does a browser use for a page?"
    if version != "HTTP/1.1":
        return "The form is right. But the version in the first line is another one: an upgrade was new in which HTTP?"
    if where != path:
        return "The form is right. But the server was asked for another path than yours. Which of the arguments belongs into the first line?"
    return ""


def _fault_in_headers(rows: list[str], host: str, key: str) -> str:
    if odd := next((row for row in rows if ":" not in row or row[0].isspace() or row.partition(":")[0] != row.partition(":")[0].strip()), None):
        return f"Nearly all is right. But {odd!r} is no header: a name, a colon *right behind it*, and the value, from the line's first column."
    headers: dict[str, str] = {}
    for row in rows:
        name, _, value = row.partition(":")
        if name.lower() in headers:
            return f"The form is right. But `{name}` is there twice."
        headers[name.lower()] = value.strip()
    wanted = {
        "host": "This server would let it pass. But which of the names at its address do you mean? `Host` is missing, or names another one.",
        "connection": "The form is right. What does `Connection` have to say so that `Upgrade` is meant for this connection? `keep-alive` alone is not it.",
        "upgrade": "The form is right. To which protocol do you want to switch? `Upgrade` names it.",
        "sec-websocket-key": "The form is right. But the key is not there, or it is another one than you were given. How would you know your answer?",
        "sec-websocket-version": "All but one thing. Which edition of the rules do you speak? It is a number, and a header.",
    }
    right = {
        "host": headers.get("host") == host,
        "connection": "upgrade" in [option.strip() for option in headers.get("connection", "").lower().split(",")],
        "upgrade": headers.get("upgrade", "").lower() == "websocket",
        "sec-websocket-key": headers.get("sec-websocket-key") == key,
        "sec-websocket-version": headers.get("sec-websocket-version") == "13",
    }
    return next((wanted[name] for name, holds in right.items() if not holds), "")


@exercise
def upgrade(answer: Answer, case: Cases) -> None:
    for title, host, path, key in (
        ("a question for the path /", "127.0.0.1", "/", RFC_KEY),
        ("another name, path and key", "court.example", "/scores?set=3", OTHER_KEY),
    ):
        with case(title, sent=(host, path, key), expected=words("101, and then an echo")) as c:
            question = answer(host, path, key)
            c.kind(
                question,
                (bytes, bytearray),
                hints=[(str, "The text may be right. But a wire carries bytes. Which method is missing at the very end?"),
                       (list, "These are the lines. What joins them, and what comes between them?")],
            )  # fmt: skip
            _put(c, bytes(question), host, path, key)


def _put(c: Case, question: bytes, host: str, path: str, key: str) -> None:
    """Ask a real server, and then speak WebSocket with it."""
    fault = _fault(question, host, path, key)
    with socket.create_connection(c.serve(_listen).address, timeout=1.0 if not fault else 0.4) as line:
        line.sendall(question)
        head = _hear(line).decode("latin-1")
        status = head.partition("\r\n")[0]
        c.true(" 101 " in status, hint=fault or "Look at each line once more.", received=words(status or _silence(line)))
        c.true(not fault, hint=fault, received=words("101, but to another question"))
        c.true(f"Sec-WebSocket-Accept: {right_answer(key)}" in head, hint="It said yes, but to another key than yours.", received=words("an answer to another key"))
        line.sendall(b"\x81\x85\0\0\0\0hello")
        c.equal(line.recv(7), b"\x81\x05hello", hint="It said yes. But what follows is not understood: is there something behind the empty line?")


def _silence(line: socket.socket) -> str:
    """What a server that says nothing does."""
    line.settimeout(0.1)
    try:
        return "silence" if line.recv(1) else "a hang-up, without a word"
    except TimeoutError:
        return "silence"
    except OSError:
        return "a hang-up, without a word"


# --- respond ---------------------------------------------------------------------------------------------------

KINDS: list[tuple[Any, str]] = [
    (str, "The lines may be right. But a wire carries bytes, and `http` makes them. What does yours return?"),
    (int, "The number may be right. But it travels in the first line of an answer. Which function puts lines together?"),
    (tuple, "The parts may be right. But the caller wants the bytes of a whole answer. Which function puts lines together?"),
]
NOBODY_ASKED = "`yes` needs a key, and this question has none. Who should notice that before `yes` is called?"
MISSING = (
    "You look at the right place. But a header that was never sent is in no dictionary, and your `KeyError` hangs up before anything was said. "
    "Which method of a dictionary takes a default?"
)


@exercise(
    hints=[
        (KeyError, MISSING),
        (AttributeError, "Is it a header that is not there? `get` without a default gives None, and None has no `lower`. Which default would do?"),
        (NameError, "Is that name spelt as above? `headers_of`, `http` and `yes` are made by a cell of this notebook: has it run?"),
        (Seen.STUCK, "The client waits for the end of your answer. What ends a head?"),
    ]
)
def respond(answer: Answer, case: Cases) -> None:
    with case(
        "a real client",
        sent=words("what `connect` says"),
        expected=words("a client that is let in"),
        hints=[
            (InvalidStatus, "Refusing works. But this is an honest client, and it was sent away. Which of your questions did it fail?"),
            (InvalidHeader, "You say yes, and the client doubts it. `yes(head)` knows the three headers that it wants to see."),
            ((TimeoutError, InvalidMessage, EOFError), "The client heard something, but no HTTP, or no end of it. Which function ends the head for you?"),
            (InvalidHandshake, "You say yes, and the client doubts it. `yes(head)` knows what it wants to see."),
        ],
    ) as c:
        host, port = c.listener(_door(c, answer, b"\x81\x05hello"))
        with connect(f"ws://{host}:{port}", proxy=None, open_timeout=1, close_timeout=0.5) as ws:
            c.equal(ws.recv(timeout=1), "hello")

    for title, rows, status, hint in REFUSED:
        with case(title, sent=words(", ".join(rows)), expected=words(status)) as c:
            _knock(c, answer, rows, status, hint)

    for title, rows, hint in ACCEPTED:
        with case(title, sent=words(", ".join(rows)), expected=words("101")) as c:
            _knock(c, answer, rows, "101", f"Your refusals are right. But this one is in order: {hint}")


def _without(name: str) -> list[str]:
    return [row for row in GOOD if not row.startswith(name)]


def _instead(name: str, row: str) -> list[str]:
    return [row if one.startswith(name) else one for one in GOOD]


NO_UPGRADE = "The upgrade was not asked for: which status says *switch first*?"
REFUSED = [
    ("a POST", _instead("GET", "POST / HTTP/1.1"), "405", "The method is another one here. Which word of the first line is it, and which status says so?"),
    ("a POST to the path /GET", _instead("GET", "POST /GET HTTP/1.1"), "405",
     "The method is another one here, although `GET` stands in the head. In which place do you look for it?"),
    ("a browser that wants a page", GOOD[:2], "426", NO_UPGRADE),
    ("no Upgrade", _without("Upgrade"), "426", NO_UPGRADE),
    ("an upgrade to something else", _instead("Upgrade", "Upgrade: h2c"), "426", "`Upgrade` is there. But to which protocol?"),
    ("an upgrade to websocket2", _instead("Upgrade", "Upgrade: websocket2"), "426",
     "`Upgrade` is there. But `websocket2` is another protocol than `websocket`. Do you compare the whole value, or look for letters anywhere in it?"),
    ("Connection: keep-alive", _instead("Connection", "Connection: keep-alive"), "426",
     "`Upgrade` is there. But `Connection` does not list it, so it was meant for somebody on the way. Which status?"),
    ("Connection: no-upgrade", _instead("Connection", "Connection: no-upgrade"), "426",
     "`Connection` is a list, and this one has a single option: `no-upgrade`, which is not `upgrade`. Are you comparing options, or looking for letters anywhere in the line?"),
    ("no Connection", _without("Connection"), "426", "`Upgrade` is there. But `Connection` is not, so it was meant for somebody on the way. Which status?"),
    ("no key", _without("Sec-WebSocket-Key"), "400", "The upgrade is asked for. But without a key there is nothing to answer. Which status says *bad request*?"),
    ("version 8", _instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), "400", "The key is there. But this client speaks an older edition of the rules. Which status?"),
    ("version 113", _instead("Sec-WebSocket-Version", "Sec-WebSocket-Version: 113"), "400",
     "The key is there. But the version is 113, which is not 13. Do you compare the whole value, or look for letters anywhere in it?"),
    ("no version", _without("Sec-WebSocket-Version"), "400", "The key is there. But which edition of the rules does this client speak? It does not say."),
]  # fmt: skip
COMPARE = "names and these values have no case, and `Connection` is a list. How do you compare?"
ACCEPTED = [
    ("another path", _instead("GET", "GET /scores?set=3 HTTP/1.1"), "the method is `GET`, and the path is another one. How much of the first line do you compare?"),
    ("Connection: keep-alive, Upgrade", _instead("Connection", "Connection: keep-alive, Upgrade"), COMPARE),
    ("other capitals", [GOOD[0], GOOD[1], "CONNECTION: upgrade", "upgrade: WebSocket", *GOOD[4:]], COMPARE),
]


def _door(c: Case, answer: Answer, then: bytes = b"") -> Callable[[socket.socket], None]:
    """The answer as a server for one caller; `then`: bytes that follow a yes."""

    def talk(line: socket.socket) -> None:
        try:
            said = _answered(c, answer, _hear(line).decode("latin-1"))
            c.kind(said, (bytes, bytearray), hints=KINDS)
            if b" 101 " in said[:20]:
                line.sendall(said + then)
            else:
                line.sendall(said)
                line.shutdown(socket.SHUT_WR)  # a refusal is the last word
            line.recv(1024)  # until the caller says goodbye
        except OSError:  # it hung up
            pass
        finally:
            line.close()

    return talk


def _answered(c: Case, answer: Answer, head: str) -> Any:
    try:
        return answer(head)
    except KeyError as error:
        if traceback.extract_tb(error.__traceback__)[-1].name == "yes":
            c.hints.insert(0, (KeyError, NOBODY_ASKED))
        raise


def _knock(c: Case, answer: Answer, rows: list[str], status: str, hint: str) -> None:
    with socket.create_connection(c.listener(_door(c, answer)), timeout=1.5) as line:
        line.sendall(_rows(*rows))
        head = _hear(line)
    first = head.partition(b"\r\n")[0].decode("latin-1")
    if not first and answer.calls and answer.calls[-1].error is not None:
        raise answer.calls[-1].error  # that is why; the other thread may not have come to say so
    if not re.match(r"HTTP/1\.1 \d{3}\b", first):
        c.fail("An answer begins with a status line: `HTTP/1.1`, three digits, and words. What is the first line of yours?", received=words(repr(first) if first else "nothing"))
    given = first.split()[1]
    if status != "101":
        hint = ("This one should not get in. " if given == "101" else "It does not get in, which is right. ") + hint
    c.true(given == status, hint=hint, received=words(first))
    c.true(head.endswith(b"\r\n\r\n"), hint="The status is right. But the caller waits for the end of the head. What is it?", received=words("a head without an end"))
    if status == "101":
        key = next(row for row in rows if row.startswith("Sec-WebSocket-Key")).partition(": ")[2]
        c.true(right_answer(key).encode() in head, hint="A yes needs the answer to the key. `yes(head)` makes it.", received=words("101, without the right answer"))
