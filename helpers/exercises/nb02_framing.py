"""The exercises of notebook 02: the rule for lines, a decoder that is fed in pieces, and a reader of web pages that lost the rest."""

from __future__ import annotations

import struct
from typing import Any

from .engine import Answer, Case, Cases, Seen, exercise, words
from .verdict import describe

MOST_FRAMES = 10_000  # of an answer that cuts nothing off, and so never comes to an end


@exercise(
    hints=[
        (EOFError, "The end is not for the rule to notice: `decode` does that. What does a rule return while nothing is whole?"),
        (
            lambda got: isinstance(got, tuple) and len(got) == 2 and isinstance(got[0], int),
            "Both parts are there. The message comes first, and then how many bytes its frame takes.",
        ),
        (
            lambda got: isinstance(got, (bytes, bytearray)),
            "A rule says two things: the message, and how many bytes are cut off. Which one is missing?",
        ),
        (
            lambda got: isinstance(got, (tuple, list)) and len(got) == 2 and isinstance(got[0], (bytes, bytearray)) and isinstance(got[1], (bytes, bytearray)),
            "The first of the two is a message, as it should be. The second is a *number*: how many bytes does the frame take?",
        ),
        (
            lambda got: isinstance(got, (tuple, list)) and len(got) == 2 and isinstance(got[0], str),
            "Both parts are there. But the message came as bytes, and nobody said that it is text. What does a slice of `data` give?",
        ),
    ]
)
def cut_line(answer: Answer, case: Cases) -> None:
    with case(
        "one line, and nothing else",
        sent=b"one\n",
        expected=(b"one", 4),
        hints=[
            ((b"one\n", 4), "It is right to cut four bytes off. But the `\\n` says where the message ends; is it a part of the message?"),
            ((b"one\n", 3), "Two things are to be told apart: the message ends *before* the `\\n`, and its frame ends *behind* it."),
            ((b"one", 3), "The message is right. But if only these bytes are cut off, which byte comes first in what is left?"),
            ((b"on", 3), "It begins well. A slice `data[:end]` ends *before* place `end`. Is a letter too few in it?"),
            (type(None), "It begins well: there is a `\\n`. At which place is it, and what does `find` say when there is none?"),
        ],
    ) as c:
        c.equal(_cut(answer, b"one\n"))

    with case(
        "a line, and the beginning of the next one",
        sent=b"one\ntwo",
        expected=(b"one", 4),
        hints=[
            ((b"one", 7), "The message is right. But everything is cut off, and with it the beginning of the next message. How many bytes does *this* frame take?"),
            (
                lambda got: got[0] in (b"onetwo", b"one\ntwo"),
                "`one` is in it. But behind the delimiter another message begins. Up to where is it this one?",
            ),
            ((b"two", 4), "You cut at the right place. Which of the two parts is whole?"),
        ],
    ) as c:
        c.equal(_cut(answer, b"one\ntwo"))

    with case(
        "two lines at once",
        sent=b"one\ntwo\n",
        expected=(b"one", 4),
        hints=[
            (lambda got: got[0] == b"one\ntwo", "It ends at a delimiter, and that is right. But at which one?"),
            (lambda got: isinstance(got, list) or isinstance(got[0], (list, tuple)), "They are all there. But a rule cuts *one* frame off; `decode` asks again for the next."),
        ],
    ) as c:
        c.equal(_cut(answer, b"one\ntwo\n"))

    with case(
        "a line that is not whole yet",
        sent=b"on",
        expected=None,
        hints=[
            ((b"o", 0), "Whole lines are right. Here `find` said -1, and `data[:-1]` leaves out the last byte. What is to happen at -1?"),
            ((b"", 0), "It is right that nothing is cut off. But `b\"\"` is a message, an empty one. What does a rule return when there is none?"),
            (lambda got: got[0] == b"on", "Whole lines are right. But these two letters are the beginning of something. Has its delimiter come?"),
            ((None, 0), "It is right that there is no message. `decode` asks `while frame := cut(data)`: which single value says no?"),
            (ValueError, "Whole lines are right. `index` raises when there is no delimiter; `find` says -1. No line yet is no accident."),
        ],
    ) as c:
        c.equal(_cut(answer, b"on"), hint="Whole lines are right. No delimiter has come yet: what does a rule return then?")

    with case(
        "an empty line",
        sent=b"\ntwo\n",
        expected=(b"", 1),
        hints=[
            (type(None), "Lines with something in them are right. An empty message has its delimiter at place 0. Does your test let 0 through?"),
            ((b"two", 5), "Lines with something in them are right. But the first message here is empty, and it is a message too."),
        ],
    ) as c:
        c.equal(_cut(answer, b"\ntwo\n"))

    with case(
        "a message that begins and ends with a space",
        sent=b" two \n",
        expected=(b" two ", 6),
        hint="The delimiter is the only byte that is not of the message. What became of the spaces?",
    ) as c:
        c.equal(_cut(answer, b" two \n"))

    with case(
        "a message with `\\r` in it, and at its end",
        sent=b"one\rtwo\r\n",
        expected=(b"one\rtwo\r", 9),
        hint="Other bytes are right. But `\\n` is the delimiter, and nothing else is. Who takes `\\r` for one: `splitlines`, or a `strip`?",
    ) as c:
        c.equal(_cut(answer, b"one\rtwo\r\n"))

    messages = [b"one", b"", b"three", b"", b"x" * 126]
    with case(
        "every cut, from one byte to 4,096",
        sent=words("five lines, two of them empty, cut in every way"),
        expected=messages,
        hint="One line at a time is right. With your rule in it, `decode` finds other messages in the same bytes. What does it cut off?",
        limit=2.5,
    ) as c:
        stream = b"".join(message + b"\n" for message in messages)
        for size in range(1, 4097):
            found, data = [], bytearray()
            for start in range(0, len(stream), size):
                data += stream[start : start + size]
                while (frame := answer.function(data)) and len(found) < MOST_FRAMES:
                    found.append(bytes(frame[0]))
                    del data[: frame[1]]
            c.equal(found, received=words(f"{found} from pieces of {size}"))


def _cut(answer: Answer, data: bytes) -> Any:
    """What the rule says; a bytearray in it, which is a fine answer, as bytes."""
    got = answer(bytearray(data))
    if isinstance(got, (tuple, list)):
        return type(got)(bytes(part) if isinstance(part, bytearray) else part for part in got)
    return got


HELLO = b"\x00\x00\x00\x05hello"
EATEN = "The list is right. But `data` is for what is not whole yet. Who takes a frame out of it that you have handed over?"
LOST = (
    "Whole frames are right. But the rest has to be there at the next call. `data = ...` gives the name to another object, and the "
    "caller's `bytearray` stays as it was. What changes the object itself?"
)
HALF_A_HEADER = "A cut in the message is right. But a cut may fall into the header, too. Does anything say that its four bytes come together?"


@exercise(
    hints=[
        (
            lambda got: isinstance(got, (bytes, bytearray)),
            "The right bytes, perhaps. But a piece may hold two messages, or none. What holds any number of them?",
        ),
        (Seen.STUCK, "It goes round and round. In which case does your loop leave `data` as it is, and begin again?"),
        (
            lambda got: isinstance(got, list) and any(type(message) is str for message in got),
            "The right letters. But who said that the message is text? What did it arrive as?",
        ),
        (
            lambda got: isinstance(got, list) and any(isinstance(message, bytes) and message.startswith(b"\x00\x00\x00") for message in got),
            "You cut in the right place. But the header is for you, and not for your caller. Where does the message begin?",
        ),
        (EOFError, "It is right to have `EOFError` for a hang-up. But nobody has hung up here. Which piece means the hang-up?"),
        (struct.error, "`struct` is a fine tool for it. How many bytes does it ask for, and how many are there when you ask?"),
        (BufferError, "A `memoryview` looks into `data`, and as long as it does, nothing can be taken out. What makes bytes of your own?"),
    ]
)
def feed(answer: Answer, case: Cases) -> None:
    with case(
        "a whole frame in one piece",
        sent=HELLO,
        expected=[b"hello"],
        hints=[
            ([b"h"], "It begins in the right place. But the length counts the message alone. Where does the frame end, seen from its own beginning?"),
            (
                [],
                "It is right to wait for what is missing. But here are four bytes that say 5, and five more. What number did you read: which "
                "end of it comes first?",
            ),
            (ValueError, "A limit is right. But this header says 5. What number did you read: which end of it comes first?"),
            (IndexError, "Four bytes are a number, and its big end comes first. Which of them did you ask for?"),
        ],
    ) as c:
        data = bytearray()
        c.equal(_fed(answer, data, HELLO))
        c.true(not data, hint=EATEN, received=words(f"[b'hello'], and {bytes(data)!r} is left in data"))

    with case(
        "two frames in one piece",
        sent=words("the frames of b'hello' and b'you', in one piece"),
        expected=[b"hello", b"you"],
        hints=[
            ([b"hello"], "The first message is right, and the second is whole as well. How many frames may a piece hold?"),
            ([b"you"], "The second message is right. What became of the first?"),
        ],
    ) as c:
        c.equal(_fed(answer, bytearray(), HELLO + b"\x00\x00\x00\x03you"))

    with case(
        "a cut in the middle of the message",
        sent=[HELLO[:6], HELLO[6:]],
        limit=1.5,
        hints=[
            (
                lambda got: got in ([b"h"], [b"he"]),
                "Whole frames are right. Of this one the header says 5, and a part has come. What do you return while nothing is whole?",
            ),
            (type(None), "It is right that nothing is whole yet. A list with nothing in it says so, too, and your caller can loop over it."),
        ],
    ) as c:
        _feed_in_turn(c, answer, [HELLO[:6], HELLO[6:]], [[], [b"hello"]], hint=LOST)

    with case(
        "a cut in the middle of the header",
        sent=[HELLO[:2], HELLO[2:]],
        hints=[((struct.error, IndexError, ValueError), HALF_A_HEADER)],
    ) as c:
        _feed_in_turn(c, answer, [HELLO[:2], HELLO[2:]], [[], [b"hello"]], hint=HALF_A_HEADER)

    with case(
        "an empty message, and then another one",
        sent=words("the frames of b'' and b'hello', in one piece"),
        expected=[b"", b"hello"],
        hints=[
            ([b"hello"], "`hello` is right. But an empty message is a message too: what does your test make of a length of 0?"),
            ([b""], "The empty message is right. Why do you stop there, when another frame is whole?"),
            ([], "A length of 0 is a length like any other. What does your test make of it?"),
        ],
    ) as c:
        c.equal(_fed(answer, bytearray(), bytes(4) + HELLO))

    with case("an empty message alone", sent=bytes(4), expected=[b""], hint="These four bytes are a whole frame. What does your test make of it?") as c:
        c.equal(_fed(answer, bytearray(), bytes(4)))

    mixed = "One caller alone is right. Two of them get into each other's bytes. Do you keep anything outside of `data`?"
    with case(
        "two callers in turn, each with its own data",
        sent=words("half a frame from one, a whole one from another, the other half from the first"),
        hints=[(Exception, mixed)],
        hint=mixed,
    ) as c:
        one, other = bytearray(), bytearray()
        for data, piece, want in ((one, HELLO[:6], []), (other, HELLO, [b"hello"]), (one, HELLO[6:], [b"hello"])):
            c.equal(_fed(answer, data, piece), want)

    with case(
        "a frame as long as the limit allows",
        sent=words("the frame of b'hello', limit 5"),
        expected=[b"hello"],
        hints=[(ValueError, "A limit is right. But five bytes are not *above* a limit of 5. And does it count the header?")],
    ) as c:
        c.equal(_fed(answer, bytearray(), HELLO, 5))

    waits = (
        "The bytes are kept, as if all were well. This header announces more than the limit, and you know it now. Before which test of "
        "yours should the limit come?"
    )
    with case(
        "a header that announces four gigabytes",
        sent=words("b'\\xff\\xff\\xff\\xff', and nothing more, limit 5"),
        expected=ValueError,
        hints=[
            ([], waits),
            (type(None), waits),
            (EOFError, "You refuse it, and that is right. But nobody has hung up. Which exception was asked for?"),
            ((MemoryError, OverflowError), "You ask for the memory before you ask whether you want it. Which comes first?"),
            (Exception, "You refuse it, and that is right. Which exception was asked for?"),
        ],
        hint=waits,
    ) as c:
        with c.raises(ValueError):
            answer(bytearray(), b"\xff" * 4, 5)

    with case(
        "a header of which all four bytes count",
        sent=words("b'\\x01\\x00\\x00\\x05', and then b'hello', limit 5"),
        expected=ValueError,
        hints=[([b"hello"], "Short frames are right. This length has four digits that count, in the number system of 256. How many of them did you read?")],
    ) as c:
        with c.raises(ValueError):
            answer(bytearray(), b"\x01" + HELLO[1:], 5)

    with case(
        "a frame above the limit, all of it there",
        sent=words("the frame of b'hello', limit 4"),
        expected=ValueError,
        hint="A header alone is right. But here the limit is passed over when the whole frame is there. Which test comes first?",
    ) as c:
        with c.raises(ValueError):
            answer(bytearray(), HELLO, 4)

    with case(
        "a hang-up behind a whole frame",
        sent=[HELLO, b""],
        hints=[(EOFError, "It is right to look for the hang-up. But nothing is unfinished here. When is it an accident, and when a good end?")],
    ) as c:
        _feed_in_turn(c, answer, [HELLO, b""], [[b"hello"], []])

    silent = "You return as if all were well. But `b''` says that nothing more will come, and something is still in `data`. How do you tell your caller?"
    for title, piece in (("message", HELLO[:6]), ("header", HELLO[:2])):
        with case(
            f"a hang-up in the middle of the {title}",
            sent=[piece, b""],
            expected=EOFError,
            hints=[
                (list, silent),
                (type(None), silent),
                (Exception, "You noticed the hang-up, and you said so. Which exception was asked for?"),
            ],
        ) as c:
            data = bytearray()
            answer(data, piece)
            with c.raises(EOFError):
                answer(data, b"")

    border = "Short frames are right. With long ones, cut in every way, other messages come out. What happens at a border that you have not tried?"
    with case(
        "every cut, from one byte to 4,096",
        sent=words("messages of 0, 1, 125, 126, 4,000, 65,535 and 65,536 bytes"),
        expected=words("the same messages for each cut"),
        hints=[(Exception, border)],
        hint=border,
    ) as c:
        every_byte = bytes(range(256)) * 257
        for lengths, sizes in (((0, 1, 125, 126, 4_000), range(1, 4097)), ((65_535, 65_536), (1_000, 4_096))):
            messages = [every_byte[:length] for length in lengths]
            stream = b"".join(len(message).to_bytes(4, "big") + message for message in messages)
            for size in sizes:
                data, found = bytearray(), []
                for start in range(0, len(stream), size):
                    found += answer.function(data, stream[start : start + size])
                got = [len(message) for message in found]
                c.true(found == messages, received=words(f"messages of {got} bytes from {list(lengths)}, in pieces of {size}"))


def _fed(answer: Answer, data: bytearray, *more: Any) -> Any:
    """What one call returns; a bytearray in it, which is a fine answer, as bytes."""
    got = answer(data, *more)
    if isinstance(got, list):
        return [bytes(message) if isinstance(message, bytearray) else message for message in got]
    return got


def _feed_in_turn(c: Case, answer: Answer, pieces: list[bytes], wanted: list[list[bytes]], *, hint: str = "") -> None:
    data = bytearray()
    for number, (piece, want) in enumerate(zip(pieces, wanted, strict=True), 1):
        got = _fed(answer, data, piece)
        c.equal(got, want, hint=hint, received=words(f"{describe(got)} for piece {number}"))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: text/plain\r\n\r\n"
REST = (
    "The head is found. But what came along with it is the beginning of the body. Which part of `data` is that, and where does it go?"
)


@exercise(
    hints=[
        (
            EOFError,
            "This is the bug itself, or what is left of it: all bytes of the page have come, and your program asks for more. Which bytes has it taken, "
            "and not used?",
        ),
        (Seen.STUCK, "All bytes of the page have come. What is your program still waiting for?"),
        (UnicodeDecodeError, "A cut may fall into the middle of a letter, and nobody asked for text. What does the caller want?"),
        (
            lambda got: isinstance(got, tuple),
            "The parts are there. The caller wants one of them, the body.",
        ),
    ]
)
def read_page(answer: Answer, case: Cases) -> None:
    with case(
        "the head, and the body a little later",
        sent=[words("the head"), b"hello"],
        expected=b"hello",
        limit=1.5,
        hints=[
            (lambda got: got.startswith(b"HTTP"), "The head is there. But the caller wants the body alone. What parts the two?"),
            (
                b"",
                "The head has come, and the body is on its way. The head says how many bytes that will be. Who waits for them, and do you "
                "count the bytes of the body alone?",
            )
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, HEAD % 5, b"hello", reader=near, close=True)
        c.equal(answer(near))

    with case(
        "the whole page in one piece",
        sent=words("the head and b'hello', in one piece"),
        expected=b"hello",
        limit=1.5,
        hints=[
            (lambda got: got.startswith(b"HTTP"), "All of it is there. But the caller wants the body alone. What parts it from the head?"),
            (b"", REST),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, HEAD % 5 + b"hello", close=True)
        c.equal(answer(near))

    with case(
        "a body that comes in two pieces",
        sent=[words("the head and b'he'"), b"llo"],
        expected=b"hello",
        limit=1.5,
        hints=[
            (b"he", "The beginning is right. But the head said five bytes. How many have come, and who asks for the others?"),
            (b"llo", REST),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, HEAD % 5 + b"he", b"llo", reader=near, close=True)
        c.equal(answer(near))

    with case(
        "a cut in the middle of the empty line",
        sent=[words("the head without its last two bytes"), words("these two, and b'hello'")],
        expected=b"hello",
        limit=1.5,
        hints=[
            (EOFError, "Larger pieces are right. Here the delimiter came in two halves, and neither piece has all of it. Where is it whole?"),
            (Seen.STUCK, "Larger pieces are right. Here the delimiter came in two halves, and neither piece has all of it. Where is it whole?"),
        ],
    ) as c:
        near, far = c.socketpair()
        head = HEAD % 5
        c.feed(far, head[:-2], head[-2:] + b"hello", reader=near, close=True)
        c.equal(answer(near))

    with case(
        "an empty line in the body",
        sent=words("a page with the body b'one\\r\\n\\r\\ntwo', in one piece"),
        expected=b"one\r\n\r\ntwo",
        limit=1.5,
        hints=[
            (b"two", "The last part is right. But the body may hold anything, an empty line as well. Which empty line ends the head?"),
            (b"one", "The first part is right. But the body may hold anything, an empty line as well. Which empty line ends the head?"),
            (ValueError, "Without an empty line in the body it is right. How many parts are there now, and how many did you ask for?"),
            (EOFError, "Without an empty line in the body it is right. Which empty line ends the head: the first one, or the last?"),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, HEAD % 10 + b"one\r\n\r\ntwo", close=True)
        c.equal(answer(near))

    with case("a body of no bytes", sent=words("a head that says 0"), expected=b"", limit=1.5) as c:
        near, far = c.socketpair()
        far.sendall(HEAD % 0)
        c.equal(answer(near), hints=[(Seen.STUCK, "Nothing is missing. Do you ask for more before you look?")])

    with case("one byte at a time", sent=words("a page with the body b'full duplex', byte by byte"), expected=b"full duplex", limit=2) as c:
        near, far = c.socketpair()
        c.feed(far, *(bytes([byte]) for byte in HEAD % 11 + b"full duplex"), reader=near, close=True)
        c.equal(answer(near), hint="In larger pieces it is right. What changes when the cuts are everywhere?")

    letters = (
        "Here 19 bytes are 18 letters, as in the text above. Which of the two does the head announce, and which do you count?"
    )
    with case(
        "a body of 18 letters in 19 bytes",
        sent=words("a page with the body 'café, framed twice', in one piece"),
        expected="café, framed twice".encode(),
        limit=1.5,
        hints=[((EOFError, Seen.STUCK), letters)],
        hint=letters,
    ) as c:
        near, far = c.socketpair()
        c.feed(far, HEAD % 19 + "café, framed twice".encode(), close=True)
        c.equal(answer(near))

    with case(
        "a line that tears in the head",
        sent=[words("half a head"), words("a hang-up")],
        expected=EOFError,
        limit=1.5,
        hints=[
            (Seen.STUCK, "Whole pages are right. Here the head never ends, and your program asks for ever. What does `recv` return then, and what does `more` make of it?"),
            (ValueError, "Whole pages are right. This head is torn before it says a length. What does `more` do at a hang-up?"),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, (HEAD % 5)[:20], close=True)
        with c.raises(EOFError):
            answer(near)

    with case(
        "a line that tears in the body",
        sent=[words("the head and b'he'"), words("a hang-up")],
        expected=EOFError,
        limit=1.5,
        hints=[
            (Seen.STUCK, "Whole pages are right. Here it goes round and round. What does `more` know about `b''`?"),
            (b"he", "Whole pages are right. This one is torn, and the length says so. What does `more` do at a hang-up?"),
        ],
    ) as c:
        near, far = c.socketpair()
        c.feed(far, HEAD % 5 + b"he", close=True)
        with c.raises(EOFError):
            answer(near)
