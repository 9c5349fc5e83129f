"""The exercises of notebook 05: how long a loop may sleep, and a loop that sleeps."""

from __future__ import annotations

import types
from collections.abc import Generator
from typing import Any

from .engine import Answer, Case, Cases, Seen, exercise, words


@exercise
def patience(answer: Answer, case: Cases) -> None:
    with case("nobody sleeps", sent=words("an empty tray"), expected=None) as c:
        c.equal(answer([], 100.0))
    with case(
        "the first is due in two seconds",
        sent=words("due at 102 and 105, and it is 100"),
        expected=2.0,
        hints=[
            (102.0, "That is the right entry, and the moment at which it is due. How long is it until then?"),
            (-2.0, "The right entry and the right distance. But which of the two is later?"),
            (5.0, "The right distance, of the wrong one. Which entry of a heap is due first?"),
            (TypeError, "An entry of the tray is a tuple: the moment stands in it with others. Which place?"),
        ],
    ) as c:
        c.equal(answer([(102.0, 0, "a"), (105.0, 1, "b")], 100.0))
    with case(
        "the first is overdue",
        sent=words("due at 99, and it is 100"),
        expected=0,
        hints=[
            (-1.0, "A second too late, you reckon rightly. But who can sleep for minus a second?"),
            (1.0, "It was due a second ago. How long should the loop still sleep?"),
        ],
    ) as c:
        c.equal(answer([(99.0, 0, "a")], 100.0))


class Clock:
    """Stands in for `time`: its hands move when somebody sleeps, or has looked too often."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0
        self.looks = 0

    def monotonic(self) -> float:
        self.looks += 1
        if self.looks > 100:  # somebody spins; let time pass, so that it ends
            self.now += 0.0005
        return self.now

    time = perf_counter = monotonic

    def sleep(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.now += seconds
        self.slept += seconds


@types.coroutine
def _pause(request: Any) -> Generator[Any, Any, Any]:
    return (yield request)


async def _nap(name: str, *naps: float) -> str:
    for seconds in naps:
        await _pause(("sleep", seconds))
    return name


async def _turns(name: str, diary: list[str], count: int) -> str:
    for _ in range(count):
        diary.append(name)
        await _pause(None)
    return name


async def _fails() -> None:
    await _pause(("sleep", 0.01))
    raise ValueError("burnt")


SAME = (
    "The heap works until two are due at the same instant: then it compares what stands behind, and coroutines can't be "
    "compared. What could stand between the two?"
)


@exercise(
    hints=[
        (AttributeError, "The loop turns. But what lies in your trays is not always a coroutine. What did you take out, and what did you put in?"),
        (TypeError, 'The wish came up. It is a pair: `("sleep", seconds)`. Which part of it is the number?'),
        (IndexError, "A tray was empty when you reached into it. When is nobody ready, and when is nobody asleep?"),
        (ValueError, "You reckon the time until somebody is due. When that moment has passed, what comes out, and who can sleep so long?"),
        (Seen.STUCK, "It never ends. When both trays are empty, what does your loop do? And does everybody who sleeps wake up?"),
    ]
)
def sleepers(answer: Answer, case: Cases) -> None:
    with case("two sleep", sent=words("'long' for 0.2 s, 'short' for 0.1 s"), expected=["short", "long"]) as c:
        clock, got = _run(answer, c, [_nap("long", 0.2), _nap("short", 0.1)])
        c.true(
            clock.slept < 0.25,
            received=words("a sleep as long as both together"),
            hint="All was granted. But it took the *sum* of the naps. Who else could have slept meanwhile?",
        )
        _judge(c, got)
        c.true(
            clock.looks < 100,
            received=words("the clock was looked at more than a hundred times"),
            hint="The right order, and one core at 100 %. When is the next one due, and what could the loop do until then?",
        )
    with case("two are due at the same instant", sent=words("'a' and 'b', 0.1 s each"), expected=["a", "b"], hints={TypeError: SAME}) as c:
        _judge(c, _run(answer, c, [_nap("a", 0.1), _nap("b", 0.1)])[1])
    with case(
        "one who sleeps three times", sent=words("'thrice' 3 × 0.1 s, 'once' 0.25 s"), expected=["once", "thrice"]
    ) as c:
        _judge(c, _run(answer, c, [_nap("thrice", 0.1, 0.1, 0.1), _nap("once", 0.25)])[1])
    with case("others take turns", sent=words("'a' and 'b' take two turns each, 'c' sleeps"), expected=["a", "b", "c"]) as c:
        diary: list[str] = []
        _judge(c, _run(answer, c, [_nap("c", 0.1), _turns("a", diary, 2), _turns("b", diary, 2)])[1])
        c.equal(
            "".join(diary),
            "abab",
            hint="All came back. But the turns were not given away: `None` means the others first. Where does such a coroutine go?",
        )
    with case("one fails", sent=words("a coroutine that raises ValueError"), expected=ValueError) as c:
        c.stand_in(time=Clock())
        with c.raises(ValueError, hint="Three kitchens are right. But my coroutine raised a `ValueError`, and you hid it. Which exception is yours?"):
            answer([_fails()])
    with case("nobody at all", sent=[], expected=[]) as c:
        _judge(c, _run(answer, c, [])[1])


def _run(answer: Answer, c: Case, coros: list[Any]) -> tuple[Clock, Any]:
    clock = Clock()
    c.stand_in(time=clock)
    return clock, answer(coros)


def _judge(c: Case, got: Any) -> None:
    wanted = c.expected
    c.equal(
        got,
        hints=[
            (
                lambda got: len(got) < len(wanted) and set(got) <= set(wanted),
                "Those who came back are right. But somebody was still asleep when the loop ended. When may it end?",
            ),
            (lambda got: None in got, "They came back. What a coroutine returned travels inside `StopIteration`."),
            (lambda got: sorted(got) == sorted(wanted), "They all came back, in another order. Who was due first?"),
        ],
    )
