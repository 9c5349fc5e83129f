"""The exercises of notebook 23: a stream of events cut anywhere, and a client that falls back."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from .engine import Answer, Case, Cases, Seen, exercise, words


def _shape(c: Case, got: Any) -> None:
    """Fail unless it is (list, bytes)."""
    c.true(
        isinstance(got, tuple) and len(got) == 2,
        received=got,
        hint="It begins well. But two things go back to the caller: a list of texts, and the bytes that are left. How is that returned?",
        hints=[(type(None), ""), (list, "The texts are there. And the bytes that no event has used yet, who gets them?")],
    )


BYTES = "The events are found. But they are bytes still, and a record is a text. Which method of bytes makes one?"
PREFIX = "The events are found. But `data: ` tells only what kind of line it is. Is it a part of the text?"
KEPT = "What is whole is right. But what is left must go back to the caller as it came. Where did it go?"


@exercise(
    hints=[
        (
            UnicodeDecodeError,
            "Bytes become texts, as they should. But a cut may go through the middle of a letter. When is it safe to decode?",
        ),
        (lambda got: any(isinstance(text, bytes) for text in got[0]), BYTES),
        (lambda got: any(text.startswith("data:") for text in got[0]), PREFIX),
        (lambda got: any("\r" in text or "\n" in text for text in got[0]), "The text is there. But the `\\r\\n` behind it ends the line. Is it a part of the text?"),
        (lambda got: isinstance(got, tuple) and isinstance(got[1], str), "Both parts are there. But the next piece is bytes, and is put behind what is left. Of which type must that be?"),
    ]
)
def take_events(answer: Answer, case: Cases) -> None:
    one = b"data: {}\x1e\r\n\r\n"
    with case("one event", sent=one, expected=(["{}\x1e"], b"")) as c:
        got = answer(one)
        _shape(c, got)
        c.equal(
            got,
            hints=[
                (lambda got: got[0] == ["{}"], "The text is found. But the 0x1E ends a record, and records are somebody else's matter. Who took it away? (To `strip`, and to `splitlines` of a *text*, it is white space or the end of a line.)"),
                (lambda got: got[0] == [" {}\x1e"], "The text is found, and a blank before it. To which word does the blank belong that stands behind the colon?"),
                (lambda got: any(text.startswith("b'") for text in got[0]), "The event is found. But `str` writes down what bytes look like, with `b` and quotes. Which method of bytes turns them into the text that they hold?"),
                (lambda got: any(isinstance(text, dict) for text in got[0]), "The event is found and even understood. But the caller wants its text, as it came. What reads it too soon?"),
                (lambda got: "" in got[0] or None in got[0], "The event is in it. But an empty line is no text. Which lines count?"),
            ],
            hint="An event is over at its empty line. Which of its lines is the text, and what stands before it?",
        )
    comment = "An event alone is right. Here its first line begins with `:`, and says nothing. Which lines count?"
    thrown = "An event alone is right. This one begins with a line that says nothing, and you threw away all of its lines. Which of them holds the text?"
    with case("a comment before it", sent=b":\r\n" + one, expected=(["{}\x1e"], b""), hints={IndexError: comment, ValueError: comment}) as c:
        c.equal(answer(b":\r\n" + one), hints=[(lambda got: not got[0] and got[1] == b"", thrown), (lambda got: any(text.startswith(":") for text in got[0]), comment)], hint=comment)
    for what, half in {
        "half an event": b'data: {"typ',
        "a line, but no empty one yet": b"data: {}\x1e\r\n",
        "half of the empty line": b"data: {}\x1e\r\n\r",
    }.items():
        with case(what, sent=half, expected=([], half)) as c:
            c.equal(
                answer(half),
                hints=[(lambda got: not got[0], KEPT)],
                hint="Whole events are right. But this one is not over: more may come. What tells that an event is over?",
            )
    with case("an event and a half", sent=one + b"data: ", expected=(["{}\x1e"], b"data: ")) as c:
        c.equal(answer(one + b"data: "), hints=[(lambda got: got[0] == ["{}\x1e"], KEPT)], hint="Which event is over, and which is not?")
    with case("a text that begins as its line does", sent=b"data: data\r\n\r\n", expected=(["data"], b"")) as c:
        c.equal(
            answer(b"data: data\r\n\r\n"),
            hint="Other texts are right. `lstrip` and `strip` take away *characters*, as many as there are of those; what takes away one prefix?",
        )
    texts = ["{}\x1e", "naïve ⚽", "data: data", "x" * 40]
    with case(
        "every cut, from one byte on", sent=words("four events, cut in every way"), expected=texts, limit=2.5,
        hint="Whole events are right. With the same stream in other pieces, your function finds other texts. What does it do with a beginning?",
    ) as c:
        stream = b":\r\n" + b"".join(b"data: " + text.encode() + b"\r\n\r\n" for text in texts)
        for size in range(1, len(stream) + 1):
            found: list[str] = []
            unread = b""
            for start in range(0, len(stream), size):
                got = answer.function(unread + stream[start : start + size])
                found += got[0]
                unread = got[1]
            c.equal(
                found,
                texts,
                hints=[
                    (lambda got: "nave " in got, "The events are found. But letters are missing: a cut went through the middle of them, and they were dropped. When is it safe to decode?"),
                    (lambda got: any("\ufffd" in text for text in got), "The events are found. But a cut went through the middle of a letter, and its halves became two wrong ones. When is it safe to decode?"),
                    (lambda got: "" in got and "data: data" not in got, "The others are right. But one text has the word `data: ` in itself. Which of the two ends your line's prefix?"),
                    (lambda got: bool(got) and got == texts[: len(got)], "The first ones are right. But one piece may bring several events, and you were asked for all that are over. What about the others?"),
                ],
            )
            c.equal(unread, b"", hint="All four texts are found, and then something is left over that is not needed any more. What?")


class _Line(str):
    """Stands in for a line: its name, and whether somebody has ended it."""

    ended = False

    async def __aenter__(self) -> _Line:
        return self

    async def __aexit__(self, *how: object) -> None:
        self.ended = True


class _Starts:
    """Stands in for `start`: what became of each attempt."""

    def __init__(self, **what: Any) -> None:
        self.what = what
        self.tried: list[str] = []
        self.open = 0
        self.most_open = 0

    async def __call__(self, name: str) -> _Line:
        self.tried.append(name)
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            match self.what[name]:
                case "hangs":
                    await asyncio.sleep(3600)
                case Exception() as error:
                    await asyncio.sleep(0)
                    raise error
                case how:
                    await asyncio.sleep(how)
            return _Line(f"a line by {name}")
        finally:
            self.open -= 1


NAMES = ["WebSockets", "ServerSentEvents", "LongPolling"]
LIMIT = 0.5  # seconds for an attempt
PATIENT = 0.9  # seconds for one that may take SLOW: half a second more, as a busy machine stops everything for as long now and then
SLOW = 0.35  # seconds: longer than a third of PATIENT, for whoever shares it out among the attempts


def _refuses() -> Exception:
    return aiohttp.ClientConnectionError("refused, for the sake of the exercise")


ENDED = "The right line is found. But behind an `async with` it is over, and the caller gets what is left of it. Who should end it?"
AT_ONCE = "A line is there. But several attempts ran at once, and the hub keeps a place for each. When is it the next one's turn?"
PASSED = "The best one works. But when it is refused, that is no reason to give up. Which line may raise, and who catches it?"
NO_LIMIT = "A refusal is understood. But here no answer comes at all, and nothing is raised by itself. Who looks at the clock?"
NOBODY = "Each was tried, good. But nobody connected, and `None` looks like an answer until somebody uses it. What should the caller see?"


@exercise(
    limit=8.0,  # it waits for four attempts that hang
    hints=[
        (Seen.UNAWAITED, "The right one is called. But calling a coroutine function starts nothing. Which word is missing before `start(name)`?"),
        ("a line that is over", ENDED),
        (asyncio.iscoroutine, "The right one is called. But what came back is a promise, not a line. Which word is missing before `start(name)`?"),
    ]
)
async def connect_best(answer: Answer, case: Cases) -> None:
    async def tried(starts: _Starts, limit: float = LIMIT) -> Any:
        got = await answer(list(starts.what), starts, limit)
        return ("a line that is over" if got.ended else str(got)) if isinstance(got, _Line) else got

    async with case("the best one works", expected="a line by WebSockets", hints={list: "One line is enough. Which?", tuple: "The line itself is enough for the caller. Where is it?"}) as c:
        starts = _Starts(WebSockets=0.02, ServerSentEvents=0, LongPolling=0)
        got = await tried(starts, 2.0)
        c.true(starts.most_open < 2, received=words("several attempts at once"), hint=AT_ONCE)
        c.equal(
            got,
            hints=[("a line by LongPolling", "All were tried, and the last one was kept. Which is the best, and when are you done?"),
                   ("a line by ServerSentEvents", "One line came back, good. But the hub's order says which it likes best. Where do you begin?")],
        )
        c.true(starts.tried == ["WebSockets"], received=words(f"attempts by {', '.join(starts.tried)}"),
               hint="The right line came back. But you went on trying with a line in your hand. Which word ends the loop?")
    async with case("the first is refused", expected="a line by ServerSentEvents",
                    hints=[((aiohttp.ClientError, ConnectionError, type(None)), PASSED)]) as c:
        starts = _Starts(WebSockets=_refuses(), ServerSentEvents=0, LongPolling=0)
        c.equal(await tried(starts))
    async with case(
        "the first is never answered",
        expected="a line by ServerSentEvents",
        limit=2.0,
        hints=[(TimeoutError, "The clock rings, good. But it ended the whole search. Is a time that is up not one more reason to try the next?"),
               (type(None), "The clock rings, good. But then the search was over. Is a time that is up not one more reason to try the next?"),
               (Seen.STUCK, NO_LIMIT)],
    ) as c:
        starts = _Starts(WebSockets="hangs", ServerSentEvents=0, LongPolling=0)
        c.equal(await tried(starts))
        c.true(starts.open == 0, received=words("an attempt that still runs"),
               hint="You went on in time. But the first attempt still waits somewhere. What cancels it?")
    async with case(
        "two that are never answered",
        expected="a line by LongPolling",
        limit=4.0,
        hints=[((TimeoutError, ConnectionError, type(None)), "One that hangs is overcome. But the two together had `limit` seconds here. For what is the limit meant?"),
               (Seen.STUCK, "One that hangs is overcome. The second one waits for ever. Does every attempt have its limit?")],
    ) as c:
        starts = _Starts(WebSockets="hangs", ServerSentEvents="hangs", LongPolling=SLOW)
        c.equal(await tried(starts, PATIENT))
    async with case(
        "nobody lets you in",
        expected=ConnectionError,
        limit=2.0,
        hints=[(type(None), NOBODY),
               (ConnectionError, "The right error is made, good. But it goes back like a line, and the caller would call `Add` on it. Which word throws it?"),
               (aiohttp.ClientError, "Each was tried, good. The last refusal alone reached the caller. A `ConnectionError` of your own says that none was left."),
               (TimeoutError, "Each was tried, good. The last time-out alone reached the caller. A `ConnectionError` of your own says that none was left."),
               (str, NOBODY)],
    ) as c:
        starts = _Starts(WebSockets=_refuses(), ServerSentEvents="hangs", LongPolling=_refuses())
        with c.raises(ConnectionError):
            await tried(starts)
        c.true(starts.tried == NAMES, received=words(f"attempts by {', '.join(starts.tried)}"), hint="An error is right in the end. Was everything tried before?")
    async with case(
        "a mistake in the program",
        sent=words("a start that raises ZeroDivisionError"),
        expected=ZeroDivisionError,
        hints={str: "It falls back, good. But here the program itself is wrong, and nobody hears of it. Which errors come from the line?",
               ConnectionError: "It falls back, good. But here the program itself is wrong, and nobody hears of it. Which errors come from the line?"},
    ) as c:
        with c.raises(ZeroDivisionError):
            await tried(_Starts(WebSockets=ZeroDivisionError("division by zero"), ServerSentEvents=0))
