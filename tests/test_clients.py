"""Real clients, at both servers that `python -m tests.conformance` serves: nobody can tell which one is the library."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest
import websocket
from books import ROOT
from conformance import FRAGMENTS, SERVERS, server
from lab import QUIET
from playwright.sync_api import sync_playwright
from test_browser import required_browser
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect as sync_connect

from helpers import BackgroundServer
from helpers.guests import guests

BALLS: list[str | bytes] = ["", "hello", "naïve ⚽ 𝄞", b"", b"\x00\xff", "x" * 126, bytes(65_535), "é" * 40_000, bytes(range(256)) * 1024]
"""All three lengths, both kinds, each character length of UTF-8."""


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest) -> Iterator[BackgroundServer]:
    with server(request.param) as running:
        yield running


def uri(running: BackgroundServer) -> str:
    return "ws://%s:%d/" % running.address


def test_websockets_async(running: BackgroundServer) -> None:
    async def play() -> None:
        async with connect(uri(running), proxy=None, max_size=None) as ws, asyncio.timeout(10):
            assert not ws.protocol.extensions
            for ball in BALLS:
                await ws.send(ball)
                assert await ws.recv() == ball
            await ws.send(["in", " ", "fragments"])
            await (await ws.ping())
            assert await ws.recv() == "in fragments"
            for ball in BALLS:
                await ws.send(ball)
            assert [await ws.recv() for _ in BALLS] == BALLS
            await ws.close(4321, "enough")
            assert (ws.close_code, ws.protocol.close_rcvd.code) == (4321, 4321)

    asyncio.run(play())


def test_a_hundred_at_once(running: BackgroundServer) -> None:
    async def play(number: int) -> str | bytes:
        async with connect(uri(running), proxy=None) as ws:
            await ws.send(f"ball {number}")
            return await ws.recv()

    async def all_of_them() -> list[str | bytes]:
        async with asyncio.timeout(15):
            return await asyncio.gather(*map(play, range(100)))

    assert asyncio.run(all_of_them()) == [f"ball {number}" for number in range(100)]


def test_websockets_sync(running: BackgroundServer) -> None:
    with sync_connect(uri(running), proxy=None, max_size=None) as ws:
        for ball in BALLS:
            ws.send(ball)
            assert ws.recv(timeout=5) == ball
        ws.ping().wait(5)
        ws.close()
        with pytest.raises(ConnectionClosedOK):
            ws.recv(timeout=5)


def test_websocket_client(running: BackgroundServer) -> None:
    ws = websocket.create_connection(uri(running), timeout=5, http_no_proxy=["127.0.0.1"])
    for ball in BALLS:
        if isinstance(ball, str):
            ws.send(ball)
        else:
            ws.send_binary(ball)
        assert ws.recv() == ball
    ws.ping("still there?")
    assert ws.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"still there?")
    ws.send_close(1000, b"bye")
    opcode, payload = ws.recv_data(control_frame=True)
    assert (opcode, payload[:2]) == (websocket.ABNF.OPCODE_CLOSE, b"\x03\xe8")
    assert ws.sock.recv(1) == b"", "the server hangs up"
    ws.shutdown()


def test_aiohttp(running: BackgroundServer) -> None:
    async def play() -> None:
        async with aiohttp.ClientSession(trust_env=False) as session, asyncio.timeout(10):
            # compression is offered, and may be declined
            async with session.ws_connect(uri(running), max_msg_size=2**22, compress=15) as ws:
                for ball in BALLS:
                    await (ws.send_str(ball) if isinstance(ball, str) else ws.send_bytes(ball))
                    message = await ws.receive()
                    assert message.type is (aiohttp.WSMsgType.TEXT if isinstance(ball, str) else aiohttp.WSMsgType.BINARY)
                    assert message.data == ball
                assert await ws.close(code=1001)
                assert ws.close_code == 1001

    asyncio.run(play())


PLAY = """async ([uri, texts]) => await new Promise((done, failed) => {
    const ws = new WebSocket(uri), got = [];
    ws.binaryType = 'arraybuffer';
    ws.onopen = () => { texts.forEach(text => ws.send(text)); ws.send(new Uint8Array([0, 255, 7])); };
    ws.onmessage = event => {
        got.push(typeof event.data === 'string' ? event.data : Array.from(new Uint8Array(event.data)));
        if (got.length > texts.length) ws.close(4000, 'schön');
    };
    ws.onclose = event => done({got, code: event.code, clean: event.wasClean, extensions: ws.extensions});
    setTimeout(() => failed(new Error('no end in time: ' + JSON.stringify(got))), 20000);
})"""


def in_a_page(play: Callable[[Any], Any]) -> Any:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=required_browser(playwright), args=QUIET)
        try:
            return play(browser.new_page())
        finally:
            browser.close()


def test_chromium() -> None:
    texts = [ball for ball in BALLS if isinstance(ball, str)]

    def play(page: Any) -> list[Any]:
        seen = []
        for kind in SERVERS:
            with server(kind) as running:
                seen.append(page.evaluate(PLAY, [uri(running), texts]))
        return seen

    want = {"got": [*texts, [0, 255, 7]], "code": 4000, "clean": True, "extensions": ""}
    assert in_a_page(play) == [want, want]


def test_the_row_that_the_page_fills() -> None:
    """The table of notebook 18, as the browser shows it; what a page can't reach is said there, too."""

    def play(page: Any) -> list[str]:
        seen = []
        for kind in SERVERS:
            with server(kind) as running:
                address = uri(running)
                page.set_content(guests(address, "15:0, <naïve>", {"<one>": "&"})._repr_html_())
                page.wait_for_function("() => document.querySelector('.guest-browser').textContent.includes('1000')")
                seen.append(page.inner_text("table"))
        page.set_content(guests(address, "nobody", {})._repr_html_())
        page.wait_for_function("() => document.querySelector('.guest-browser').textContent.includes('no answer')")
        return seen

    want = "<one>\t&\nthis page\t15:0, <naïve> (closed with 1000)"
    assert in_a_page(play) == [want, want]


def test_where_no_page_runs_it() -> None:
    table = guests("ws://127.0.0.1:8765", "</script>", {"one": "hello"})
    assert repr(table) == "one        hello\nthis page  waits for a browser: run the cell"
    assert "</script>" not in table._repr_html_().removesuffix("</script>")


# --- the command


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.conformance", *map(str, arguments)]


@pytest.mark.parametrize("kind", SERVERS)
def test_the_command(kind: str) -> None:
    """It serves 65,537 fragments of one message, until it is stopped."""
    process = subprocess.Popen(command("--port", 0, "--server", kind), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith(f"{kind} listens on ws://127.0.0.1:")
            with sync_connect(line.split()[3].rstrip(";"), proxy=None, compression=None) as ws:
                ws.send("x" for _ in range(FRAGMENTS - 1))  # the last one is empty
                assert ws.recv(timeout=20) == "x" * (FRAGMENTS - 1)
        finally:
            process.kill()


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--port", "70000"], "port must be a whole number from 0 to 65535"),
        (["--port", "x"], "argument --port"),
        ([], "--port"),
        (["--port", "0", "--server", "other"], "invalid choice: 'other'"),
        (["--port", "0", "--max-size", "1"], "a whole number of at least 125, not '1'"),
        (["--port", "0", "--max-fragments", "none"], "a whole number of at least 1, not 'none'"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_what_the_command_refuses(arguments: list[str], complaint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import conformance

    monkeypatch.setattr(sys, "argv", ["conformance", *arguments])
    monkeypatch.setenv("WEBSOCKETS_MAX_FRAGMENTS", "4096")  # put back at the end
    try:
        ended = conformance.main()
    except SystemExit as exit_:
        ended = exit_.code
    assert ended in (1, 2) and complaint in capsys.readouterr().err


def test_a_port_that_is_taken(running: BackgroundServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import conformance

    monkeypatch.setattr(sys, "argv", ["conformance", "--port", str(running.port)])
    monkeypatch.setenv("WEBSOCKETS_MAX_FRAGMENTS", "4096")
    assert conformance.main() == 1
    assert "is taken" in capsys.readouterr().err
