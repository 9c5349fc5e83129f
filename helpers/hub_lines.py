"""Lines to a hub, one class for each transport: what notebook 23 does by hand, put together. A client that falls back picks one.

Source: https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/TransportProtocols.md
"""

import itertools
import json
from typing import Any, Self

import aiohttp

from .hub_protocol import CLOSE, COMPLETION, END, GREETING, INVOCATION, PING, dump

__all__ = ["LINES", "EventsLine", "Line", "PollingLine", "WebSocketLine", "open_line"]


async def _negotiate(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    """Ask a hub what it offers: its answer, with ``connectionToken`` and ``availableTransports``. aiohttp.ClientError."""
    async with session.post(f"{url}/negotiate", params={"negotiateVersion": 1}) as answer:
        answer.raise_for_status()
        return await answer.json()


async def open_line(url: str, transport: str) -> "Line":
    """A line to the hub at ``url`` by this transport: negotiated, opened, greeted. Whoever gets it closes it.

    async with await open_line(hub.url, "LongPolling") as line:
        print(await line.call("Add", 2, 3))

    Raises aiohttp.ClientError when the hub, or something on the way, refuses; ConnectionError when it hangs up; KeyError for
    a transport that nobody knows. It has no limit of time: an answer that never comes is waited for. When it is cancelled, or
    raises, nothing is left open.
    """
    kind = LINES[transport]
    # by default aiohttp ends every answer after five minutes, an endless one too
    session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
    line = kind(session, url)
    try:
        line.address = f"{url}?id={(await _negotiate(session, url))['connectionToken']}"
        await line.open()
        await line.write(dump(GREETING))
        if refusal := await line.hear():
            raise ConnectionError(refusal.get("error", "the hub did not greet"))
        return line
    except BaseException:
        await line.let_go()
        raise


class Line:
    """One connection to a hub. All of it runs on the loop that opened it; nothing runs in between calls.

    ``transport``: its name, as the hub offers it. ``news``: what the hub called while an answer was waited for.
    """

    transport = ""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session, self.address = session, address
        self.news: list[dict[str, Any]] = []
        self._heard: list[dict[str, Any]] = []
        self._unread = ""
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<a line by {self.transport}>"

    async def call(self, target: str, *arguments: Any) -> Any:
        """Call a method of the hub and wait for its result. RuntimeError with the hub's words when it failed.

        ConnectionError when the hub has hung up, aiohttp.ClientError when it can't be reached.
        """
        number = str(next(self._numbers))
        await self.write(dump({"type": INVOCATION, "target": target, "arguments": arguments, "invocationId": number}))
        while (record := await self.hear()).get("type") != COMPLETION or record["invocationId"] != number:
            self.news.append(record)
        if "error" in record:
            raise RuntimeError(record["error"])
        return record.get("result")

    async def hear(self) -> dict[str, Any]:
        """The next record that is no ping. ConnectionError when the hub has hung up, with its reason if it gave one."""
        while True:
            while not self._heard:
                try:
                    text = await self.read()
                except aiohttp.ClientError as error:
                    raise ConnectionError("the hub has hung up") from error
                if text is None:
                    raise ConnectionError("the hub has hung up")
                *records, self._unread = (self._unread + text).split(END)
                self._heard += map(json.loads, records)
            record = self._heard.pop(0)
            if record.get("type") == CLOSE:
                raise ConnectionError(record.get("error", "the hub has hung up"))
            if record.get("type") != PING:
                return record

    async def close(self) -> None:
        """Hang up, and say so if that is still possible."""
        try:
            await self.write(dump({"type": CLOSE}))
        except (aiohttp.ClientError, ConnectionError):
            pass  # it knows
        await self.let_go()

    async def let_go(self) -> None:
        """Close what is open, without a word."""
        await self.session.close()

    async def open(self) -> None:
        """Take the line, not greeted yet."""
        raise NotImplementedError

    async def write(self, text: str) -> None:
        """Say something: here by a request of its own."""
        async with self.session.post(self.address, data=text.encode()) as answer:
            answer.raise_for_status()

    async def read(self) -> str | None:
        """What comes next, cut anywhere; None when no more will come."""
        raise NotImplementedError


class WebSocketLine(Line):
    """Both directions on one WebSocket."""

    transport = "WebSockets"
    _ws: aiohttp.ClientWebSocketResponse | None = None

    async def open(self) -> None:
        self._ws = await self.session.ws_connect(self.address)

    async def write(self, text: str) -> None:
        assert self._ws is not None
        await self._ws.send_str(text)

    async def read(self) -> str | None:
        assert self._ws is not None
        message = await self._ws.receive()
        return message.data if message.type is aiohttp.WSMsgType.TEXT else None

    async def let_go(self) -> None:
        if self._ws is not None:
            await self._ws.close()
        await super().let_go()


class EventsLine(Line):
    """Listens to one answer that never ends, and speaks by POST."""

    transport = "ServerSentEvents"
    _stream: aiohttp.ClientResponse | None = None

    async def open(self) -> None:
        self._stream = await self.session.get(self.address, headers={"Accept": "text/event-stream"})
        self._stream.raise_for_status()
        if self._stream.content_type != "text/event-stream":
            raise aiohttp.ContentTypeError(
                self._stream.request_info, (), status=self._stream.status, message="no stream of events")

    async def let_go(self) -> None:
        if self._stream is not None:
            self._stream.close()
        await super().let_go()

    async def read(self) -> str | None:
        assert self._stream is not None
        while line := await self._stream.content.readline():
            if line.startswith(b"data: "):
                return line.removeprefix(b"data: ").rstrip(b"\r\n").decode()
        return None


class PollingLine(Line):
    """Asks again and again whether there is anything, and speaks by POST."""

    transport = "LongPolling"

    async def open(self) -> None:
        await self.read()  # answered at once: the hub takes the greeting only after it

    async def read(self) -> str | None:
        async with self.session.get(self.address) as answer:
            answer.raise_for_status()
            return None if answer.status == 204 else await answer.text()

    async def close(self) -> None:
        try:
            async with self.session.delete(self.address):
                pass
        except (aiohttp.ClientError, ConnectionError):
            pass  # it knows
        await self.let_go()


LINES: dict[str, type[Line]] = {kind.transport: kind for kind in (WebSocketLine, EventsLine, PollingLine)}
"""The transports that a client here knows, by the names that hubs give them."""
