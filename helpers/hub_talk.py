"""Talking to a hub over a bare WebSocket: the question before it, the handshake, and records heard."""

import asyncio
import contextlib
import http.client
import json
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from .hub_protocol import END, GREETING, dump

_PATIENCE = 4.0  # seconds for all of a session: longer waits lose a cell's output


def negotiate(address: tuple[str, int], path: str = "/hub") -> dict[str, Any]:
    """What a hub answers to a POST to its ``/negotiate``: the ways that it offers, and a ticket.

    address: (host, port) of the hub, or of a wire in front of it. Blocks the thread that calls for three seconds at most; a
    hub runs in a thread of its own, so a cell may call it.

    Raises OSError when nobody answers, ValueError when the answer is no JSON.

    Source: https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/TransportProtocols.md
    """
    with contextlib.closing(http.client.HTTPConnection(*address, timeout=3)) as line:
        line.request("POST", f"{path}/negotiate?negotiateVersion=1")
        return json.load(line.getresponse())


@contextlib.asynccontextmanager
async def session(uri: str) -> AsyncIterator[ClientConnection]:
    """A WebSocket to a hub, behind the handshake of the hub protocol; closed at the end of the block.

    async with session(uri) as ws:
        await ws.send('{"type":6}' + END)

    uri: ``ws://127.0.0.1:PORT/hub``, with or without a ticket (``?id=…``). Runs on the loop of the cell.

    Raises ConnectionError with the hub's words when it refuses the handshake, TimeoutError when block and handshake together
    take more than four seconds, and what ``connect`` raises.
    """
    async with asyncio.timeout(_PATIENCE), connect(uri, proxy=None) as ws:
        await ws.send(dump(GREETING))
        if (answer := await ws.recv()) != "{}" + END:
            raise ConnectionError(str(answer).rstrip(END))
        yield ws


async def hear(ws: ClientConnection, last: int) -> list[dict[str, Any]]:
    """The records that come, up to the message in which there is one of the type ``last``.

    A hub may take records in pieces, but it sends whole ones only, so that each message can be taken apart by itself.
    """
    heard: list[dict[str, Any]] = []
    while last not in [one.get("type") for one in heard]:
        heard += [json.loads(one) for one in str(await ws.recv()).split(END)[:-1]]
    return heard
