"""Servers that answer with what they got, over WebSocket and over plain TCP."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode
from websockets.protocol import State

from .background import BACKLOG, BackgroundServer, one_line

Handler = Callable[[ServerConnection], Awaitable[None]]

_GRACE = 0.3  # seconds that clients have to answer when the server stops
_SHOWN = 40  # characters of a message in the log


class WebSocketServer(BackgroundServer):
    """Any handler of yours, served over WebSocket in a background thread.

    ``handler`` is a coroutine function that gets one connection and ends when it has finished with this client; it runs on
    the server's own loop. One that raises closes its connection with 1011 and leaves the error in ``log``.
    ``max_size`` is the longest message taken, in bytes; a longer one closes the connection with 1009.
    ``options`` go to ``websockets.asyncio.server.serve``; compression and keepalive pings are off unless you switch them on.

    Raises: TypeError when ``handler`` can't be called, or (from ``start()``) for an option that ``serve`` doesn't know.

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
            raise TypeError(f"handler must be a coroutine function that takes one connection, not {handler!r}")
        self.handler = handler
        self._options: dict[str, Any] = {
            "max_size": max_size,
            "compression": None,
            "ping_interval": None,
            "close_timeout": 1,
            "logger": _logger(self._note),
            **options,
        }
        self._server: Server | None = None
        self._connections: set[_Connection] = set()

    @property
    def uri(self) -> str:
        """Where a client connects: ``ws://127.0.0.1:PORT``. RuntimeError before the first start."""
        host, port = self.address
        scheme = "wss" if self._options.get("ssl") else "ws"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"

    def push(self, message: str | bytes) -> int:
        """Send ``message`` to every connected client, unasked; ``str`` goes as text, ``bytes`` as binary.

        Call it from a cell, or from any thread; the sending is done in the server's thread. It doesn't wait until anybody has read it.

        Returns: to how many clients it was sent.
        Raises: RuntimeError when the server isn't running; TypeError when the message is neither ``str`` nor ``bytes``.
        """
        if not isinstance(message, (str, bytes)):
            raise TypeError(f"a message is str or bytes, not {type(message).__name__}")
        return self.run(self._push, message)

    def _push(self, message: str | bytes) -> int:
        clients = list(self._clients)
        try:
            broadcast(clients, message, raise_exceptions=True)
        except ExceptionGroup as missed:
            return len(clients) - len(missed.exceptions)
        return len(clients)

    async def _serve_client(self, connection: "_Connection") -> None:
        try:
            await self.handler(connection)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # SystemExit too: it would end the server's thread
            if isinstance(error, ConnectionClosed) and connection.state is not State.OPEN:
                return  # the client has gone, which is no failure of the handler
            self._note(f"client {connection.number}: handler failed: {one_line(error)}")
            await connection.close(CloseCode.INTERNAL_ERROR)

    async def _open(self) -> None:
        def connect(*args: Any, **kwargs: Any) -> _Connection:
            return _Connection(self, *args, **kwargs)

        listener = self._listen()
        try:
            self._server = await serve(
                self._serve_client, sock=listener, backlog=BACKLOG, create_connection=connect, **self._options
            )
        except BaseException:
            listener.close()
            raise

    async def _close(self) -> None:
        assert self._server is not None
        # it stops listening, and says no to who is about to come in
        self._server.close(close_connections=False)
        closing = []
        for connection in self._connections:
            if connection.state is State.OPEN:
                closing.append(asyncio.create_task(connection.close(CloseCode.GOING_AWAY)))
            elif connection.state is State.CONNECTING:
                connection.transport.abort()
        if closing:
            await asyncio.wait(closing, timeout=_GRACE)
        # these have the close frame, but didn't answer: a client on a blocked loop, for one
        for connection in list(self._connections):
            connection.transport.abort()


class EchoServer(WebSocketServer):
    """A WebSocket server that answers text with "Echo: " and the same text; binary comes back as it came.

    ``prefix`` goes before every text; ``prefix=""`` makes it a pure echo. Everything else is as for ``WebSocketServer``.
    """

    def __init__(self, *, prefix: str = "Echo: ", **options: Any) -> None:
        super().__init__(self._echo, **options)
        self.prefix = prefix

    async def _echo(self, connection: ServerConnection) -> None:
        client = f"client {connection.number}"
        async for message in connection:
            self._note(f"{client} sent {message[:_SHOWN]!r}")
            await connection.send(self.prefix + message if isinstance(message, str) else message)


class TCPEchoServer(BackgroundServer):
    """A plain TCP server: bytes come back as they came. When the client has sent its last byte, it gets the rest back, then the end."""

    async def _open(self) -> None:
        self._writers: set[asyncio.StreamWriter] = set()
        listener = self._listen()
        self._server = await asyncio.start_server(self._echo, sock=listener, backlog=BACKLOG)

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._client_came(writer)
        how = "end of stream"
        try:
            while data := await reader.read(2**16):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            how = "reset"
        finally:
            self._client_left(writer, how)
            writer.close()

    async def _close(self) -> None:
        self._server.close()
        for writer in list(self._clients):
            writer.transport.abort()


class _Connection(ServerConnection):
    """A connection that counts itself in and out.

    ``send_data()`` is overridden because it runs just before bytes go out: who has seen our answer to the handshake, or our close
    frame, finds the log and the number of clients up to date. A handler comes too late for that.
    """

    def __init__(self, owner: WebSocketServer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.number = 0  # its number among the server's clients, once it is open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.owner._connections.add(self)
        super().connection_made(transport)

    def send_data(self) -> None:
        state = self.protocol.state
        if state is State.OPEN:
            if not self.number:
                self.number = self.owner._client_came(self)
        elif self.number:
            self._leave()
        super().send_data()

    def connection_lost(self, exc: Exception | None) -> None:
        self.owner._connections.discard(self)
        self._leave()
        super().connection_lost(exc)

    def _leave(self) -> None:
        close = self.protocol.close_rcvd or self.protocol.close_sent
        self.owner._client_left(self, int(close.code) if close else int(CloseCode.ABNORMAL_CLOSURE))


class _LogHandler(logging.Handler):
    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self.note = note

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.note(record.getMessage() + (f": {one_line(error)}" if error else ""))


def _logger(note: Callable[[str], None]) -> logging.Logger:
    """A logger of its own that passes nothing on, so nothing is printed; warnings and errors go to the server's log."""
    logger = logging.Logger("websockets", logging.WARNING)
    logger.addHandler(_LogHandler(note))
    return logger
