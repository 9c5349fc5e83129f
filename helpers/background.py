"""A server in a thread of its own, so that a notebook's cells can talk to it."""

import asyncio
import atexit
import concurrent.futures
import errno
import inspect
import itertools
import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from types import TracebackType
from typing import Any, Self

from .limits import raise_open_files

BACKLOG = 1_024  # callers that may wait to be accepted

_LOG_LENGTH = 1_000  # entries kept; the oldest go first
_PATIENCE = 4.0  # seconds that a cell waits for a sign of the server's thread, at most
_ROUNDS = 6  # times that a server which is slow to stop, but gives signs, is waited for
_CLOSING = 2.0  # seconds after which _close() is cancelled
_LAST_WORDS = 0.1  # seconds that a handler then has to end by itself, or once it was cancelled

# Every server that runs. start() and stop() hold the lock, so that two threads never do both across each other.
_running: set["BackgroundServer"] = set()
_switching = threading.RLock()


class BackgroundServer:
    """One daemon thread, one event loop of its own, one server.

    It runs beside the cells: a cell that blocks or awaits doesn't stop it, and nothing it does stops a cell.
    It never prints: what happened stands in ``log``.

    host: the name or number of the interface to listen on; this machine alone, unless you name another one.
    port: a whole number from 0 to 65535; 0 takes any free port. The attribute ``port`` is the real one once started.
    name: tells servers of one class apart. ``start()`` stops and replaces a running server of the same class and
        name, so that a cell run fifty times leaves one server. A server used by ``with`` stands outside of this.

    Raises ValueError for a host or a port that can't be one.

    A subclass writes ``_open()`` and ``_close()``; both run on the server's own loop, in its thread.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, name: str | None = None) -> None:
        if not isinstance(host, str) or not host:
            raise ValueError(
                f"host must name an interface, not {host!r}: "
                "'127.0.0.1' is this machine alone, '0.0.0.0' is every interface"
            )
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= 65535:
            raise ValueError(f"port must be a whole number from 0 to 65535, not {port!r}; 0 takes any free port")
        self.host = host
        self.port = port
        self.name = name
        self._wanted_port = port
        self._bound = False  # whether port is the real one
        self._in_with = False
        self._listening = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked: asyncio.Event | None = None
        self._listener: _Listener | None = None
        self._calls: set[Future[Any]] = set()  # of run(), not answered yet
        self._log: deque[object] = deque(maxlen=_LOG_LENGTH)
        self._clients: dict[Any, int] = {}
        self._numbers = itertools.count(1)

    # What a cell uses

    def start(self) -> Self:
        """Start the server in a thread of its own, and return it once it listens.

        A running one stays as it is. A running server of the same class and name is stopped first.

        Raises, in the thread that calls:
            OSError: the port is taken, or the host is unknown or isn't this machine's; the text says what to do.
            TimeoutError: it didn't listen within four seconds.
            RuntimeError: this server from before, or one of its name, can't stop because a handler blocks; or the thread
                that calls is the server's own, which is ending.
        """
        with _switching:
            if self.running:
                return self
            if self._thread is threading.current_thread():
                raise RuntimeError(f"{self!r} can't start again in the thread that is ending: call start() in a cell")
            self.stop()  # what an interrupted start() or stop() has left
            if not self._in_with:
                self._stop_predecessor()
            raise_open_files()
            listening: Future[None] = Future()
            try:
                self._start_thread(listening)
                listening.result(_PATIENCE)
            except BaseException as error:
                self._end(_CLOSING)
                in_the_thread = listening.done() and listening.exception() is error
                if isinstance(error, TimeoutError) and not in_the_thread:
                    raise TimeoutError(f"host {self.host!r} didn't get a listener within {_PATIENCE:.0f} s") from None
                if isinstance(error, OSError):  # its text says it all; the thread's own frames don't help
                    raise error.with_traceback(None) from None
                raise
            return self

    def stop(self) -> None:
        """Close the listener and every client, and end the thread; within a second for any number of clients.

        A server that doesn't run is left as it is, so this is safe to repeat. What still runs when Python ends is
        stopped then. In the server's own thread (a handler calls it) it asks the server to stop and doesn't wait.

        Raises RuntimeError when a blocking call holds up the server's loop for more than four seconds; the server
        stops when that call returns. A loop that takes its turns is waited for longer: the machine is busy.
        """
        if self._thread is threading.current_thread():
            self._ask_to_stop()
            return
        with _switching:
            if not self._end(_PATIENCE):
                raise RuntimeError(
                    f"{self!r} can't stop yet: a blocking call holds up its loop (time.sleep in a handler?). "
                    "It stops when that call returns."
                )

    @property
    def running(self) -> bool:
        """Whether the server listens."""
        thread = self._thread
        return self._listening and thread is not None and thread.is_alive()

    @property
    def address(self) -> tuple[str, int]:
        """The (host, port) that a client dials, kept after ``stop()``. RuntimeError before the first start."""
        if not self._bound:
            raise RuntimeError("not started yet: call start()")
        # nobody can dial "every interface", but this machine answers on each of them
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return host, self.port

    @property
    def clients(self) -> int:
        """How many clients are connected now."""
        return len(self._clients)

    @property
    def log(self) -> list[str]:
        """What happened, oldest first: a copy of the last 1,000 entries, which hold no ports and no times."""
        return [self._as_text(entry) for entry in self._log.copy()]

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function(*args)`` in the server's thread, on its loop, and return what it returns.

        What an ``async`` function returns is awaited there.

        Raises what the function raises; RuntimeError when the server isn't running, or for an ``async`` function in
        the server's own thread, where nobody could wait for it; TimeoutError when no answer came within four seconds.
        """
        if self._thread is threading.current_thread():
            if inspect.iscoroutinefunction(function):
                raise RuntimeError("in the server's own thread nobody can wait for it: await it instead")
            return function(*args)
        loop = self._loop
        if loop is None or not self.running:
            raise self._not_running()
        answer: Future[Any] = Future()
        task: asyncio.Task[None]

        async def call() -> None:
            try:
                result = function(*args)
                answer.set_result(await result if inspect.isawaitable(result) else result)
            except asyncio.CancelledError:
                answer.cancel()
                raise
            except BaseException as error:
                answer.set_exception(error)

        def begin() -> None:
            nonlocal task  # keeps it from being collected
            task = loop.create_task(call())

        self._calls.add(answer)
        try:
            loop.call_soon_threadsafe(begin)
        except RuntimeError:  # the loop has been closed since
            self._calls.discard(answer)
            raise self._not_running() from None
        try:
            return answer.result(_PATIENCE)
        except concurrent.futures.CancelledError:  # it stopped before it could answer
            raise self._not_running() from None
        except TimeoutError as error:
            if answer.done() and not answer.cancelled() and answer.exception() is error:
                raise
            raise TimeoutError(f"{self!r} didn't answer within {_PATIENCE:.0f} s: does a handler block?") from None
        finally:
            self._calls.discard(answer)

    def __enter__(self) -> Self:
        self._in_with = True
        try:
            return self.start()
        except BaseException:
            self._in_with = False
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            self._in_with = False

    def __repr__(self) -> str:
        label = type(self).__name__ + (f" {self.name!r}" if self.name else "")
        if self.running:
            count = self.clients
            return f"<{label}, listening, {count} client{'' if count == 1 else 's'}>"
        return f"<{label}, {'stopped' if self._bound else 'not started'}>"

    # For subclasses

    async def _open(self) -> None:
        """Bind and listen. What it raises, ``start()`` raises."""
        raise NotImplementedError

    async def _close(self) -> None:
        """Close the listener and every client, within half a second. Only called after ``_open()`` went well."""
        raise NotImplementedError

    def _listen(self) -> socket.socket:
        """A listening socket on the wanted host and port, for ``_open()``; from here on ``port`` is the real one."""
        self._listener = _listening_socket(self.host, self._wanted_port)
        self.port = self._listener.getsockname()[1]
        self._bound = True
        return self._listener

    def _note(self, entry: object) -> None:
        """Add an entry to the log, from any thread: a text, or what ``_as_text()`` turns into one when it is read."""
        self._log.append(entry)

    def _as_text(self, entry: Any) -> str:
        return entry

    def _client_came(self, client: Any) -> int:
        """Count a client in and note it. Returns its number: 1 for the first one ever, 2, ..."""
        number = next(self._numbers)
        self._clients[client] = number
        self._note(f"client {number} connected")
        return number

    def _client_left(self, client: Any, how: object) -> None:
        """Count a client out and note how it left; only the first call for a client counts."""
        number = self._clients.pop(client, None)
        if number is not None:
            self._note(f"client {number} left ({how})")

    def _quiet_logger(self, name: str) -> logging.Logger:
        """A logger for a library, which stands alone, so nothing of it is printed: warnings and errors are noted."""
        logger = logging.Logger(name, logging.WARNING)
        logger.addHandler(_LogHandler(self._note))
        return logger

    # The machinery

    def _stop_predecessor(self) -> None:
        for other in list(_running):
            # compared by their names: a class that is defined anew, when its cell runs again, is the same
            if other._key() == self._key() and not other._in_with:
                other.stop()
                other._note(f"replaced: another {type(self).__name__} of this name was started")

    def _key(self) -> tuple[str, str, str | None]:
        return type(self).__module__, type(self).__qualname__, self.name

    def _not_running(self) -> RuntimeError:
        return RuntimeError(f"{self!r} isn't running: call start()")

    def _start_thread(self, listening: "Future[None]") -> None:
        self._stop_asked = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._live,
            args=(self._loop, self._stop_asked, listening),
            name=" ".join(filter(None, (type(self).__name__, self.name))),
            daemon=True,
        )
        _running.add(self)
        self._thread.start()

    def _ask_to_stop(self) -> None:
        self._listening = False
        if self._listener is not None:
            self._listener.accepting = False  # now: under a rush of clients the loop may be busy accepting
        if self._loop is not None and self._stop_asked is not None:
            try:
                self._loop.call_soon_threadsafe(self._stop_asked.set)
            except RuntimeError:  # the loop is closed: it has stopped
                pass

    def _end(self, patience: float) -> bool:
        """Stop the thread, whatever state start() or stop() was interrupted in. Returns False when it lives on."""
        self._ask_to_stop()
        if self._thread is not None and self._thread.ident is not None:
            for _ in range(_ROUNDS):
                self._thread.join(patience)
                # with a thousand clients on a busy machine it takes longer: a loop that takes its turns isn't held up
                if not self._thread.is_alive() or not self._takes_turns(patience):
                    break
            if self._thread.is_alive():
                return False
        if self._loop is not None:
            self._loop.close()  # does nothing, unless the thread never came to start
        self._thread = self._loop = self._stop_asked = None
        _running.discard(self)
        return True

    def _takes_turns(self, patience: float) -> bool:
        """Whether the thread's loop takes a turn within so many seconds, or has taken its last."""
        turn = threading.Event()
        try:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(turn.set)
        except RuntimeError:  # closed
            return True
        return turn.wait(patience)

    def _live(self, loop: asyncio.AbstractEventLoop, stop_asked: asyncio.Event, listening: "Future[None]") -> None:
        """The thread, from its first line to its last."""
        # asyncio receives into fresh blocks of 256 KiB. In a thread that has not allocated much, glibc asks the kernel
        # for each of them, at half the speed of the whole server, until a larger block has been freed once.
        bytes(2**20)
        workers: list[threading.Thread] = []
        executor = ThreadPoolExecutor(
            thread_name_prefix=threading.current_thread().name,
            initializer=lambda: workers.append(threading.current_thread()),
        )
        loop.set_default_executor(executor)
        loop.set_exception_handler(self._note_loop_error)
        for step in (
            lambda: self._serve(stop_asked, listening),
            lambda: self._close_in_time(listening),
            end_tasks,
            loop.shutdown_asyncgens,
        ):
            try:
                loop.run_until_complete(step())
            except BaseException as error:  # sys.exit() in a handler's own task ends up here
                self._note(f"the server failed: {one_line(error)}")
                if not listening.done():
                    listening.set_exception(error)
        self._listening = False
        self._clients.clear()
        loop.close()
        for call in list(self._calls):
            call.cancel()
        executor.shutdown(wait=False, cancel_futures=True)
        deadline = monotonic() + _LAST_WORDS
        for worker in workers:
            worker.join(max(0, deadline - monotonic()))
        _running.discard(self)  # a handler may have stopped it: then nobody waits for this thread

    async def _serve(self, stop_asked: asyncio.Event, listening: "Future[None]") -> None:
        try:
            await self._open()
        except BaseException as error:
            listening.set_exception(error)
            return
        self._listening = True
        listening.set_result(None)
        await stop_asked.wait()

    async def _close_in_time(self, listening: "Future[None]") -> None:
        self._listening = False
        if listening.done() and listening.exception() is None:
            if self._listener is not None:
                self._listener.accepting = False
                await _few_turns()
            async with asyncio.timeout(_CLOSING):
                await self._close()

    def _note_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._note(context["message"] + (f": {one_line(error)}" if error else ""))


def one_line(error: BaseException) -> str:
    """An error as the last line of its traceback: ``"TypeError: ..."``."""
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class _LogHandler(logging.Handler):
    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self.note = note

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.note(record.getMessage() + (f": {one_line(error)}" if error else ""))


class _Listener(socket.socket):
    """A listening socket that can stop accepting before it is closed.

    asyncio drops a connection without closing it, when its server is closed in the few turns of the loop between
    accepting this connection and setting it up.
    """

    accepting = True

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.accepting:
            raise BlockingIOError  # as when nobody calls
        return super().accept()


async def _few_turns() -> None:
    """Let the loop do what is already under way."""
    for _ in range(5):
        await asyncio.sleep(0)


async def end_tasks() -> None:
    """Let every other task end by itself, then cancel the rest, a few times: one may not take no for an answer."""
    for attempt in range(5):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if not tasks:
            break
        if attempt:
            for task in tasks:
                task.cancel()
        await asyncio.wait(tasks, timeout=_LAST_WORDS)
    await _few_turns()  # what they closed is closed in the next turn


def _listening_socket(host: str, port: int) -> _Listener:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, ValueError) as error:
        number = error.errno if isinstance(error, OSError) else errno.EINVAL
        raise OSError(number, f"host {host!r} is unknown: use '127.0.0.1' for this machine alone") from None
    # "localhost" is two addresses, and this server has one: the IPv4 one where there is a choice
    family, _, _, _, where = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    try:
        listener = socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        what_to_do = {
            errno.EADDRINUSE: f"port {port} is taken: stop the server that has it, or use port=0 for any free port",
            errno.EACCES: f"port {port} needs special rights: use port=0 for any free port",
            errno.EADDRNOTAVAIL: f"host {host!r} isn't an address of this machine: use '127.0.0.1'",
        }.get(error.errno or 0, f"can't listen on port {port} of {host!r}: {error.strerror}")
        raise OSError(error.errno, what_to_do) from None
    # asyncio sends small messages at once (TCP_NODELAY) only where it reads that this is TCP
    return _Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listener.detach())


@atexit.register
def _stop_all() -> None:
    """Stop what still runs when Python ends."""
    servers = list(_running)
    for server in servers:
        server._ask_to_stop()  # all at once, so that they close side by side
    for server in servers:
        server._end(_PATIENCE)
