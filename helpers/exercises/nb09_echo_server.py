"""The exercises of notebook 09: a louder echo, two doors, and one handler in place of four broken ones."""

from __future__ import annotations

from typing import Any

from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from websockets.sync.client import connect

from .engine import Answer, Case, Cases, Seen, exercise, words

UNPOSTED = "The handler ran, and you wrote the letter. But nobody posted it. Which word must stand before `ws.send(...)`?"
RETURNED = "The connection opened. Then your handler came to its end, and a handler that returns hangs up. What keeps it going while the client stays?"
RAISED = (
    "The client came in. Then your handler raised an error, and all that a client sees of it is 1011. What does it get as its "
    "arguments, what is of which type, and do the brackets stand behind every method?"
)
SILENT = "The client came in and spoke. Nothing came back: does your handler listen first, and does it send what it has?"


HINTS = [
    (
        TypeError,
        "The client came in, and saw 1011: a `TypeError` in your handler. Does it take one argument, loop over the connection itself, and "
        "keep `str` and `bytes` apart?",
    ),
    (Seen.UNAWAITED, UNPOSTED),
    (ConnectionClosedOK, RETURNED),
    (ConnectionClosed, RAISED),
    ((TimeoutError, Seen.STUCK), SILENT),
]

NO_DOOR = (
    "The client came in and spoke, and nothing came back. Did no door of yours match? Look at `ws.request.path`: what does it begin with? "
    "And does the handler send what it has?"
)


def _ask(uri: str, *sent: str | bytes) -> list[str | bytes]:
    """Send one message after the other, each when the one before was answered."""
    with connect(uri, proxy=None, close_timeout=1) as client:
        got = []
        for message in sent:
            client.send(message)
            got.append(client.recv(timeout=0.7))
        return got


def _asked(c: Case, uri: str, sent: list[Any], hints: Any = ()) -> None:
    c.equal(_ask(uri, *sent), hints=hints)


@exercise(hints=HINTS)
def louder(answer: Answer, case: Cases) -> None:
    lower = [
        (lambda got: got == ["hello"], "It comes back, but as quietly as it came. Which method of a text gives it in capital letters?"),
        (lambda got: got[0].lower() == "echo: hello" and got[0].endswith("HELLO"), "Loud enough. But the exercise wants the text alone. What did you leave in front?"),
        (lambda got: got == ["Echo: hello"], "That is the old echo. Which method of a text gives it in capital letters?"),
    ]
    with case("one message", sent=["hello"], expected=["HELLO"]) as c:
        _asked(c, c.serve(answer).uri, ["hello"], lower)
    with case("three messages on one connection", sent=["one", "two", "three"], expected=["ONE", "TWO", "THREE"]) as c:
        _asked(c, c.serve(answer).uri, ["one", "two", "three"])


@exercise(hints=HINTS)
def route(answer: Answer, case: Cases) -> None:
    for path, sent, expected in (
        ("/louder", ["hello", "again"], ["HELLO", "AGAIN"]),
        ("/echo", ["hello", "again"], ["hello", "again"]),
    ):
        with case(f"through the door {path}", sent=sent, expected=expected, hints={(TimeoutError, Seen.STUCK): NO_DOOR}) as c:
            _asked(
                c,
                c.serve(answer).uri + path,
                sent,
                [
                    (["hello", "again"], "The connection holds. But behind this door the answers are louder. Where does the handler find the path?"),
                    (["HELLO", "AGAIN"], "The connection holds. But this door answers as it was asked. Where does the handler find the path?"),
                    (lambda got: got[0].startswith("Echo: "), "The words are there, but with something in front. What should this door answer?"),
                ],
            )
    with case(
        "through a door that does not exist",
        sent=words("nothing, on /cellar"),
        expected=words("a close with code 1000"),
        hints=[
            ((TimeoutError, Seen.STUCK), "Both doors work. But a client at an unknown door waits. How does a handler hang up, and when?"),
            (ConnectionClosedError, "Both doors work. At an unknown one the client sees 1011: your handler raised an error. What would end it in peace?"),
        ],
    ) as c:
        _goodbye(c, c.serve(answer).uri + "/cellar")


def _goodbye(c: Case, uri: str) -> None:
    with connect(uri, proxy=None, close_timeout=1) as client:
        try:
            got = client.recv(timeout=0.7)
        except ConnectionClosedOK:
            return
        c.fail("Both doors work. At an unknown one the client should hear nothing but the goodbye. Who spoke?", received=got)


@exercise(hints=HINTS)
def mended(answer: Answer, case: Cases) -> None:
    with case("two texts, one after the other", sent=["hello", "again"], expected=["Echo: hello", "Echo: again"]) as c:
        _asked(
            c,
            c.serve(answer).uri,
            ["hello", "again"],
            [(["hello", "again"], "Both come back. A text should have `Echo: ` in front.")],
        )
    with case(
        "a binary message",
        sent=[b"\x00\xff\x10"],
        expected=[b"\x00\xff\x10"],
        hints=[
            (ConnectionClosedError, "Texts work. Bytes made your handler raise: what was it about to do with them?"),
            (TypeError, "Texts work. Bytes made your handler raise: `str` and `bytes` do not add up. How do you tell the two apart?"),
            (UnicodeDecodeError, "Texts work. But binary is not text in disguise: not all bytes can be decoded. What should happen to them?"),
        ],
    ) as c:
        _asked(
            c,
            c.serve(answer).uri,
            [b"\x00\xff\x10"],
            [
                (
                    lambda got: isinstance(got[0], str),
                    "Texts work. But these bytes came back as a text that describes them. Text and binary messages arrive as different "
                    "types: which function tells you the type?",
                ),
                (lambda got: got[0].startswith(b"Echo: "), "Texts work. Binary should come back as it came, with nothing in front."),
            ],
        )
    with case("text again after binary", sent=["a", b"b", "c"], expected=["Echo: a", b"b", "Echo: c"]) as c:
        _asked(c, c.serve(answer).uri, ["a", b"b", "c"])
