"""The page in a cell's output, without a browser: its server, the stand-in, and the ways to it. With one: test_page_in_browser.py."""

import json
import socket
from collections.abc import Callable, Iterator
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import pytest
from websockets.exceptions import InvalidStatus, NegotiationError
from websockets.sync.client import ClientConnection, connect

from helpers import EchoServer, Wire, frames
from helpers.page import Page, Said, addresses
from helpers.page.page import PROTOCOL
from helpers.page.stand_in import Thrown, as_python

SCRIPT = 'let ws = new WebSocket(address)\nws.onopen = () => ws.send("hello")'

COME_BACK = """
let begin = () => listen(new WebSocket(address))
let listen = ws => ws.addEventListener("close", () => setTimeout(begin, 20))
begin()
"""


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture
def page(server: EchoServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setattr(Page, "_page_came", False)  # so that it waits for a browser no longer than it must
    with Page(server, SCRIPT) as page:
        yield page


class Tab:
    """What page.html does in a browser, as far as its notebook notices."""

    def __init__(self, page: Page, protocol: str = PROTOCOL) -> None:
        self.line: ClientConnection = connect(page.uri, subprotocols=[protocol], proxy=None).__enter__()

    def order(self) -> dict[str, str]:
        return json.loads(self.line.recv(timeout=3))

    def tell(self, *notes: tuple[str, str]) -> None:
        self.line.send(json.dumps(notes))

    def leave(self) -> None:
        self.line.close(1001)


def get(url: str) -> tuple[str, str]:
    with build_opener(ProxyHandler({})).open(url, timeout=3) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


# --- a page that came


def test_a_page_gets_its_script_and_is_heard(page: Page) -> None:
    tab = Tab(page)
    assert tab.order() == {"run": SCRIPT}
    tab.tell(("road", "direct"), ("ran", ""), ("open", "open"))
    assert page.wait("open").lines == ["open"]
    assert (page.here, page.road) == (True, "direct")
    tab.leave()


def test_what_is_heard_is_shown_once(page: Page) -> None:
    tab = Tab(page)
    tab.order()
    tab.tell(("ran", ""), ("open", "open"))
    first = page.wait("open")
    tab.tell(("message", "message 'a'"), ("show", "got a"))
    assert (first.lines, page.wait("message").lines) == (["open"], ["message 'a'", "got a"])
    assert str(first) == "the page:\n  open"
    tab.leave()


def test_a_line_is_handed_over_and_waited_for(page: Page, eventually: Callable) -> None:
    tab = Tab(page)
    tab.order()
    eventually(lambda: page.here)
    assert page.do("ws.close()", until="close", limit=0.1).lines == []  # this tab does nothing
    assert tab.order() == {"run": "ws.close()"}
    tab.leave()


def test_a_page_that_goes_ends_every_wait(page: Page, eventually: Callable) -> None:
    tab = Tab(page)
    tab.order()
    eventually(lambda: page.here)
    tab.leave()
    assert page.wait("message").lines == ["the page is gone"]
    assert page.do("show(1)", until="show").lines == ["(the page is gone: run its cell again)"]


def test_a_second_tab_takes_over(page: Page, eventually: Callable) -> None:
    first, second = Tab(page), None
    first.order()
    second = Tab(page)
    assert second.order() == {"run": SCRIPT}
    first.leave()
    eventually(lambda: page.clients == 1)
    assert page.here
    second.leave()
    eventually(lambda: not page.here)


def test_a_stranger_does_not_know_the_name(page: Page) -> None:
    with pytest.raises((InvalidStatus, NegotiationError)):
        Tab(page, "another-name").order()
    with pytest.raises(InvalidStatus):
        connect(page.uri, proxy=None).__enter__()


def test_a_page_that_is_late_is_told_so(page: Page, server: EchoServer) -> None:
    assert page.wait("message").who == "stand-in"
    tab = Tab(page)
    assert "stand-in plays already" in tab.order()["say"]
    assert len([entry for entry in server.log if entry.endswith("connected")]) == 1
    tab.leave()


def test_it_hands_itself_out(page: Page, server: EchoServer) -> None:
    kind, text = get(page.url)
    assert kind == "text/html; charset=utf-8"
    assert text == page.html() and text.startswith("<!doctype html>")
    assert f'"remote": "{page.uri}/"' in text and f'"target": "{server.uri}/"' in text
    assert SCRIPT not in text  # it comes on the line, so that a page of yesterday runs nothing


def test_it_hands_nothing_out_once_it_is_stopped(page: Page) -> None:
    url = page.url
    page.stop()
    with pytest.raises((OSError, HTTPError)):
        get(url)


def test_its_output(page: Page) -> None:
    bundle = page._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert "<iframe" in bundle["text/html"] and "<script>" not in bundle["text/html"]
    assert bundle["text/plain"] in bundle["text/html"]


def test_its_output_where_there_is_no_way(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release")
    assert page._repr_mimebundle_() == {"text/plain": addresses.no_way()}
    assert page.wait("message").who == "stand-in"


# --- the stand-in


def test_the_stand_in_plays_where_nobody_comes(page: Page, server: EchoServer) -> None:
    said = page.wait("message")
    assert said.lines == ["open", "message 'Echo: hello'"]
    assert str(said).startswith("no page here, so a stand-in in Python plays its part:\n  open\n")
    assert server.log == ["client 1 connected", "client 1 sent 'hello'"]


def test_it_begins_anew_when_it_starts_again(page: Page, server: EchoServer) -> None:
    page.wait("message")
    page.stop()
    page.start()
    assert page.wait("message").lines == ["open", "message 'Echo: hello'"]
    assert server.log[-2:] == ["client 2 connected", "client 2 sent 'hello'"]


@pytest.mark.parametrize(
    ("line", "code"),
    [("ws.close()", 1005), ("ws.close(1000)", 1000), ('ws.close(4000, "enough")', 4000), ("leave()", 1001)],
)
def test_how_the_stand_in_goes(page: Page, server: EchoServer, line: str, code: int, eventually: Callable) -> None:
    page.wait("message")
    page.do(line, until="close")
    eventually(lambda: not server.clients)
    assert server.log[-1] == f"client 1 left ({code})"


def test_its_frames_are_a_browsers(server: EchoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "_page_came", False)
    with Wire(server) as wire, Page(wire, SCRIPT) as page:
        page.wait("message")
        page.do("ws.close()", until="close")
        assert frames.table(wire).splitlines()[-2:] == ["client  close, masked, 0 bytes", "server  close, 0 bytes"]
        assert b"\r\nOrigin: http://127.0.0.1:8888\r\n" in wire.bytes_from("client")


def test_a_close_before_it_is_open(page: Page) -> None:
    page.wait("message")
    assert page.do("early = new WebSocket(address); early.close()", until="close").lines == ["error", "close 1006, not clean"]


def test_it_comes_back(server: EchoServer, monkeypatch: pytest.MonkeyPatch, eventually: Callable) -> None:
    monkeypatch.setattr(Page, "_page_came", False)
    with Wire(server) as wire, Page(wire, COME_BACK) as page:
        page.wait("open")
        for _ in range(2):
            wire.cut()
            assert page.wait("open").lines == ["close 1006, not clean", "open"]
        page.stop()
        eventually(lambda: not wire.clients)
        assert sum(entry.endswith("connected") for entry in server.log) == 3


def test_nothing_runs_once_it_has_left(page: Page, server: EchoServer) -> None:
    page.wait("message")
    page.do("setTimeout(() => show(1), 20); leave()", until="left")
    assert page.wait("show", limit=0.1).lines == []
    assert page.do("show(2)").lines == ["(the page is gone: run its cell again)"]


def test_it_goes_with_its_page(page: Page, server: EchoServer, eventually: Callable) -> None:
    page.wait("message")
    page.stop()
    eventually(lambda: not server.clients)
    assert server.log[-1] == "client 1 left (1001)"


def test_nobody_listens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Page, "_page_came", False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with Page(f"ws://127.0.0.1:{closed.getsockname()[1]}", SCRIPT) as page:
            assert page.wait("close").lines == ["error", "close 1006, not clean"]


@pytest.mark.parametrize(
    ("line", "python"),
    [
        ("let ws = new WebSocket(address);", "ws = WebSocket(address)"),
        ("const n = 1  // one", "n = 1"),
        ('ws.onopen = () => ws.send("a")', 'ws.onopen = lambda _=None: ws.send("a")'),
        ("ws.onmessage = event => show(event.data)", "ws.onmessage = lambda event=None: show(event.data)"),
        ("setTimeout(() => show(1), 20)", "setTimeout(lambda _=None: show(1), 20)"),
        ("show(typeof ws.ping)", "show(typeof(lambda: ws.ping))"),
        ('ws.send("x".repeat(3))', 'ws.send(("x" * 3))'),
        ('new WebSocket("ws://127.0.0.1:9/")', 'WebSocket("ws://127.0.0.1:9/")'),
    ],
)
def test_it_reads_a_line(line: str, python: str) -> None:
    assert as_python(f"\n{line}\n") == python


@pytest.mark.parametrize("line", ["function f() { return 1 }", "ws.onopen = () => { ws.send(1); show(2) }", "if (a) b()"])
def test_it_reads_no_more_than_that(line: str) -> None:
    with pytest.raises(Thrown, match="SyntaxError"):
        as_python(line)


# --- ways


def test_where_there_is_no_way() -> None:
    assert addresses.no_way({}, "linux") is None
    assert "sockets" in (addresses.no_way({}, "emscripten") or "")
    assert "Colab" in (addresses.no_way({"COLAB_RELEASE_TAG": "x"}, "linux") or "")
    assert addresses.no_way({"JUPYTERHUB_SERVICE_PREFIX": "/user/you/", "BINDER_REF_URL": "x"}, "linux") is None


def test_the_way_into_a_codespace() -> None:
    space = {"CODESPACES": "true", "CODESPACE_NAME": "quiet-court", "GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.example"}
    assert addresses.forwarded(space) == "wss://quiet-court-PORT.app.example"
    assert addresses.forwarded(space | {"CODESPACES": "false"}) is None
    assert addresses.forwarded({}) is None


@pytest.mark.parametrize(
    ("page", "base", "address"),
    [
        ("https://hub.example/user/you/lab/tree/a.ipynb", "/user/you/", "wss://hub.example/user/you/proxy/8765/"),
        ("http://school.example:8888/lab", "/", "ws://school.example:8888/proxy/8765/"),
        ("https://hub.example", "/", "wss://hub.example/proxy/8765/"),
    ],
)
def test_the_way_through_jupyter(page: str, base: str, address: str) -> None:
    assert addresses.proxied(page, base, 8765) == address


def test_said_nothing() -> None:
    assert str(Said([], "page")) == "the page:\n  (nothing)"
