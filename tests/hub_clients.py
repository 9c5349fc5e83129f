"""Clients that speak the hub protocol by hand over each transport, for the tests of the hub."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

END = "\x1e"
GREETING = {"protocol": "json", "version": 1}
LIMIT = 20


class Line:
    """One connection: text goes out, records come in, whatever carries them."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session, self.url = session, url
        self.records: asyncio.Queue[Any] = asyncio.Queue()
        self.closed: object = None
        """How it ended: a close code, the status of the last answer, or the error in its place."""
        self._unread = ""

    async def say(self, record: Any) -> None:
        await self.write(json.dumps(record) + END)

    async def hear(self) -> Any:
        """The next record; None when the hub has hung up."""
        async with asyncio.timeout(LIMIT):
            return await self.records.get()

    async def greet(self) -> None:
        await self.say(GREETING)
        assert await self.hear() == {}

    def take(self, text: str) -> None:
        *records, self._unread = (self._unread + text).split(END)
        for record in records:
            self.records.put_nowait(json.loads(record))

    async def write(self, text: str) -> None:
        async with self.session.post(self.url, data=io.BytesIO(text.encode())) as response:
            self.posted = response.status

    async def listen(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of what `open` has left open."""


class WebSocketLine(Line):
    async def open(self) -> None:
        self.ws = await self.session.ws_connect(self.url, max_msg_size=0)

    async def write(self, text: str) -> None:
        await self.ws.send_str(text)

    async def close(self) -> None:
        await self.ws.close()

    async def listen(self) -> None:
        async for message in self.ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.take(message.data)
        self.closed = self.ws.close_code


class EventsLine(Line):
    async def open(self) -> None:
        self.response = await self.session.get(self.url, headers={"Accept": "text/event-stream"})
        assert self.response.content_type == "text/event-stream"

    async def close(self) -> None:
        self.response.close()

    async def listen(self) -> None:
        async for line in self.response.content:
            if line.startswith(b"data: "):
                self.take(line.removeprefix(b"data: ").rstrip(b"\r\n").decode())
        self.closed = self.response.status


class PollingLine(Line):
    late = 0.0
    """Seconds from a goodbye to the next question."""

    async def open(self) -> None:
        async with self.session.get(self.url) as response:
            assert (response.status, await response.text()) == (200, "")

    async def listen(self) -> None:
        while self.closed is None:
            try:
                async with self.session.get(self.url) as response:
                    self.take(text := await response.text())
                    if response.status != 200:
                        self.closed = response.status
                if '"type":7' in text:
                    await asyncio.sleep(self.late)
            except aiohttp.ClientConnectionError as error:  # a hub that has stopped meanwhile
                self.closed = error


LINES: dict[str, type[Line]] = {
    "WebSockets": WebSocketLine, "ServerSentEvents": EventsLine, "LongPolling": PollingLine,
}


async def negotiate(session: aiohttp.ClientSession, url: str, version: int = 1) -> Any:
    async with session.post(f"{url}/negotiate", params={"negotiateVersion": version}) as response:
        assert response.status == 200
        return await response.json()


@asynccontextmanager
async def line(url: str, transport: str) -> AsyncIterator[Line]:
    """A connection by this transport, negotiated, listening, not yet greeted."""
    async with aiohttp.ClientSession() as session:
        token = (await negotiate(session, url))["connectionToken"]
        opened = LINES[transport](session, f"{url}?id={token}")
        await opened.open()

        async def listen() -> None:
            await opened.listen()
            opened.records.put_nowait(None)

        listening = asyncio.create_task(listen())
        try:
            yield opened
        finally:
            listening.cancel()
            await asyncio.wait([listening])
            await opened.close()
