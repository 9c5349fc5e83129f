"""The exercises of notebook 07: seven bugs that say nothing, and the repaired code."""

from __future__ import annotations

import asyncio
import threading
import traceback
from collections.abc import Callable
from typing import Any

from .engine import Answer, Case, Cases, Seen, exercise, words

PATIENCE = 0.3
"""Seconds that one waits for the other to begin, before it takes it that they come one by one."""
SIDE_BY_SIDE = 1.2
"""Seconds in which two that go on side by side have noticed each other, also on a busy machine."""


# --- Exercise 1: never awaited, one after the other

BOTH = ["hot eggs", "hot toast"]
ONE_BY_ONE = "Both dishes are right, and the bell is heard. But when is the toast put in? Which call starts both and has one `await` for the two?"
TASKS_ONE_BY_ONE = "Both dishes are right, and each is a task. But look at when the second task is made: before or after the first one was waited for?"
NOT_RUNG = "The dishes are right. But the bell was only prepared, and nobody heard it. `ring` is an `async` function: which word is missing?"
NO_BELL = "The dishes are right. But where is the bell?"
GONE = "The bell is in line to be rung. But `brunch` is gone before it is its turn. Who waits for it?"
TOO_EARLY = "The dishes are right, and the bell is heard. But it rang while something was still cooking. What has to be over before it rings?"
ALL_IN_ONE = (
    "Start both with one call, and wait for them with one `await`: that is the idea. But `gather` takes its coroutines one by one, and got a single list. "
    "Which sign in front of a list hands over what is in it (06)?"
)
RUNG_ALL_THE_SAME = "The eggs burnt, and the bell rang all the same. Which way of waiting hands on an error instead of putting it on the plate?"


class Range:
    """A cooker for two: both are on before one of them is done, which is `first`."""

    def __init__(self, *, first: str = "toast", burns: bool = False) -> None:
        self.first = first
        self.burns = burns
        self.on = {"eggs": asyncio.Event(), "toast": asyncio.Event()}
        self.done: list[str] = []
        self.rung: list[tuple[str, int]] = []
        """What was rung, and how many dishes were done then."""
        self.one_by_one = False
        self.in_tasks = False
        self.checker = asyncio.current_task()

    async def cook(self, dish: str) -> str:
        if dish not in self.on:
            return f"hot {dish}"
        self.in_tasks = self.in_tasks or asyncio.current_task() is not self.checker
        self.on[dish].set()
        if self.burns and dish == "eggs":
            raise ValueError("the eggs are burnt")
        if not self.one_by_one:
            try:
                async with asyncio.timeout(PATIENCE):
                    for event in self.on.values():
                        await event.wait()
            except TimeoutError:
                self.one_by_one = True
        for _ in range(1 if dish == self.first else 3):
            await asyncio.sleep(0)
        self.done.append(dish)
        return f"hot {dish}"

    async def ring(self, meal: str) -> None:
        done = len(self.done)
        for _ in range(3):
            await asyncio.sleep(0)
        self.rung.append((meal, done))


@exercise(
    hints=[
        (Seen.STUCK, "It starts. But it waits for something that never comes. What is it, and who would have to do it?"),
        (asyncio.Future, "Both were started. But nobody waited for them. Which word is missing in front?"),
        (lambda got: any(isinstance(item, asyncio.Future) for item in got), "Both were started, at once. But you hand out tasks. What gives you the result that a task keeps?"),
        (asyncio.InvalidStateError, "Both were started, at once. But you ask for results while nobody had a turn yet. What lets them run until they are over?"),
    ]
)
async def brunch(answer: Answer, case: Cases) -> None:
    for title, first in (
        ("eggs and toast, of which the toast is done first", "toast"),
        ("eggs and toast, of which the eggs are done first", "eggs"),
    ):
        async with case(
            title,
            sent=words("cook and ring, both async"),
            expected=BOTH,
            hints=[
                (lambda got: sorted(got) == BOTH, "At once, and both are there. But the eggs come first on the plate, whichever is done first."),
                (lambda got: type(got) is list and len(got) == 3, "All at once. But the bell is no dish: it is on the plate, and it rang while the dishes were cooking."),
            ],
        ) as c:
            await _order(answer, c, Range(first=first))

    async with case(
        "the eggs burn",
        sent=words("cook('eggs') raises ValueError"),
        expected=ValueError,
        hint="When all goes well it is right. Here the eggs burn, and whoever ordered them should hear of it. Where does the error get lost?",
    ) as c:
        cooker = Range(burns=True)
        with c.raises(ValueError):
            try:
                await answer(cooker.cook, cooker.ring)
            except ExceptionGroup as group:  # of a task group: as good
                raise group.exceptions[0] from None
        c.true(not cooker.rung, hint=RUNG_ALL_THE_SAME, received=words("ValueError, and a bell"))


async def _order(answer: Answer, c: Case, cooker: Range) -> None:
    """Fail unless both dishes come, cooked at once, and then the bell."""
    try:
        got = await answer(cooker.cook, cooker.ring)
    except TypeError as error:
        if "unhashable type: 'list'" in str(error) and any(place.name == "gather" for place in traceback.extract_tb(error.__traceback__)):
            c.fail(ALL_IN_ONE, received=words(f"it raised TypeError: {error}, in `gather`"))
        raise
    if type(got) is tuple:
        got = list(got)
    c.equal(got)
    if not cooker.rung:
        waiting = any(task.get_coro().__name__ == "ring" for task in asyncio.all_tasks())
        c.fail(GONE if waiting else NO_BELL, hints=[] if waiting else [(Seen.UNAWAITED, NOT_RUNG)], received=words(f"{BOTH}, and no bell"))
    c.true(not cooker.one_by_one, hint=TASKS_ONE_BY_ONE if cooker.in_tasks else ONE_BY_ONE, received=words("one dish after the other"))
    c.true(cooker.rung[0][1] == 2, hint=TOO_EARLY, received=words("a bell, and something still cooking"))
    c.equal([meal for meal, _ in cooker.rung], ["brunch"], hint="The dishes are right, and the bell is heard. For which meal is it, and how often?")


# --- Exercise 2: the lost exception, the swallowed stop, and those who starve meanwhile

FAILED_ONCE = "An attempt that works is handed on. But the first failure ends it all. What should follow a failure?"
OF_ITS_OWN = (
    "A `ValueError` is handled. But this attempt fails with a `TimeoutError` of its own, and a failure may be of any kind. Which type stands for all of them, "
    "and which one is a stop's alone?"
)
USED_UP = (
    "The first failure is handled, and it tries again. But look at what `report` gets from the second attempt on: a coroutine is used up after one run. "
    "Where is `worker()` called, and how often?"
)
GIVES_UP = "It tries again, and reports. But after a few failures it gives up. Until when is it to try?"
REPORTED_LATE = (
    "It tries again, reports, and gives a turn away. But when the others have theirs, the failure isn't reported yet, and a stop in that pause would lose it. "
    "Which of the two comes first?"
)
NONE_IS_A_RESULT = (
    "Failures are handled. But this attempt worked, and was made again: its result is `None`. What tells a failure from a success: what comes back, or that "
    "something was raised?"
)
LOST = "It tries again, and it succeeds. But the failures are lost: nobody learns of them. Who is to be told, and with what?"
STARVED = (
    "It tries again, and reports. But 50 attempts failed in a row, and somebody else who was ready had not one turn meanwhile. Which call asks for a pause "
    "and nothing more?"
)
TOOK_FOR_FAILURE = (
    "Failures are handled. But being asked to stop was taken for one, and the next attempt was made. Which exception asks you to stop, and which word in your `except` "
    "takes it in?"
)
KEPT_IT = "It stops. But it returns as if all were well, and who asked it to stop is never told. You caught the exception: where does it go from there?"
REPORTED_STOP = "It stops, and its caller is told. But it also reported a failure, and there was none. What is a `CancelledError`, a failure or a request?"


class Attempts:
    """A worker whose attempts go as told: an exception is raised, "wait" waits for a long time, other values are returned."""

    def __init__(self, *fates: Any, stop: Any = None) -> None:
        self.fates = fates
        self.stop = stop
        self.made = 0

    async def work(self) -> Any:
        fate = self.fates[min(self.made, len(self.fates) - 1)]
        self.made += 1
        if isinstance(fate, BaseException):
            raise fate
        if fate == "wait":
            self.stop()
            await asyncio.sleep(3)
        return fate


@exercise(
    hints=[
        (asyncio.Future, "The attempt was started. But you hand out its task. What gives you the result that it keeps?"),
    ]
)
async def keep_going(answer: Answer, case: Cases) -> None:
    async with case("an attempt that works at once", sent=words("worker returns 'served'"), expected="served") as c:
        attempts, reports = Attempts("served"), []
        c.equal(await answer(attempts.work, reports.append))
        c.true(attempts.made == 1, hint="The result is right. But it was there after the first attempt. What ends the loop?", received=words(f"{attempts.made} attempts"))
        c.true(not reports, hint="The result is right. But a failure was reported, and there was none.", received=words("a report"))

    errors = [ValueError("no gas"), TimeoutError("no answer")]
    async with case(
        "two attempts that fail, and a third that works",
        sent=words("worker raises ValueError, then TimeoutError, then returns 'served'"),
        expected="served",
        hints=[
            (ValueError, FAILED_ONCE),
            (TimeoutError, OF_ITS_OWN),
            (type(None), FAILED_ONCE),
        ],
    ) as c:
        attempts, reports = Attempts(*errors, "served"), []

        def report(error: Any) -> None:
            if isinstance(error, RuntimeError) and "already awaited" in str(error):
                c.fail(USED_UP, received=error)
            reports.append(error)

        try:
            c.equal(await answer(attempts.work, report))
        except tuple(map(type, errors)) as error:
            c.fail(received=error)
        c.true(reports, hint=LOST, received=words("'served', and no report"))
        c.equal(
            reports,
            errors,
            hints=[
                (lambda got: all(type(one) is str for one in got), "Failures are reported. But a text has lost what kind of error it was. `report` takes the exception itself."),
                (lambda got: all(type(one) is type for one in got), "Failures are reported. But the kind alone doesn't say what happened. `report` takes the exception itself."),
            ],
            hint="It tries again, and reports. Is it each failure, once, in the order in which they come?",
        )

    async with case(
        "fifty failures in a row",
        sent=words("worker raises ValueError 50 times, then returns 'served'"),
        expected="served",
        limit=2.0,
        hints=[
            (Seen.STUCK, "It tries again, and reports. But it is not done with 50 failures in time. How long is the pause that lets the others have a turn, and no more?"),
            (RecursionError, "It tries again. But each attempt is made inside of the one before. What goes round without getting deeper?"),
            (ValueError, GIVES_UP),
        ],
    ) as c:
        attempts, reports, turns = Attempts(*[ValueError("no gas")] * 50, "served"), [], []
        other = asyncio.create_task(_take_turns(turns, lambda: attempts.made - len(reports) or not attempts.made))
        try:
            c.equal(await answer(attempts.work, reports.append), hints=[(lambda got: attempts.made <= 50, GIVES_UP)])
        finally:
            other.cancel()
        c.true(turns, hint=STARVED, received=words("'served', and no turn for anybody else"))
        # an attempt that is a task of its own ends in one turn and is reported in the next: at times none is left to report
        c.true(not all(turns), hint=REPORTED_LATE, received=words("'served', and each report only after the turn of the others"))

    async with case("an attempt that returns None", sent=words("worker fails, then returns None"), expected=None) as c:
        attempts = Attempts(ValueError("no gas"), None, "served")
        c.equal(await answer(attempts.work, lambda error: None), hints=[(lambda got: attempts.made > 2, NONE_IS_A_RESULT)])

    async with case(
        "a limit that strikes in the second attempt",
        sent=words("worker fails, then waits too long, inside asyncio.timeout"),
        expected=TimeoutError,
    ) as c:
        async with asyncio.timeout(None) as limit:
            attempts, reports = Attempts(ValueError("no gas"), "wait", "served", stop=lambda: limit.reschedule(0)), []
            await _stopped(answer, c, attempts, reports)

    async with case(
        "cancelled in the second attempt", sent=words("keep_going as a task, and task.cancel()"), expected=asyncio.CancelledError
    ) as c:
        attempts, reports = Attempts(ValueError("no gas"), "wait", "served", stop=lambda: task.cancel()), []
        task = asyncio.create_task(_stopped(answer, c, attempts, reports))
        await task


async def _take_turns(turns: list[int], unreported: Callable[[], int]) -> None:
    """Take a turn whenever there is one, and note whether a failure is not reported then. Not for ever: nobody is to see the loop busy by it."""
    for _ in range(200):
        await asyncio.sleep(0)
        turns.append(unreported())


async def _stopped(answer: Answer, c: Case, attempts: Attempts, reports: list[Any]) -> None:
    """Fail unless the answer is stopped in its second attempt, with the right exception and no further report."""
    try:
        got = await answer(attempts.work, reports.append)
    except asyncio.CancelledError:
        if len(reports) > 1:
            c.fail(REPORTED_STOP, received=words("the exception, and a report of it"))
    except Exception as error:
        c.fail("It stops. But its caller sees another exception than the one that came. Which word alone lets the same one go on?", received=error)
    else:
        again = attempts.made > 2
        c.fail(TOOK_FOR_FAILURE if again else KEPT_IT, received=words(f"no exception, and {got!r} after {attempts.made} attempts"))


# --- Exercise 3: the blocking call, and the error that comes in a group

MEAL = ["hot soup", "salad"]
BREAD = ["bread"]
BLOCKED = (
    "Soup and salad are there. But the soup had no turn while the salad was chopped: `chop` is a plain function, and it keeps the turn. Where could it run, "
    "so that the loop is free meanwhile?"
)
SALAD_FIRST = "Soup and salad are there, and the salad has a thread. But the soup was put on only when the salad was done. What has to be started first?"
STOOD_STILL = (
    "Soup and salad are there, and the salad has a thread. But the loop stood still until that thread was done. Which way of waiting for it lets the others "
    "have their turns?"
)
FIRST_SOUP = "Soup and salad are there. But nobody chopped before the soup was done. What is to be started, before anything is waited for?"
IN_A_GROUP = "The soup is no longer waited for. But the `ValueError` comes wrapped in a group, and an `except` without a star doesn't look inside. Which `except` does?"
LEFT_ON = "There is bread. But the soup is still on the stove. What starts tasks that end together, all of them when one fails?"
TOO_SOON = (
    "It works when the soup is done first. But here the salad is, and you ask the soup's task for a result that it hasn't got yet. Where does a task group "
    "wait for its tasks?"
)
LEFT_ON_AT_ANY = "The error goes on to the caller. But the soup is still on the stove. With a `ValueError` it is not: which lines are reached however it ends?"
LEFT_ON_AT_A_STOP = "It stops, and whoever asked it to is told. But the soup is still on the stove. Which lines are reached however it ends?"
TOOK_FOR_FAILURE_TOO = (
    "Errors are handled. But here `banquet` itself is asked to stop, and it ends as if nothing had been asked. Which exception was not for you?"
)
HID = "A `ValueError` is answered with bread. But here comes another error, an `OSError`, and you hid it. Which kind is bread the answer to?"
CALLED = "`to_thread` is the right place for it. But you called `chop` yourself, and handed over the salad. What does `to_thread` want to be given?"

NO_COROUTINE = (
    "A task for each of them is the idea. But `chop()` is no coroutine: it is the salad, and was chopped right here. Where could a plain function run?"
)


class Stove:
    """Soup and a salad that notice whether they were made at the same time."""

    def __init__(self, *, soup: Exception | None = None, salad: Exception | None = None, slow: bool = False, held: bool = False) -> None:
        self.soup = soup
        self.salad = salad
        self.slow = slow
        """Whether the soup takes longer than the salad."""
        self.held = held
        """Whether the salad takes until it is let go, and the soup longer."""
        self.let_go = threading.Event()
        self.chopping = threading.Event()
        self.cooked_on = threading.Event()
        """The soup had a turn while the salad was chopped; to have begun before is not enough."""
        self.loop = threading.current_thread()
        self.blocked = False
        self.why_blocked = BLOCKED
        self.waited = False
        self.on = False
        self.off = False
        """Whether the soup has ended, in whatever way."""

    async def cook(self, dish: str) -> str:
        try:
            self.on = True
            until = asyncio.get_running_loop().time() + SIDE_BY_SIDE
            while not self.chopping.is_set() and asyncio.get_running_loop().time() < until:
                await asyncio.sleep(0.002)
            self.waited = not self.chopping.is_set()
            self.cooked_on.set()
            if self.soup is not None:
                raise self.soup
            if self.salad is not None or self.held:
                await asyncio.sleep(2)
            if self.slow:
                await asyncio.sleep(0.1)
            return f"hot {dish}"
        finally:
            self.off = True

    def chop(self) -> str:
        self.chopping.set()
        if self.held:
            self.let_go.wait(1)
        elif not self.slow:
            self.blocked = not self.cooked_on.wait(SIDE_BY_SIDE)
        if threading.current_thread() is not self.loop:
            self.why_blocked = STOOD_STILL if self.on else SALAD_FIRST
        if self.salad is not None:
            raise self.salad
        return "salad"

    async def under_way(self, task: asyncio.Task[Any]) -> None:
        """Wait until both are being made, or the task that makes them is over."""
        until = asyncio.get_running_loop().time() + 1
        while not (self.on and self.chopping.is_set()) and not task.done() and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.002)

    async def left_on(self) -> bool:
        """Whether the soup cooks on, when all had the time to be told."""
        for _ in range(5):
            await asyncio.sleep(0)
        return self.on and not self.off


@exercise(
    hints=[
        (
            lambda got: isinstance(got, list) and any(isinstance(one, asyncio.Future) for one in got),
            "Both were started. But you hand out a task. What gives you the result that it keeps?",
        ),
    ]
)
async def banquet(answer: Answer, case: Cases) -> None:
    async with case(
        "soup and salad, at the same time",
        sent=words("cook, which is async, and chop, which is not"),
        expected=MEAL,
        hints=[(lambda got: sorted(got) == sorted(MEAL), "Both are there. But first comes the soup, then the salad.")],
    ) as c:
        stove = Stove()
        c.equal(await _dine(answer, c, stove))
        c.true(not stove.blocked, hint=stove.why_blocked, received=words("the salad, and a soup that stood still meanwhile"))
        c.true(not stove.waited, hint=FIRST_SOUP, received=words("the soup, and the salad after it"))

    async with case(
        "the salad is done first", sent=words("a cook that takes longer than chop"), expected=MEAL, hints=[(asyncio.InvalidStateError, TOO_SOON)]
    ) as c:
        c.equal(await _dine(answer, c, Stove(slow=True)))

    for title, sent, stove in (
        ("the soup burns", "cook raises ValueError", Stove(soup=ValueError("the soup is burnt"))),
        ("the knife slips while the soup cooks", "chop raises ValueError", Stove(salad=ValueError("the knife slipped"))),
    ):
        async with case(
            title,
            sent=words(sent),
            expected=BREAD,
            hints=[
                (ExceptionGroup, IN_A_GROUP),
                (ValueError, "An error in a group is looked for. But here it comes by itself, as `ValueError`. From which line, and is that one inside of the `try`?"),
                (type(None), "The error is caught. But what does the caller get to eat?"),
                ("bread", "There is bread. But a meal comes in a list, also when it is one thing. What stands around it?"),
                (lambda got: any(isinstance(one, Exception) for one in got), "It is not lost. But an error is on the plate, and it should be bread."),
            ],
        ) as c:
            try:
                c.equal(await _dine(answer, c, stove))
            except (ExceptionGroup, ValueError) as error:
                c.fail(received=error)
            c.true(not await stove.left_on(), hint=LEFT_ON, received=words("['bread'], and a soup that cooks on"))

    for title, sent, stove in (
        ("there is no gas", "cook raises OSError", Stove(soup=OSError("no gas"))),
        ("the board breaks while the soup cooks", "chop raises OSError", Stove(salad=OSError("the board broke"))),
    ):
        async with case(title, sent=words(sent), expected=OSError, hints=[(list, HID), (type(None), HID)]) as c:
            with c.raises(OSError):
                try:
                    await _dine(answer, c, stove)
                except ExceptionGroup as group:
                    raise group.exceptions[0] from None
            c.true(not await stove.left_on(), hint=LEFT_ON_AT_ANY, received=words("OSError, and a soup that cooks on"))

    async with case(
        "dinner is called off", sent=words("banquet as a task, and task.cancel() while both are made"), expected=asyncio.CancelledError, hint=TOOK_FOR_FAILURE_TOO
    ) as c:
        stove = Stove(held=True)
        task = asyncio.create_task(_dine(answer, c, stove))
        await stove.under_way(task)
        task.cancel()
        try:
            with c.raises(asyncio.CancelledError):
                await task
        finally:
            stove.let_go.set()
        c.true(not await stove.left_on(), hint=LEFT_ON_AT_A_STOP, received=words("CancelledError, and a soup that cooks on"))


async def _dine(answer: Answer, c: Case, stove: Stove) -> Any:
    try:
        got = await answer(stove.cook, stove.chop)
        return list(got) if type(got) is tuple else got
    except (TypeError, ExceptionGroup) as error:
        inner = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
        if isinstance(inner, TypeError) and "not callable" in str(inner):
            c.fail(CALLED, received=words("it raised TypeError: 'str' object is not callable"))
        if isinstance(inner, TypeError) and "coroutine" in str(inner):  # a task of a plain value
            c.fail(NO_COROUTINE, received=words("it raised TypeError: a coroutine was expected"))
        raise
