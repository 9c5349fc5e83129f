"""A server in a thread of its own, so that a notebook's cells can talk to it."""

import asyncio
import atexit
import errno
import inspect
import itertools
import socket
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic
from types import TracebackType
from typing import Any, Self

from .limits import raise_open_files

_LOG_LENGTH = 1_000  # entries kept; the oldest go first
_PATIENCE = 4.0  # seconds that a cell waits for the server's thread, at most
BACKLOG = 1_024  # callers that may wait to be accepted
_LAST_WORDS = 0.2  # seconds that handlers have to end by themselves when the server stops

# Every server that runs. start() and stop() hold the lock, so two threads can't start and stop across each other.
_running: set["BackgroundServer"] = set()
_switching = threading.RLock()


class BackgroundServer:
    """One daemon thread, one event loop of its own, one server.

    It runs beside the cells: a cell that blocks or awaits doesn't stop it, and nothing it does stops a cell.
    It never prints: what happened stands in ``log``.

    ``host`` is the name or number of the interface to listen on; loopback unless you name another one.
    ``port`` is a whole number from 0 to 65535; 0 asks the system for any free port.
    ``name`` tells servers of one class apart: a second ``start()`` of the same class and name stops and replaces the
    first, so that a cell run fifty times leaves one server. ``with`` stands outside of this.

    Raises: ValueError for a host or port that can't be one.

    Subclasses write ``_open()`` and ``_close()``, which both run on the server's own loop, in its thread.
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
        self._bound = False  # whether self.port is the real one
        self._in_with = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked: asyncio.Event | None = None
        self._log: deque[str] = deque(maxlen=_LOG_LENGTH)
        self._clients: dict[Any, int] = {}
        self._numbers = itertools.count(1)

    # For subclasses

    async def _open(self) -> None:
        """Bind and listen, on the server's loop. What it raises, ``start()`` raises."""
        raise NotImplementedError

    async def _close(self) -> None:
        """Close the listener and every client, on the server's loop, within half a second."""
        raise NotImplementedError

    def _listen(self) -> socket.socket:
        """A listening socket on ``host`` and the wanted port; sets ``port`` to the real one. For ``_open()``."""
        listener = _listening_socket(self.host, self._wanted_port)
        self.port = listener.getsockname()[1]
        self._bound = True
        return listener

    def _note(self, entry: str) -> None:
        """Add an entry to the log; from any thread."""
        self._log.append(entry)

    def _client_came(self, client: Any) -> int:
        """Count a client in and note it. Returns its number: 1 for the first ever, 2, ..."""
        number = next(self._numbers)
        self._clients[client] = number
        self._note(f"client {number} connected")
        return number

    def _client_left(self, client: Any, how: object) -> None:
        """Count a client out and note how it left, once."""
        number = self._clients.pop(client, None)
        if number is not None:
            self._note(f"client {number} left ({how})")

    # What a cell uses

    def start(self) -> Self:
        """Start the server in a thread of its own, and return it once it listens.

        A running one stays as it is. Another running server of the same class and name is stopped first.

        Raises, in the thread that calls:
            OSError: the port is taken, or the host isn't known or isn't this machine's; the text says what to do.
            TimeoutError: the server didn't listen within four seconds.
        """
        with _switching:
            if self.running:
                return self
            self.stop()  # what an interrupted start or stop may have left
            if not self._in_with:
                for other in list(_running):
                    if other._key() == self._key() and not other._in_with:
                        other.stop()
            raise_open_files()
            listening: Future[None] = Future()
            try:
                self._stop_asked = asyncio.Event()
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._run_thread,
                    args=(self._loop, self._stop_asked, listening),
                    name=" ".join(filter(None, (type(self).__name__, self.name))),
                    daemon=True,
                )
                _running.add(self)
                self._thread.start()
                listening.result(timeout=_PATIENCE)
            except BaseException as error:
                self.stop()
                if isinstance(error, TimeoutError) and not listening.done():
                    error = TimeoutError(f"{self!r} didn't listen on {self.host!r} within {_PATIENCE:.0f} seconds")
                raise error.with_traceback(None) from None
            return self

    def stop(self) -> None:
        """Close the listener and every client, and end the thread; within a second for any number of clients.

        A server that doesn't run is left as it is, so it is safe to repeat. What still runs when Python ends is stopped then.
        Called in the server's own thread (by a handler) it asks the server to stop and doesn't wait.

        Raises:
            RuntimeError: a handler holds up the server's loop with a blocking call for more than four seconds; the
                server stops as soon as this call returns.
        """
        thread = self._thread
        if thread is threading.current_thread():
            self._ask_to_stop()
            return
        with _switching:
            if self._thread is None:
                return
            self._ask_to_stop()
            if self._thread.ident is not None:
                self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                raise RuntimeError(
                    f"{self!r} can't stop yet: a blocking call holds up its loop (time.sleep in a handler?). "
                    "It stops when this call returns."
                )
            if self._loop is not None:
                self._loop.close()  # closed already, unless the thread never started
            self._thread = self._loop = self._stop_asked = None
            _running.discard(self)

    @property
    def running(self) -> bool:
        """Whether the server listens."""
        thread, stop_asked = self._thread, self._stop_asked
        return thread is not None and thread.is_alive() and stop_asked is not None and not stop_asked.is_set()

    @property
    def address(self) -> tuple[str, int]:
        """The (host, port) that a client dials, kept after ``stop()``. RuntimeError before the first start."""
        if not self._bound:
            raise RuntimeError("not started yet: call start()")
        # nobody can dial "every interface"; this machine answers on all of them
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return host, self.port

    @property
    def clients(self) -> int:
        """How many clients are connected now."""
        return len(self._clients)

    @property
    def log(self) -> list[str]:
        """What happened so far, oldest first: a copy, at most the last 1,000 entries, without ports and times."""
        return list(self._log)

    def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call ``function(*args)`` in the server's thread, on its loop, and return what it returns.

        A coroutine function is awaited there. The caller waits four seconds at most.

        Raises: what the function raises; RuntimeError when the server isn't running, or when an ``async`` function is
        passed in the server's own thread, where nobody could wait for it; TimeoutError after four seconds.
        """
        if self._thread is threading.current_thread():
            result = function(*args)
            if inspect.isawaitable(result):
                if inspect.iscoroutine(result):
                    result.close()
                raise RuntimeError("run() can't wait for a coroutine in the server's own thread: await it")
            return result
        loop = self._loop
        if loop is None or not self.running:
            raise RuntimeError(f"{self!r} isn't running: call start()")

        async def call() -> Any:
            result = function(*args)
            return await result if inspect.isawaitable(result) else result

        return self._wait_for(call(), loop)

    def _wait_for(self, coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Any:
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:  # the loop has been closed since
            coroutine.close()
            raise RuntimeError(f"{self!r} isn't running: call start()") from None
        return future.result(timeout=_PATIENCE)

    def __enter__(self) -> Self:
        self._in_with = True
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        self._in_with = False

    def __repr__(self) -> str:
        label = type(self).__name__ + (f" {self.name!r}" if self.name else "")
        if self.running:
            clients = self.clients
            return f"<{label}, listening, {clients} client{'' if clients == 1 else 's'}>"
        return f"<{label}, {'stopped' if self._bound else 'not started'}>"

    # The machinery

    def _key(self) -> tuple[str, str, str | None]:
        # by its names: a class that is defined anew when its cell runs again counts as the same
        return type(self).__module__, type(self).__qualname__, self.name

    def _ask_to_stop(self) -> None:
        if self._stop_asked is None or self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._stop_asked.set)
        except RuntimeError:  # the loop is closed: it has stopped
            pass

    def _run_thread(
        self, loop: asyncio.AbstractEventLoop, stop_asked: asyncio.Event, listening: "Future[None]"
    ) -> None:
        workers: list[threading.Thread] = []
        executor = ThreadPoolExecutor(
            thread_name_prefix=threading.current_thread().name,
            initializer=lambda: workers.append(threading.current_thread()),
        )
        loop.set_default_executor(executor)
        loop.set_exception_handler(self._note_loop_error)
        try:
            loop.run_until_complete(self._live(stop_asked, listening))
            loop.run_until_complete(_end_tasks())
            loop.run_until_complete(loop.shutdown_asyncgens())
        except BaseException as error:
            self._note(f"the server failed: {one_line(error)}")
        finally:
            self._clients.clear()
            loop.close()
            executor.shutdown(wait=False, cancel_futures=True)
            deadline = monotonic() + _LAST_WORDS
            for worker in workers:
                worker.join(max(0, deadline - monotonic()))

    async def _live(self, stop_asked: asyncio.Event, listening: "Future[None]") -> None:
        try:
            await self._open()
        except BaseException as error:
            listening.set_exception(error)
            return
        listening.set_result(None)
        await stop_asked.wait()
        await self._close()

    def _note_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._note(context["message"] + (f": {one_line(error)}" if error else ""))


async def _end_tasks() -> None:
    """Let every other task end by itself, then cancel the rest."""
    for cancel in (False, True):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if not tasks:
            return
        if cancel:
            for task in tasks:
                task.cancel()
        await asyncio.wait(tasks, timeout=_LAST_WORDS)


def one_line(error: BaseException) -> str:
    """The last line of a traceback."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _listening_socket(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError, ValueError) as error:
        raise OSError(
            getattr(error, "errno", None) or errno.EADDRNOTAVAIL,
            f"host {host!r} is unknown: use '127.0.0.1' for this machine alone",
        ) from None
    # "localhost" is two addresses and one server has one: take the IPv4 one, like everything in this course
    family, _, _, _, where = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    try:
        return socket.create_server(where[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        what_to_do = {
            errno.EADDRINUSE: f"port {port} is taken: stop the server that has it, or use port=0 for any free port",
            errno.EACCES: f"port {port} needs special rights: use port=0 for any free port",
            errno.EADDRNOTAVAIL: f"host {host!r} isn't an address of this machine: use '127.0.0.1'",
        }.get(error.errno or 0, f"can't listen on port {port} of {host!r}: {error.strerror}")
        raise OSError(error.errno, what_to_do) from None


@atexit.register
def _stop_all() -> None:
    """Stop what still runs when Python ends."""
    servers = list(_running)
    for server in servers:
        server._ask_to_stop()
    for server in servers:
        try:
            server.stop()
        except RuntimeError:  # held up by a blocking call; its daemon thread ends with Python
            pass
