"""One thing tried on an answer: what is sent, expected and received, and the hint for what went wrong."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import enum
import inspect
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import known
from .sandbox import Abandoned, KeyboardAsked, Sandbox
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
    INPUT = "it asked for input"
    EXIT = "it asked Python to exit"


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


class Failure:
    """The first thing that went wrong, in words."""

    def __init__(self, case: Case | None, received: str, hint: str, *, course: bool = False) -> None:
        self.case = case
        self.received = received
        self.hint = hint
        self.course = course
        """Whether the checker is at fault, not the answer."""


class Run:
    """One go of an answer through its exercise."""

    def __init__(self, answer: Any, hints: Hints, limit: float) -> None:
        self.answer = Answer(answer, self)
        self.sandbox = Sandbox()
        self.hints = pairs(hints)
        self.calls: list[Call] = []
        self.cases: list[Case] = []
        self.failure: Failure | None = None
        self.exited = False
        self.tasks: list[asyncio.Task[Any]] = []
        """Tasks that the answer started."""
        self.limit = limit
        self.ends = time.monotonic() + limit

    @property
    def case(self) -> Case | None:
        """The case that was begun last."""
        return self.cases[-1] if self.cases else None

    def deadline(self) -> float:
        """When to give up, on the clock of `time.monotonic`."""
        return min(self.ends, self.case.ends) if self.case else self.ends

    def fail(self, received: str, hint: str, *, course: bool = False) -> Failed:
        """Keep the failure if it is the first one; the caller raises what is returned."""
        if self.failure is None and not self.sandbox.over:
            self.failure = Failure(self.case, received, hint, course=course)
        return Failed()

    def flags(self) -> set[Seen]:
        """What was seen so far."""
        seen = set()
        texts = [(w.category, str(w.message)) for w in self.sandbox.warned]
        if self.sandbox.printed:
            seen.add(Seen.PRINTED)
        if self.sandbox.asked_for_input:
            seen.add(Seen.INPUT)
        if self.exited:
            seen.add(Seen.EXIT)
        if any(kind is RuntimeWarning and "never awaited" in text for kind, text in texts):
            seen.add(Seen.UNAWAITED)
        if any(kind is ResourceWarning and "socket" in text for kind, text in texts):
            seen.add(Seen.SOCKET_LEFT)
        return seen

    def judge(self, error: BaseException) -> Failed:
        """An exception that left a case or the checker: whose fault is it?"""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if isinstance(error, Failed) or self.failure is not None:
            return Failed()
        hint = self.hint_for(error)
        if self._from_answer(error):
            return self.fail(f"it raised {describe_error(error)}", hint or known.about_error(error))
        raised = [call.error for call in self.calls if call.error is not None and not _is_close(call.error)]
        if _is_network(error):
            if raised:
                return self.fail(
                    f"it raised {describe_error(raised[-1])}", self.hint_for(raised[-1]) or hint or known.about_error(raised[-1])
                )
            return self.fail(_network(error), hint)
        return self.fail(describe_error(error), "", course=True)

    def hint_for(self, received: Any, extra: Hints = (), flags: set[Seen] | None = None) -> str:
        """The hint whose key fits a value, an exception or what was seen; the case's own come first."""
        seen = self.flags() | (flags or set())
        own = self.case.hints if self.case else []
        for key, hint in [*pairs(extra), *own, *self.hints]:
            if fits(key, received, seen):
                return hint
        return ""

    def _from_answer(self, error: BaseException) -> bool:
        if isinstance(error, (AnswerExited, KeyboardAsked)) or any(call.error is error for call in self.calls):
            return True
        files = {code.co_filename for code in self.answer.codes()}
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in files:
                return True
            trace = trace.tb_next
        return False


def pairs(hints: Hints) -> list[tuple[Any, str]]:
    """Hints as a list of (key, text)."""
    return list(hints.items()) if isinstance(hints, Mapping) else list(hints)


def fits(key: Any, received: Any, seen: set[Seen]) -> bool:
    """Whether a key of `hints` fits: see the table at the top of `engine.py`."""
    if isinstance(key, Seen):
        return key in seen or (key is Seen.STUCK and isinstance(received, TimeoutError))
    if isinstance(key, tuple) and key and all(isinstance(k, (type, Seen)) for k in key):
        return any(fits(k, received, seen) for k in key)
    if isinstance(key, type):
        return isinstance(received, key)
    if isinstance(received, BaseException):
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

    def codes(self) -> list[Any]:
        """The code objects of the learner's own."""
        from .stub import codes

        return codes(self.function)

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
                return runner.run(self._in_loop(args, kwargs, alone=True))
        with self._noted() as call:
            call.value = self.function(*args, **kwargs)
        return call.value

    async def _in_loop(self, args: Any, kwargs: Any, *, alone: bool = False) -> Any:
        if alone:
            cancel_from_outside(self._run)
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
            call.error = AnswerExited(describe_error(error))
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


def cancel_from_outside(run: Run) -> None:
    """Let the notebook's thread cancel the task that calls this."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    if task is not None:
        run.sandbox.cancels.append(lambda: loop.call_soon_threadsafe(task.cancel))


# --- cases

_NOTHING: Any = object()


class Cases:
    """The `case` of a checker: `with case("what is tried", sent=..., expected=...) as c:`."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def __call__(
        self, title: str, *, sent: Any = _NOTHING, expected: Any = _NOTHING, hints: Hints = (), hint: str = "", limit: float | None = None
    ) -> Case:
        """A case. `hints` are keyed, see the table in `engine.py`; `hint` is what is said when no key fits;
        `limit` is in seconds, when this case should end before the whole check must."""
        return Case(self._run, title, sent, expected, hints, hint, limit)


class Case:
    """One thing tried. What it opened is closed at its end."""

    def __init__(self, run: Run, title: str, sent: Any, expected: Any, hints: Hints, hint: str, limit: float | None) -> None:
        self._run = run
        self.title = title
        self.expected = expected
        self.hints = pairs(hints)
        self.hint = hint
        self.sent_text = "" if sent is _NOTHING else describe_sent(sent)
        self.expected_text = "" if expected is _NOTHING else describe(expected)
        self.ends = time.monotonic() + (limit if limit is not None else run.limit)
        self._closing = contextlib.ExitStack()
        self._threads: list[threading.Thread] = []
        self.first_call = len(run.calls)

    def __enter__(self) -> Case:
        self._run.cases.append(self)
        self.first_call = len(self._run.calls)
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        run = self._run
        try:
            if isinstance(error, Abandoned) or run.sandbox.over:
                return False
            if error is not None:
                if isinstance(error, (asyncio.CancelledError, GeneratorExit)) and not run._from_answer(error):
                    return False
                raise run.judge(error) from None
            for thread in self._threads:
                thread.join(1.0)
                if thread.is_alive():
                    raise run.fail("nothing more: the check still waits for the other side", run.hint_for(None, flags={Seen.STUCK}) or self.hint)
            if run.failure is not None:
                raise Failed
            self._judge_what_is_left()
        finally:
            with contextlib.suppress(Exception):
                self._closing.close()
        return False

    def _judge_what_is_left(self) -> None:
        run = self._run
        seen = run.flags()
        for flag, received, hint in (
            (Seen.EXIT, "it asked Python to exit", "The notebook should go on after this. Which word ends only the function?"),
            (Seen.INPUT, "it called input()", "Nobody is at the keyboard here. Where do the values come from?"),
            (Seen.UNAWAITED, "a coroutine that nobody awaited", "The result is right, but one call was prepared and never made. Where is an `await` missing?"),
            (Seen.SOCKET_LEFT, "a socket that was left open", "The result is right, but a socket was dropped while it was open. Who closes it, also when you fail halfway?"),
        ):
            if flag in seen:
                raise run.fail(received, run.hint_for(None) or hint)

    # --- verdicts

    def equal(self, got: Any, want: Any = _NOTHING, *, hint: str = "", hints: Hints = (), received: Any = _NOTHING) -> None:
        """Fail unless `got == want`; without `want` it is the case's `expected`."""
        if want is _NOTHING:
            want = self.expected
        if want is _NOTHING:
            raise TypeError("c.equal(got) needs case(..., expected=...) or c.equal(got, want)")
        if got == want:
            return
        if want is not self.expected:
            self.expected_text = describe(want)
        self._refuse(got, want, hint, hints, received)

    def true(self, holds: Any, *, hint: str = "", hints: Hints = (), received: Any = _NOTHING) -> None:
        """Fail unless `holds`. Say in `received` what was seen: a value, or `words("...")`."""
        if not holds:
            self._refuse(received, _NOTHING, hint, hints, received)

    def kind(self, got: Any, kind: type | tuple[type, ...], *, hint: str = "", hints: Hints = ()) -> None:
        """Fail unless `got` is of that type. Use it before taking a result apart."""
        if not isinstance(got, kind):
            if not self.expected_text:
                kinds = kind if isinstance(kind, tuple) else (kind,)
                self.expected_text = " or ".join(f"a {k.__name__}" for k in kinds)
            self._refuse(got, object(), hint, hints, _NOTHING)

    def fail(self, hint: str = "", *, received: Any = _NOTHING, hints: Hints = ()) -> None:
        """Fail."""
        self._refuse(received, _NOTHING, hint, hints, received)

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
            self._refuse(calls[-1].value, object(), hint, hints, _NOTHING)
        self._refuse(words("no exception"), _NOTHING, hint, hints, _NOTHING)

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
                self._refuse(words(f"no key {describe(key)}"), _NOTHING, hint or "One is missing. The keys stay as they are given.", hints, _NOTHING)
            value = got[key]
            listed = [*pairs(hints), *self.hints]
            said = next((text for k, text in listed if k == (key, value)), "") or next((text for k, text in listed if type(k) is type(key) and k == key), "")
            praise = f"{len(right)} of {len(want)} are right."
            raise self._run.fail(f"{describe(key)}: {describe(value)}", f"{praise} {said or hint or self.hint}".strip())
        extra = [key for key in got if key not in want]
        if extra:
            self._refuse(words(f"an unknown key {describe(extra[0])}"), _NOTHING, hint, hints, _NOTHING)

    def _refuse(self, got: Any, want: Any, hint: str, hints: Hints, received: Any) -> None:
        run = self._run
        shown = got if received is _NOTHING else received
        value = None if got is _NOTHING else got
        said = run.hint_for(value, hints)
        if not said and want is not _NOTHING:
            said = known.about_value(got, want, bool(run.sandbox.printed))
        errors = [c.error for c in run.calls[self.first_call :] if c.error is not None and not _is_close(c.error)]
        if not said and errors:
            said = run.hint_for(errors[-1]) or known.about_error(errors[-1])
        raise run.fail("" if shown is _NOTHING else describe(shown), said or hint or self.hint)

    # --- what the check lends and does

    def closing(self, thing: Any) -> Any:
        """Have `thing.close()` called at the case's end, and when the answer hangs. Returns the thing."""

        def close() -> None:
            if isinstance(thing, socket.socket):
                with contextlib.suppress(OSError):
                    thing.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads it; close() alone does not
            with contextlib.suppress(Exception):
                thing.close()

        self._closing.callback(close)
        self._run.sandbox.closers.append(close)
        return thing

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
        server.__enter__()
        done = threading.Event()

        def stop() -> None:
            if not done.is_set():
                done.set()
                server.stop()

        self._closing.callback(stop)
        self._run.sandbox.closers.append(stop)
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
            raise self._run.fail(
                "an open line", self._run.hint_for(None, flags={Seen.SOCKET_LEFT}) or hint or "The check still hears your line. What hangs up, also when you fail halfway?"
            ) from None
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
        if inspect.iscoroutinefunction(function):
            inspect.markcoroutinefunction(self) if hasattr(inspect, "markcoroutinefunction") else None

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
