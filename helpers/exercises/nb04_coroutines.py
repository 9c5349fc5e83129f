"""The exercises of notebook 04: one `yield` that looks both ways, a driver, and turns that are fair."""

from __future__ import annotations

import inspect
import types
from collections.abc import Coroutine, Generator
from typing import Any

from .engine import Answer, Case, Cases, Seen, exercise, words


@types.coroutine
def _pause(request: Any) -> Generator[Any, Any, Any]:
    return (yield request)


# --- Exercise 1

NOT_PAUSED = "The loop adds up. But a call of your function ran into it at once: nothing in its body pauses. Which word makes a function pause?"
GIVEN_AWAY = (
    "It pauses, and it shows the total. But what was put on the scale is gone: a `yield` that stands alone throws away what is sent to it. "
    "What could stand to its left, to keep it?"
)


@exercise(
    limit=2.0,
    hints=[
        (Seen.STUCK, NOT_PAUSED),
        (
            UnboundLocalError,
            "It is right that a name takes what comes in. But here a name is used before anything was put into it. Which one has a value "
            "from the start, and should be shown?",
        ),
        (
            TypeError,
            "It pauses. But then something was added up that is no number. What did `grams` become: what came in, or something else?",
        ),
        (NameError, GIVEN_AWAY),
    ],
)
def scale(answer: Answer, case: Cases) -> None:
    with case(
        "switched on, nothing on it yet",
        sent=words("s = scale(), then next(s)"),
        expected=0,
        hints=[
            (
                type(None),
                "It pauses, in the right place. But it shows nothing: what comes out is what stands to the right of `yield`. What should a "
                "scale show?",
            ),
            (lambda got: type(got) is str, "It pauses, and it shows the right thing, as text. The sum needs a number, and so does whoever reads the scale."),
        ],
    ) as c:
        c.true(
            not inspect.iscoroutinefunction(answer.function) and not inspect.isasyncgenfunction(answer.function),
            hint="The loop may be right. But `async def` makes something else, that comes later in this notebook. Here a plain `def` will do.",
            received=words("an async def"),
        )
        total = answer()
        c.kind(total, types.GeneratorType, hint=NOT_PAUSED)
        c.equal(_press(c, total, None))

    with case(
        "200 grams, then 50",
        sent=[words("next(s)"), words("s.send(200)"), words("s.send(50)")],
        expected=[0, 200, 250],
        hints=[
            ([0, 0, 0], GIVEN_AWAY),
            (
                [0, None, 200],
                "The sum is right. But it pauses twice in each round, so every second press brings nothing. One `yield` can do both: hand out "
                "and take in.",
            ),
            (
                lambda got: got[:2] == [0, None],
                "It pauses twice in each round: one `yield` hands out, another takes in. Can one do both?",
            ),
            (
                [0, 200, 50],
                "It takes in what comes. But the 200 grams are forgotten when 50 arrive. What came in goes into `grams`; who adds it up?",
            ),
            (
                [0, 400, 500],
                "It pauses and takes in. But each weight was added twice. The line below the pause adds it already.",
            ),
        ],
    ) as c:
        total = answer()
        c.equal([_press(c, total, grams) for grams in (None, 200, 50)])

    with case(
        "two scales side by side",
        sent=words("200 grams on one, 1 on the other"),
        expected=[200, 1],
        hint="One scale alone is right. But the two share their total. Where would each have its own?",
    ) as c:
        first, second = answer(), answer()
        _press(c, first, None), _press(c, second, None)
        c.equal([_press(c, first, 200), _press(c, second, 1)])


def _press(c: Case, generator: Generator[Any, Any, Any], value: Any) -> Any:
    try:
        return generator.send(value)
    except StopIteration:
        return c.fail(
            "It began well. But it came to its end, and a scale never does. Is the pause inside the loop, and does the loop go on?",
            received=words("StopIteration"),
        )


# --- Exercise 2

NOT_ITERABLE = (
    "You know that a driver has to press play. But a coroutine is not an iterator: it refuses `for` and `next`, so that nobody uses it by mistake "
    "as a list of things. Which method of it resumes it?"
)
BY_TYPE_ERROR = (
    ("just-started", "`send` is the right method. But at the first press nothing in the coroutine waits for a value yet. Which value means nothing?"),
    ("iterator", NOT_ITERABLE),
    ("iterable", NOT_ITERABLE),
    ("send() takes", "`send` is the right method. It wants one value to bring along, also when there is nothing to say. Which value means nothing?"),
    ("'coroutine' object is not callable", "You get the coroutine already made: `drive(rice())`. It needs no brackets again. Which method plays it?"),
    ("'coroutine' object", "The coroutine has few methods. Which one presses play?"),
)
ASYNC = (
    "This would be right if somebody drove *you*. But an `async def` needs a driver of its own, and here you are to be the driver. What is left of it "
    "when you press play by hand, in a plain `def`?"
)
OTHER = (
    "You looked for a driver, and `asyncio` has one. But it does not understand these requests, and here you are to be the driver. What is left to do "
    "when you press play by hand?"
)
SHARED = "One coroutine alone is right. But requests of the one before are still in the list. Where is the list made, and how often?"
REUSED = "It played to the end, and then pressed play once more on a coroutine that is over. What tells you that it has ended, and what do you do then?"


@exercise(
    limit=2.0,
    hints=[
        (
            StopIteration,
            "You press play until it is over. But `StopIteration` is how a coroutine says so: it is the news that you wait for. Who catches it, and "
            "what does it carry?",
        ),
        (
            Seen.STUCK,
            "It presses play, again and again. What ends your loop when the coroutine has come to its `return`?",
        ),
        (
            AttributeError,
            "It goes by the right way. But something there was asked for what it does not have. Which exception carries a `value`, and was it that one?",
        ),
    ],
)
def drive(answer: Answer, case: Cases) -> None:
    async def tea() -> str:
        await _pause("sleep 0.1")
        await _pause("read")
        return "a cup of tea"

    both = ["sleep 0.1", "read"]
    with case(
        "two requests and a result",
        sent=words("a coroutine that asks for 'sleep 0.1', then 'read', and returns 'a cup of tea'"),
        expected=(both, "a cup of tea"),
        hints=[
            ((both, None), "Both requests are there. But the value that the coroutine returned is lost. It came to you inside an exception: in which, and where in it?"),
            (lambda got: list(got) == both, "Both requests are there. The result is missing: `drive` returns two things, `requests, result`."),
            ("a cup of tea", "The result is right. `drive` returns two things: where are the requests that you met on the way?"),
            ("sleep 0.1", "That is the first request: one press of play. Who presses the next time, and until when?"),
            (lambda got: isinstance(got[1], StopIteration), "You caught the right exception. But you handed on the envelope. What is in it?"),
            (lambda got: got[0] == ["read"], "The result is right. The very first press brings a request too: what became of it?"),
            (lambda got: got[0] == ["sleep 0.1"], "The first request is right. But the coroutine was not over. When is it?"),
            (lambda got: list(got[0]) == [*both, "a cup of tea"], "All of it is there. But what the coroutine returns is no request. Only the second place is for it."),
            (lambda got: list(got[0]) == [*both, None], "The requests are there, and one too many: the last press brought no request. What did it bring?"),
            (lambda got: list(got[0]) == both and got[1] == "read", "The requests are right. But the last request is not the result: what does the coroutine `return`?"),
            (lambda got: got == ("a cup of tea", both), "Both are right. Which of the two was to come first?"),
            (lambda got: len(got) == 2 and not got[0] and got[1] == "a cup of tea", "The result is right. But each press before it brought a request, and nobody wrote it down."),
        ],
    ) as c:
        _expect(answer, c, tea())

    async def at_once() -> str:
        return "ready"

    with case(
        "a coroutine that never pauses",
        sent=words("a coroutine that returns 'ready' at once"),
        expected=([], "ready"),
        hints=[
            (lambda got: bool(got[0]), SHARED),
            (
                StopIteration,
                "With pauses it is right. Here the first press is the last one, too. Are you ready for `StopIteration` at the very first press?",
            ),
        ],
    ) as c:
        _expect(answer, c, at_once())

    async def quiet() -> str:
        for request in (None, 0, ""):
            await _pause(request)
        return "ready"

    with case(
        "requests that are empty",
        sent=words("a coroutine that asks for None, 0 and ''"),
        expected=([None, 0, ""], "ready"),
        hints=[
            (
                lambda got: len(got[0]) < 3,
                "With plain words it is right. Here it stopped, or left something out, when a request was empty. `None` is a request like any other: "
                "what alone says that a coroutine is over?",
            ),
        ],
    ) as c:
        _expect(answer, c, quiet())

    async def listener() -> list[Any]:
        return [await _pause("read"), await _pause("read")]

    with case(
        "what it is answered",
        sent=words("a coroutine that returns the two answers it got"),
        expected=(["read", "read"], [None, None]),
        hint="The requests are right. But the coroutine was told something at each press. Here every press is to bring `None`.",
    ) as c:
        _expect(answer, c, listener())

    async def burnt() -> None:
        await _pause("sleep 0.1")
        raise ValueError("the rice is burnt")

    hidden = "The end of a coroutine is yours to catch. But mine failed with `ValueError`, and you hid it: its caller thinks that all is well. Which exception alone means the end?"
    with case(
        "a coroutine that fails",
        sent=words("a coroutine that raises ValueError after one request"),
        expected=ValueError,
        hints=[(AttributeError, hidden), (RuntimeError, REUSED)],
        hint=hidden,
    ) as c:
        coro = c.closing(burnt())
        with c.raises(ValueError):
            answer(coro)


def _expect(answer: Answer, c: Case, coro: Coroutine[Any, Any, Any]) -> None:
    c.closing(coro)
    got = _play(answer, c, coro)
    if isinstance(got, list) and len(got) == 2:  # a pair is a pair
        got = tuple(got)
    if isinstance(got, tuple) and len(got) == 2 and isinstance(got[0], tuple):
        got = list(got[0]), got[1]
    c.equal(got)


def _play(answer: Answer, c: Case, argument: Any) -> Any:
    """Call the answer. Errors of one type that come of different mistakes get their own hints."""
    c.true(not inspect.iscoroutinefunction(answer.function), hint=ASYNC, received=words("an async def"))
    try:
        return answer(argument)
    except TypeError as error:
        _hint_by_text(c, error, BY_TYPE_ERROR)
        raise
    except RuntimeError as error:
        _hint_by_text(c, error, (("cannot reuse", REUSED), ("bad yield", OTHER), ("asyncio", OTHER)))
        raise


def _hint_by_text(c: Case, error: Exception, hints: tuple[tuple[str, str], ...]) -> None:
    for part, hint in hints:
        if part in str(error):
            c.fail(received=words(f"it raised {type(error).__name__}: {error}"), hints=[(words, hint)])


# --- Exercise 3

PASSED_OVER = (
    "The first round is right. Then `a` ends, and `b`, who stood right behind it, is passed over. `for` counts places: what happens to the places "
    "when one in front is removed?"
)


@exercise(
    limit=2.0,
    hints=[
        (
            Seen.STUCK,
            "It goes round. But it never finds an end: who leaves `ready` when a dish is done?",
        ),
        (
            StopIteration,
            "The turns are taken. But the news that one is over should end that one dish only. Who catches it?",
        ),
        (
            (IndexError, ValueError),
            "You take dishes out of the list, as you must. But here one was taken that is no longer there. Who had removed it before?",
        ),
    ],
)
def take_turns(answer: Answer, case: Cases) -> None:
    with case(
        "three dishes that pause once each",
        sent=words("a, b and c"),
        expected=words("turns of a b c a b c, and then ['a', 'b', 'c']"),
        hints=[
            ("a b c a c b", PASSED_OVER),
            ("a a b b c c", "All three are played to their end. But each had the kitchen to itself. When does the next one get a turn?"),
            ("a b c", "One round is right. Then it stopped, while all three were waiting for another turn. Until when does a cook go round?"),
            ("a b c a", "The turns are right as far as they go. But when `a` was done, the others were left standing. What ends with `a`, and what goes on?"),
            ("a b c c b a", "Nobody is passed over. But the second round goes backwards. Who has waited longest?"),
            ("c b a c b a", "Nobody is passed over any more. But you begin with the last one. Who was first in line?"),
            ("c c b b a a", "All are played. But the last one in comes out first, again and again. From which end of the line does a cook take?"),
            (lambda got: got.startswith("a a"), "Everybody gets to the end. But `a` has a second turn before `b` has its first one."),
        ],
        hint="Not everybody gets a turn in each round. Write the turns down and see where they leave the order a b c.",
    ) as c:
        _turns(answer, c, {"a": 1, "b": 1, "c": 1}, "a b c a b c", ["a", "b", "c"])

    with case(
        "one in the middle that is done early",
        sent=words("a pauses three times, b once, c three times"),
        expected=words("turns of a b c a b c a c a c, and then ['b', 'a', 'c']"),
        hints=[
            (
                "a b c a b a c a c c",
                "Nobody is lost. But when `b` is done, the round begins anew, and `a` has another turn before `c` had its own. What if the round went on?",
            ),
        ],
        hint="With dishes of one length it is right. Here `b` ends in the middle of a round. Who comes after it, and did it get its turn?",
    ) as c:
        _turns(answer, c, {"a": 3, "b": 1, "c": 3}, "a b c a b c a c a c", ["b", "a", "c"])

    with case(
        "the list belongs to the caller",
        sent=words("a list of two dishes"),
        expected=words("['a', 'b'], and the caller's list is as long as before"),
        hint="The turns are right. But the caller's own list was emptied. Whose list is `ready`?",
    ) as c:
        dishes = _dishes(c, {"a": 1, "b": 1}, [])
        answer(dishes)
        c.equal(len(dishes), 2, received=words(f"a list of {len(dishes)}"))

    with case("nothing to do", sent=[[]], expected=[]) as c:
        c.equal(answer([]), hints=[(type(None), "With dishes it is right. An empty kitchen has no results: which list says so?")])


def _dishes(c: Case, pauses: dict[str, int], trace: list[str]) -> list[Coroutine[Any, Any, str]]:
    async def dish(name: str, count: int) -> str:
        for _ in range(count):
            trace.append(name)
            await _pause("sleep 0.1")
        trace.append(name)
        return name

    return [c.closing(dish(name, count)) for name, count in pauses.items()]


def _turns(answer: Answer, c: Case, pauses: dict[str, int], turns: str, results: list[str]) -> None:
    trace: list[str] = []
    got = _play(answer, c, _dishes(c, pauses, trace))
    if not trace:
        c.fail("Nobody got a turn. Which method of a coroutine presses play?", received=got)
    seen = " ".join(trace)
    c.equal(seen, words(turns), received=words(seen))
    c.equal(
        got,
        results,
        hints=[
            (type(None), "All turns are right. What does the caller get? It asked for the results, the first that is done first."),
            (lambda got: got and isinstance(got[0], StopIteration), "All turns are right. But these are the envelopes. What is in them?"),
            (lambda got: sorted(got) == sorted(results), "All turns are right, and all the results are there. The first that is *done* comes first."),
        ],
        hint="All turns are right. The results are what the dishes return, the first that is done first.",
    )
