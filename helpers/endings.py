"""Ends of connections, brought about on purpose: what both sides see of them (notebook 16)."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from .background import BackgroundServer
from .echo import EchoServer, WebSocketServer
from .states import StateLog
from .wire import Wire

__all__ = ["all_gone", "ending", "table", "watched"]

_PATIENCE = 3.0  # seconds for each wait

Act = Callable[[ClientConnection], Any]


async def all_gone(server: BackgroundServer) -> None:
    """Wait until ``server`` (a wire, too) has no clients any more. TimeoutError after three seconds."""
    async with asyncio.timeout(_PATIENCE):
        while server.clients:
            await asyncio.sleep(0.01)


async def ending(uri: str, act: Act) -> ConnectionClosed:
    """Connect to ``uri``, let ``act(ws)`` do something (plain or to be awaited), listen, and return how the connection ended.

    What comes back is the exception that the client met: ``.rcvd`` and ``.sent`` are the close frames, or None, and
    ``.rcvd_then_sent`` says which was first. A close that ``act`` itself waited for counts as well.

    Raises AssertionError when a message came in place of the end, TimeoutError when neither came within three seconds.
    """
    try:
        async with connect(uri, proxy=None, close_timeout=1) as ws, asyncio.timeout(_PATIENCE):
            await _done(act(ws))
            message = await ws.recv()
    except ConnectionClosed as closed:
        return closed
    raise AssertionError(f"no end: the server answered {message!r:.60}")


async def table(server: WebSocketServer, acts: Mapping[str, Act]) -> str:
    """One line for each act: who closed first, what the client's exception was, its code, what ``server`` noted, the reason.

    Raises what ``ending()`` raises.
    """
    lines = ["visitor           first    raises  code  server's log  reason"]
    for what, act in acts.items():
        closed = await ending(server.uri, act)
        await all_gone(server)
        first = {True: "server", False: "visitor", None: "nobody"}[closed.rcvd_then_sent]
        kind = type(closed).__name__.removeprefix("ConnectionClosed")
        code = int(closed.rcvd.code if closed.rcvd else CloseCode.ABNORMAL_CLOSURE)
        noted = next(entry for entry in reversed(server.log) if " left " in entry).split(" ", 2)[2]
        reason = closed.rcvd.reason if closed.rcvd else ""
        lines.append(f"{what:<18}{first:<9}{kind:<8}{code:<6}{noted:<14}{reason}".rstrip())
    return "\n".join(lines)


async def watched(end: Callable[[ClientConnection, Wire], Any]) -> StateLog:
    """One connection through a wire to an echo server of its own, ended by ``end(ws, wire)``, plain or to be awaited.

    Returns the states that both ends went through. TimeoutError when one of them isn't closed within three seconds.
    """
    log = StateLog()
    with EchoServer(logger=log.server) as server, Wire(server) as wire:
        async with connect(wire.uri, proxy=None, logger=log.client) as ws, asyncio.timeout(_PATIENCE):
            await _done(end(ws, wire))
            await ws.wait_closed()
        async with asyncio.timeout(_PATIENCE):
            while not (log.ended("client") and log.ended("server")):
                await asyncio.sleep(0.01)
    return log


async def _done(result: Any) -> None:
    if inspect.isawaitable(result):
        await result
