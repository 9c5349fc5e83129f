"""Runs an answer that may hang, print, read the keyboard, leave Python or leave things behind.

The answer runs in a thread of its own. What must not reach the notebook from there is routed *by thread*: `print`,
`display`, `input`, `exit()`, warnings, the last words of dying threads. Nothing is redirected for the notebook's own threads, which
print as ever, also while an answer that was given up still lives. Each thread that the answer starts counts as its own.
"""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import ctypes
import gc
import logging
import selectors
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SLICE = 0.05
"""Seconds between two looks at the clock: an interrupt of the waiting cell is seen this soon."""
PATIENCE = 0.1
"""Seconds that a stuck answer gets after each step of stopping it."""
ROUNDS, STOPPING = 8, 1.0
"""How often a stuck answer is told to end, and the seconds for which that goes on at least. More than once is needed where an exception
is caught; and on a busy machine several meet as one, or meet a thread that still does what the one before made it do.
"""
STARTING = 1.0
"""Seconds that a thread has to come from its start to its work."""
MOST_PRINTED = 4000
"""Characters kept of what an answer prints."""


class Abandoned(SystemExit):
    """Raised inside an answer that is given up. Threads and event loops end on a SystemExit without a word."""


class KeyboardAsked(RuntimeError):
    """Raised where an answer waits for the keyboard: `input()`, `breakpoint()`."""


class Sandbox:
    """One run of one answer: its threads, and what they did that they should not."""

    def __init__(self) -> None:
        self.printed = ""
        self.asked_for_input = False
        self.warned: list[tuple[type[Warning], str]] = []
        self.lost: list[BaseException] = []
        """Exceptions that ended a thread of the answer, or that a task of it raised and nobody looked at."""
        self.given_up = False
        """Whether the answer is being stopped; then `closers` closes what is open, and nobody else needs to."""
        self.over = False
        self.closers: list[Callable[[], None]] = []
        """How to close the check's end of what the answer may wait for."""
        self._worker: threading.Thread | None = None
        self._waiting: threading.Thread | None = None
        self._own: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._started_by_answer: weakref.WeakSet[threading.Thread] = weakref.WeakSet()
        self._done = threading.Event()
        # Held while a thread of this run starts another. Python 3.11 takes the new one for its starter until it runs: an exception
        # for the one would end the other, and the one would wait for its sign of life for ever.
        self._starting = threading.Lock()

    # --- threads

    def thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        """A daemon thread of the check, not started yet. It ends without a word, whatever `work` raises."""

        def guarded() -> None:
            with contextlib.suppress(BaseException):
                work()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._own.add(thread)
        return thread

    def answers_for(self, thread: threading.Thread) -> bool:
        """Whether what the thread does is this run's: the check's threads, the answer's, and those that they started.

        Until the run is over also the one that waits: there the answer's garbage may be collected, and speak up.
        """
        return thread in self._own or (thread is self._waiting and not self.over)

    def adopt(self, thread: threading.Thread) -> None:
        """A thread of this run starts another one."""
        if thread not in self._own:
            self._own.add(thread)
            self._started_by_answer.add(thread)

    def alive(self) -> list[threading.Thread]:
        """The threads of this run that have not ended. One that was stopped while it started another leaves a Thread that never runs."""
        return [thread for thread in threading.enumerate() if thread in self._own and thread.is_alive()]

    def left_threads(self, patience: float) -> list[threading.Thread]:
        """The threads that the answer started and that do not end by themselves within `patience` seconds."""
        until = time.monotonic() + patience
        for thread in list(self._started_by_answer):
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))
        return [thread for thread in self._started_by_answer if thread.is_alive()]

    # --- running and stopping

    def start(self, work: Callable[[], None]) -> None:
        """Run `work` in a thread."""

        def signalled() -> None:
            try:
                work()
            finally:
                self._done.set()

        self._worker = self.thread(signalled, "check")
        self._worker.start()

    def wait(self, deadline: Callable[[], float]) -> bool:
        """Wait until the work has ended, or until `deadline()`, on the clock of `time.monotonic`. Has it ended?"""
        while not self._done.wait(SLICE):
            if time.monotonic() > deadline():
                return self._done.is_set()
        return True

    def stop(self) -> bool:
        """End what still runs, step by step, in about a second. Returns whether all of it ended."""
        if not self._done.is_set():
            self.given_up = True
            for loop in self._loops():
                _tell(loop, lambda loop=loop: [task.cancel() for task in asyncio.all_tasks(loop)])
            self._done.wait(PATIENCE)
        for close in list(self.closers):
            with contextlib.suppress(Exception):
                close()
        self._wait_for_threads()
        met: dict[threading.Thread, FrameType] = {}
        rounds, until = 0, time.monotonic() + STOPPING
        while self.alive() and (rounds < ROUNDS or time.monotonic() < until):
            if rounds >= ROUNDS:
                time.sleep(SLICE)
            rounds += 1
            for thread, stack in self._stacks().items():
                # a thread that has left the place where the exception met it is on its way out: a server closes its lines, say
                if thread is self._worker or thread not in met or met[thread] in stack:
                    nobody_starts = self._starting.acquire(timeout=STARTING)
                    _raise_in(thread, Abandoned)
                    if nobody_starts:
                        self._starting.release()
                    met[thread] = stack[0]
            for loop in self._loops():
                _tell(loop, lambda: None)  # wakes a loop that waits, so that it sees the exception
            self._wait_for_threads()
        return not self.alive()

    def _stacks(self) -> dict[threading.Thread, list[FrameType]]:
        """Where the threads of this run are, without those that only start or end: whoever starts a thread waits for its sign of
        life, and would wait for ever if the exception met it before.
        """
        until = time.monotonic() + STARTING
        while True:
            frames = sys._current_frames()
            stacks = {thread: _stack(frames.get(thread.ident or 0)) for thread in self.alive()}
            del frames  # this function's own is among them, and would keep them all
            if all(_runs_its_work(stack) for stack in stacks.values()) or time.monotonic() > until:
                return {thread: stack for thread, stack in stacks.items() if _runs_its_work(stack)}
            time.sleep(0.002)

    def _loops(self) -> set[asyncio.AbstractEventLoop]:
        """The event loops that run in threads of this run, those that the answer made among them; never the notebook's."""
        frames = sys._current_frames()
        loops = set()
        for thread in self.alive():
            for frame in _stack(frames.get(thread.ident or 0)):
                loop = frame.f_locals.get("self") if frame.f_code.co_name in _RUN_A_LOOP else None
                if isinstance(loop, asyncio.AbstractEventLoop):
                    loops.add(loop)
        return loops - {_running_loop()}

    def _wait_for_threads(self) -> None:
        until = time.monotonic() + PATIENCE
        while self.alive() and time.monotonic() < until:
            time.sleep(0.002)

    # --- what the routers tell

    def wrote(self, text: str) -> None:
        """A thread of this run prints."""
        self.printed = (self.printed + text)[:MOST_PRINTED]

    @contextlib.contextmanager
    def routed(self) -> Iterator[None]:
        """Route what the run's threads do; one run at a time."""
        while not _one_at_a_time.acquire(timeout=SLICE):
            pass
        try:
            with _only_new_garbage(), _warnings_of(self):
                self._waiting = threading.current_thread()
                _runs.append(self)
                _install()
                try:
                    yield
                finally:
                    self.closers.clear()
                    gc.collect()  # now, without a word: later it would speak up under somebody else's cell
                    self.over = True
                    forget()
        finally:
            _one_at_a_time.release()


_RUN_A_LOOP = ("run_forever", "run_until_complete")  # the second one where nest_asyncio2 has replaced it


def _stack(frame: FrameType | None) -> list[FrameType]:
    """A frame and its callers."""
    stack = []
    while frame is not None:
        stack.append(frame)
        frame = frame.f_back
    return stack


def _runs_its_work(stack: list[FrameType]) -> bool:
    """Whether a thread is in its `run`, or in code called from there."""
    names = [frame.f_code.co_name for frame in stack]
    return "_bootstrap_inner" in names and names[: names.index("_bootstrap_inner")][-1:] == ["run"]


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _tell(loop: asyncio.AbstractEventLoop, call: Callable[[], Any]) -> None:
    with contextlib.suppress(RuntimeError):  # it was closed in the meantime
        loop.call_soon_threadsafe(call)


def _raise_in(thread: threading.Thread, error: type[BaseException]) -> None:
    """Raise an exception in another thread, when it next runs Python code. It can't wake a call into the system."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(error))


@contextlib.contextmanager
def _only_new_garbage() -> Iterator[None]:
    """Let `gc.collect()` look at what was made since, so that it is quick and finds nothing of the notebook's."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _warnings_of(run: Sandbox) -> Iterator[None]:
    """Collect the warnings of the run's threads, also those that Python hides; others are shown as ever."""
    with warnings.catch_warnings():
        shown = warnings.showwarning

        def show(message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: Any = None) -> None:
            if run.answers_for(threading.current_thread()):
                run.warned.append((category, str(message)))
            elif category is not ResourceWarning:
                shown(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        warnings.simplefilter("always", ResourceWarning)
        warnings.filterwarnings("always", message=".*never awaited", category=RuntimeWarning)
        yield


# --- routing by thread

_one_at_a_time = threading.Lock()
_runs: list[Sandbox] = []
_installed: list[tuple[Any, str, Any, Any, bool]] = []

_SELECTORS = [
    kind for kind in vars(selectors).values() if isinstance(kind, type) and issubclass(kind, selectors.BaseSelector) and "select" in vars(kind)
]
"""The kinds of selectors that this system has."""


def current() -> Sandbox | None:
    """The run that the calling thread belongs to, or None."""
    thread = threading.current_thread()
    return next((run for run in _runs if run.answers_for(thread)), None)


def forget() -> None:
    """Forget the runs that have ended, and with the last of them take the routers away."""
    _runs[:] = [run for run in _runs if not run.over or run.alive()]
    if _runs:
        return
    while _installed:
        owner, name, real, ours, was_its_own = _installed.pop()
        if vars(owner).get(name) is not ours:
            continue  # somebody else has replaced it since
        if was_its_own:
            setattr(owner, name, real)
        else:
            delattr(owner, name)


def _install() -> None:
    # what somebody else has replaced in the meantime is no longer ours
    _installed[:] = [entry for entry in _installed if vars(entry[0]).get(entry[1]) is entry[3]]
    _replace(sys, "stdout", _Stream)
    _replace(sys, "stderr", _Stream)
    _replace(builtins, "input", _no_keyboard)
    _replace(sys, "breakpointhook", _no_keyboard)
    _replace(builtins, "exit", _exception_only)
    _replace(builtins, "quit", _exception_only)
    _replace(threading.Thread, "start", _adopting)
    for kind in _SELECTORS:
        _replace(kind, "select", _in_slices)
    _replace(threading, "excepthook", _lost_in_thread)
    _replace(sys, "unraisablehook", _dropped)
    _replace(logging.getLogger("asyncio"), "handle", _lost_in_task)
    shell = _ipython()
    if shell is not None:
        _replace(shell, "ask_exit", _exception_only)  # IPython's exit() asks the kernel to end
        _replace(shell.display_pub, "publish", _printed)


def _replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    real = getattr(owner, name, None)
    if real is None or any(ours is real for _, _, _, ours, _ in _installed):
        return
    was_its_own, ours = name in vars(owner), make(real)
    setattr(owner, name, ours)
    _installed.append((owner, name, real, ours, was_its_own))


def _ipython() -> Any:
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


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


def _no_keyboard(real: Callable[..., Any]) -> Callable[..., Any]:
    def asked(*args: Any, **kwargs: Any) -> Any:
        run = current()
        if run is None:
            return real(*args, **kwargs)
        run.asked_for_input = True
        raise KeyboardAsked("nobody is at the keyboard while an answer is checked")

    return asked


def _exception_only(real: Callable[..., Any]) -> Callable[..., Any]:
    def leave(*args: Any, **kwargs: Any) -> Any:
        if current() is None:
            return real(*args, **kwargs)
        raise SystemExit(*args)

    return leave


def _printed(real: Callable[..., Any]) -> Callable[..., Any]:
    def publish(data: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        run = current()
        if run is None:
            return real(data, *args, **kwargs)
        run.wrote(f"{data.get('text/plain', '')}\n")
        return None

    return publish


def _in_slices(real: Callable[..., Any]) -> Callable[..., Any]:
    """A `select` without a limit looks up now and then: nothing else wakes it, when what it waits on is closed or not there."""

    def select(selector: Any, timeout: float | None = None) -> Any:
        if timeout is not None or current() is None:
            return real(selector, timeout)
        while not (ready := real(selector, SLICE)):
            pass
        return ready

    return select


def _adopting(real: Callable[..., None]) -> Callable[..., None]:
    def start(thread: threading.Thread, *args: Any, **kwargs: Any) -> None:
        run = current()
        if run is None:
            real(thread, *args, **kwargs)
        else:
            run.adopt(thread)
            with run._starting:
                real(thread, *args, **kwargs)

    return start


def _lost_in_thread(real: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def hook(args: Any) -> None:
        run = current()
        if run is None:
            real(args)
        elif isinstance(args.exc_value, BaseException) and not isinstance(args.exc_value, SystemExit):
            run.lost.append(args.exc_value)

    return hook


def _lost_in_task(real: Callable[[logging.LogRecord], Any]) -> Callable[[logging.LogRecord], Any]:
    def handle(record: logging.LogRecord) -> Any:
        run = current()
        if run is None:
            return real(record)
        if record.exc_info and record.exc_info[1] is not None:
            run.lost.append(record.exc_info[1])
        return None

    return handle


def _dropped(real: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def hook(args: Any) -> None:
        if current() is None:
            real(args)

    return hook
