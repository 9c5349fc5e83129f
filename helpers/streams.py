"""Any handler of asyncio streams, served over plain TCP in a background thread."""

import asyncio
from collections.abc import Awaitable, Callable

from .background import BACKLOG, BackgroundServer, one_line

StreamHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_GRACE = 0.3  # seconds that clients have to take the rest of their bytes when the server stops


class StreamServer(BackgroundServer):
    """Any stream handler of yours, served over plain TCP in a background thread.

    handler: a coroutine function that takes a reader and a writer, one call for each client, as for
        ``asyncio.start_server``. It runs on the server's own loop. When it raises, the error stands in ``log`` and the
        line is closed. When it returns without having closed its writer, the line stays open: the client still counts.
    host, port, name: as for ``BackgroundServer``.

    Raises TypeError when the handler can't be called.

    Source: https://docs.python.org/3/library/asyncio-stream.html#asyncio.start_server
    """

    def __init__(
        self, handler: StreamHandler, *, host: str = "127.0.0.1", port: int = 0, name: str | None = None
    ) -> None:
        super().__init__(host=host, port=port, name=name)
        if not callable(handler):
            raise TypeError(f"handler must be an async function that takes a reader and a writer, not {handler!r}")
        self.handler = handler
        self._writers: set[asyncio.StreamWriter] = set()  # whose lines are open, also of clients that are counted out

    async def _open(self) -> None:
        self._server = await asyncio.start_server(self._meet, sock=self._listen(), backlog=BACKLOG)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The life of one client: the handler, and then the wait until its line is closed."""
        number = self._client_came(writer)
        self._writers.add(writer)
        how = "stopped"
        try:
            await self._handle(number, reader, writer)
            how = "handler returned"
            await gone(writer)
        finally:
            writer.close()
            self._client_left(writer, how)
            self._writers.discard(writer)

    async def _handle(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.handler(reader, writer)
        except Exception as error:
            # what an error of the operating system says differs from system to system
            name = type(error).__name__ if isinstance(error, OSError) else one_line(error)
            self._note(f"client {number}: handler failed: {name}")
            self._client_left(writer, "handler failed")
            writer.close()

    async def _close(self) -> None:
        self._server.close()
        writers = list(self._writers)
        for writer in writers:
            writer.close()
        try:
            if writers:
                await asyncio.wait([asyncio.create_task(gone(writer)) for writer in writers], timeout=_GRACE)
        finally:  # also when time is up
            for writer in writers:
                writer.transport.abort()  # it has more to send, to a client that doesn't read


async def gone(writer: asyncio.StreamWriter) -> None:
    """Wait until the line of a writer is closed, whichever way that happens."""
    try:
        await writer.wait_closed()
    except OSError:
        pass
