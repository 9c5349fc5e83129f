"""Finds the exercise of an answer and takes the answer through its cases: `check`, and how exercises are written.

**Writing an exercise.** A module `helpers/exercises/nbNN_topic.py` for each notebook; nothing registers it. In it one
*checker* for each exercise, named as the learner's function is:

    from .engine import Answer, Cases, Seen, exercise, words

    @exercise                                    # or @exercise(limit=4.0, hints={...}): seconds in all; hints for every case
    def recv_exactly(answer: Answer, case: Cases) -> None:
        with case(
            "a message in two pieces",           # what is tried, in words
            sent=[b"he", b"llo"],                # shown as: b'he', then b'llo'
            expected=b"hello",
            hints={
                b"he": "The first piece is right. `recv(n)` promises *at most* n. How many are still missing?",
                Seen.STUCK: "...",
            },
        ) as c:
            near, far = c.socketpair()           # a TCP line; closed at the case's end
            c.feed(far, b"he", b"llo", reader=near)
            c.equal(answer(near, 5))             # compared with `expected`

        with case("the next message follows", sent=b"hellowo", expected=b"hello") as c:
            near, far = c.socketpair()
            far.sendall(b"hellowo")
            c.equal(answer(near, 5))
            c.equal(c.unread(near), b"wo", hint="The message is right. But you ate the start of the next one.")

        with case("the other side hangs up early", sent=words("b'he', then a hang-up"), expected=EOFError,
                  hints={Seen.STUCK: "What does `b''` mean? Will more ever come?"}) as c:
            near, far = c.socketpair()
            c.feed(far, b"he", close=True)
            with c.raises(EOFError):
                answer(near, 5)

The first case that fails is shown, with the first hint whose key fits: hints of the assertion, then of the case, then of
the exercise; then what every exercise knows (`known.py`: `str` for `bytes`, a forgotten `return` or `await`, another
loop, ...); then the plain `hint=` of the assertion, then of the case. A key is

    a value            the received value, of the same type, is equal        b"he"
    a type             the received value, or what was raised, is one        ConnectionClosedOK, str, TypeError
    a predicate        a function of the received value says so              lambda got: len(got) < 5
    Seen.STUCK         it did not end in time (or raised TimeoutError)       also .PRINTED, .UNAWAITED, .SOCKET_LEFT,
                                                                             .SERVER_LEFT, .TASK_LEFT, .THREAD_LEFT, .INPUT, .EXIT
    a tuple of types and Seens: any of them

and where keys are unhashable, `hints` may be a list of pairs. A hint says first what is right, knows the mistake, and asks
rather than tells. `Code` stands in backticks. Ports, times and addresses don't belong into any text.

**The answer.** `answer(...)` runs `def` and `async def` alike to the end; where a loop runs (an async checker, a handler that is
served) it is `await answer(...)`. `answer.calls` says what became of each call, `answer.function` is the learner's own
object. An async checker (`async def`) runs in a fresh loop, in which `asyncio.create_task(answer(...))` is at home; it writes
`async with case(...) as c:`, and `await asyncio.to_thread(c.hung_up, far)` for what would block the loop. To watch a blocking
answer from an async checker: `await asyncio.to_thread(answer, ...)`.
An answer that hangs, raises, prints, exits or leaves something open is the engine's matter: the checker has nothing to do for that.

**In a case**

    c.equal(got, want=expected)   c.true(holds, received=...)   c.kind(got, list)   c.fail(hint)   with c.raises(EOFError): ...
    c.match(got, {...}, hints={(key, wrong): "...", key: "..."})    a matching exercise; never shows what is right
    c.socketpair(timeout=2)       (near, far), a TCP line
    c.feed(far, b"he", b"llo", reader=near, close=True)    pieces from another thread, each when the one before was read
    c.listener(talk)              an address; `talk(sock)` runs in another thread for each one who dials, and may use c.equal
    c.serve(answer)               a running WebSocketServer: .uri, .log, .push(...); any handler, also the answer
    c.unread(near)                the bytes it left unread        c.hung_up(far)     fails if the line is still open after a second
    c.thread(work, *args)         something beside the answer     c.closing(thing)   thing.close() at the case's end
    c.watch(function)             .count, .calls, .most_at_once   c.stand_in(ask=f)  a name in the learner's notebook, for this case

An exception of the network (OSError, EOFError, TimeoutError, those of `websockets`) that leaves a case counts as what was
received: a client of the checker may run into the learner's mistake, and hints may be keyed by it. Any other exception of
the checker is the course's fault, and the verdict says so. So test with `c.kind` before taking a result apart.

What one answer makes of it is a `Run` (`run.py`); it happens in a `Sandbox` (`sandbox.py`); what is shown is `verdict.py`.
"""

from __future__ import annotations

import asyncio
import difflib
import functools
import gc
import importlib
import inspect
import pkgutil
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, overload

from ..background import BackgroundServer, _running
from . import lines, sandbox, stub
from .answer import Answer, note_left_tasks, tend
from .case import Case, Cases
from .hints import Hints, Seen
from .known import about_loop
from .run import Failed, Run
from .verdict import FAILED, NOT_YET, PASSED, Verdict, describe, describe_error, describe_kind, steady, words

__all__ = ["Answer", "Case", "Cases", "Exercise", "Seen", "Verdict", "check", "exercise", "exercises", "words"]

LIMIT = 4.0
"""Seconds that an answer has for all its cases. Waiting longer than five loses a cell's output under nbval."""

SERVERS = 0.3
"""Seconds for each server that an answer leaves. `stop()` would wait longer for a handler that blocks; here its thread is ended as any other."""


@dataclass(frozen=True)
class Exercise:
    """A checker with its limit in seconds and its hints."""

    name: str
    checker: Callable[[Answer, Cases], Any]
    limit: float = LIMIT
    hints: Hints = ()


@overload
def exercise(checker: Callable[..., Any], /) -> Exercise: ...
@overload
def exercise(*, limit: float = LIMIT, hints: Hints = ()) -> Callable[[Callable[..., Any]], Exercise]: ...
def exercise(checker: Callable[..., Any] | None = None, /, *, limit: float = LIMIT, hints: Hints = ()) -> Any:
    """Make a checker, plain or async, the exercise of its name."""
    if checker is None:
        return functools.partial(_exercise, limit=limit, hints=hints)
    return _exercise(checker, limit=limit, hints=hints)


def _exercise(checker: Callable[..., Any], limit: float, hints: Hints) -> Exercise:
    return Exercise(checker.__name__, checker, limit, hints)


def exercises() -> tuple[dict[str, Exercise], list[str]]:
    """All exercises by name, and in words what is wrong with modules: not to be imported, or a name twice."""
    package = __name__.rpartition(".")[0]
    found: dict[str, Exercise] = {}
    broken: list[str] = []
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if not re.match(r"nb\d\d_", module.name):
            continue
        try:
            members = vars(importlib.import_module(f"{package}.{module.name}"))
        except Exception as error:
            broken.append(f"helpers/exercises/{module.name}.py: {describe_error(error)}")
            continue
        for value in members.values():
            if not isinstance(value, Exercise):
                continue
            if found.setdefault(value.name, value) is not value:
                broken.append(f"helpers/exercises/{module.name}.py: another module has a {value.name}, too")
    return found, broken


def check(answer: Any) -> Verdict:
    """Take the learner's function through the cases of the exercise of its name.

    Returns a `Verdict`, which a notebook shows. The answer runs in a thread of its own, with a limit of a few seconds; this
    thread waits and can be interrupted. Raises nothing for anything that an answer does.
    """
    if sandbox.current() is not None:
        return Verdict("check", FAILED, "called from inside an answer.", hint="The check calls you. Who would end this circle?")
    wrong = _wrong_argument(answer)
    if wrong:
        return wrong
    name = answer.__name__
    known, broken = exercises()
    if name not in known:
        notes = tuple(f"the course is at fault: {text}" for text in broken)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
        hint = "Did you mean " + " or ".join(f"`{n}`" for n in near) + "?" if near else "An exercise is found by the name behind `def`."
        return Verdict(name, FAILED, "no exercise has this name.", hint=hint, notes=notes)
    return judge(answer, known[name])


def _wrong_argument(answer: Any) -> Verdict | None:
    hint = "Pass the function itself, by its name and without brackets: `check(name)`."
    if isinstance(answer, str):
        return Verdict("check", FAILED, f"{describe(answer)} is a text.", hint="Pass the function itself, without quotes.")
    kind = describe_kind(answer)
    if kind:
        if inspect.iscoroutine(answer):
            answer.close()
        return Verdict("check", FAILED, f"{kind} is what a call gives.", hint=hint)
    if not callable(answer):
        return Verdict("check", FAILED, f"{describe(answer)} is not a function. Was it called?", hint=hint)
    name = getattr(answer, "__name__", None)
    if name is None or name == "<lambda>":
        return Verdict("check", FAILED, "this function has no name.", hint="Write it with `def` and the exercise's name.")
    return None


def judge(answer: Any, which: Exercise) -> Verdict:
    """Take an answer through one exercise. Returns and raises what `check` does."""
    box = sandbox.Sandbox()
    with box.routed():
        return _judge(answer, which, box)


def _judge(answer: Any, which: Exercise, box: sandbox.Sandbox) -> Verdict:
    run = Run(answer, which.checker, which.hints, which.limit, box)
    before = set(_running)
    box.closers.append(lambda: _stop_servers(before))
    try:
        box.start(lambda: _go(run, which, before))
        if not box.wait(lambda: run.deadline() - lines.WATCHED):
            doing = _watch(run)
            if not box.wait(run.deadline):
                _judge_stuck(run, doing)
    finally:
        ended = box.stop()
        _stop_servers(before)  # those whose threads had to be ended are now known to have stopped
    return _verdict(run, which, ended or not box.alive())


def _stop_servers(before: set[BackgroundServer]) -> None:
    for server in set(_running) - before:
        try:
            server._end(SERVERS)
        except Exception:  # its thread was ended while it closed its loop, which can't be closed again
            _running.discard(server)


def _go(run: Run, which: Exercise, before: set[BackgroundServer]) -> None:
    """In the worker thread: all cases, then what is left behind."""
    try:
        answer, cases = Answer(run), Cases(run)
        if inspect.iscoroutinefunction(which.checker):
            with asyncio.Runner() as runner:
                tend(run, runner.get_loop())
                runner.run(_go_async(run, which.checker(answer, cases)))
        else:
            which.checker(answer, cases)
        if not run.cases:
            raise run.fail("this exercise has no cases", "", course=True)
        _judge_what_is_left(run, before)
    except Failed:
        pass
    except sandbox.Abandoned:
        raise
    except BaseException as error:
        run.judge(error)
    if run.failure is not None:
        run.did = _what_it_did(run)


async def _go_async(run: Run, checking: Awaitable[None]) -> None:
    await checking
    await note_left_tasks(run)


def _judge_what_is_left(run: Run, before: set[BackgroundServer]) -> None:
    gc.collect()  # a socket or a coroutine may hang on in a circle of references, and says only then that it was forgotten
    seen = run.flags()
    connections = any("Connection" in getattr(task.get_coro(), "__qualname__", "") for task in run.left_tasks)
    for flag, so, received, hint in (
        (Seen.SERVER_LEFT, bool(set(_running) - before), "a server that still listens", "Who stops it, also when a line before fails?"),
        (
            Seen.SOCKET_LEFT,
            connections or Seen.SOCKET_LEFT in seen,
            "a socket left open",
            "Who closes it, also when a line before fails?",
        ),
        (Seen.UNAWAITED, Seen.UNAWAITED in seen, "a coroutine that nobody awaited", "Where is an `await` missing?"),
        (Seen.TASK_LEFT, bool(run.left_tasks), "a task that still runs", "Who waits for it, or cancels it?"),
        (Seen.THREAD_LEFT, bool(run.sandbox.left_threads(0.3)), "a thread that still runs", "Who ends it, and who waits until it has ended?"),
    ):
        if so:
            raise run.fail_seen(flag, received, f"All results are right. But it leaves something behind. {hint}", case=None)


def _watch(run: Run) -> str:
    """What an answer does that will soon have run for too long."""
    coroutines = [call.coroutine for call in run.calls if not call.ended and call.coroutine is not None]
    return lines.doing(run.sandbox.alive(), coroutines, run.files)


def _judge_stuck(run: Run, doing: str) -> None:
    """In the thread that waits; no code of the learner's runs here, not even a `__repr__`."""
    received = f"nothing within {run.patience:g} seconds" + (f": {doing}" if doing else "")
    hint = about_loop(run.function) or (run.case.hint if run.case else "")
    question = "What should end this, and does it ever happen?" if doing == lines.SPINS else "What does it wait for, and who would have to do that?"
    run.fail_seen(Seen.STUCK, received, hint or question)


def _verdict(run: Run, which: Exercise, ended: bool) -> Verdict:
    name, failure, printed = which.name, run.failure, steady(run.sandbox.printed.rstrip("\n"))
    notes = () if ended else ("A thread of it could not be stopped and still waits or runs. Restarting the kernel ends it.",)
    if failure is None:
        holds = "Its case holds." if len(run.cases) == 1 else f"All {len(run.cases)} cases hold."
        return Verdict(name, PASSED, f"passed. {holds}", printed=printed, notes=notes)
    case = failure.case
    if stub.is_stub(run.function) or stub.has_gap(run.function):
        expected = f"; {case.expected_text} was expected." if case and case.expected_text else "."
        return Verdict(name, NOT_YET, f"not yet. {run.did}{expected}", printed=printed, notes=notes)
    where = f", in the case “{case.title}”" if case else ""
    if failure.course:
        fault = f"{failure.received}{where}"
        summary = "the check itself failed: the course is at fault, not your answer."
        return Verdict(name, FAILED, summary, printed=printed, notes=(fault, *notes))
    rows = [("sent", case.sent_text), ("expected", case.expected_text)] if case else []
    rows = [(label, text) for label, text in [*rows, ("received", failure.received)] if text]
    return Verdict(name, FAILED, f"not quite{where}.", tuple(rows), failure.hint, printed, notes)


def _what_it_did(run: Run) -> str:
    """What became of the answer in the case that failed, in words. In the worker thread."""
    calls = run.calls[run.case.first_call :] if run.case else run.calls
    if not calls:
        return "It was not called"
    if isinstance(calls[0].error, asyncio.CancelledError):
        return "It was still running"
    if calls[0].error is not None:
        return f"It raised {type(calls[0].error).__name__}"
    if not calls[0].ended:
        return "It did not end"
    return f"It returned {describe(calls[0].value)}"
