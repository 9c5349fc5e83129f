"""How the records of one caller travel: by WebSocket, by server-sent events with POST, by long polling with POST.

Each function serves one request of aiohttp's, on the hub's loop, and returns the answer.

Source: https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/TransportProtocols.md
"""

import asyncio
import time

from aiohttp import WSCloseCode, WSMsgType, web

from .hub_protocol import PING, Caller, dump

_PING = dump({"type": PING})
_GOODBYE = 0.3  # seconds that a client has to answer a close


async def websocket(request: web.Request, caller: Caller, *, ping: float, max_size: int) -> web.StreamResponse:
    """Both directions on one WebSocket. ping: seconds of silence after which the hub sends a Ping record, to a client that it has greeted."""
    ws = web.WebSocketResponse(max_msg_size=4 * max_size + 1, timeout=_GOODBYE, compress=False)
    await ws.prepare(request)
    reading = asyncio.create_task(_read(ws, caller))
    try:
        while (text := await caller.next_text(ping if caller.greeted else None)) is not None:
            await ws.send_str(text or _PING)
    except ConnectionError:
        pass  # it is gone: the reader knows
    finally:
        # close() beside a task that reads would wait for an answer which the other one takes
        reading.cancel()
        await asyncio.wait([reading])
        caller.end("gone")
    await ws.close(code=WSCloseCode.GOING_AWAY if caller.sent_away else WSCloseCode.OK)
    return ws


async def _read(ws: web.WebSocketResponse, caller: Caller) -> None:
    try:
        async for message in ws:
            if message.type is WSMsgType.TEXT:
                caller.receive(message.data)
            elif message.type is WSMsgType.BINARY:
                caller.receive(message.data.decode())
    except UnicodeDecodeError:
        caller.refuse("A record is not UTF-8.")
    caller.end("gone")


async def server_sent_events(request: web.Request, caller: Caller, *, ping: float) -> web.StreamResponse:
    """One direction, from the hub, as an endless answer; what the client says comes by POST."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
    await response.prepare(request)
    try:
        await response.write(b":\r\n")  # something, so that the client knows it is connected
        while (text := await caller.next_text(ping if caller.greeted else None)) is not None:
            await response.write(b"data: " + (text or _PING).encode() + b"\r\n\r\n")
        await response.write_eof()
    except ConnectionError:
        pass
    finally:
        caller.end("gone")
    return response


async def long_polling(request: web.Request, caller: Caller, *, first: bool, patience: float) -> web.Response:
    """One answer with what there is, or when there is something; 204 when there will never be anything.

    first: the first poll of a connection is answered at once: the client sends its handshake only after it.
    patience: seconds that a poll without news stays open.
    """
    text = "" if first else await caller.next_text(patience)
    caller.heard = time.monotonic()
    if text is None:
        return web.Response(status=204)
    return web.Response(body=text.encode(), content_type="application/octet-stream")


async def take_post(request: web.Request, caller: Caller, *, max_size: int) -> web.Response:
    """What a client says that can't say it by the connection it listens on."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > 4 * max_size:
            caller.refuse(f"A record is longer than {max_size} characters.")
            return web.Response(status=413, text="too long")
    try:
        caller.receive(body.decode())
    except UnicodeDecodeError:
        caller.refuse("A record is not UTF-8.")
    return web.Response(content_type="text/plain")
