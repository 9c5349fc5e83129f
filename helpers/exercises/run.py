"""One go of an answer through its exercise: what happened so far, and whose fault it is."""

from __future__ import annotations

import asyncio
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import known, lines
from .hints import MATTERS, NOTHING, Hints, Seen, fits, pairs
from .sandbox import KeyboardAsked, Sandbox
from .stub import codes
from .verdict import describe, describe_error, words

if TYPE_CHECKING:
    from .case import Case


class Failed(Exception):
    """Raised in the checker to end it; what went wrong is in `Run.failure` already."""


class AnswerExited(Exception):
    """The answer raised SystemExit or KeyboardInterrupt, which would take the event loop with it."""


class Call:
    """One call of the answer: running, returned or raised."""

    def __init__(self) -> None:
        self.ended = False
        self.value: Any = None
        self.error: BaseException | None = None
        self.coroutine: Any = None


@dataclass(frozen=True)
class Failure:
    """The first thing that went wrong, in words."""

    case: Case | None
    """Where; None: at the end of all cases."""
    received: str
    hint: str
    course: bool = False
    """Whether the checker is at fault, not the answer."""


class Run:
    """One go of an answer through its exercise."""

    def __init__(self, function: Any, checker: Callable[..., Any], hints: Hints, limit: float, sandbox: Sandbox) -> None:
        self.function = function
        """The learner's."""
        self.files = {code.co_filename for code in codes(function)} - {checker.__code__.co_filename}
        """Where the learner's code is from: each cell has a file name of its own."""
        self.sandbox = sandbox
        self.hints = pairs(hints)
        self.calls: list[Call] = []
        self.cases: list[Case] = []
        self.failure: Failure | None = None
        self.did = "It did not end"
        """What the answer did in the case that failed, for the verdict on a stub."""
        self.exited = False
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        """Tasks that the answer started; held weakly, so that a lost exception shows when its task is dropped."""
        self.left_tasks: list[asyncio.Task[Any]] = []
        """Those of them that still ran when their loop ended."""
        self.limit = limit
        self.ends = time.monotonic() + limit

    @property
    def case(self) -> Case | None:
        """The case that was begun last."""
        return self.cases[-1] if self.cases else None

    def deadline(self) -> float:
        """When to give up, on the clock of `time.monotonic`."""
        return min(self.ends, self.case.ends) if self.case else self.ends

    @property
    def patience(self) -> float:
        """The limit in seconds that ends first: the case's or the exercise's."""
        return self.case.limit if self.case and self.case.ends < self.ends else self.limit

    def fail(self, received: str, hint: str, *, course: bool = False, case: Any = NOTHING) -> Failed:
        """Keep the failure if it is the first one; the caller raises what is returned."""
        if self.failure is None and not self.sandbox.over:
            self.failure = Failure(self.case if case is NOTHING else case, received, hint, course)
        return Failed()

    def fail_seen(self, flag: Seen, received: str, hint: str = "", *, case: Any = NOTHING) -> Failed:
        """Fail for what was seen, with the author's hint for it, if there is one."""
        return self.fail(received, self.hint_for(NOTHING, {flag}) or hint, case=case)

    def flags(self) -> set[Seen]:
        """What was seen so far."""
        sandbox = self.sandbox
        seen = {
            Seen.PRINTED: bool(sandbox.printed),
            Seen.INPUT: sandbox.asked_for_input,
            Seen.EXIT: self.exited,
            Seen.UNAWAITED: any(kind is RuntimeWarning and "never awaited" in text for kind, text in sandbox.warned),
            Seen.SOCKET_LEFT: any(kind is ResourceWarning and "socket" in text.lower() for kind, text in sandbox.warned),
        }
        return {flag for flag, so in seen.items() if so}

    def hint_for(self, received: Any, seen: set[Seen], extra: Hints = ()) -> str:
        """The first hint whose key fits a value, an exception or what was seen; the case's own come before the exercise's."""
        own = self.case.hints if self.case else []
        return next((hint for key, hint in [*pairs(extra), *own, *self.hints] if fits(key, received, seen)), "")

    def hint_for_error(self, *errors: BaseException) -> str:
        """The hint for exceptions, of which the first one counts most."""
        seen = self.flags()
        return next((h for h in (self.hint_for(error, seen) for error in errors) if h), "") or next(
            (h for h in (known.about_error(error, self.function) for error in errors) if h), ""
        )

    def judge(self, error: BaseException) -> Failed:
        """An exception that left a case or the checker: whose fault is it?"""
        if self.failure is not None:
            return Failed()
        inner = error
        while isinstance(inner, BaseExceptionGroup):
            inner = inner.exceptions[0]
        if isinstance(inner, Failed):
            return inner
        if isinstance(inner, (AnswerExited, SystemExit)):
            self.exited = True
            return self.fail_seen(Seen.EXIT, *MATTERS[Seen.EXIT])
        if isinstance(inner, KeyboardAsked):
            return self.fail_seen(Seen.INPUT, *MATTERS[Seen.INPUT])
        if self.from_answer(error) or self.from_answer(inner):
            return self.fail(self._raised_text(error, inner), self.hint_for_error(inner, error))
        if _is_network(inner):
            raised = self.raised()
            if raised:
                return self.fail(self._raised_text(raised[-1], raised[-1]), self.hint_for_error(raised[-1], inner))
            return self.fail(_network(inner), self.hint_for_error(inner) or (self.case.hint if self.case else ""))
        returned = self._wrong_kind()
        if returned is not None:
            return self.fail(describe(returned.value), known.about_value(returned.value, self.case.expected, bool(self.sandbox.printed)))
        return self.fail(describe_error(error), "", course=True)

    def _raised_text(self, error: BaseException, inner: BaseException) -> str:
        group = "" if error is inner else f" (in an {type(error).__name__})"
        line = lines.raised(inner, self.files) or lines.raised(error, self.files)
        return f"it raised {describe_error(inner)}{group}" + (f", in `{line}`" if line else "")

    def raised(self) -> list[BaseException]:
        """What calls of the answer raised in this case, and what was lost in its tasks and threads."""
        calls = self.calls[self.case.first_call :] if self.case else self.calls
        errors = [*self.sandbox.lost, *(call.error for call in calls if call.error is not None)]
        return [error for error in errors if not is_close(error) and not isinstance(error, asyncio.CancelledError)]

    def _wrong_kind(self) -> Call | None:
        """The last call of this case, if it returned another type than expected: then the checker may well stumble over it."""
        case = self.case
        if case is None or case.expected is NOTHING or isinstance(case.expected, (words, type)):
            return None
        calls = [call for call in self.calls[case.first_call :] if call.ended and call.error is None]
        return calls[-1] if calls and type(calls[-1].value) is not type(case.expected) else None

    def from_answer(self, error: BaseException) -> bool:
        """Whether an exception came out of the learner's code."""
        if any(call.error is error for call in self.calls):
            return True
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self.files:
                return True
            trace = trace.tb_next
        return False


def is_close(error: BaseException) -> bool:
    """Whether it is the exception of `websockets` for a connection that was closed."""
    return type(error).__name__ in ("ConnectionClosed", "ConnectionClosedOK", "ConnectionClosedError")


def _is_network(error: BaseException) -> bool:
    return isinstance(error, (OSError, EOFError, TimeoutError)) or type(error).__module__.startswith("websockets.")


def _network(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "nothing: the check waited in vain"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    received = getattr(error, "rcvd", None)
    if is_close(error):
        return f"a close with code {received.code}" if received else "the end of the connection, without a close"
    return describe_error(error)
