"""Running an answer that may hang, print, read the keyboard or leave the interpreter.

An answer runs in a thread of its own. What it must not reach is routed by thread while it lives: `print` and
`input`, `sys.exit` (by the caller, an exception) and IPython's `exit`. Nothing is redirected for the notebook:
its own threads print as ever, also after an answer was given up.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

SLICE = 0.05
"""Seconds between two looks at the clock: an interrupt of the waiting cell is seen this soon."""
PATIENCE = 0.15
"""Seconds that a stuck answer gets after each step of stopping it."""
MOST_PRINTED = 4000


class Abandoned(SystemExit):
    """Raised inside an answer that is given up. Threads and event loops end on a SystemExit without a word."""


class KeyboardAsked(RuntimeError):
    """Raised where an answer calls `input()`."""


class Sandbox:
    """One run of one answer: its threads, and what they did that they should not."""

    def __init__(self) -> None:
        self.printed = ""
        self.asked_for_input = False
        self.warned: list[warnings.WarningMessage] = []
        self.over = False
        self.cancels: list[Callable[[], None]] = []
        """How to cancel what waits in an event loop; called from the notebook's thread."""
        self.closers: list[Callable[[], None]] = []
        """How to close the check's end of what the answer may wait for."""
        self._before = set(threading.enumerate())
        self._own: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._done = threading.Event()
        self.worker: threading.Thread | None = None

    # --- threads

    def thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        """A daemon thread of this run, not started yet. It ends without a word, whatever `work` raises."""

        def guarded() -> None:
            with contextlib.suppress(BaseException):
                work()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._own.add(thread)
        return thread

    def owns(self, thread: threading.Thread) -> bool:
        """Whether the thread belongs to this run: made by it, or appeared while it ran."""
        return thread in self._own or (not self.over and thread not in self._before)

    def left_threads(self) -> list[threading.Thread]:
        """Threads that the answer itself started and that still run."""
        return [t for t in threading.enumerate() if t not in self._before and t not in self._own]

    # --- running

    def run(self, work: Callable[[], None], deadline: Callable[[], float]) -> bool:
        """Run `work` in a thread until it ends, or until `deadline()` (of `time.monotonic`). Did it end?"""

        def guarded() -> None:
            try:
                work()
            finally:
                self._done.set()

        self.worker = self.thread(guarded, "check")
        self.worker.start()
        while not self._done.wait(SLICE):
            if time.monotonic() > deadline():
                return False
        return True

    def stop(self) -> bool:
        """End what still runs, step by step. Returns whether all of it ended."""
        for cancel in self.cancels:
            with contextlib.suppress(Exception):
                cancel()
        self._done.wait(PATIENCE)
        for close in self.closers:
            with contextlib.suppress(Exception):
                close()
        if not self._done.is_set():
            self._done.wait(PATIENCE)
        for _ in range(3):
            alive = self._alive()
            if not alive:
                break
            for thread in alive:
                _raise_in(thread, Abandoned)
            until = time.monotonic() + PATIENCE
            while self._alive() and time.monotonic() < until:
                time.sleep(0.005)
        return not self._alive()

    def _alive(self) -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t not in self._before and self.owns(t)]

    @contextlib.contextmanager
    def routed(self) -> Iterator[None]:
        """Route what the run's threads print and ask; the rest of the process keeps its own ways."""
        with warnings.catch_warnings():
            warnings.simplefilter("always", ResourceWarning)
            warnings.filterwarnings("always", message=".*never awaited", category=RuntimeWarning)
            shown = warnings.showwarning

            def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
                if self.owns(threading.current_thread()):
                    self.warned.append(warnings.WarningMessage(message, category, filename, lineno))
                elif category is not ResourceWarning:
                    shown(message, category, filename, lineno, file, line)

            warnings.showwarning = show
            _route(self)
            try:
                yield
            finally:
                for thread in threading.enumerate():
                    if self.owns(thread):
                        self._own.add(thread)
                self.over = True
                _unroute()

    def wrote(self, text: str) -> None:
        """Called by the routers, in a thread of this run."""
        if self.over:
            raise Abandoned
        self.printed = (self.printed + text)[:MOST_PRINTED]


def _raise_in(thread: threading.Thread, error: type[BaseException]) -> None:
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(error))


# --- routing by thread

_runs: list[Sandbox] = []


def current() -> Sandbox | None:
    """The run that the calling thread belongs to, or None."""
    thread = threading.current_thread()
    return next((run for run in _runs if run.owns(thread)), None)


class _Stream:
    """Stands in for `sys.stdout` or `sys.stderr`; passes on what does not come from a check's thread."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def write(self, text: str) -> int:
        run = current()
        if run is None:
            return self._real.write(text)
        run.wrote(text)
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        if current() is None:
            self._real.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Input:
    def __init__(self, real: Callable[..., str]) -> None:
        self._real = real

    def __call__(self, *prompt: Any) -> str:
        run = current()
        if run is None:
            return self._real(*prompt)
        run.asked_for_input = True
        raise KeyboardAsked("nobody is at the keyboard while an answer is checked")


def _route(run: Sandbox) -> None:
    _runs.append(run)
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), _Stream):
            setattr(sys, name, _Stream(getattr(sys, name)))
    if not isinstance(builtins.input, _Input):
        builtins.input = _Input(builtins.input)


def _unroute() -> None:
    """Take the routers away, unless an abandoned answer still lives."""
    _runs[:] = [run for run in _runs if not run.over or run._alive()]
    if _runs:
        return
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, _Stream):
            setattr(sys, name, stream._real)
    if isinstance(builtins.input, _Input):
        builtins.input = builtins.input._real
