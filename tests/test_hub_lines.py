"""Lines to a hub by each transport, what they leave behind, and the notes on who tried what."""

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from helpers.attempts import CONNECTED, NO_ANSWER, Attempts
from helpers.hub import TRANSPORTS, Caller, Hub, HubError
from helpers.hub_lines import LINES, open_line

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.filterwarnings("error")]

LIMIT = 20
EVERY = pytest.mark.parametrize("transport", TRANSPORTS)


def specimen(**options: Any) -> Hub:
    hub = Hub(**options)

    @hub.method
    def Echo(text):
        return text

    @hub.method
    async def Boom():
        raise HubError("boom!")

    @hub.method
    def Tell(text):
        hub.broadcast("news", text)

    @hub.method
    def Dismiss(caller: Caller):
        caller.close("closing time")

    return hub


def test_the_names_are_those_of_the_hub() -> None:
    assert tuple(LINES) == TRANSPORTS


@EVERY
def test_calls(transport: str) -> None:
    async def main(hub: Hub) -> None:
        async with asyncio.timeout(LIMIT), await open_line(hub.url, transport) as line:
            assert repr(line) == f"<a line by {transport}>"
            assert await line.call("Echo", "naïve ⚽") == "naïve ⚽"
            with pytest.raises(RuntimeError, match="boom!"):
                await line.call("Boom")
            await line.call("Tell", "rain")
            assert await line.call("Echo", "x" * 20_000) == "x" * 20_000
            assert [record["arguments"] for record in line.news] == [["rain"]]

    with specimen(ping=0.01) as hub:  # pings come between all records
        asyncio.run(main(hub))
        assert hub.log[-1] == "client 1 left (closed by the client)"


@EVERY
def test_how_it_ends(transport: str) -> None:
    async def main(hub: Hub) -> None:
        async with asyncio.timeout(LIMIT), await open_line(hub.url, transport) as line:
            with pytest.raises(ConnectionError, match="closing time"):
                await line.call("Dismiss")
        async with asyncio.timeout(LIMIT), await open_line(hub.url, transport) as line:
            await asyncio.to_thread(hub.stop)
            with pytest.raises(ConnectionError, match="the hub has hung up"):
                await line.hear()
            with pytest.raises(ConnectionError, match="the hub has hung up"):
                await line.hear()

    with specimen() as hub:
        asyncio.run(main(hub))


@pytest.mark.parametrize("transport, status", [
    *((transport, status) for transport in TRANSPORTS for status in (403, 503)),
    ("WebSockets", 200), ("ServerSentEvents", 200),  # to a poll it would be an answer
])
def test_refused(transport: str, status: int) -> None:
    async def main(hub: Hub) -> None:
        async with asyncio.timeout(LIMIT):
            with pytest.raises(aiohttp.ClientResponseError) as refused:
                await open_line(hub.url, transport)
            assert refused.value.status == status

    with specimen() as hub:
        hub.refuse[transport] = status
        asyncio.run(main(hub))


@EVERY
def test_given_up(transport: str) -> None:
    async def main(hub: Hub) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await open_line(hub.url, transport)

    with specimen() as hub:
        hub.refuse[transport] = "hang"
        asyncio.run(main(hub))


def test_nobody_there(quiet_port: int) -> None:
    with pytest.raises(aiohttp.ClientConnectorError):
        asyncio.run(open_line(f"http://127.0.0.1:{quiet_port}/hub", "WebSockets"))
    with pytest.raises(KeyError):
        asyncio.run(open_line(f"http://127.0.0.1:{quiet_port}/hub", "Pigeons"))


def test_attempts() -> None:
    ends: dict[str, BaseException | None] = {
        "a": aiohttp.ClientResponseError(None, (), status=503), "b": TimeoutError(), "c": ZeroDivisionError(), "d": None,
    }

    async def start(name: str) -> str:
        await asyncio.sleep(0.01)
        if (error := ends[name]) is not None:
            raise error
        return name

    async def main() -> Attempts:
        tries = Attempts(start)
        for name in "abc":
            with pytest.raises(type(ends[name])):
                await tries(name)
        assert await tries("d") == "d"
        stuck = asyncio.create_task(tries("d"))
        await asyncio.sleep(0)
        stuck.cancel()
        await asyncio.wait([stuck])
        return tries

    begin = time.perf_counter()
    made = asyncio.run(main()).made
    assert [attempt.end for attempt in made] == ["refused: 503", NO_ANSWER, "ZeroDivisionError", CONNECTED, NO_ANSWER]
    assert [attempt.name for attempt in made] == ["a", "b", "c", "d", "d"]
    moments = [moment for attempt in made for moment in (attempt.began, attempt.ended)]
    assert moments == sorted(moments) and moments[0] == 0 and moments[-1] < time.perf_counter() - begin
