"""Servers that answer with what they got, over WebSocket and over plain TCP."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import BINARY, TEXT, CloseCode, Frame
from websockets.protocol import CONNECTING, OPEN, Event

from .background import BACKLOG, BackgroundServer, one_line
from .streams import StreamServer

Handler = Callable[[ServerConnection], Awaitable[None]]

_GRACE = 0.3  # seconds that clients have to answer when the server stops
_SHOWN = 40  # characters of a message that the log shows
_KEPT = 4 * _SHOWN  # bytes of a message that the log keeps for it: a character has at most four
_BEGINNINGS = (TEXT, BINARY)  # of the frames of a message, the first one


class WebSocketServer(BackgroundServer):
    """Any handler of yours, served over WebSocket in a background thread.

    handler: a coroutine function that takes one connection; when it returns, the connection is closed with 1000. It
        runs on the server's own loop. When it raises, the client sees 1011 and the error stands in ``log``.
    host, port, name: as for ``BackgroundServer``.
    max_size: the longest message taken, in bytes; a longer one closes its connection with 1009. None: any length.
    options: go to ``websockets.asyncio.server.serve``. Unlike there, compression and keepalive pings are off.

    Raises TypeError when the handler can't be called and, from ``start()``, for an option that ``serve`` doesn't know.

    Source: https://websockets.readthedocs.io/en/stable/reference/asyncio/server.html
    """

    def __init__(
        self,
        handler: Handler,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        name: str | None = None,
        max_size: int | None = 2**20,
        **options: Any,
    ) -> None:
        super().__init__(host=host, port=port, name=name)
        if not callable(handler):
            raise TypeError(f"handler must be an async function that takes one connection, not {handler!r}")
        self.handler = handler
        self._options: dict[str, Any] = {
            "max_size": max_size,
            "compression": None,
            "ping_interval": None,
            "close_timeout": 1,
            "logger": self._quiet_logger("websockets"),
            **options,
        }
        self._server: Server | None = None
        self._connections: set[_Connection] = set()  # those in their handshake, too

    @property
    def uri(self) -> str:
        """Where a client connects: ``ws://127.0.0.1:PORT``. RuntimeError before the first start."""
        host, port = self.address
        scheme = "wss" if self._options.get("ssl") else "ws"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def push(self, message: str | bytes) -> int:
        """Send ``message`` to every connected client, unasked: ``str`` as text, ``bytes`` as binary.

        Call it from a cell or from any thread; it is sent in the server's thread, and nobody waits until it is read.

        Returns to how many clients it was sent.
        Raises RuntimeError when the server isn't running, TimeoutError when it didn't answer within four seconds (a handler
        blocks), TypeError when the message is neither ``str`` nor ``bytes``.
        """
        if not isinstance(message, str | bytes):
            raise TypeError(f"a message is str or bytes, not {type(message).__name__}")
        return self.run(self._push, message)

    def _as_text(self, entry: Any) -> str:
        if isinstance(entry, str):
            return entry
        number, frame = entry
        return f"client {number} sent {_shown(frame)}"

    def _push(self, message: str | bytes) -> int:
        clients = list(self._clients)
        try:
            broadcast(clients, message, raise_exceptions=True)
        except ExceptionGroup as missed:
            return len(clients) - len(missed.exceptions)
        return len(clients)

    async def _open(self) -> None:
        listener = self._listen()
        self._connections.clear()
        try:
            self._server = await serve(
                self.handler,
                sock=listener,
                backlog=BACKLOG,
                create_connection=functools.partial(_Connection, self),
                **self._options,
            )
        except BaseException:
            listener.close()
            raise

    async def _close(self) -> None:
        assert self._server is not None
        self._server.close(close_connections=False)  # the listener alone: for clients it waits without a limit
        connections = list(self._connections)
        for connection in connections:
            connection.go_away()
        try:
            if connections:
                await asyncio.wait([connection.connection_lost_waiter for connection in connections], timeout=_GRACE)
        finally:
            # Whoever is left was told, and doesn't answer: a client on a loop that a cell blocks, for one. It will find
            # the close frame when it looks. Also when time is up: on a busy machine, a thousand of them take seconds.
            for connection in self._connections:
                connection.transport.abort()


class EchoServer(WebSocketServer):
    """Answers every text with "Echo: " and the text, over WebSocket; binary messages come back as they came.

    prefix: what goes before a text; "" makes it a pure echo.
    options: as for ``WebSocketServer``, without the handler.
    """

    def __init__(self, *, prefix: str = "Echo: ", **options: Any) -> None:
        super().__init__(self._echo, **options)
        self.prefix = prefix

    async def _echo(self, connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(self.prefix + message if isinstance(message, str) else message)


class TCPEchoServer(StreamServer):
    """Sends bytes back as they came, over plain TCP.

    A client that ends its side (``shutdown``) gets the rest of its bytes back, then the end.

    options: as for ``StreamServer``, without the handler.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(self._echo, **options)

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        how = "end of stream"
        try:
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
        except OSError:  # it vanished
            how = "reset"
        finally:
            self._client_left(writer, how)
            writer.close()


class _Connection(ServerConnection):
    """A connection that keeps its server's log and number of clients.

    Both are up to date before the other side can know: who got our answer to the handshake, an echo or our close frame
    finds it noted. So ``send_data()`` is overridden, which runs just before bytes go out; a handler comes too late.
    And the log has the order of the wire, so messages are noted when they arrive, not when a handler reads them.
    """

    # CPython shares the layout of up to 30 attributes between instances; four more in its dictionary are too many, and
    # make a connection a quarter larger.
    __slots__ = ("number", "owner", "receiving", "refused")

    def __init__(self, owner: WebSocketServer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.number = 0  # among the server's clients, once it is open
        self.receiving = False
        self.refused = False

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """The handler has ended: close with 1000, or with 1011 if it failed. The failure is noted, and ends here."""
        if isinstance(error, GeneratorExit) or (isinstance(error, asyncio.CancelledError) and _is_cancelled()):
            return False
        if error is not None and (self.protocol.state is OPEN or not isinstance(error, ConnectionClosed)):
            self.owner._note(f"client {self.number}: handler failed: {one_line(error)}")
        await super().__aexit__(kind, error, traceback)
        return True  # SystemExit too: it would end the server's thread

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.owner._connections.add(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        # The library answers first (a close frame, for one), and looks then at the messages that came before it.
        # Answering last puts them into the log in time.
        self.receiving = True
        super().data_received(data)
        self.receiving = False
        if self.protocol.writes:  # mostly there is nothing to answer yet
            self.send_data()

    def process_event(self, event: Event) -> None:
        if self.number and event.opcode in _BEGINNINGS:  # a frame: only the handshake came before the number
            self.owner._note((self.number, event if len(event.data) <= _KEPT else _cut(event)))
        super().process_event(event)

    def send_data(self) -> None:
        if self.receiving:
            return
        if self.protocol.state is not OPEN or not self.number:
            self._note_change()
        super().send_data()

    def _note_change(self) -> None:
        if self.protocol.state is OPEN:
            self.number = self.owner._client_came(self)
        elif self.number:
            self._leave()
        else:
            self._note_refusal()

    def connection_lost(self, exc: Exception | None) -> None:
        self.owner._connections.discard(self)
        self._leave()
        super().connection_lost(exc)

    def go_away(self) -> None:
        """Begin the closing handshake with 1001, without waiting for its end; hang up on who isn't in yet."""
        if self.protocol.state is OPEN:
            self.protocol.send_close(CloseCode.GOING_AWAY)
            self.send_data()
        elif self.protocol.state is CONNECTING:
            self.transport.abort()

    def _note_refusal(self) -> None:
        reason = self.protocol.handshake_exc
        if self.refused or (reason is None and self.response is None):
            return
        if reason is not None and isinstance(reason.__cause__, EOFError):
            return  # hung up before it had said anything
        self.refused = True
        answer = f"{self.response.status_code} {self.response.reason_phrase}" if self.response else "no answer"
        # a rule of one's own may hand out a page, or say that all is well
        served = self.response is not None and self.response.status_code < 300
        self.owner._note(f"{'answered by HTTP' if served else 'refused a client'}: {answer}{f' ({reason})' if reason else ''}")

    def _leave(self) -> None:
        close = self.protocol.close_rcvd or self.protocol.close_sent
        self.owner._client_left(self, int(close.code if close else CloseCode.ABNORMAL_CLOSURE))


def _cut(frame: Frame) -> Frame:
    """The beginning of a frame; fin=False says that there is more."""
    return Frame(frame.opcode, bytes(frame.data[:_KEPT]), fin=False)


def _shown(frame: Frame) -> str:
    data = bytes(frame.data)
    message = data.decode(errors="replace") if frame.opcode is TEXT else data
    return f"{message[:_SHOWN]!r}{'' if frame.fin and len(message) <= _SHOWN else '...'}"


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
