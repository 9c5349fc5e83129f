"""The exercises of notebook 12: asking on before the answers come, and answers matched to their questions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConcurrencyError, ConnectionClosed

from .engine import Answer, Case, Cases, Seen, exercise, words

PATIENCE = 0.5  # seconds without a new message, after which the other side takes it that no more will come

ALONE = (
    "All is sent at once, good. But several calls of `recv` wait on one connection, and the library refuses. "
    "Who could take in all the answers?"
)
LOCK_STEP = "The answers are right. But you waited for each before you asked on. What could you do while the ball flies?"
STUCK = "Everything was sent. Then the function waited for more than there was to come. How many answers does it need?"


class OtherSide:
    """Takes in all the messages before it answers, and notices when they come one by one."""

    def __init__(self, expected: int, reply: Callable[[list[str | bytes]], list[str | bytes]], *, hang_up: bool = False) -> None:
        self.expected = expected
        self.reply = reply
        self.hang_up = hang_up
        self.lock_step = False

    async def __call__(self, ws: Any) -> None:
        got: list[str | bytes] = []
        while len(got) < self.expected:
            try:
                async with asyncio.timeout(PATIENCE):
                    got.append(await ws.recv())
            except TimeoutError:
                break
        if not got and self.expected:
            return  # nothing was sent: the answer, which listens, sees the end of the connection
        if len(got) < self.expected:  # it waits for an answer already
            self.lock_step = True
            for message in self.reply(got):
                await ws.send(message)
            async for message in ws:
                for answer in self.reply([message]):
                    await ws.send(answer)
            return
        for message in self.reply(got):
            await ws.send(message)
        if not self.hang_up:
            await ws.wait_closed()


async def _call(c: Case, other: OtherSide, answer: Answer, *args: object) -> object:
    async with connect(c.serve(other).uri, proxy=None, close_timeout=0.5) as ws:
        return await answer(ws, *args)


@exercise(
    hints=[
        (ConcurrencyError, ALONE),
        (Seen.UNAWAITED, "The loop runs. But a letter that is written must be posted too: which word must stand before `ws.send(...)`?"),
        (
            (Seen.STUCK, TimeoutError, ConnectionClosed),
            "You listen, good. But the other side had heard nothing, and went away. Which loop comes first?",
        ),
    ]
)
async def pipelined(answer: Answer, case: Cases) -> None:
    balls = ["love", "fifteen", "thirty"]
    with case("three balls", sent=balls, expected=balls) as c:
        other = OtherSide(len(balls), list)
        got = await _call(c, other, answer, balls)
        c.equal(
            got,
            hints=[
                (
                    lambda got: any(asyncio.iscoroutine(one) for one in got),
                    "The list is as long as it should be. But it holds promises, not balls. Which word waits for a `recv()`? And for a `send()`?",
                ),
                (lambda got: len(got) == 1, "The first ball is caught. How many more come back?"),
            ],
        )
        c.true(not other.lock_step, received=words("one ball at a time"), hint=LOCK_STEP)
    with case("answers in another order", sent=["a", "b", "c"], expected=["c", "b", "a"]) as c:
        c.equal(
            await _call(c, OtherSide(3, lambda got: got[::-1]), answer, ["a", "b", "c"]),
            hint="Sent and caught, but the list should hold what came, as it came. Where do its entries come from?",
        )


def _oracle(got: list[str | bytes], keep: int | None = None) -> list[str | bytes]:
    """The answers, the last first. Raises, so that the asker sees 1011, when it can't tell the questions apart."""
    questions = [json.loads(message) for message in got]
    if len({question["id"] for question in questions}) < len(questions):
        raise ValueError("two questions have the same id")
    return [json.dumps({"id": question["id"], "answer": question["n"] ** 2}) for question in questions][::-1][:keep]


@exercise(
    hints=[
        (ConcurrencyError, ALONE),
        (Seen.UNAWAITED, "The questions are written. But they must be posted too: which word must stand before `ws.send(...)`?"),
        (
            KeyError,
            "The answers came. But you looked one up under an id that none of them has. Is the id of the same type on both sides? "
            '`"1"` is not `1`.',
        ),
        ((Seen.STUCK, TimeoutError), STUCK),
        (TypeError, "The questions are there. But a message is a text or bytes. Which function writes a dictionary as text?"),
        (ConnectionClosed, 'The questions arrived, but the oracle could not use them and hung up. Is each one a JSON text with an `"id"` of its own and an `"n"`?'),
    ]
)
async def volley(answer: Answer, case: Cases) -> None:
    questions = [7, 8, 9, 8]
    squares = [49, 64, 81, 64]
    with case("answers that come last first", sent=questions, expected=squares) as c:
        other = OtherSide(len(questions), _oracle)
        got = await _call(c, other, answer, questions)
        c.equal(
            got,
            hints=[
                (
                    lambda got: sorted(got) == sorted(squares),
                    "All four answers are there, in another order. What tells you which question each belongs to?",
                ),
                (
                    lambda got: all(isinstance(one, dict) for one in got),
                    "The messages are read. The caller wants the answers in them. Where do they stand?",
                ),
                (dict, "The answers are matched. The caller wants a list. In which order?"),
            ],
        )
        c.true(not other.lock_step, received=words("one question at a time"), hint=LOCK_STEP)
    with case(
        "no questions at all", sent=[], expected=[], hints={Seen.STUCK: "Four questions work. Here there are none. What do you wait for?"}, limit=1.5
    ) as c:
        c.equal(await _call(c, OtherSide(0, lambda got: []), answer, []))
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
        ],
        limit=2.0,
    ) as c:
        with c.raises(ConnectionClosed):
            await _call(c, OtherSide(3, lambda got: _oracle(got, 2), hang_up=True), answer, [1, 2, 3])
