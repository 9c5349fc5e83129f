"""The exercises of notebook 06: start all, then wait; a limit on a wait; a worker that can be stopped."""

from __future__ import annotations

import asyncio
import inspect
import time
import types
from collections import Counter
from collections.abc import Callable, Generator
from typing import Any

from .engine import Answer, Case, Cases, Seen, exercise, words

PATIENCE = 0.3
"""Seconds that a question waits for the others, before it takes it that they come one by one."""


# --- Exercise 1

ONE_BY_ONE = (
    "All the answers are right, and in order. But when was the second question asked? Each `await` stood there until its answer was in. Which call "
    "starts several and has one `await` for all of them?"
)
TASKS_ONE_BY_ONE = (
    "The answers are right, and you make a task for each question. But look at when the second task is made: before or after the first one was "
    "waited for?"
)
BY_ARRIVAL = "All at once, and all the answers are there. But they stand in another order than the questions. In which order were they put into the list?"
NO_STAR = (
    "`gather` is a good choice. It wants coroutines, one by one, as separate arguments. What is it given here, and what makes a coroutine of a question? And "
    "what takes a list apart in a call?"
)
FIXED_TIME = "With answers that come soon it is right. This one takes longer than the time that you wait. What waits until they are there, however long that takes?"


class Desk:
    """Answers only when all the questions are there and `slow` seconds are over, the last one first; and notices when they come one by one."""

    def __init__(self, questions: list[str], slow: float) -> None:
        self.questions = questions
        self.heard = [asyncio.Event() for _ in questions]
        self.done = [asyncio.Event() for _ in questions]
        self.slow = slow
        self.one_by_one = False
        self.in_tasks = False
        self.checker = asyncio.current_task()

    async def ask(self, question: str, naps: float = 1) -> str:
        places = [place for place, one in enumerate(self.questions) if one == question and not self.heard[place].is_set()]
        if places:  # not the turn in which they come: that is left to chance by some ways of starting them
            await self._wait(places[0])
        return f"{question} Yes."

    async def _wait(self, place: int) -> None:
        self.in_tasks = self.in_tasks or asyncio.current_task() is not self.checker
        self.heard[place].set()
        if not self.one_by_one:
            try:
                async with asyncio.timeout(PATIENCE + self.slow):
                    for event in [*self.heard, *self.done[place + 1 :]]:
                        await event.wait()
            except TimeoutError:
                self.one_by_one = True
        await asyncio.sleep(self.slow if place == len(self.questions) - 1 else 0)
        self.done[place].set()


@exercise(
    hints=[
        (
            lambda got: any(map(inspect.iscoroutine, got)),
            "A coroutine for each question, good. But these are recipes, not dishes: nobody was asked yet. Which call puts them in line, and which word waits?",
        ),
        (
            lambda got: any(isinstance(item, asyncio.Future) for item in got),
            "All of them were started, and at once. But you hand out the tasks. What gives you the result that a task keeps?",
        ),
        (
            asyncio.InvalidStateError,
            "All of them were started, and at once. But you ask for the results while nobody had a turn yet. What lets them run, and waits until they are over?",
        ),
        (asyncio.Future, "All of them were started, and at once. But nobody waited for them. Which word is missing in front?"),
        (Seen.STUCK, "The questions were asked. But it waits for something that never comes. What is it, and who would have to do it?"),
        (lambda got: type(got) is str, "One question was asked, and it was the whole list. What asks each of them on its own?"),
        (lambda got: type(got) is set, "All at once, and the answers are there. But a set has no order, and holds equal answers once. What keeps both?"),
        (lambda got: type(got) is dict, "All at once. But a list was wanted, with an answer for each question, also when two are the same."),
    ],
)
async def ask_all(answer: Answer, case: Cases) -> None:
    three = ["Salt?", "Pepper?", "Lemon?"]
    async with case("three questions, the first answered last", sent=three, expected=_answers(three)) as c:
        await _ask(answer, c, three)

    twice = ["Salt?", "Pepper?", "Salt?"]
    async with case(
        "the same question twice",
        sent=twice,
        expected=_answers(twice),
        hint="With three different questions it is right. Here two are the same, and each wants its own answer. Where do two become one?",
    ) as c:
        await _ask(answer, c, twice)

    async with case("an answer that takes its time", sent=["Lunch?"], expected=_answers(["Lunch?"]), hints=[(asyncio.InvalidStateError, FIXED_TIME)]) as c:
        await _ask(answer, c, ["Lunch?"], slow=0.4)

    async with case(
        "no question at all",
        sent=[],
        expected=[],
        hint="With questions it is right. With none of them there is nothing to wait for, and the list of answers is easily made. What is in it?",
    ) as c:
        await _ask(answer, c, [])


def _answers(questions: list[str]) -> list[str]:
    return [f"{question} Yes." for question in questions]


async def _ask(answer: Answer, c: Case, questions: list[str], slow: float = 0.0) -> None:
    want, desk = _answers(questions), Desk(questions, slow)
    c.stand_in(ask=desk.ask)
    try:
        got = await answer(list(questions))
    except (TypeError, RuntimeError) as error:  # Pythons differ in what they say of a list and of a generator
        if any(part in str(error) for part in ("unhashable", "an awaitable is required", "bad yield")):
            c.fail(NO_STAR, received=words(f"it raised {type(error).__name__}"))
        raise
    c.equal(got, want, hints=[(lambda got: _same(got, want), BY_ARRIVAL)])
    c.true(
        all(heard.is_set() for heard in desk.heard),
        hint="The right words. But nobody was asked: you wrote the answers yourself. Whose are they to be?",
        received=words("the answers, and questions that `ask` never heard"),
    )
    c.true(not desk.one_by_one, hint=TASKS_ONE_BY_ONE if desk.in_tasks else ONE_BY_ONE, received=words("one question after the other"))


def _same(got: Any, want: list[str]) -> bool:
    return type(got) is list and got != want and Counter(got) == Counter(want)


# --- Exercise 2

DEFAULT = "cold bread"
WHICH = (
    "The limit strikes, in time. But then an exception leaves your function. A limit ends the wait with a `CancelledError` inside of its block, and what "
    "comes out of the block is another. Which one, and does your `except` stand inside or outside?"
)
ON_THE_STOVE = (
    "In time, and with the default. But the dish is still on the stove: nobody told the coroutine to stop. Does this way of waiting do that, or is it "
    "left to you?"
)
NOBODY_COOKED = (
    "You watch the clock, and meanwhile the dish was never begun. What lets a coroutine run? And while you wait, does anybody else have a turn?"
)
LAST_WORD = "The dish was in time, and yet the default is what comes out. Which `return` has the last word?"
AFTERWARDS = (
    "The default, and that is right. But it came when the dish was done, and that was far too late: you looked at the clock afterwards. Who ends the wait when "
    "the limit is over?"
)
OWN_NUMBER = "With a dish that is done at once it is right. This one takes a third of a second, and the limit is three. Which number does your limit have?"
SWALLOWED = (
    "A limit that strikes is handled. But here it was somebody outside who asked `patient` itself to stop, and it answered with a dish. Which exception did "
    "you catch that was not for you?"
)
HIDDEN = "What is late is handled. But this dish burnt, and you hid it: the caller thinks that it was late. Which one exception means that the limit has struck?"


class Dish:
    """A coroutine that tells whether it began and how it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.stopped = False
        self.ended = False

    async def cook(self, seconds: float = 0.0, result: Any = "hot rice", error: Exception | None = None) -> Any:
        self.begun.set()
        try:
            for _ in range(3):
                await asyncio.sleep(seconds / 3)
            if error is not None:
                raise error
            return result
        except asyncio.CancelledError:
            self.stopped = True
            raise
        finally:
            self.ended = True


class Clock:
    """Stands in for the module `time`, and notices who sleeps on it."""

    def __init__(self) -> None:
        self.slept = False

    def sleep(self, seconds: float) -> None:
        self.slept = True
        time.sleep(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


@exercise
async def patient(answer: Answer, case: Cases) -> None:
    clock, dish = Clock(), Dish()
    async with case(
        "a dish that is ready in time",
        sent=words("a coroutine that is done at once, limit=1.5"),
        expected="hot rice",
        hints=[
            (asyncio.Future, "The coroutine was started. But you hand out the task. What gives you the result that it keeps?"),
            (lambda got: type(got) is tuple, "You have the result, and more with it. What does the caller want of these?"),
            (asyncio.Timeout, "What stands behind `as` is the limit, not the dish. What gives you the dish?"),
            (lambda got: got == DEFAULT and dish.ended, LAST_WORD),
            (DEFAULT, NOBODY_COOKED),
            (Seen.STUCK, "You watch the clock. But it is done at once, and you do not see it. Who lets it run, and what ends your wait when it is over?"),
        ],
    ) as c:
        c.stand_in(time=clock)
        began = asyncio.get_running_loop().time()
        c.equal(await _wait(answer, c, dish.cook(), 1.5))
        took = asyncio.get_running_loop().time() - began
        c.true(
            took < 1.5,
            hint="The right dish. But it was done at once, and you waited until the limit. What could end the wait earlier?",
            received=words("'hot rice', but not before the limit was over"),
        )
        c.true(
            not clock.slept,
            hint="The right dish. But `time.sleep` is a nap for the whole kitchen: nobody cooks meanwhile. Who could watch the clock for you?",
            received=words("'hot rice', and naps of the whole loop"),
        )

    async with case(
        "a dish that comes too late",
        sent=words(f"a coroutine that takes 2 seconds, limit=0.05, default={DEFAULT!r}"),
        expected=DEFAULT,
        hints=[
            ("hot rice", "It waits, and it hands on the result. But the limit was over long before. What in your function looks at `limit`?"),
            (TimeoutError, WHICH),
            (asyncio.CancelledError, WHICH),
            (type(None), "It ends in time. But the caller wants something to eat: what is `default` for?"),
        ],
    ) as c:
        dish = Dish()
        c.equal(await _wait(answer, c, dish.cook(2.0), 0.05))
        await _turns()
        c.true(dish.ended, hint=ON_THE_STOVE, received=words("'cold bread', and a coroutine that goes on"))
        c.true(dish.stopped, hint=AFTERWARDS, received=words("'cold bread', after two seconds"))

    async with case(
        "a dish that takes a third of a second",
        sent=words("a coroutine that is done after 0.3 seconds, limit=3"),
        expected="hot rice",
        hints=[(DEFAULT, OWN_NUMBER)],
    ) as c:
        c.equal(await _wait(answer, c, Dish().cook(0.3), 3))

    async with case(
        "a result that is nothing",
        sent=words("a coroutine that returns None at once"),
        expected=None,
        hint="The limit did not strike: the coroutine was done, and `None` is what it returned. How do you tell that from being late?",
    ) as c:
        c.equal(await _wait(answer, c, Dish().cook(result=None), 1.5))

    async with case(
        "a dish that burns",
        sent=words("a coroutine that raises ValueError at once"),
        expected=ValueError,
        hint=HIDDEN,
    ) as c:
        with c.raises(ValueError):
            await _wait(answer, c, Dish().cook(error=ValueError("the rice is burnt")), 1.5)

    async with case(
        "cancelled from outside while it waits",
        sent=words("patient(…, limit=3) as a task, and task.cancel()"),
        expected=asyncio.CancelledError,
        hint=SWALLOWED,
    ) as c:
        dish = Dish()
        task = asyncio.create_task(answer(dish.cook(3.0), 3, DEFAULT))
        await dish.begun.wait()
        task.cancel()
        try:
            got = await task
        except asyncio.CancelledError:
            pass
        else:
            c.fail(received=got)
        await _turns()
        c.true(
            dish.ended,
            hint="It stops when it is asked to. But its coroutine goes on without it. What would stop both?",
            received=words("CancelledError, and a coroutine that goes on"),
        )


async def _wait(answer: Answer, c: Case, coro: Any, limit: float) -> Any:
    try:
        return await answer(c.closing(coro), limit, DEFAULT)
    except (TypeError, AttributeError) as error:
        text = str(error)
        for part, hint in (
            ("context manager protocol", "`asyncio.timeout` is the right tool. Its block may have to wait at its ends. How does such a `with` begin?"),
            ("__enter__", "`asyncio.timeout` is the right tool. Its block may have to wait at its ends. How does such a `with` begin?"),
            ("coroutines is forbidden", "`asyncio.wait` can do it. But it wants tasks, and you have a coroutine. What makes one of the other?"),
            ("expect a list", "`asyncio.wait` can do it. But it wants several to wait for, in a list or a set, and it wants tasks."),
        ):
            if part in text:
                c.fail(received=words(f"it raised {type(error).__name__}: {error}"), hints=[(words, hint)])
        raise


async def _turns() -> None:
    """Let what was asked to stop do so."""
    for _ in range(5):
        await asyncio.sleep(0)


# --- Exercise 3

TOOK_FOR_BAD = (
    "Bad tastes are noted. But being asked to stop was noted as one, too. Which exception asks you to stop, and which word in your `except` takes it in?"
)
WENT_ON = "It notices that it was asked to stop, and then goes on tasting. Clean up, and then? The exception wants to go on up: which word lets it?"
KEPT_IT = (
    "It stops and washes up. But then it returns as if all were well, and who asked it to stop is never told. You caught the exception: where does it go from "
    "there?"
)
FINALLY = (
    "It stops and washes up. But the exception was on its way up through your `finally`, and got lost there. What in a `finally` takes the place of an "
    "exception?"
)
DIRTY = "It stops, and its caller is told. But nobody washed up. Which part of a `try` is reached in every case?"
ANOTHER = "It stops, and it washes up. But its caller sees another exception than the one that came. Which word alone lets the same one go on?"
TWICE = "It stops, and it washes up. But it does so twice. Which of the two places is reached in every case?"
ONE_KIND = (
    "One failure was noted. But the next one was of another kind, a `TimeoutError` of the taste's own, and it went past you. Which word means all mistakes? "
    "And as what does it come when *you* are asked to stop?"
)
ENDED = "It washes up. But a taste that fails is no reason to stop: note it, and take the next. Where does the `try` belong, around one taste or around all?"


class Asked(BaseException):
    """Goes through a function as CancelledError does, and is none."""


class Pot:
    """What is tasted: four tastes, of which some fail and one may be where the taster is asked to stop."""

    def __init__(self, *, fails: tuple[int, ...] = (), stop: Callable[[], None] | None = None) -> None:
        self.fails = fails
        self.stop = stop
        self.tastes = 0

    async def taste(self) -> str:
        self.tastes += 1
        if self.tastes in self.fails:
            raise (ValueError if self.tastes == 2 else TimeoutError)("too much salt")
        if self.tastes == 2 and self.stop is not None:
            self.stop()
            await asyncio.sleep(1)
        await asyncio.sleep(0)
        return "fine" if self.tastes == 1 else "better"


@exercise
async def obedient(answer: Answer, case: Cases) -> None:
    good = ["fine", "better", "better", "better", "washed up"]
    async with case("four good tastes", sent=words("taste never fails"), expected=good) as c:
        await _taste(
            answer,
            c,
            Pot(),
            good,
            hints=[
                (good[:-1], "It tastes four times and notes it. What is left to do at the end?"),
                (["washed up"], "It washes up. But what does `taste` return, and who notes it?"),
                (["fine", "washed up"], "One taste is noted, and it washes up. How many tastes are there?"),
                (lambda got: "washed up" in got[:-1], "All is noted. But it washes up too early, or too often. When is the tasting over?"),
                (lambda got: "ouch" in got, "It tastes four times. But not one taste failed here, and yet an \"ouch\" is noted. Which one is caught?"),
            ],
        )

    bad = ["fine", "ouch", "ouch", "better", "washed up"]
    async with case("two tastes that fail", sent=words("the second taste raises ValueError, the third TimeoutError"), expected=bad) as c:
        await _taste(
            answer,
            c,
            Pot(fails=(2, 3)),
            bad,
            hints=[
                (["fine", "ouch", "washed up"], ENDED),
                (["fine", "washed up"], ENDED),
                (["fine", "better", "washed up"], "It goes on, and it washes up. But a taste that fails is to be noted."),
            ],
        )

    async with case("a limit that strikes in the second taste", sent=words("taste takes too long, inside asyncio.timeout"), expected=TimeoutError) as c:
        async with asyncio.timeout(None) as limit:
            pot, notes = Pot(stop=lambda: limit.reschedule(0)), []
            try:
                await answer(pot.taste, notes)
            except (asyncio.CancelledError, TimeoutError):
                pass  # from the outside both look right; the next case tells them apart
            except Exception as error:
                c.fail(ANOTHER, received=words(f"it raised {type(error).__name__}"))
            else:
                _survived(answer, c, pot, notes)
            _judge_notes(c, pot, notes)

    async with case("cancelled in the second taste", sent=words("the taster as a task, and task.cancel()"), expected=asyncio.CancelledError) as c:
        notes = []
        pot = Pot(stop=lambda: task.cancel())
        task = asyncio.create_task(answer(pot.taste, notes))
        try:
            await task
        except asyncio.CancelledError:
            pass
        except Exception as error:
            c.fail(ANOTHER, received=words(f"it raised {type(error).__name__}"))
        else:
            _survived(answer, c, pot, notes)
        _judge_notes(c, pot, notes)


async def _taste(answer: Answer, c: Case, pot: Pot, want: list[str], *, hints: Any) -> None:
    notes: list[str] = []
    try:
        returned = await answer(pot.taste, notes)
    except ValueError:
        c.fail(ENDED, received=words("it raised ValueError: too much salt"))
    except TimeoutError:
        c.fail(ONE_KIND if "ouch" in notes else ENDED, received=words("it raised TimeoutError: too much salt"))
    if pot.tastes == 0:
        c.equal(notes if returned is None else returned, want, hint="Nobody tasted yet. `taste` is an `async` function: how do you call it?")
    if not notes and type(returned) is list:
        c.equal(words("an empty list, and returned another"), want, hint="All that is noted. But the caller has a list for it, and sees nothing in there. Whose list is `notes`?")
    c.equal(notes, want, hints=hints, hint="Compare the notes with those of `stubborn`: which one is missing, or too many?")


def _survived(answer: Answer, c: Case, pot: Pot, notes: list[str]) -> None:
    """Fail an answer that was asked to stop and returned."""
    received = words(f"no exception; notes: {notes!r}" + (", and tastes after it was asked to stop" if pot.tastes > 2 else ""))
    if "ouch" in notes:
        c.fail(TOOK_FOR_BAD, received=received)
    if pot.tastes > 2:
        c.fail(WENT_ON, received=received)
    c.fail(FINALLY if _swallows_all(answer.function) else KEPT_IT, received=received)


def _judge_notes(c: Case, pot: Pot, notes: list[str]) -> None:
    """Fail an answer that went down with the right exception and left a mess."""
    received = words(f"the exception, and notes: {notes!r}")
    c.true("ouch" not in notes, hint=TOOK_FOR_BAD, received=received)
    c.true(pot.tastes == 2, hint=WENT_ON, received=received)
    c.true("washed up" in notes, hint=DIRTY, received=received)
    c.true(notes == ["fine", "washed up"], hint=TWICE, received=received)


def _swallows_all(function: Callable[..., Any]) -> bool:
    """Whether an exception that no `except` names is lost in it all the same, as a `return` in `finally` does."""
    coro = function(_pausing, [])
    try:
        coro.send(None)
        coro.throw(Asked())
    except Asked:
        return False
    except StopIteration:
        return True
    except BaseException:
        return False
    finally:
        coro.close()
    return False


@types.coroutine
def _pausing() -> Generator[None, None, None]:
    yield
