"""The states of a connection, as both ends log them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from helpers import EchoServer, Wire
from helpers.states import Change, Side, StateLog

End = Callable[[ClientConnection, Wire], Awaitable[None]]


def way(log: StateLog, side: Side) -> list[tuple[str, str, int | None]]:
    """Where that end came to, and why."""
    own = [change for change in log.changes if change.side == side]
    assert [change.before for change in own] == ["", *(change.after for change in own[:-1])]
    return [(change.after, change.why, change.code) for change in own]


def watched(end: End, times: int = 1) -> StateLog:
    log = StateLog()

    async def talk() -> None:
        with EchoServer(logger=log.server) as echo, Wire(echo) as line:
            for _ in range(times):
                async with connect(line.uri, proxy=None, logger=log.client) as ws, asyncio.timeout(4):
                    await end(ws, line)
                    await ws.wait_closed()
                    while not (log.ended("client") and log.ended("server")):
                        await asyncio.sleep(0.01)

    asyncio.run(talk())
    return log


async def client_says_goodbye(ws: ClientConnection, line: Wire) -> None:
    await ws.close(1001, "away")


async def client_says_nothing_in_its_close(ws: ClientConnection, line: Wire) -> None:
    ws.transport.write(b"\x88\x80\x00\x00\x00\x00")


async def line_is_cut(ws: ClientConnection, line: Wire) -> None:
    line.cut()


OPENED = {
    "client": [("CONNECTING", "calls", None), ("OPEN", "received 101", None)],
    "server": [("CONNECTING", "is called", None), ("OPEN", "sent 101", None)],
}


@pytest.mark.parametrize(("side", "why"), [("client", "sent close 1001"), ("server", "received close 1001")])
def test_a_goodbye_takes_all_four(side: Side, why: str) -> None:
    log = watched(client_says_goodbye)
    assert way(log, side) == [*OPENED[side], ("CLOSING", why, 1001), ("CLOSED", "line ended", 1001)]


@pytest.mark.parametrize("side", ["client", "server"])
def test_a_cut_leaves_closing_out(side: Side) -> None:
    log = watched(line_is_cut)
    assert way(log, side) == [*OPENED[side], ("CLOSED", "line ended", None)]


def test_a_close_without_a_code_is_1005() -> None:
    log = watched(client_says_nothing_in_its_close)
    assert way(log, "server")[2:] == [("CLOSING", "received close 1005", 1005), ("CLOSED", "line ended", 1005)]


def test_the_next_connection_begins_anew() -> None:
    log = watched(client_says_goodbye, times=2)
    for side in ("client", "server"):
        own = [change for change in log.changes if change.side == side]
        assert own[:4] == own[4:]


def test_a_refused_call_never_opens() -> None:
    log = StateLog()

    def refuse(connection, request):
        return connection.respond(403, "no")

    async def call() -> None:
        with EchoServer(logger=log.server, process_request=refuse) as echo:
            with pytest.raises(InvalidStatus):
                await connect(echo.uri, proxy=None, logger=log.client)

    asyncio.run(call())
    assert [change.after for change in log.changes if change.side == "client"] == ["CONNECTING", "CLOSED"]


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        watched(client_says_goodbye)
    assert capfd.readouterr() == ("", "")
    assert not [record for record in caplog.records if "states of" in record.name]


def test_changes_is_a_copy() -> None:
    log = StateLog()
    assert not log.ended("client")
    log.changes.append(Change("client", "", "CLOSED", "line ended"))
    assert log.changes == []
