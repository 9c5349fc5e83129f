"""Clients of a hub for a notebook: by hand over a bare WebSocket, and pysignalr's, which leaves nothing behind."""

import asyncio
import gc
import os
import socket
from collections.abc import Callable, Iterator

import pytest
from pysignalr.client import SignalRClient
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from helpers.hub import Hub
from helpers.hub_guest import running
from helpers.hub_talk import END, hear, negotiate, session

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.filterwarnings("error")]


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as hub:

        @hub.method
        def Add(a, b):
            return a + b

        @hub.method
        async def Count(end):
            for number in range(end):
                yield number
                await asyncio.sleep(0.002)

        yield hub


def uri(hub: Hub) -> str:
    return "ws://%s:%d/hub" % hub.address


def test_a_ticket_and_a_call(hub: Hub) -> None:
    async def main() -> None:
        offer = negotiate(hub.address)
        assert [way["transport"] for way in offer["availableTransports"]] == ["WebSockets", "ServerSentEvents", "LongPolling"]
        async with session(f"{uri(hub)}?id={offer['connectionToken']}") as ws:
            await ws.send('{"type":1,"target":"Add","arguments":[2,3],"invocationId":"1"}' + END)
            assert await hear(ws, 3) == [{"type": 3, "invocationId": "1", "result": 5}]
            await ws.send('{"type":4,"target":"Count","arguments":[2],"invocationId":"2"}' + END)
            assert [one["type"] for one in await hear(ws, 3)] == [2, 2, 3]

    asyncio.run(main())
    assert hub.log[-1] == "client 1 left (gone)"


def test_a_hub_that_says_no() -> None:
    async def main() -> None:
        async def no(ws: ServerConnection) -> None:
            await ws.recv()
            await ws.send('{"error":"not today"}' + END)

        async with serve(no, "127.0.0.1", 0) as server:
            with pytest.raises(ConnectionError, match="not today"):
                async with session("ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]):
                    pass

    asyncio.run(main())


def test_nothing_to_hear(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with session(uri(hub)) as ws:
                await hear(ws, 3)

    monkeypatch.setattr("helpers.hub_talk._PATIENCE", 0.3)
    asyncio.run(main())


def test_nobody_there(quiet_port: int) -> None:
    with pytest.raises(OSError):
        negotiate(("127.0.0.1", quiet_port))


# pysignalr


async def visit(hub: Hub, stream: bool) -> SignalRClient:
    heard: asyncio.Queue = asyncio.Queue()
    client = SignalRClient(hub.url)
    client.on("ball", heard.put)
    async with running(client), asyncio.timeout(20):
        await client.send("Add", [2, 3], heard.put)
        assert (await heard.get()).result == 5
        hub.broadcast("ball", "15:0")
        assert await heard.get() == ["15:0"]
        if stream:
            await client.stream("Count", [10**9], heard.put)
            assert await heard.get() == 0
    return client


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_is_gone_when_its_block_has_ended(hub: Hub, stream: bool, eventually: Callable[[Callable[[], object]], None]) -> None:
    async def main() -> None:
        tasks = asyncio.all_tasks()
        for _ in range(5):
            client = await visit(hub, stream)
            line = client._transport._ws
            assert line.transport.get_extra_info("socket").fileno() == -1
            assert line.close_code == 1000
        gc.collect()  # the generator that run() leaves
        for _ in range(10):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks
        await visit(hub, stream)  # and the loop ends at once

    asyncio.run(main())
    eventually(lambda: not hub.clients)


def test_an_error_of_the_block_and_of_a_callback(hub: Hub) -> None:
    async def fails(arguments: list) -> None:
        raise ValueError(arguments)

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with running(SignalRClient(hub.url)):
                1 / 0
        client = SignalRClient(hub.url)
        client.on("ball", fails)
        with pytest.raises(ValueError, match="15:0"):
            async with running(client), asyncio.timeout(20):
                hub.broadcast("ball", "15:0")
                await asyncio.Event().wait()

    asyncio.run(main())


def test_the_hub_goes_first(hub: Hub) -> None:
    async def main() -> None:
        async with running(SignalRClient(hub.url)):
            await asyncio.to_thread(hub.stop)

    asyncio.run(main())


def test_no_hub(quiet_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        with pytest.raises((OSError, TimeoutError, ConnectionClosed)):
            async with running(SignalRClient(f"http://127.0.0.1:{quiet_port}/hub")):
                pass

    asyncio.run(main())


def test_a_proxy_is_passed_by(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:  # it answers nobody
        for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:%d" % proxy.getsockname()[1])
        monkeypatch.setenv("no_proxy", "example.org")
        asyncio.run(visit(hub, False))
        assert os.environ["no_proxy"] == "example.org"
        monkeypatch.delenv("no_proxy")
        asyncio.run(visit(hub, False))
        assert "no_proxy" not in os.environ
