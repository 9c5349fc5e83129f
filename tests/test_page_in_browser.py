"""The page in a cell's output, in a real browser: on its own, in JupyterLab, and on a hub, through jupyter-server-proxy and TLS."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from books import NOTEBOOKS, Book, joined
from lab import QUIET, Lab
from playwright.sync_api import Browser, FrameLocator, Playwright, expect, sync_playwright
from specimens import Specimen, code
from test_browser import required_browser

from helpers import EchoServer, WebSocketServer, Wire, frames
from helpers.page import Page
from helpers.page.addresses import proxied

HELLO = """
let ws = new WebSocket(address)
show("readyState", ws.readyState)
ws.onopen = () => ws.send("hello")
ws.onmessage = event => show("got", event.data)
"""

GONE = "No server answers here any more, or yet. Run the cell above this page, in a notebook that runs."


async def curious(ws) -> None:
    await ws.send("ready?")
    await (await ws.ping("there?"))
    await ws.send("you answered")


# --- a tab of its own, and the stand-in beside it


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=required_browser(playwright), args=QUIET)
    yield browser
    browser.close()


@pytest.fixture(autouse=True)
def time_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that the browser has loaded connects some time later; on a busy machine that takes longer than a learner should wait."""
    monkeypatch.setattr("helpers.page.page._UNKNOWN", 20.0)


LINES: list[tuple[str, str]] = [  # what a page is asked to do, and what it then waits for
    ("show(ws.readyState, ws.bufferedAmount, typeof ws.send, typeof ws.ping)", "ran"),
    ('ws.send("é"); ws.send("x".repeat(97)); ws.send("!"); show(ws.bufferedAmount)', "message 'Echo: !'"),
    ("show(ws.bufferedAmount)", "ran"),
    ("ws.ping()", "ran"),
    ("nobody()", "ran"),
    ("ws.close(1001)", "ran"),
    ("ws.close(2999)", "ran"),
    ('ws.close(1000, "x".repeat(124))', "ran"),
    ('new WebSocket(address, "Authorization: ticket 42")', "ran"),
    ('new WebSocket(address, "two words")', "ran"),
    ('new WebSocket(reach("CURIOUS"))', "close"),
    ('new WebSocket(reach("STRICT"))', "close"),
    ("ws.close()", "close"),
    ('ws.send("lost"); show(ws.readyState, ws.bufferedAmount)', "ran"),
    ("ws.close()", "ran"),
    ('ws = new WebSocket(address); ws.send("too early")', "open"),
    ('ws.close(4000, "match over"); show(ws.readyState)', "close"),
    ("ws = new WebSocket(address); ws.onmessage = event => ws.close(1000); ws.onopen = () => ws.send(true)", "close"),
    ("ws = new WebSocket(address)", "open"),
    ("leave()", "left"),
]


def played(browser: Browser | None, monkeypatch: pytest.MonkeyPatch, eventually: Callable) -> tuple[list[list[str]], list[str], list[str]]:
    """What a page says to all these lines, its frames, and the log of its server; without a browser, what the stand-in makes of it."""
    monkeypatch.setattr(Page, "_page_came", None if browser else False)
    with (
        EchoServer() as server,
        Wire(server) as wire,
        WebSocketServer(curious) as curious_one,
        EchoServer(origins=["https://tennis.example"]) as strict,
        Page(wire, HELLO) as page,
    ):
        if browser:
            tab = browser.new_page()
            tab.goto(page.url)
        said = [page.wait("message")]
        for line, until in LINES:
            said.append(page.do(line.replace("CURIOUS", curious_one.uri).replace("STRICT", strict.uri), until))
        assert {each.who for each in said} == {"page" if browser else "stand-in"}
        if browser:
            assert page.road == "direct"
            tab.close()
        eventually(lambda: not server.clients)  # the last one leaves, and nobody waits for that
        page.stop()
        wire.stop()
        return [each.lines for each in said], [str(frame) for frame in frames.sent_by(wire, "client")], server.log


def test_the_stand_in_behaves_as_a_browser(browser: Browser, monkeypatch: pytest.MonkeyPatch, eventually: Callable) -> None:
    said, on_the_wire, log = played(browser, monkeypatch, eventually)
    stand_in = played(None, monkeypatch, eventually)
    for (line, _), page, other in zip([("(its script)", ""), *LINES], said, stand_in[0]):
        assert page == other, line
    assert (on_the_wire, log) == stand_in[1:]
    assert log[-1] == "client 4 left (1001)"


@pytest.mark.parametrize("end", ["the tab is closed", "it goes to another address", "its process crashes"])
def test_how_a_page_goes(browser: Browser, end: str, eventually: Callable) -> None:
    with EchoServer() as server, Page(server, HELLO) as page:
        tab = browser.new_page()
        tab.goto(page.url)
        page.wait("message")
        match end:
            case "the tab is closed":
                tab.close()
            case "it goes to another address":
                tab.goto("about:blank")
            case _:
                try:
                    tab.goto("chrome://crash", timeout=1000)
                except Exception:  # of course
                    pass
        eventually(lambda: not server.clients)
        assert server.log[-1] == "client 1 left (1001)"
        tab.close()


def test_a_browser_that_is_ended(playwright: Playwright, eventually: Callable) -> None:
    with EchoServer() as server, Page(server, HELLO) as page:
        browser = playwright.chromium.launch(executable_path=required_browser(playwright), args=QUIET)
        browser.new_page().goto(page.url)
        page.wait("message")
        browser.close()
        eventually(lambda: not server.clients)
        assert server.log[-1] == "client 1 left (1001)"


def test_a_page_stays_as_long_as_its_tab(browser: Browser) -> None:
    with EchoServer() as server, Page(server, HELLO) as page:
        tab = browser.new_page()
        tab.clock.install()
        tab.goto(page.url)
        page.wait("message")
        tab.clock.fast_forward("01:00:00")
        assert page.do("show(ws.readyState)", until="show").lines == ["1"]
        tab.close()


def test_a_page_of_yesterday_says_so(browser: Browser) -> None:
    with EchoServer() as server, Page(server, HELLO) as page:
        text = page.html()
    tab = browser.new_page()
    tab.route("http://127.0.0.1:9/", lambda route: route.fulfill(body=text, content_type="text/html"))
    tab.goto("http://127.0.0.1:9/")
    expect(tab.locator("li")).to_have_text([GONE])
    tab.close()


def test_a_page_comes_back_until_it_is_ended(browser: Browser) -> None:
    script = """
        let begin = () => listen(new WebSocket(address))
        let listen = ws => ws.addEventListener("close", () => setTimeout(begin, 20))
        begin()
    """
    with EchoServer() as server, Wire(server) as wire:
        page = Page(wire, script).start()
        tab = browser.new_page()
        tab.goto(page.url)
        page.wait("open")
        for _ in range(2):
            wire.cut()
            assert page.wait("open").lines == ["close 1006, not clean", "open"]
        page.stop()
        expect(tab.locator("li", has_text="has ended")).to_have_count(1)
        tab.wait_for_timeout(200)
        assert sum(entry.endswith("connected") for entry in server.log) == 3
        assert not tab.locator("li.thrown").count()
        tab.close()


@pytest.mark.skipif(os.name == "nt", reason="there are no process groups to kill")
def test_a_browser_that_is_killed(playwright: Playwright, tmp_path: Path, eventually: Callable) -> None:
    with EchoServer() as server, Page(server, HELLO) as page:
        command = [required_browser(playwright), "--headless", "--no-sandbox", f"--user-data-dir={tmp_path}", *QUIET, page.url]
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: server.clients)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        eventually(lambda: not server.clients)
        assert server.log[-1] == "client 1 left (1006)"


def test_a_page_whose_server_stops_says_so(browser: Browser) -> None:
    with EchoServer() as server:
        page = Page(server, HELLO).start()
        tab = browser.new_page()
        tab.goto(page.url)
        page.wait("message")
        page.stop()
        expect(tab.locator("li").nth(4)).to_have_text("The notebook has ended this page. Run its cell again for a new one.")
        tab.close()


# --- in JupyterLab

CELLS = [
    code("start", f"""from helpers import EchoServer, Wire, frames
from helpers.page import Page
server = EchoServer().start()
wire = Wire(server).start()
page = Page(wire, {HELLO!r}).start()
display(page)
print(page.wait("message"))
print("road:", page.road)
print(page.url)"""),
    code("wire", "print(frames.table(wire))\nprint(server.log[-1])"),
    code("endings", """import asyncio
from helpers.endings import all_gone
for goodbye in ('ws.close(4000, "enough")', "wire"):
    page.do("ws = new WebSocket(address)", until="open")
    while not server.clients:  # a proxy says yes before it has connected
        await asyncio.sleep(0.01)
    said = page.do(goodbye, until="close") if goodbye != "wire" else wire.cut() or page.wait("close")
    await all_gone(server)
    print(*said.lines, "/", server.log[-1])
for uri in ("ws://hub.example.test:9/", "ws://127.0.0.1:9/"):
    print(uri, page.do(f'new WebSocket("{uri}")', until="close", limit=2).lines)"""),
    code("stop", "page.stop(); wire.stop(); server.stop()"),
]
HOST = "hub.example.test"
HUB = {"base_url": "/user/you/", "allow_remote_access": True}


def certificate(folder: Path) -> dict[str, str]:
    """Settings for TLS with a certificate signed by nobody; none where there is no openssl to make one."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return {}
    key, paper = str(folder / "key.pem"), str(folder / "certificate.pem")
    subprocess.run([openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", paper, "-days", "2",
                    "-subj", f"/CN={HOST}"], check=True, capture_output=True)
    return {"certfile": paper, "keyfile": key}


@pytest.fixture(scope="module", params=["here", "hub"])
def lab(request: pytest.FixtureRequest, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on this machine, and as a browser sees it on a hub: another host, a path before all others, TLS."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "workbook").mkdir()
    Specimen(folder / "workbook", CELLS, "97_page.ipynb").write(number=False)
    shutil.copy(NOTEBOOKS / "11_browser.ipynb", folder / "workbook" / "96_stored.ipynb")
    options = {}
    if request.param == "hub":
        options = {"host": HOST, "config": {"ServerApp": HUB | certificate(folder)}}
    with Lab(folder, playwright, required_browser(playwright), **options) as lab:
        yield lab


def the_page(lab: Lab) -> FrameLocator:
    return lab.panel.frame_locator("iframe")


def test_the_page_in_an_output_talks(lab: Lab) -> None:
    hub = HOST in lab.url
    lab.open("97_page.ipynb", len(CELLS))
    try:
        shown = lab.run_cell(0)
        assert "the page:\n  readyState 0\n  open\n  message 'Echo: hello'\n  got Echo: hello\n" in shown, shown
        assert f"road: {'proxy' if hub else 'direct'}" in shown

        the_page(lab).locator("input").fill("fifteen")
        the_page(lab).locator("input").press("Enter")
        lines = the_page(lab).locator("li")
        expect(lines.last).to_have_text("got Echo: fifteen")
        seen = lab.run_cell(1)
        assert "client  text, masked, 7 bytes: 'fifteen'\nserver  text, 13 bytes: 'Echo: fifteen'" in seen, seen

        the_page(lab).get_by_role("button", name="ws.close()").click()
        expect(lines.last).to_have_text("close 1005, clean")
        seen = lab.run_cell(1)
        assert "client  close, masked, " in seen and "client 1 left (" in seen, seen
        assert "client 1 left (1005)" in seen, seen

        seen = lab.run_cell(2)
        if hub:  # the proxy hangs up without a code, in both directions
            assert "close 4000, clean / client 2 left (1005)\nclose 1005, clean / client 3 left (1006)" in seen, seen
        else:
            assert "close 4000 'enough', clean / client 2 left (4000)\nclose 1006, not clean / client 3 left (1006)" in seen, seen
        if lab.url.startswith("https"):
            assert f"ws://{HOST}:9/ ['SecurityError']" in seen, seen

        tab = lab.page.context.browser.new_page(ignore_https_errors=True)  # one of its own
        port = re.search(r"http://127\.0\.0\.1:(\d+)/", shown)[1]
        tab.goto(f"{lab.url.partition('lab')[0]}proxy/{port}/?{lab.url.partition('?')[2]}" if hub else f"http://127.0.0.1:{port}/")
        expect(tab.locator("li").last).to_have_text("got Echo: hello")
        tab.close()

        lab.run_cell(3)
        expect(lines.last).to_have_text("The notebook has ended this page. Run its cell again for a new one.")
        if hub:
            address = the_page(lab).locator("body").evaluate("() => address")
            base = lab.url.partition("lab")[0]
            assert re.sub(r"\d+(?=/$)", "8765", address) == proxied(base, "/user/you/", 8765)
    finally:
        lab.screenshot("97_page")
        lab.begin_again()


def test_a_stored_page_does_nothing(lab: Lab) -> None:
    """A notebook that is opened with its outputs: nothing runs until it is trusted, and then it finds no server."""
    book = Book(lab.workbook / "96_stored.ipynb")
    lab.open(book.name, len(book.code))
    try:
        words = lab.panel.get_by_text("Where you see no page here")
        expect(words.first).to_be_visible()
        assert not lab.panel.locator("iframe").count()
        lab.page.keyboard.press("ControlOrMeta+Shift+C")
        lab.page.locator(".jp-ModalCommandPalette input").fill("Trust Notebook")
        lab.page.locator(".lm-CommandPalette-item", has_text="Trust Notebook").first.click()
        lab.page.locator(".jp-Dialog .jp-mod-accept").click()
        for number in range(words.count()):
            expect(lab.panel.frame_locator("iframe").nth(number).locator("li")).to_have_text([GONE], timeout=20_000)
    finally:
        lab.screenshot(book.stem)
        lab.begin_again()


def test_notebook_11_says_the_same_with_a_page(lab: Lab) -> None:
    """Cell by cell what is stored of the stand-in; on a hub, where the proxy keeps close codes to itself, up to there."""
    book = Book(NOTEBOOKS / "11_browser.ipynb")
    lab.open(book.name, len(book.code))
    try:
        seen = lab.run_all()
    finally:
        lab.screenshot(book.stem)
        lab.begin_again()
    differ = {"origin", "refused", "tab"} | ({"wishes", "ping", "close", "codes", "leave", "cut", "comes-back"} if HOST in lab.url else set())
    for cell, now in zip(book.code, seen.cells):
        stored = "\n".join(joined(o.get("text") or o["data"].get("text/plain", "")) for o in cell.outputs
                           if "text/html" not in o.get("data", {}))
        if cell.id in differ or not stored:
            continue
        wanted = stored.replace("no page here, so a stand-in in Python plays its part:", "the page:")
        assert squeezed(wanted) in squeezed(now["text"]), f"{cell}: {now['text']}"


def squeezed(text: str) -> str:
    return " ".join(text.split())
