"""The exercises of notebook 01: a reply as text, exactly n bytes, and a text that was cut in the middle of a letter."""

from __future__ import annotations

import queue
import socket

from .engine import Answer, Case, Cases, Seen, exercise, words
from .stub import codes

OPEN = "The reply is right. But on its way out your program left the line open. What hangs up for you, also when it fails halfway?"
WRONG_BYTES = (
    "You dialled the right number. But what went down the line are not the bytes of the text. `encode` with nothing in its "
    "brackets follows the rule that the other side expects."
)
NO_BYTES = "You dialled the right number, and hung up without a word. Which call says something?"


@exercise(
    hints=[
        (Seen.SOCKET_LEFT, OPEN),
        (
            Seen.STUCK,
            "You dialled the right number. Then your program waits for words that never come. Do you speak before you listen? And how "
            "many times do you listen for one short reply?",
        ),
        (
            TypeError,
            "You dialled the right number. But a wire carries bytes, and nothing else. Which method turns text into bytes, and do its brackets "
            "stand behind it?",
        ),
        (ConnectionRefusedError, "Dialling is right, but nobody listens at that number. Is it the `address` that you were given?"),
        (
            lambda got: type(got) is str and got.startswith(("b'", 'b"')),
            "The right letters are in it. But this is how Python *shows* bytes. What is the way back from `encode`?",
        ),
        (callable, "That is a method which nobody has called yet. What would call it?"),
    ]
)
def shout(answer: Answer, case: Cases) -> None:
    with case("a plain word", sent="hello", expected="hello") as c:
        _call(answer, c, "hello", "hello")

    with case(
        "a word with an accent",
        sent="café",
        expected="café",
        hints=[
            (
                UnicodeDecodeError,
                "`hello` came back whole. Of `café` you took only a part: `recv` counts bytes, and `len` of a text counts "
                "something else. How many bytes does `café` take?",
            ),
            (
                lambda got: got == "caf" or got == "caf\ufffd",
                "`hello` came back whole. Here the last letter is lost: how many bytes does `é` take, and how many did you ask for?",
            ),
            (
                "cafÃ©",
                "The bytes are right, all five. But they were turned into text by another rule than the one that made them. Which rule "
                "do `encode` and `decode` follow when you name none?",
            ),
        ],
    ) as c:
        _call(answer, c, "café", "café")

    with case(
        "somebody who answers with other words",
        sent="who is there?",
        expected="nobody but us bytes",
        hints=[
            ("who is there?", "These are the words that you said. Return what came back."),
            (
                lambda got: isinstance(got, str) and "nobody but us bytes".startswith(got),
                "The beginning is right. The reply may be longer than what you said. Who knows how long?",
            ),
        ],
    ) as c:
        _call(answer, c, "who is there?", "nobody but us bytes")


def _call(answer: Answer, c: Case, text: str, reply: str) -> None:
    wanted = text.encode()
    calls: queue.SimpleQueue[tuple[socket.socket, bytes]] = queue.SimpleQueue()

    def talk(line: socket.socket) -> None:
        heard = b""
        while heard != wanted and wanted.startswith(heard) and (piece := line.recv(1024)):
            heard += piece
        calls.put((line, heard))
        if heard == wanted:
            line.sendall(reply.encode())
        else:
            line.shutdown(socket.SHUT_WR)  # for an answer that listens

    got = answer(c.listener(talk, timeout=3), text)
    try:
        line, heard = calls.get(timeout=0.5)
    except queue.Empty:
        c.equal(got)
        c.fail(
            "The words are right, but nobody has heard you at this number. Does your function dial its `address`, and speak?",
            received=words("no call"),
        )
    else:
        c.true(heard == wanted, hint=WRONG_BYTES if heard else NO_BYTES, received=words(f"{heard!r} at the other end"))
        c.equal(got)
        c.hung_up(line, hint=OPEN)


EATEN = "The message is right. But you took bytes that belong to the next one. How many are still missing when you ask again?"


@exercise(
    hints=[
        (list, "All the pieces may be there. One `bytes` was wanted: what joins them?"),
        (
            lambda got: type(got) is str,
            "The right letters, perhaps. But who said that these bytes are text? A picture is bytes too. What did they arrive as?",
        ),
        (EOFError, "It is right to have `EOFError` for a hang-up. But here nobody has hung up: nothing was asked for. When is something missing?"),
        (Seen.STUCK, "Everything that was asked for has been sent. What is your function still waiting for?"),
    ]
)
def recv_exactly(answer: Answer, case: Cases) -> None:
    with case("all of it in one piece", sent=b"hello", expected=b"hello") as c:
        near, far = c.socketpair()
        far.sendall(b"hello")
        c.equal(answer(near, 5))

    flag = any("MSG_WAITALL" in code.co_names for code in codes(answer.function))
    with case(
        "two pieces",
        sent=[b"he", b"llo"],
        expected=b"hello",
        hints=[
            (
                lambda got: got == b"he" and flag,
                "The flag says what you want. But on a socket that has a timeout it may return early, and it did. Which loop would ask again?",
            ),
            (b"he", "The first piece is right. But `recv(n)` promises *at most* n. How many bytes are still missing?"),
            (b"llo", "That is the second piece, all of it. What became of the first one?"),
            (
                Seen.STUCK,
                "It asks again when something is missing, and that is right. Now both pieces have arrived, and it still waits. What became of "
                "the first one?",
            ),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, b"he", b"llo", reader=near)
        c.equal(answer(near, 5))

    with case(
        "two pieces, and the next message follows",
        sent=[b"he", b"llowo"],
        expected=b"hello",
        hints={b"hellowo": "`hello` is in it. But it asked for the whole length each time. How many bytes are still missing after `he`?"},
    ) as c:
        near, far = c.socketpair()
        c.feed(far, b"he", b"llowo", reader=near)
        c.equal(answer(near, 5))
        left = c.unread(near)
        c.equal(left, b"wo", hint=EATEN, received=words(f"b'hello', and then {left!r} is left on the line"))

    with case(
        "one byte at a time",
        sent=words("b'full duplex' in eleven pieces"),
        expected=b"full duplex",
        hints=[
            (
                lambda got: isinstance(got, bytes) and b"full duplex".startswith(got),
                "What you have is right, as far as it goes. Nobody promised that there would be two pieces. What asks until nothing is missing?",
            ),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, *(bytes([byte]) for byte in b"full duplex"), reader=near)
        c.equal(answer(near, 11))

    with case(
        "no bytes at all",
        sent=words("b'next' is waiting, but n is 0"),
        expected=b"",
        hint="An empty message is a message too. Is anything missing before the first `recv`?",
    ) as c:
        near, far = c.socketpair()
        far.sendall(b"next")
        c.equal(answer(near, 0))
        left = c.unread(near)
        c.equal(left, b"next", hint=EATEN, received=words(f"b'', and then {left!r} is left on the line"))

    with case(
        "a hang-up right after the last byte",
        sent=words("b'hello', then a hang-up"),
        expected=b"hello",
        limit=1.5,
    ) as c:
        near, far = c.socketpair()
        c.feed(far, b"hello", close=True)
        c.equal(answer(near, 5))

    with case(
        "a hang-up in the middle",
        sent=words("b'he', then a hang-up"),
        expected=EOFError,
        limit=1.5,
        hints=[
            (
                Seen.STUCK,
                "With whole messages it is right. Here it goes round and round. What does `b''` mean, and will more ever come?",
            ),
            (
                b"he",
                "These two bytes are right. But your caller asked for five bytes, and can't know that the rest will never come. How do you "
                "say so?",
            ),
            (b"", "You noticed the hang-up. But `b''` looks like a result. Which exception was asked for?"),
            (Exception, "You noticed the hang-up, and you said so. Which exception was asked for?"),
            (type(None), "You noticed the hang-up. But `None` looks like a result. Which exception was asked for?"),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, b"he", close=True)
        with c.raises(EOFError):
            answer(near, 5)


@exercise(
    hints=[
        (
            UnicodeDecodeError,
            "Collecting until the hang-up is right. This is the bug itself: a piece was decoded that ends in the middle of a letter. When "
            "do you know that no letter is cut?",
        ),
        (
            Seen.STUCK,
            "It still listens after the hang-up. How does `recv` tell you that nothing more will come?",
        ),
        (EOFError, "You noticed the hang-up. But here it is no accident: it says that everything has been said."),
        (TimeoutError, "A pause is not the end. What is?"),
    ]
)
def hear_all(answer: Answer, case: Cases) -> None:
    with case("plain letters", sent=[b"hello", words("a hang-up")], expected="hello", limit=1.5) as c:
        near, far = c.socketpair()
        c.feed(far, b"hello", close=True)
        c.equal(answer(near), hints=[_early("hello")], hint="Some of it is missing. How often do you listen, and how often do you keep what you heard?")

    with case(
        "a cut in the middle of a letter",
        sent=[b"caf\xc3", b"\xa9", words("a hang-up")],
        expected="café",
        limit=1.5,
        hints=[
            (
                lambda got: got in ("", "caf", "caf\ufffd", "caf\ufffd\ufffd"),
                "It does not stop any more. But a letter is gone: what could not be decoded was thrown away. What if the halves met before "
                "you decode?",
            ),
            (
                "cafÃ©",
                "It does not stop any more. But two bytes have become two letters: they were sent as UTF-8 and read by another rule. "
                "What if the halves met before you decode?",
            ),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, b"caf\xc3", b"\xa9", reader=near, close=True)
        c.equal(answer(near))

    text = "déjà vu → 🎾"
    with case("one byte at a time", sent=words(f"{text!r}, then a hang-up"), expected=text, limit=2) as c:
        near, far = c.socketpair()
        c.feed(far, *(bytes([byte]) for byte in text.encode()), reader=near, close=True)
        c.equal(answer(near), hints=[_early(text)])

    with case("somebody who says nothing", sent=words("a hang-up"), expected="", limit=1.5) as c:
        near, far = c.socketpair()
        c.feed(far, close=True)
        c.equal(answer(near), hint="Nothing was said: which text has no letters?")


def _early(text: str) -> tuple[object, str]:
    return (
        lambda got: isinstance(got, str) and got != text and text.startswith(got),
        "What you have is right, but you stopped before the end. A short piece is no hang-up. What is?",
    )
