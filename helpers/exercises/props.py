"""What a case lends to an answer and plays against it: lines, listeners, servers. Closed again at its end."""

from __future__ import annotations

import contextlib
import functools
import inspect
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .hints import Seen
from .run import Failed, Run
from .sandbox import Abandoned, Sandbox

if TYPE_CHECKING:
    from ..echo import WebSocketServer


class Props:
    """The part of a `Case` that opens things."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._closing = contextlib.ExitStack()
        self._threads: list[threading.Thread] = []

    def closing(self, thing: Any) -> Any:
        """Have `thing.close()` called at the case's end, and when the answer hangs. Returns the thing."""
        self._at_end(functools.partial(_close, thing))
        return thing

    def _at_end(self, step: Callable[[], None]) -> None:
        """Call it at the case's end, and at the end of all, for an answer that hangs."""
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
        """Run `work` in another thread beside the answer. The case's end waits for it, at most 2.5 seconds; what it raises fails the case."""

        def guarded() -> None:
            try:
                work(*args)
            except (Failed, Abandoned):
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
        listener.settimeout(0.1)  # not everywhere does close() wake a thread that waits in accept()

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except TimeoutError:
                    continue
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
        return server

    def unread(self, sock: socket.socket) -> bytes:
        """The bytes that wait to be read there; the answer should have left exactly these."""
        if sock.fileno() == -1:
            raise self._run.fail("a closed socket", "It closed the socket that it was lent. Whose is it?")
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
        space = inspect.unwrap(self._run.function).__globals__
        missing = object()
        before = {name: space.get(name, missing) for name in names}
        space.update(names)

        def restore() -> None:
            for name, value in before.items():
                if value is missing:
                    space.pop(name, None)
                else:
                    space[name] = value

        self._at_end(restore)


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


def _wait_until_read(reader: socket.socket, sandbox: Sandbox) -> None:
    """Wait until nothing is left to read there."""
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        looks = 0
        while selector.select(0) and not sandbox.over:
            time.sleep(0.001 if looks < 100 else 0.01)
            looks += 1


def _close(thing: Any) -> None:
    if isinstance(thing, socket.socket):
        with contextlib.suppress(OSError):
            thing.shutdown(socket.SHUT_RDWR)  # wakes a thread that reads it; close() alone does not
    with contextlib.suppress(Exception):
        thing.close()
