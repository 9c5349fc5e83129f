"""One thing tried on an answer: what is sent, expected and received, and the hint for what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import enum
import functools
import inspect
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import known, lines
from .sandbox import Abandoned, KeyboardAsked, Sandbox
from .stub import codes
from .verdict import describe, describe_error, words

if TYPE_CHECKING:
    from ..echo import WebSocketServer

Hints = Mapping[Any, str] | Iterable[tuple[Any, str]]


class Seen(enum.Enum):
    """What a check can see besides values and exceptions; each may be a key of `hints`."""

    STUCK = "it did not end in time"
    PRINTED = "it printed"
    UNAWAITED = "a coroutine was never awaited"
    SOCKET_LEFT = "a socket was left open"
    TASK_LEFT = "a task was left running"
    THREAD_LEFT = "a thread was left running"
    SERVER_LEFT = "a server of `helpers` was left running"
    INPUT = "it asked for input"
    EXIT = "it asked Python to exit"


MATTERS = {
    Seen.EXIT: ("it asked Python to exit", "The notebook wants to go on after this. Which word ends only the function?"),
    Seen.INPUT: ("it asked for input", "Nobody is at the keyboard while it is checked. Which values come with the call?"),
    Seen.UNAWAITED: (
        "a coroutine that nobody awaited",
        "What came back is right, but one call was only prepared, never made. Where is an `await` missing?",
    ),
    Seen.SOCKET_LEFT: (
        "a socket left open",
        "What came back is right, but a socket is still open. Who closes it, also when a line before fails?",
    ),
}
"""What fails an answer at the end of a case, whatever it returned: in words, and the hint."""


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


NOTHING: Any = object()
"""Where None would be a value."""


class Run:
    """One go of an answer through its exercise."""

    def __init__(self, answer: Any, checker: Callable[..., Any], hints: Hints, limit: float, sandbox: Sandbox) -> None:
        self.answer = Answer(answer, self)
        self.files = {code.co_filename for code in codes(answer)} - {checker.__code__.co_filename}
        """Where the learner's code is from: each cell has a file name of its own."""
        self.sandbox = sandbox
        self.hints = pairs(hints)
        self.calls: list[Call] = []
        self.cases: list[Case] = []
        self.failure: Failure | None = None
        self.did = "It did not end"
        """What the answer did in the case that failed, for the verdict on a stub."""
        self.exited = False
        self.tasks: list[asyncio.Task[Any]] = []
        """Tasks that the answer started."""
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
            (h for h in (known.about_error(error, self.answer.function) for error in errors) if h), ""
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
        return [error for error in errors if not _is_close(error) and not isinstance(error, asyncio.CancelledError)]

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


def pairs(hints: Hints) -> list[tuple[Any, str]]:
    """Hints as a list of (key, text)."""
    return list(hints.items()) if isinstance(hints, Mapping) else list(hints)


def fits(key: Any, received: Any, seen: set[Seen]) -> bool:
    """Whether a key of `hints` fits: the table at the top of `engine.py`. `received` may be NOTHING."""
    if isinstance(key, Seen):
        return key in seen or (key is Seen.STUCK and isinstance(received, TimeoutError))
    if isinstance(key, tuple) and key and all(isinstance(k, (type, Seen)) for k in key):
        return any(fits(k, received, seen) for k in key)
    if isinstance(key, type):
        return isinstance(received, key)
    if received is NOTHING or isinstance(received, BaseException):
        return False
    if callable(key):
        try:
            return bool(key(received))
        except Exception:  # the test was written for another type: it does not fit
            return False
    return type(key) is type(received) and bool(key == received)


def _is_close(error: BaseException) -> bool:
    return type(error).__name__ in ("ConnectionClosed", "ConnectionClosedOK", "ConnectionClosedError")


def _is_network(error: BaseException) -> bool:
    return isinstance(error, (OSError, EOFError, TimeoutError)) or type(error).__module__.startswith("websockets.")


def _network(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "nothing: the check waited in vain"
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens there"
    received = getattr(error, "rcvd", None)
    if _is_close(error):
        return f"a close with code {received.code}" if received else "the end of the connection, without a close"
    return describe_error(error)


# --- the answer

_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("inside the answer", default=False)


class Answer:
    """The learner's function. Where an event loop runs, `await answer(...)`; elsewhere `answer(...)` is run to its end.

    Both work whether the learner wrote `def` or `async def`.
    """

    def __init__(self, function: Any, run: Run) -> None:
        self.function = function
        self.__name__ = getattr(function, "__name__", "answer")
        self._run = run

    @property
    def calls(self) -> list[Call]:
        """What became of each call so far: `.ended`, `.value`, `.error`."""
        return self._run.calls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._here(args, kwargs)
        return self._in_loop(args, kwargs)

    def _here(self, args: Any, kwargs: Any) -> Any:
        if inspect.iscoroutinefunction(self.function):
            with asyncio.Runner() as runner:
                tend(self._run, runner.get_loop())
                return runner.run(self._alone(args, kwargs))
        with self._noted() as call:
            call.value = self.function(*args, **kwargs)
        return call.value

    async def _alone(self, args: Any, kwargs: Any) -> Any:
        value = await self._in_loop(args, kwargs)
        await note_left_tasks(self._run)
        return value

    async def _in_loop(self, args: Any, kwargs: Any) -> Any:
        inside = _inside.set(True)
        try:
            with self._noted() as call:
                value = self.function(*args, **kwargs)
                if inspect.isawaitable(value):
                    call.coroutine = value
                    value = await value
                call.value = value
            return call.value
        finally:
            with contextlib.suppress(ValueError):  # a coroutine that was given up is closed by the garbage collector, elsewhere
                _inside.reset(inside)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[Call]:
        call = Call()
        self._run.calls.append(call)
        try:
            yield call
        except Abandoned:
            raise
        except (SystemExit, KeyboardInterrupt) as error:
            self._run.exited = True
            call.error = AnswerExited(*error.args)
            raise call.error from None
        except BaseException as error:
            call.error = error
            raise
        finally:
            call.ended = True


def tend(run: Run, loop: asyncio.AbstractEventLoop) -> None:
    """Watch a loop of the check: which tasks the answer starts; nothing is logged."""

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(coroutine, loop=loop, **options)
        if _inside.get():
            run.tasks.append(task)
        return task

    loop.set_task_factory(make)
    loop.set_exception_handler(lambda loop, context: None)


async def note_left_tasks(run: Run) -> None:
    """Before a loop ends: which tasks of the answer still run?"""
    for _ in range(5):  # a task that was just cancelled needs a few rounds to end
        await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    run.left_tasks += [task for task in run.tasks if task.get_loop() is loop and not task.done()]


# --- cases

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


OTHER_SIDE = 2.5
"""Seconds that the end of a case waits for the check's own side, in other threads."""

class Case:
    """One thing tried. What it opened is closed at its end. Use it by `with`, or in an async checker by `async with`."""

    def __init__(self, run: Run, title: str, sent: Any, expected: Any, hints: Hints, hint: str, limit: float | None) -> None:
        self._run = run
        self.title = title
        self.expected = expected
        self.hints = pairs(hints)
        self.hint = hint
        self.sent_text = "" if sent is NOTHING else describe_sent(sent)
        self.expected_text = "" if expected is NOTHING else describe(expected)
        self.limit = run.limit if limit is None else limit
        self.ends = float("inf")
        self._closing = contextlib.ExitStack()
        self._threads: list[threading.Thread] = []
        self.first_call = 0

    def __enter__(self) -> Case:
        self.ends = time.monotonic() + self.limit
        self.first_call = len(self._run.calls)
        self._run.cases.append(self)
        return self

    async def __aenter__(self) -> Case:
        return self.__enter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        # in a thread, so that what the answer left in this loop goes on while the end waits for it
        return await asyncio.to_thread(self.__exit__, kind, error, trace)

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        run = self._run
        try:
            if error is not None:
                if isinstance(error, Abandoned) or run.sandbox.over:
                    return False
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
        right = [key for key in want if key in got and got[key] == want[key]]
        for key in want:
            if key in right:
                continue
            if key not in got:
                self._refuse(words(f"no key {describe(key)}"), NOTHING, hint or "One is missing. The keys stay as they are given.", hints, NOTHING)
            value = got[key]
            listed = [*pairs(hints), *self.hints]
            said = next((text for k, text in listed if k == (key, value)), "") or next((text for k, text in listed if type(k) is type(key) and k == key), "")
            praise = f"{len(right)} of {len(want)} are right."
            raise self._run.fail(f"{describe(key)}: {describe(value)}", f"{praise} {said or hint or self.hint}".strip())
        extra = [key for key in got if key not in want]
        if extra:
            self._refuse(words(f"an unknown key {describe(extra[0])}"), NOTHING, hint, hints, NOTHING)

    def _refuse(self, got: Any, want: Any, hint: str, hints: Hints, received: Any) -> None:
        """Fail with what was received. `want` is NOTHING where the kind of the value says nothing."""
        run = self._run
        raised = run.raised()[::-1]
        said = run.hint_for(got, run.flags(), hints)
        said = said or next((h for h in (run.hint_for(error, set(), hints) for error in raised) if h), "")
        if not said and want is not NOTHING:
            said = known.about_value(got, want, bool(run.sandbox.printed))
        said = said or next((h for h in (known.about_error(error, run.answer.function) for error in raised) if h), "")
        shown = got if received is NOTHING else received
        raise run.fail("" if shown is NOTHING else describe(shown), said or hint or self.hint)

    # --- what the check lends and does

    def closing(self, thing: Any) -> Any:
        """Have `thing.close()` called at the case's end, and when the answer hangs. Returns the thing."""
        self._at_end(functools.partial(_close, thing))
        return thing

    def _at_end(self, step: Callable[[], None]) -> None:
        self._closing.callback(step)
        self._run.sandbox.closers.append(step)

    def socketpair(self, timeout: float | None = 2.0) -> tuple[socket.socket, socket.socket]:
        """Both ends of a TCP line on this machine: (near, far). Each waits at most `timeout` seconds."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            near = self.closing(socket.create_connection(listener.getsockname(), timeout=timeout))
            far = self.closing(listener.accept()[0])
        for end in (near, far):
            end.settimeout(timeout)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return near, far

    def thread(self, work: Callable[..., Any], *args: Any) -> None:
        """Run `work` in another thread beside the answer. The case's end waits for it, at most a second; what it raises fails the case."""

        def guarded() -> None:
            try:
                work(*args)
            except Failed:
                pass
            except Abandoned:
                pass
            except BaseException as error:
                self._run.judge(error)

        thread = self._run.sandbox.thread(guarded, "check's other side")
        self._threads.append(thread)
        thread.start()

    def feed(self, sock: socket.socket, *pieces: bytes, reader: socket.socket | None = None, close: bool = False) -> None:
        """Send the pieces from another thread, one by one.

        With `reader`, the other end of a `socketpair`, each piece is sent when the one before it was read, so that
        no `recv` ever sees two. Without, they are 20 ms apart. `close` hangs up after the last one.
        """

        def send() -> None:
            with contextlib.suppress(OSError):
                for number, piece in enumerate(pieces):
                    if number and reader is None:
                        time.sleep(0.02)
                    sock.sendall(piece)
                    if reader is not None and number < len(pieces) - 1:
                        _wait_until_read(reader, self._run.sandbox)
                if close:
                    sock.shutdown(socket.SHUT_WR)

        # not joined: an answer that reads less than all is judged by what it returns
        self._run.sandbox.thread(send, "check's feeder").start()

    def listener(self, talk: Callable[[socket.socket], Any], *, timeout: float | None = 2.0) -> tuple[str, int]:
        """Listen, and run `talk(sock)` in another thread for each one who dials. Returns the address (host, port)."""
        listener = self.closing(socket.create_server(("127.0.0.1", 0)))

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                sock.settimeout(timeout)
                self.closing(sock)
                self.thread(talk, sock)

        self._run.sandbox.thread(accept, "check's listener").start()
        return listener.getsockname()[:2]

    def serve(self, handler: Callable[..., Any], **options: Any) -> WebSocketServer:
        """A running `WebSocketServer` with that handler, which may be the answer itself; `.uri`, `.log`, `.push`. Stopped at the case's end."""
        from ..echo import WebSocketServer

        server = WebSocketServer(handler, **options)
        self._closing.enter_context(server)
        # one whose handler blocks its loop can't stop: it is only asked to, and its thread is ended as any other
        self._run.sandbox.closers.append(server._ask_to_stop)
        return server

    def unread(self, sock: socket.socket) -> bytes:
        """The bytes that wait to be read there; the answer should have left exactly these."""
        if sock.fileno() == -1:
            self.fail("It closed the socket that it was lent. Whose is it?", received=words("a closed socket"))
        before, got = sock.gettimeout(), b""
        sock.settimeout(0.05)
        with contextlib.suppress(TimeoutError, OSError):
            while piece := sock.recv(65536):
                got += piece
        sock.settimeout(before)
        return got

    def hung_up(self, sock: socket.socket, *, hint: str = "") -> bytes:
        """Fail unless the other side hangs up within a second. Returns what came before that."""
        got = b""
        sock.settimeout(1.0)
        try:
            while piece := sock.recv(65536):
                got += piece
        except TimeoutError:
            hint = hint or "I still hear your line. What hangs up, also when a line before fails?"
            raise self._run.fail_seen(Seen.SOCKET_LEFT, "a line that is still open", hint) from None
        except ConnectionError:
            pass
        return got

    def watch(self, function: Callable[..., Any]) -> Watched:
        """The function (plain or async), with its calls counted: `.calls`, `.count`, `.most_at_once`."""
        return Watched(function)

    def stand_in(self, **names: Any) -> None:
        """Until the case ends, these names mean this in the learner's notebook: `c.stand_in(ask=my_ask)`."""
        space = inspect.unwrap(self._run.answer.function).__globals__
        missing = object()
        before = {name: space.get(name, missing) for name in names}
        space.update(names)

        def restore() -> None:
            for name, value in before.items():
                if value is missing:
                    space.pop(name, None)
                else:
                    space[name] = value

        self._closing.callback(restore)


class Watched:
    """A function whose calls are counted."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._lock = threading.Lock()
        self.calls: list[tuple[Any, ...]] = []
        """The positional arguments of each call, in the order of the calls."""
        self.running = 0
        self.most_at_once = 0
        self.__name__ = getattr(function, "__name__", "watched")

    @property
    def count(self) -> int:
        """How many calls there were."""
        return len(self.calls)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if inspect.iscoroutinefunction(self._function):
            return self._awaited(args, kwargs)
        with self._counted(args):
            return self._function(*args, **kwargs)

    async def _awaited(self, args: Any, kwargs: Any) -> Any:
        with self._counted(args):
            return await self._function(*args, **kwargs)

    @contextlib.contextmanager
    def _counted(self, args: tuple[Any, ...]) -> Iterator[None]:
        with self._lock:
            self.calls.append(args)
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
        try:
            yield
        finally:
            with self._lock:
                self.running -= 1


def describe_sent(sent: Any) -> str:
    """A list or tuple is shown as pieces, one after the other."""
    if isinstance(sent, (list, tuple)):
        return ", then ".join(describe(piece) for piece in sent)
    return describe(sent)


def _wait_until_read(reader: socket.socket, sandbox: Sandbox) -> None:
    """Wait until nothing is left to read there."""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while selector.select(0) and not sandbox.over:
            time.sleep(0.001)


def _forget_frames(error: BaseException | None) -> None:
    """Let go of what the frames of an exception hold: a socket left open there is noticed when it is dropped."""
    while error is not None:
        error.__traceback__ = None
        error = error.__context__


def _close(thing: Any) -> None:
    if isinstance(thing, socket.socket):
        with contextlib.suppress(OSError):
            thing.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads it; close() alone does not
    with contextlib.suppress(Exception):
        thing.close()
