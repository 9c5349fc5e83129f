"""A match whose points can be had in four ways at one address: polling, long polling, server-sent events, WebSocket."""

import asyncio
import contextlib
import json
import time
from collections.abc import Sequence
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from .http_server import STOPPING, HTTPServer

__all__ = ["GAPS", "POINTS", "ScoreServer"]

GAPS = (0.21, 0.02, 0.11, 0.05, 0.16, 0.09) * 4
"""Seconds before each point of the usual match: some come one by one, some in a bunch."""

POINTS = len(GAPS)

_GAME = ("15:0", "15:15", "30:15", "40:15", "40:30", "game")
_LONGEST_WAIT = 4.0  # seconds that a long poll stays open at most
_YEAR = 31_536_000  # seconds


class ScoreServer(HTTPServer):
    """A server that publishes the points of a match, and tells them in whichever way it is asked.

    GET /scores?after=7            polling: a JSON list of what came after point 7, at once, [] when there is nothing
    GET /scores?after=7&wait=2     long polling: the same, but only when there is something, or after two seconds
    GET /scores                    with ``Accept: text/event-stream`` server-sent events, with ``Upgrade: websocket`` a
                                   WebSocket: every point as it comes; those after ``Last-Event-ID``, or all, at once
    GET /scores/7                  point 7 alone, which never changes: an ETag, and 304 for who has it; 404 before it is played
    POST /cheers                   a word from the client; on a WebSocket it is a message

    A point is ``{"n": 7, "score": "15:0"}``, numbered from 1. ``host``, ``port``, ``name``: as for ``BackgroundServer``.

    Sources: https://html.spec.whatwg.org/multipage/server-sent-events.html (server-sent events),
    https://www.rfc-editor.org/rfc/rfc6202 (long polling), https://www.rfc-editor.org/rfc/rfc9110 (304 and 404).
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, name: str | None = None) -> None:
        super().__init__(host=host, port=port, name=name)
        self._moments: list[float] = []
        self._heard: list[str] = []
        self._playing: asyncio.Task[None] | None = None

    # What a cell uses

    @property
    def uri(self) -> str:
        """Where a WebSocket connects: ``ws://127.0.0.1:PORT/scores``. RuntimeError before the first start."""
        return self.url.replace("http", "ws", 1) + "/scores"

    @property
    def moments(self) -> list[float]:
        """When each point was played, on the clock ``time.monotonic()``: a copy."""
        return self._moments.copy()

    @property
    def heard(self) -> list[str]:
        """What clients have said since the match began, oldest first: a copy."""
        return self._heard.copy()

    def play(self, gaps: Sequence[float] = GAPS) -> None:
        """Begin a new match and return: a point after each of ``gaps`` seconds. What runs of an old match ends.

        From a cell or any thread. RuntimeError when the server isn't running, TimeoutError when it didn't answer within four seconds.
        """
        self.run(self._begin, tuple(gaps))

    # The machinery, all of it on the server's loop

    async def _open(self) -> None:
        self._news = asyncio.Condition()
        self._ending = False
        self._sockets: set[web.WebSocketResponse] = set()
        self._moments, self._heard = [], []
        app = web.Application()
        app.router.add_get("/scores", self._scores)
        app.router.add_get("/scores/{n:[0-9]+}", self._one)
        app.router.add_post("/cheers", self._cheer)
        await self._open_app(app)

    async def _close(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
        async with self._news:
            self._ending = True  # polls are answered and streams come to their end
            self._news.notify_all()
        await asyncio.gather(*(ws.close(code=WSCloseCode.GOING_AWAY) for ws in list(self._sockets)))
        await self._close_app()

    def _begin(self, gaps: tuple[float, ...]) -> None:
        if self._playing is not None:
            self._playing.cancel()
        self._moments, self._heard = [], []
        self._playing = asyncio.get_running_loop().create_task(self._match(gaps))

    async def _match(self, gaps: tuple[float, ...]) -> None:
        due = time.monotonic()
        for gap in gaps:
            due += gap
            await asyncio.sleep(due - time.monotonic())
            async with self._news:
                self._moments.append(time.monotonic())
                self._news.notify_all()

    async def _more_than(self, count: int) -> bool:
        """Wait until more than ``count`` points have been played. False: the server stops."""
        async with self._news:
            await self._news.wait_for(lambda: self._ending or len(self._moments) > count)
        return not self._ending

    async def _scores(self, request: web.Request) -> web.StreamResponse:
        after = _number(request.query.get("after") or request.headers.get("Last-Event-ID") or "0")
        wait = _number(request.query.get("wait") or "0")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._websocket(request, int(after))
        if "text/event-stream" in request.headers.get("Accept", ""):
            return await self._stream(request, int(after))
        if wait:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(wait, _LONGEST_WAIT)):
                    await self._more_than(int(after))
        points = [point(n) for n in range(int(after) + 1, len(self._moments) + 1)]
        return web.json_response(points, headers={"Cache-Control": "no-store"})

    async def _stream(self, request: web.Request, told: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        self._client_came(response)
        try:
            with contextlib.suppress(ConnectionError):
                while await self._more_than(told):
                    told += 1
                    await response.write(f"id: {told}\ndata: {json.dumps(point(told))}\n\n".encode())
                await response.write_eof()
        finally:
            self._client_left(response, "gone")
        return response

    async def _websocket(self, request: web.Request, told: int) -> web.StreamResponse:
        ws = web.WebSocketResponse(timeout=STOPPING, compress=False)
        await ws.prepare(request)
        self._sockets.add(ws)
        self._client_came(ws)
        telling = asyncio.create_task(self._tell(ws, told))
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    self._heard.append(message.data)
        finally:
            telling.cancel()
            self._sockets.discard(ws)
            self._client_left(ws, "gone")
        return ws

    async def _tell(self, ws: web.WebSocketResponse, told: int) -> None:
        with contextlib.suppress(ConnectionError):
            while await self._more_than(told):
                told += 1
                await ws.send_str(json.dumps(point(told)))

    async def _one(self, request: web.Request) -> web.Response:
        n = int(request.match_info["n"])
        if not 1 <= n <= len(self._moments):
            return web.Response(status=404, text=f"point {n} has not been played")
        known = {"ETag": f'"{n}"', "Cache-Control": f"max-age={_YEAR}, immutable"}
        if request.headers.get("If-None-Match") == known["ETag"]:
            return web.Response(status=304, headers=known)
        return web.json_response(point(n), headers=known)

    async def _cheer(self, request: web.Request) -> web.Response:
        self._heard.append(await request.text())
        return web.Response(status=204)


def point(n: int) -> dict[str, Any]:
    """Point ``n`` of the match."""
    return {"n": n, "score": _GAME[(n - 1) % len(_GAME)]}


def _number(text: str) -> float:
    try:
        return max(0.0, float(text))
    except ValueError:
        raise web.HTTPBadRequest(text=f"{text!r} is no number") from None
