"""A background server on aiohttp: HTTP with bodies and WebSockets behind one address."""

from aiohttp import web

from .background import BACKLOG, BackgroundServer

STOPPING = 0.3
"""Seconds that clients get to hear the goodbye."""


class HTTPServer(BackgroundServer):
    """Serves an aiohttp application. A subclass calls ``_open_app(app)`` in its ``_open``, and ``_close_app()`` in its ``_close``."""

    path = ""
    """What stands behind the address in ``url``."""

    @property
    def url(self) -> str:
        """Where a client connects, such as ``http://127.0.0.1:PORT/hub``. RuntimeError before the first start."""
        host, port = self.address
        return f"http://{f'[{host}]' if ':' in host else host}:{port}{self.path}"

    async def _open_app(self, app: web.Application) -> None:
        self._runner = web.AppRunner(
            app,
            handle_signals=False,
            access_log=None,
            handler_cancellation=True,  # a dead poll or stream of events ends with its connection
            logger=self._quiet_logger("aiohttp"),
            shutdown_timeout=STOPPING,
        )
        await self._runner.setup()
        try:
            await web.SockSite(self._runner, self._listen(), backlog=BACKLOG).start()
        except BaseException:
            await self._runner.cleanup()
            raise

    async def _close_app(self) -> None:
        await self._runner.cleanup()
