"""The match with its four ways to follow it, and the races that measure them."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from helpers import Wire
from helpers.deliveries import BROWSER, Arrivals, Delivery, caller, race, silence
from helpers.recording import Event
from helpers.scores import GAPS, POINTS, ScoreServer, point

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.filterwarnings("error")]

MANY = 3


async def wait_until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():
            await asyncio.sleep(0.01)


def with_server(talk: Callable[[ScoreServer, aiohttp.ClientSession], Awaitable[None]], points: int = MANY) -> ScoreServer:
    """A server that has played some points, and one who talks with it."""

    async def run() -> None:
        server.play([0.0] * points)
        await wait_until(lambda: len(server.moments) == points)
        async with aiohttp.ClientSession(server.url) as http:
            await talk(server, http)

    with ScoreServer() as server:
        asyncio.run(run())
    return server


async def events_of(answer: aiohttp.ClientResponse, count: int) -> list[Any]:
    got = []
    while len(got) < count:
        line = await answer.content.readline()
        if line.startswith(b"data: "):
            got.append(json.loads(line[6:]))
    return got


# The ways


def test_a_poll_is_answered_at_once_with_what_is_new() -> None:
    async def talk(server: ScoreServer, http: aiohttp.ClientSession) -> None:
        for after in range(MANY + 2):
            async with http.get(f"/scores?after={after}") as answer:
                assert answer.status == 200
                assert await answer.json() == [point(n) for n in range(after + 1, MANY + 1)]

    with_server(talk)


def test_a_long_poll_waits_until_there_is_something() -> None:
    async def talk(server: ScoreServer, http: aiohttp.ClientSession) -> None:
        server.play([0.2])
        async with http.get("/scores?after=0&wait=4") as answer:
            assert await answer.json() == [point(1)]
        async with http.get("/scores?after=1&wait=0.05") as answer:
            assert await answer.json() == []

    with_server(talk)


@pytest.mark.parametrize("query", ["after=x", "after=1&wait=soon"])
def test_a_number_that_is_none_is_a_bad_request(query: str) -> None:
    async def talk(server: ScoreServer, http: aiohttp.ClientSession) -> None:
        async with http.get(f"/scores?{query}") as answer:
            assert answer.status == 400

    with_server(talk)


def test_server_sent_events_go_on_behind_the_last_id() -> None:
    async def talk(server: ScoreServer, http: aiohttp.ClientSession) -> None:
        for told in (0, 2):
            headers = {"Accept": "text/event-stream", "Last-Event-ID": str(told)}
            async with http.get("/scores", headers=headers) as answer:
                assert answer.content_type == "text/event-stream"
                assert await events_of(answer, MANY - told) == [point(n) for n in range(told + 1, MANY + 1)]

    with_server(talk)


def test_a_websocket_tells_every_point_and_takes_cheers() -> None:
    async def talk(server: ScoreServer, http: aiohttp.ClientSession) -> None:
        async with http.ws_connect("/scores?after=1") as ws:
            assert [await ws.receive_json() for _ in range(MANY - 1)] == [point(2), point(3)]
            await ws.send_str("bravo!")
            await wait_until(lambda: server.heard == ["bravo!"])
        async with http.post("/cheers", data="olé") as answer:
            assert answer.status == 204
        assert server.heard == ["bravo!", "olé"]
        await wait_until(lambda: server.clients == 0)

    assert with_server(talk).log == ["client 1 connected", "client 1 left (gone)"]


def test_a_point_has_an_address_a_version_and_a_status() -> None:
    async def talk(server: ScoreServer, http: aiohttp.ClientSession) -> None:
        async with http.get("/scores/2") as answer:
            assert (answer.status, await answer.json()) == (200, point(2))
            assert "max-age" in answer.headers["Cache-Control"]
            tag = answer.headers["ETag"]
        async with http.get("/scores/2", headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
        for path in ("/scores/0", "/scores/4", "/nowhere"):
            async with http.get(path) as answer:
                assert answer.status == 404

    with_server(talk)


def test_a_handshake_at_the_wrong_address_gets_a_status() -> None:
    with ScoreServer() as server, pytest.raises(InvalidStatus, match="HTTP 404"):
        connect(server.uri + "/99", proxy=None).__enter__()


def test_a_new_match_forgets_the_old_one() -> None:
    with ScoreServer() as server:
        server.play([0.0, 30])
        before = time.monotonic()
        while not server.moments:
            assert time.monotonic() - before < 10
            time.sleep(0.01)
        assert before - 1 < server.moments[0] <= time.monotonic()
        server.play([])
        assert server.moments == [] and server.heard == []


def test_it_stops_at_once_while_all_listen_and_says_so() -> None:
    """Also in the middle of a match, and it can be started again."""
    ended: list[object] = []

    async def listen(server: ScoreServer) -> None:
        async with aiohttp.ClientSession(server.url) as http:
            ws = await http.ws_connect("/scores")
            stream = await http.get("/scores", headers={"Accept": "text/event-stream"})
            poll = asyncio.create_task(http.get("/scores?after=0&wait=4"))
            await wait_until(lambda: len(server._news._waiters) == 3)  # all three wait for news
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            ended.append((await ws.receive()).data)
            ended.append(await stream.content.read())
            async with await poll as answer:
                ended.append(await answer.json())
            await stopping

    server = ScoreServer()
    for _ in range(2):
        server.start()
        server.play([30.0])
        before = time.monotonic()
        asyncio.run(listen(server))
        assert time.monotonic() - before < 3
        assert not server.running and not [t for t in threading.enumerate() if "ScoreServer" in t.name]
    assert ended == [1001, b"", []] * 2
    assert not any("Error" in entry for entry in server.log), server.log


# The races


async def polls(http: aiohttp.ClientSession, got: Arrivals) -> None:
    while len(got) < MANY:
        async with http.get(f"/scores?after={len(got)}") as answer:
            got.extend(await answer.json())
        await asyncio.sleep(0.1)


async def listens(http: aiohttp.ClientSession, got: Arrivals) -> None:
    async with http.ws_connect("/scores") as ws:
        while len(got) < MANY:
            got.append(await ws.receive_json())


def test_a_race_says_when_each_point_came_and_counts_the_bytes() -> None:
    with ScoreServer() as server:
        results = asyncio.run(race(server, {"polling": polls, "WebSocket": listens}, gaps=[0.05, 0.15, 0.15], delay=0.01))
    assert list(results) == ["polling", "WebSocket"]
    for delivery in results.values():
        assert len(delivery.flights) == MANY and delivery.flights[0][0] == 0
        assert all(heard - published > 0.009 for published, heard in delivery.flights)
        assert delivery.bytes_from() == delivery.bytes_from("client") + delivery.bytes_from("server")
    assert results["WebSocket"].requests == 1
    assert results["polling"].requests > 1
    handshake = b"".join(e.data for e in results["WebSocket"].recording if e.kind == "received" and e.sender == "client")
    assert all(value.encode() in handshake for name, value in BROWSER.items())


def test_silence_is_silent_where_nobody_asks() -> None:
    with ScoreServer() as server:
        results = asyncio.run(silence(server, {"polling": polls, "WebSocket": listens}, 1.2))
    assert results["polling"].requests > 0
    assert results["WebSocket"].bytes_from() == 0
    assert all(delivery.flights == [] for delivery in results.values())


def test_a_race_raises_what_a_way_raises() -> None:
    async def fails(http: aiohttp.ClientSession, got: Arrivals) -> None:
        raise KeyError("n")

    with ScoreServer() as server, pytest.raises(KeyError):
        asyncio.run(race(server, {"fails": fails, "WebSocket": listens}))


def test_silence_raises_what_a_way_raises() -> None:
    async def fails(http: aiohttp.ClientSession, got: Arrivals) -> None:
        raise KeyError("n")

    async def leaves(http: aiohttp.ClientSession, got: Arrivals) -> None:
        pass

    with ScoreServer() as server:
        with pytest.raises(KeyError):
            asyncio.run(silence(server, {"fails": fails, "WebSocket": listens}))
        with pytest.raises(RuntimeError, match="no point had come"):
            asyncio.run(silence(server, {"leaves": leaves, "WebSocket": listens}))


def test_a_race_with_somebody_who_never_comes_in_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def waits(http: aiohttp.ClientSession, got: Arrivals) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr("helpers.deliveries._PATIENCE", 0.3)
    with ScoreServer() as server, pytest.raises(TimeoutError):
        asyncio.run(race(server, {"waits": waits, "WebSocket": listens}))


def test_a_caller_goes_through_the_wire() -> None:
    async def call() -> int:
        async with caller(wire) as http, http.get("/scores") as answer:
            return answer.status

    with ScoreServer() as server, Wire(server) as wire:
        assert asyncio.run(call()) == 200
        assert wire.bytes_from("client").startswith(b"GET /scores HTTP/1.1\r\n")


def test_a_delivery_without_events_has_no_middle() -> None:
    said = [Event(0, 1, "client", "received", b"abc"), Event(0, 1, "client", "passed", b"abc"), Event(1, 1, "server", "received", b"d")]
    delivery = Delivery([], said)
    assert (delivery.bytes_from(), delivery.bytes_from("client"), delivery.requests) == (4, 3, 0)
    with pytest.raises(ValueError):
        delivery.late
    assert Delivery([(0, 1), (1, 4), (2, 9)], said).late == 3


def test_the_usual_match_has_its_points() -> None:
    assert POINTS == len(GAPS) == 24
    assert point(6) == {"n": 6, "score": "game"}
