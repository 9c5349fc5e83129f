"""The exercises of notebook 12: sending all before the answers come, and answers matched to their questions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConcurrencyError, ConnectionClosed

from .engine import Answer, Case, Cases, Seen, exercise, words
from .hints import Hints, pairs

PATIENCE = 1.0  # seconds without a new message, after which the other side takes it that no more will come

ALONE = (
    "All is sent at once, good. But several calls of `recv` wait on one connection, and the library refuses. "
    "Who could take in all the answers?"
)
UNHEARD = "You listen, good. But the other side had heard nothing, and went away. Which loop comes first?"
LOCK_STEP = "The answers are right. But you waited for an answer before everything was sent. What could you do while the ball flies?"
MORE = "What you sent was answered, each and every one. Then you waited for more than there was to come. How many answers are there?"
USELESS = 'The questions arrived, but the oracle could not use them and hung up. Is each one a JSON text with an `"id"` of its own and an `"n"`?'
ANOTHER_ORDER = "All four answers are there, in another order. What tells you which question each belongs to?"

Reply = Callable[[list[str | bytes]], list[str | bytes]]


class OtherSide:
    """Takes in all the messages before it answers, and notices when they come one by one. `then`: hints that become true when it answers."""

    def __init__(self, case: Case, expected: int, reply: Reply, *, then: Hints = (), hang_up: bool = False) -> None:
        self.case = case
        self.expected = expected
        self._reply = reply
        self.then = pairs(then)
        self.hang_up = hang_up
        self.heard = 0
        self.answers = False
        self.lock_step = False

    async def __call__(self, ws: Any) -> None:
        got: list[str | bytes] = []
        while self.heard < self.expected:
            try:
                async with asyncio.timeout(PATIENCE):
                    got.append(await ws.recv())
                    self.heard += 1
            except TimeoutError:
                break
        if not got and self.expected:
            return  # nothing was sent: the answer, which listens, sees the end of the connection
        if len(got) < self.expected:  # it waits for an answer already
            self.lock_step = True
            for message in self.reply(got):
                await ws.send(message)
            async for message in ws:
                self.heard += 1
                for answer in self.reply([message]):
                    await ws.send(answer)
            return
        for message in self.reply(got):
            await ws.send(message)
        if not self.hang_up:
            await ws.wait_closed()

    def reply(self, got: list[str | bytes]) -> list[str | bytes]:
        """What is sent back. Raises what `reply` raises, and the connection ends with 1011."""
        try:
            answers = self._reply(got)
        except Exception:
            self.case.hints.insert(0, (ConnectionClosed, USELESS))
            raise
        if not self.answers:
            self.case.hints[:0] = self.then
        self.answers = True
        return answers


async def _call(c: Case, other: OtherSide, answer: Answer, *args: object) -> object:
    async with connect(c.serve(other).uri, proxy=None, close_timeout=0.5) as ws:
        return await answer(ws, *args)


@exercise(
    hints=[
        (ConcurrencyError, ALONE),
        (Seen.UNAWAITED, "The loop runs. But a letter that is written must be posted too: which word must stand before `ws.send(...)`?"),
        ((Seen.STUCK, TimeoutError, ConnectionClosed), UNHEARD),
    ]
)
async def pipelined(answer: Answer, case: Cases) -> None:
    balls = ["love", "fifteen", "thirty"]
    with case("three balls", sent=balls, expected=balls) as c:
        other = OtherSide(c, len(balls), list, then=[((Seen.STUCK, TimeoutError, ConnectionClosed), MORE)])
        got = await _call(c, other, answer, balls)
        c.equal(
            got,
            hints=[
                ("love", "That is the first ball, caught. The caller wants a list of them all. How many more come back?"),
                (
                    lambda got: any(asyncio.iscoroutine(one) for one in got),
                    "The list is as long as it should be. But it holds promises, not balls. Which word waits for a `recv()`? And for a `send()`?",
                ),
                (lambda got: len(got) == 1, "The first ball is caught. How many more come back?"),
                (lambda got: isinstance(got, list) and sorted(got) == sorted(balls), "All three are there, good. The caller wants them as they came. Who put them into another order?"),
            ],
        )
        c.true(not other.lock_step, received=words("one ball at a time"), hint=LOCK_STEP)
    with case("answers in another order", sent=["a", "b", "c"], expected=["c", "b", "a"]) as c:
        c.equal(
            await _call(c, OtherSide(c, 3, lambda got: got[::-1]), answer, ["a", "b", "c"]),
            hint="Sent and caught, but the list should hold what came, as it came. Where do its entries come from?",
        )


def _squares(got: list[str | bytes], keep: int | None = None) -> list[str | bytes]:
    """The answers, the last first; raises when it can't tell the questions apart."""
    return [_written(question, question["n"] ** 2) for question in _questions(got)][::-1][:keep]


def _sums(got: list[str | bytes]) -> list[str | bytes]:
    """A thousand more, in an order that is neither there nor back."""
    questions = _questions(got)
    order = [2, 0, 3, 1] if len(questions) == 4 else range(len(questions))
    return [_written(questions[place], questions[place]["n"] + 1000) for place in order]


def _questions(got: list[str | bytes]) -> list[dict[str, Any]]:
    questions = [json.loads(message) for message in got]
    if len({json.dumps(question["id"]) for question in questions}) < len(questions):
        raise ValueError("two questions have the same id")
    return questions


def _written(question: dict[str, Any], answer: int) -> str:
    return json.dumps({"id": question["id"], "answer": answer})


@exercise(
    hints=[
        (ConcurrencyError, ALONE),
        (Seen.UNAWAITED, "The questions are written. But they must be posted too: which word must stand before `ws.send(...)`?"),
        (
            KeyError,
            "Answers came. But you looked something up under a key that is not there. Did you fetch all the answers? And is the id of the same "
            'type on both sides? `"1"` is not `1`.',
        ),
        (TypeError, "The questions are there. But a message is a text or bytes. Which function writes a dictionary as text?"),
        ((Seen.STUCK, TimeoutError, ConnectionClosed), UNHEARD),
    ]
)
async def volley(answer: Answer, case: Cases) -> None:
    questions = [7, 8, 9, 8]
    squares = [49, 64, 81, 64]
    then = [
        ((Seen.STUCK, TimeoutError), MORE),
        (TypeError, "The questions are fine, and the answers came. But what comes is text still. Which function reads a dictionary back from it?"),
    ]
    with case("answers that come last first", sent=questions, expected=squares) as c:
        other = OtherSide(c, len(questions), _squares, then=then)
        got = await _call(c, other, answer, questions)
        c.equal(
            got,
            hints=[
                (lambda got: isinstance(got, list) and sorted(got) == sorted(squares), ANOTHER_ORDER),
                (
                    lambda got: all(isinstance(one, dict) for one in got),
                    "The messages are read. The caller wants the answers in them. Where do they stand?",
                ),
                (dict, "The answers are matched. The caller wants a list. In which order?"),
            ],
        )
        c.true(other.answers, received=words("numbers before the oracle had answered"), hint="The numbers are right. But the oracle had not answered yet. Whom do you ask?")
        c.true(
            other.heard == len(questions),
            received=words(f"{other.heard} questions"),
            hint="The answers are right. But four questions were to be sent, and fewer arrived. The same number may be asked twice: what tells the two apart?",
        )
        c.true(not other.lock_step, received=words("one question at a time"), hint=LOCK_STEP)
    sums = [1005, 1006, 1007, 1008]
    with case(
        "an oracle that adds a thousand, and answers in no order at all",
        sent=[5, 6, 7, 8],
        expected=sums,
        hints=[
            (lambda got: isinstance(got, list) and sorted(got) == sums, ANOTHER_ORDER),
            ([25, 36, 49, 64], "The first oracle squares, and so do you. This one said something else. Where should your numbers come from?"),
        ],
    ) as c:
        c.equal(await _call(c, OtherSide(c, 4, _sums, then=then), answer, [5, 6, 7, 8]))
    with case(
        "no questions at all", sent=[], expected=[], hints={Seen.STUCK: "Four questions work. Here there are none. What do you wait for?"}, limit=1.5
    ) as c:
        c.equal(await _call(c, OtherSide(c, 0, lambda got: []), answer, []))
    with case(
        "the line ends after two answers",
        sent=[1, 2, 3],
        expected=ConnectionClosed,
        hints=[
            (
                (Seen.STUCK, TimeoutError),
                "The answers are matched. Here the line ended before the last one, and your function waits for it still. "
                "Who tells those who wait?",
            ),
            (list, "Two answers came, then the line ended. A list looks as if all were well. What should the caller see?"),
            (
                KeyError,
                "Two answers came, then the line ended, and you looked up the third all the same. At a polite close `async for` ends in silence. Which call raises?",
            ),
            (
                (ValueError, RuntimeError, OSError, EOFError),
                "Two answers came, then the line ended, and your function did not wait for more. But the caller listens for `ConnectionClosed`. Which call raises it by itself?",
            ),
        ],
        limit=2.0,
    ) as c:
        with c.raises(ConnectionClosed):
            try:
                await _call(c, OtherSide(c, 3, lambda got: _squares(got, 2), hang_up=True), answer, [1, 2, 3])
            except ExceptionGroup as group:  # of a TaskGroup with a task that listens
                if all(isinstance(error, ConnectionClosed) for error in group.exceptions):
                    raise group.exceptions[0] from None
                raise
