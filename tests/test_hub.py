"""The hub: a recorded session replayed record by record, its transports, leases, and clients that misbehave."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hub_clients import END, GREETING, LINES, Line, line, negotiate
from pysignalr.client import SignalRClient
from pysignalr.messages import CompletionMessage
from websockets.sync.client import connect

from helpers import background
from helpers.hub import Caller, Hub, HubError
from helpers.hub_guest import running

pytestmark = [pytest.mark.usefixtures("nothing_left", "silence"), pytest.mark.filterwarnings("error")]

SESSION = [json.loads(row) for row in (Path(__file__).parent / "signalr" / "session.jsonl").read_text("utf-8").splitlines()]
"""A session of the official client with a hub of ASP.NET Core 3.1: (">" from the client or "<" from the hub, record)."""

LIMIT = 20
EVERY = pytest.mark.parametrize("transport", LINES)


@pytest.fixture
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    assert capfd.readouterr() == ("", "")


def specimen(**options: Any) -> Hub:
    """A hub with the methods of the recorded one, and some more."""
    hub = Hub(**options)

    @hub.method
    def Echo(text):
        return text

    @hub.method
    def Broadcast(text):
        hub.broadcast("news", text)

    @hub.method
    async def Counter(count):
        for number in range(count):
            await asyncio.sleep(0.02)
            yield number

    @hub.method
    async def Boom():
        raise HubError("boom!")

    @hub.method(name="Secret")
    def fails():
        raise ValueError("the password is swordfish")

    @hub.method
    def Unsayable():
        return {1, 2}

    @hub.method
    def Join(caller: Caller, group):
        caller.join(group)

    @hub.method
    def Leave(caller: Caller, group):
        caller.leave(group)

    return hub


@pytest.fixture
def hub() -> Iterator[Hub]:
    with specimen() as hub:
        yield hub
    assert not background._running


async def ask(line: Line, target: str, *arguments: Any, number: str = "1", kind: int = 1) -> Any:
    await line.say({"type": kind, "target": target, "arguments": arguments, "invocationId": number})
    return await line.hear()


def test_the_recorded_session(hub: Hub, subtests: pytest.Subtests) -> None:
    @hub.method
    async def Counter(count):
        for number in range(count):
            if count == 1000 and number == 2:
                await asyncio.Event().wait()  # until the client stops it, which takes its time on a busy machine
            yield number

    async def replay(transport: str) -> None:
        async with line(hub.url, transport) as client:
            for direction, record in SESSION:
                if direction == ">":
                    await client.say(record)
                else:
                    assert await client.hear() == record
            assert await client.hear() is None  # the client's Close is answered by hanging up
            assert client.closed == {"WebSockets": 1000, "ServerSentEvents": 200, "LongPolling": 204}[transport]

    for transport in LINES:
        with subtests.test(transport):
            asyncio.run(replay(transport))
    assert hub.log == [entry for number in (1, 2, 3) for entry in (
        f"client {number} connected", f"client {number}: Boom failed: HubError: boom!",
        f"client {number} left (closed by the client)")]


def test_what_is_on_offer(hub: Hub) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            new, old = await negotiate(session, hub.url), await negotiate(session, hub.url, 0)
        assert new.keys() == {"negotiateVersion", "connectionId", "connectionToken", "availableTransports"}
        assert new["connectionId"] != new["connectionToken"]
        assert [offer["transport"] for offer in new["availableTransports"]] == list(LINES)
        assert new["availableTransports"][1]["transferFormats"] == ["Text"]
        assert old.keys() == {"negotiateVersion", "connectionId", "availableTransports"}
        assert (new["negotiateVersion"], old["negotiateVersion"]) == (1, 0)
        async with aiohttp.ClientSession() as session:  # version 0: the id is what lets a client in
            async with session.get(hub.url, params={"id": old["connectionId"]}) as response:
                assert response.status == 200

    asyncio.run(main())


@pytest.mark.parametrize("method, query, status", [
    ("GET", "", 400), ("POST", "", 400), ("GET", "?id=wrong", 404), ("POST", "?id=wrong", 404),
    ("DELETE", "?id=wrong", 404),
])
def test_without_a_token(hub: Hub, method: str, query: str, status: int) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session, session.request(method, hub.url + query) as response:
            assert response.status == status

    asyncio.run(main())


def test_one_transport_for_a_connection(hub: Hub) -> None:
    async def main() -> None:
        async with line(hub.url, "ServerSentEvents") as client:
            await client.greet()
            async with client.session.get(client.url) as response:
                assert response.status == 409
            async with client.session.get(client.url, headers={"Accept": "text/event-stream"}) as response:
                assert response.status == 409
            async with client.session.put(client.url) as response:
                assert response.status == 405
            assert (await ask(client, "Echo", "x"))["result"] == "x"

    asyncio.run(main())


def test_a_websocket_that_did_not_ask_what_is_on_offer(hub: Hub) -> None:
    with connect(hub.url.replace("http", "ws"), proxy=None) as ws:
        ws.send(json.dumps(GREETING) + END)
        assert ws.recv(LIMIT) == "{}" + END


@EVERY
def test_records_in_any_cut(hub: Hub, transport: str) -> None:
    async def main() -> None:
        async with line(hub.url, transport) as client:
            for character in json.dumps(GREETING) + END:
                await client.write(character)
            assert await client.hear() == {}
            call = {"type": 1, "target": "Echo", "arguments": ["ä"], "invocationId": "1"}
            two = json.dumps(call, ensure_ascii=False) + END + json.dumps(call | {"invocationId": "2"}) + END
            for piece in (two[:5], two[5:-7], two[-7:]):
                await client.write(piece)
            # each is a task of its own
            assert {(await client.hear())["invocationId"] for _ in range(2)} == {"1", "2"}

    asyncio.run(main())


HOSTILE = {
    "not JSON": ("nonsense" + END, "Connection closed with an error. A record is not JSON."),
    "deep": ("[" * 20_000 + END, "Connection closed with an error. A record is not JSON."),
    "not an object": ("[]" + END, "Connection closed with an error. A record is not an object."),
    "an unknown type": ('{"type":99}' + END, "Connection closed with an error. Records of type 99 are not known here."),
    "no type": ("{}" + END, "Connection closed with an error. Records of type null are not known here."),
    "a target that is none": ('{"type":1,"target":7,"arguments":[]}' + END,
                              "Connection closed with an error. The target of a record is not a text."),
    "arguments that are none": ('{"type":1,"target":"Echo","arguments":"x"}' + END,
                                "Connection closed with an error. The arguments of a call are not a list."),
    "a number that is no text": ('{"type":1,"target":"Echo","arguments":["x"],"invocationId":1}' + END,
                                 "Connection closed with an error. The invocationId of a record is not a text."),
    "a long record": ("x" * (2**15 + 1) + END, "Connection closed with an error. A record is longer than 32768 characters."),
    "a record without an end": ("x" * (2**15 + 1), "Connection closed with an error. A record is longer than 32768 characters."),
}


@EVERY
def test_who_breaks_the_protocol(hub: Hub, transport: str, subtests: pytest.Subtests) -> None:
    async def main() -> None:
        async with line(hub.url, transport) as bystander:
            await bystander.greet()
            for name, (text, error) in HOSTILE.items():
                with subtests.test(name):
                    async with line(hub.url, transport) as client:
                        await client.greet()
                        await client.write(text)
                        assert await client.hear() == {"type": 7, "error": error}
                        assert await client.hear() is None
            assert (await ask(bystander, "Echo", "here"))["result"] == "here"

    asyncio.run(main())


@EVERY
def test_a_record_of_100_megabytes(hub: Hub, transport: str) -> None:
    async def main() -> None:
        async with line(hub.url, transport) as bystander, line(hub.url, transport) as client:
            await bystander.greet()
            await client.greet()
            try:
                await client.write("x" * 100_000_000)  # no record ends in it
            except (aiohttp.ClientError, ConnectionError):
                pass  # it hung up before it had heard it all
            while await client.hear() is not None:
                pass
            if transport == "WebSockets":
                assert client.closed in (1009, 1006)  # 1006: the close was lost while it still sent
            assert (await ask(bystander, "Echo", "here"))["result"] == "here"
            async with asyncio.timeout(LIMIT):
                while hub.clients > 1:
                    await asyncio.sleep(0.01)

    asyncio.run(main())


@pytest.mark.parametrize("greeting, error", [
    ('{"protocol":"messagepack","version":1}' + END, 'The protocol "messagepack" is not supported.'),
    ('{"protocol":"json","version":2}' + END, "Version 2 of the protocol is not supported."),
    ('{"type":6}' + END, "The protocol null is not supported."),
    ("hello" + END, "A record is not JSON."),
])
@EVERY
def test_a_handshake_that_is_none(hub: Hub, transport: str, greeting: str, error: str) -> None:
    async def main() -> None:
        async with line(hub.url, transport) as client:
            await client.write(greeting)
            assert await client.hear() == {"error": error}
            assert await client.hear() is None

    asyncio.run(main())
    assert hub.log == []


@EVERY
def test_a_handshake_that_never_comes(transport: str) -> None:
    async def main(url: str) -> None:
        async with line(url, transport) as client:
            await client.write(json.dumps(GREETING))  # and no 0x1E
            assert await client.hear() == {"error": "Handshake was canceled."}
            assert await client.hear() is None

    with specimen(greeting=0.7) as hub:
        asyncio.run(main(hub.url))


def test_what_a_failing_method_tells(hub: Hub) -> None:
    async def main() -> None:
        async with line(hub.url, "WebSockets") as client:
            await client.greet()
            told = [await ask(client, name) for name in ("Secret", "Unsayable")]
            assert [answer["error"] for answer in told] == [
                f"An unexpected error occurred invoking '{name}' on the server." for name in ("Secret", "Unsayable")]
            answer = await ask(client, "Echo", "x", kind=4)
            assert "non-streaming 'Echo' method with a streaming invocation" in answer["error"]
            answer = await ask(client, "__class__")
            assert "Method does not exist" in answer["error"]

    asyncio.run(main())
    assert "client 1: Secret failed: ValueError: the password is swordfish" in hub.log


def test_a_cancel_that_comes_with_its_stream(hub: Hub) -> None:
    async def main() -> None:
        async with line(hub.url, "WebSockets") as client:
            await client.greet()
            call = {"type": 4, "target": "Counter", "arguments": [1000], "invocationId": "1"}
            await client.write(json.dumps(call) + END + json.dumps({"type": 5, "invocationId": "1"}) + END)
            assert await client.hear() == {"type": 3, "invocationId": "1"}
            await client.say({"type": 5, "invocationId": "1"})  # too late, and no error
            assert (await ask(client, "Echo", "x"))["result"] == "x"

    asyncio.run(main())


def test_a_number_that_is_in_use(hub: Hub) -> None:
    async def main() -> None:
        async with line(hub.url, "WebSockets") as client:
            await client.greet()
            for _ in range(2):
                await client.say({"type": 4, "target": "Counter", "arguments": [1000], "invocationId": "1"})
            while (record := await client.hear())["type"] != 7:
                pass
            assert record["error"].endswith("The invocation '1' is running already.")

    asyncio.run(main())


@EVERY
def test_groups(hub: Hub, transport: str) -> None:
    async def main() -> None:
        async with line(hub.url, transport) as one, line(hub.url, transport) as two:
            for client in (one, two):
                await client.greet()
            await ask(one, "Join", "reds")
            await ask(two, "Join", "blues")
            assert await asyncio.to_thread(hub.broadcast, "score", 1, 2, group="reds") == 1
            assert await one.hear() == {"type": 1, "target": "score", "arguments": [1, 2]}
            await ask(one, "Leave", "reds")
            await ask(one, "Leave", "reds")
            assert await asyncio.to_thread(hub.broadcast, "score", group="reds") == 0
            assert await asyncio.to_thread(hub.broadcast, "all") == 2
            assert [(await client.hear())["target"] for client in (one, two)] == ["all", "all"]
            with pytest.raises(TypeError):
                await asyncio.to_thread(hub.broadcast, "unsayable", {1, 2})

    asyncio.run(main())


@EVERY
def test_pings(transport: str) -> None:
    async def main(url: str) -> None:
        async with line(url, transport) as client:
            await client.greet()
            if transport != "LongPolling":  # there the polls themselves are the sign of life
                assert await client.hear() == {"type": 6}
            assert (await ask(client, "Echo", "x") or await client.hear())["type"] in (3, 6)

    with specimen(ping=0.1, poll=0.1) as hub:
        asyncio.run(main(hub.url))


@EVERY
def test_no_ping_before_the_greeting(transport: str) -> None:
    async def main(url: str) -> None:
        async with line(url, transport) as client:
            await asyncio.sleep(0.2)
            await client.greet()  # the first that it hears

    with specimen(ping=0.02) as hub:
        asyncio.run(main(hub.url))


@EVERY
def test_a_client_that_says_nothing_any_more(transport: str) -> None:
    async def main(url: str) -> None:
        async with line(url, transport) as client:
            await client.greet()
            record = await client.hear()
            assert record == {"type": 7, "error": "Connection closed: nothing was heard of the client.", "allowReconnect": True}

    with specimen(silence=0.8) as hub:
        asyncio.run(main(hub.url))


def test_leases(eventually: Callable[[Callable[[], object]], None]) -> None:
    async def abandon(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            await negotiate(session, url)  # and never comes
        async with line(url, "LongPolling") as client:
            await client.greet()  # and never polls again

    with specimen() as hub:
        asyncio.run(abandon(hub.url))
        assert len(hub._callers) == 2
        hub.lease = 0.2
        eventually(lambda: not hub._callers)
        assert hub.log == ["client 1 connected", "client 1 left (its lease ended)"]


@EVERY
def test_a_client_that_vanishes(hub: Hub, transport: str, eventually: Callable[[Callable[[], object]], None]) -> None:
    async def main() -> None:
        async with line(hub.url, transport) as client:
            await client.greet()
            await client.say({"type": 4, "target": "Counter", "arguments": [10**9], "invocationId": "1"})
            await client.hear()

    hub.lease = 0.3
    asyncio.run(main())
    eventually(lambda: not hub.clients and not hub._callers)


def test_hanging_up_by_delete(hub: Hub) -> None:
    async def main() -> None:
        async with line(hub.url, "LongPolling") as client:
            await client.greet()
            async with client.session.delete(client.url) as response:
                assert response.status == 202
            assert await client.hear() is None
            assert client.closed == 204
            async with client.session.post(client.url, data="{}") as response:
                assert response.status == 404

    asyncio.run(main())
    assert hub.log[-1] == "client 1 left (closed by the client)"


@pytest.mark.parametrize("how", [403, 503, "hang"])
def test_refused_for_the_lesson(hub: Hub, how: int | str) -> None:
    async def main() -> None:
        async with aiohttp.ClientSession() as session:
            url = f"{hub.url}?id={(await negotiate(session, hub.url))['connectionToken']}"
            try:
                async with asyncio.timeout(0.3 if how == "hang" else LIMIT):
                    await session.ws_connect(url)
            except TimeoutError:
                assert how == "hang"
            except aiohttp.WSServerHandshakeError as refused:
                assert refused.status == how
        async with line(hub.url, "ServerSentEvents") as client:
            await client.greet()

    hub.refuse["WebSockets"] = how
    asyncio.run(main())


@EVERY
def test_stopping_says_goodbye(hub: Hub, transport: str) -> None:
    async def main() -> None:
        async with line(hub.url, transport) as client:
            await client.greet()
            begin = time.monotonic()
            await asyncio.to_thread(hub.stop)
            assert time.monotonic() - begin < LIMIT
            assert await client.hear() == {"type": 7, "allowReconnect": True}
            assert await client.hear() is None
            if transport == "WebSockets":
                assert client.closed == 1001

    asyncio.run(main())


def test_stopping_says_goodbye_to_one_who_asks_again_later(hub: Hub) -> None:
    """The hub is gone by then, and that is its hang-up."""

    async def main() -> None:
        async with line(hub.url, "LongPolling") as client:
            client.late = 1.0
            await client.greet()
            await asyncio.to_thread(hub.stop)
            assert await client.hear() == {"type": 7, "allowReconnect": True}
            assert await client.hear() is None
            assert isinstance(client.closed, aiohttp.ClientConnectionError)

    asyncio.run(main())


def test_a_client_that_does_not_take_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.hub_protocol.WAITING", 100)

    async def main(hub: Hub) -> None:
        async with aiohttp.ClientSession() as session:
            url = f"{hub.url}?id={(await negotiate(session, hub.url))['connectionToken']}"
            for request in (session.get(url), session.post(url, data=json.dumps(GREETING) + END)):
                async with request as response:  # and then no poll any more
                    assert response.status == 200
            for number in range(101):
                await asyncio.to_thread(hub.broadcast, "news", number)
        assert hub.log[-1] == "client 1 left (too slow: it does not take what is sent to it)"

    with specimen() as hub:
        asyncio.run(main(hub))


def test_what_can_not_be_a_method() -> None:
    with pytest.raises(TypeError, match="a method of a hub is a function, not 7"):
        Hub().method(7)
    with pytest.raises(RuntimeError, match="isn't running"):
        Hub().broadcast("news")


def test_with_a_client_that_is_not_ours(hub: Hub) -> None:
    """pysignalr, which negotiates version 0."""
    async def main() -> None:
        heard: asyncio.Queue[Any] = asyncio.Queue()
        client = SignalRClient(hub.url)

        async def opened() -> None:
            await client.send("Broadcast", ["to all"])

        client.on_open(opened)
        client.on("news", heard.put)
        client.on_error(heard.put)
        async with running(client), asyncio.timeout(LIMIT):
            assert await heard.get() == ["to all"]

            async def answered(message: CompletionMessage) -> None:
                await heard.put((message.result, message.error))

            await client.send("Echo", ["ä"], answered)
            assert await heard.get() == ("ä", None)

    asyncio.run(main())
