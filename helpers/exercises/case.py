"""One thing tried on an answer: what is sent, expected and received, and the hint for what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from . import known
from .hints import MATTERS, NOTHING, Hints, Seen, pairs
from .props import Props
from .run import Failed, Run
from .verdict import describe, words

OTHER_SIDE = 2.5
"""Seconds that the end of a case waits for the check's own side, in other threads."""


class Cases:
    """The `case` of a checker: `with case("what is tried", sent=..., expected=...) as c:`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(
        self, title: str, *, sent: Any = NOTHING, expected: Any = NOTHING, hints: Hints = (), hint: str = "", limit: float | None = None
    ) -> Case:
        """A case. `hints` are keyed, see the table in `engine.py`; `hint` is what is said when no key fits;
        `limit` is in seconds, when this case should end before the whole check must."""
        return Case(self._run, title, sent, expected, hints, hint, limit)


class Case(Props):
    """One thing tried. What it opened is closed at its end. Use it by `with`, or in an async checker by `async with`."""

    def __init__(self, run: Run, title: str, sent: Any, expected: Any, hints: Hints, hint: str, limit: float | None) -> None:
        super().__init__(run)
        self.title = title
        self.expected = expected
        self.hints = pairs(hints)
        self.hint = hint
        self.sent_text = "" if sent is NOTHING else describe_sent(sent)
        self.expected_text = "" if expected is NOTHING else describe(expected)
        self.limit = run.limit if limit is None else limit
        self.ends = float("inf")
        self.first_call = 0

    def __enter__(self) -> Case:
        self.ends = time.monotonic() + self.limit
        self.first_call = len(self._run.calls)
        self._run.cases.append(self)
        return self

    async def __aenter__(self) -> Case:
        return self.__enter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if self._run.sandbox.given_up:
            return False
        # in a thread, so that what the answer left in this loop goes on while the end waits for it
        return await asyncio.to_thread(self.__exit__, kind, error, trace)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        run = self._run
        if run.sandbox.given_up:
            return False
        try:
            if error is not None:
                if isinstance(error, (asyncio.CancelledError, GeneratorExit)) and not run.from_answer(error):
                    return False
                raise run.judge(error) from None
            until = time.monotonic() + OTHER_SIDE
            for thread in self._threads:
                thread.join(max(0.0, until - time.monotonic()))
                if thread.is_alive():
                    raise run.fail_seen(Seen.STUCK, "nothing more: the check's side still waits", self.hint)
            if run.failure is not None:
                raise Failed
            for call in run.calls:
                _forget_frames(call.error)
            self._judge_what_was_seen()
        finally:
            with contextlib.suppress(Exception):
                self._closing.close()
        return False

    def _judge_what_was_seen(self) -> None:
        run = self._run
        seen = run.flags()
        for flag, (received, hint) in MATTERS.items():
            if flag in seen:
                raise run.fail_seen(flag, received, hint)

    # --- verdicts

    def equal(self, got: Any, want: Any = NOTHING, *, hint: str = "", hints: Hints = (), received: Any = NOTHING) -> None:
        """Fail unless `got == want`; without `want` it is the case's `expected`."""
        if want is NOTHING:
            want = self.expected
        if want is NOTHING:
            raise TypeError("c.equal(got) needs case(..., expected=...) or c.equal(got, want)")
        if got == want:
            return
        if want is not self.expected:
            self.expected_text = describe(want)
        self._refuse(got, want, hint, hints, received)

    def true(self, holds: Any, *, hint: str = "", hints: Hints = (), received: Any = NOTHING) -> None:
        """Fail unless `holds`. Say in `received` what was seen: a value, or `words("...")`."""
        if not holds:
            self._refuse(received, NOTHING, hint, hints, received)

    def kind(self, got: Any, kind: type | tuple[type, ...], *, hint: str = "", hints: Hints = ()) -> None:
        """Fail unless `got` is of that type. Use it before taking a result apart."""
        if not isinstance(got, kind):
            if not self.expected_text:
                kinds = kind if isinstance(kind, tuple) else (kind,)
                self.expected_text = " or ".join(f"a {k.__name__}" for k in kinds)
            self._refuse(got, object(), hint, hints, NOTHING)

    def fail(self, hint: str = "", *, received: Any = NOTHING, hints: Hints = ()) -> None:
        """Fail."""
        self._refuse(received, NOTHING, hint, hints, received)

    @contextlib.contextmanager
    def raises(self, kind: type[BaseException] | tuple[type[BaseException], ...], *, hint: str = "", hints: Hints = ()) -> Iterator[None]:
        """Fail unless the block raises an exception of that type. For sync and `await` alike."""
        try:
            yield
        except kind:
            return
        if not self.expected_text:
            self.expected_text = describe(kind) if isinstance(kind, type) else " or ".join(k.__name__ for k in kind)
        calls = self._run.calls[self.first_call :]
        if calls and calls[-1].ended:
            self._refuse(calls[-1].value, NOTHING, hint, hints, NOTHING)
        self._refuse(words("no exception"), NOTHING, hint, hints, NOTHING)

    def match(self, got: Any, want: Mapping[Any, Any], *, hint: str = "", hints: Hints = ()) -> None:
        """Fail unless the dictionary `got` says the same as `want`, without telling what `want` says.

        Keys of `hints` are `(key, wrong value)` or `key`, besides the usual ones.
        """
        if not self.expected_text:
            self.expected_text = f"a dictionary with {len(want)} keys"
        self.kind(got, dict, hint=hint, hints=hints)
        wrong = [key for key in want if key not in got or got[key] != want[key]]
        praise = f"{len(want) - len(wrong)} of {len(want)} are right."
        for key in wrong:
            if key not in got:
                raise self._run.fail(f"no key {describe(key)}", f"{praise} {hint or 'One is missing. Keys stay as they are given.'}")
            listed = [*pairs(hints), *self.hints]
            fitting = [text for k, text in listed if k == (key, got[key])] + [text for k, text in listed if k == key]
            said = (fitting + [hint or self.hint])[0]
            raise self._run.fail(f"{describe(key)}: {describe(got[key])}", f"{praise} {said}".strip())
        for key in got:
            if key not in want:
                raise self._run.fail(f"an unknown key {describe(key)}", f"{praise} But what is this one? Keys stay as they are given.")

    def _refuse(self, got: Any, want: Any, hint: str, hints: Hints, received: Any) -> None:
        """Fail with what was received. `want` is NOTHING where the kind of the value says nothing."""
        run = self._run
        raised = run.raised()[::-1]
        said = run.hint_for(got, run.flags(), hints)
        said = said or next((h for h in (run.hint_for(error, set(), hints) for error in raised) if h), "")
        if not said and want is not NOTHING:
            said = known.about_value(got, want, bool(run.sandbox.printed))
        said = said or next((h for h in (known.about_error(error, run.function) for error in raised) if h), "")
        shown = got if received is NOTHING else received
        raise run.fail("" if shown is NOTHING else describe(shown), said or hint or self.hint)


def describe_sent(sent: Any) -> str:
    """A list or tuple is shown as pieces, one after the other."""
    if isinstance(sent, (list, tuple)):
        return ", then ".join(describe(piece) for piece in sent)
    return describe(sent)


def _forget_frames(error: BaseException | None) -> None:
    """Let go of what the frames of an exception hold: a socket left open there is noticed when it is dropped."""
    while error is not None:
        error.__traceback__ = None
        error = error.__context__
