"""Ends of connections, brought about on purpose."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from helpers import EchoServer, WebSocketServer, endings
from helpers.endings import all_gone, ending, table, watched


async def closer(ws) -> None:
    async for message in ws:
        await ws.close(int(message), "as you like")


ACTS = {
    "asks for 1008": lambda ws: ws.send("1008"),
    "closes itself": lambda ws: ws.close(1001),
    "tears its line": lambda ws: ws.transport.abort(),
}


def test_an_act_may_be_awaited_or_plain() -> None:
    with WebSocketServer(closer) as server:
        found = [asyncio.run(ending(server.uri, act)) for act in ACTS.values()]
    assert [type(closed) for closed in found] == [ConnectionClosedError, ConnectionClosedOK, ConnectionClosedError]
    assert [closed.rcvd and closed.rcvd.code for closed in found] == [1008, 1001, None]


def test_a_message_is_no_end() -> None:
    with EchoServer() as server, pytest.raises(AssertionError, match="Echo: hello"):
        asyncio.run(ending(server.uri, lambda ws: ws.send("hello")))


def test_the_table_says_who_was_first_and_what_either_side_saw() -> None:
    with WebSocketServer(closer) as server:
        lines = asyncio.run(table(server, ACTS)).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["asks", "for", "1008", "server", "Error", "1008", "left", "(1008)", "as", "you", "like"],
        ["closes", "itself", "visitor", "OK", "1001", "left", "(1001)"],
        ["tears", "its", "line", "nobody", "Error", "1006", "left", "(1006)"],
    ]


def test_all_gone_waits_for_the_last_one_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endings, "_PATIENCE", 0.1)

    async def stays() -> None:
        async with connect(server.uri, proxy=None):
            with pytest.raises(TimeoutError):
                await all_gone(server)

    with EchoServer() as server:
        asyncio.run(stays())
        monkeypatch.setattr(endings, "_PATIENCE", 3.0)
        asyncio.run(all_gone(server))
        assert server.clients == 0


@pytest.mark.parametrize("end", [lambda ws, wire: ws.close(), lambda ws, wire: wire.cut()])
def test_watched_sees_both_ends_to_their_end(end) -> None:
    log = asyncio.run(watched(end))
    assert log.ended("client") and log.ended("server")
