"""The hub, and the official client of its protocol: in Node and in a page, by each transport, and falling back.

Source: https://www.npmjs.com/package/@microsoft/signalr
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from lab import QUIET
from playwright.sync_api import sync_playwright
from test_browser import required_browser

from helpers.hub import TRANSPORTS, Caller, Hub, HubError

SOURCE = Path(__file__).parent / "signalr" / "node"
LIMIT = 90
"""Seconds that npm has."""

Play = Callable[..., Any]
"""``play(session, hub, transport)``: what a session of session.mjs has seen."""

EVERY = pytest.mark.parametrize("transport", TRANSPORTS)


def required(*names: str) -> list[str]:
    """The paths of these commands. Where one is missing the tests are skipped, but in CI they fail."""
    paths = [shutil.which(name) for name in names]
    if missing := [name for name, path in zip(names, paths) if path is None]:
        not_here(f"no {' and no '.join(missing)} on this machine: install Node.js, with npm")
    return [path for path in paths if path is not None]


def not_here(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client, installed once for all tests here: they share a worker."""
    (npm,) = required("npm")
    folder = tmp_path_factory.mktemp("official") / "client"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--no-update-notifier",
               "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    try:
        subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=LIMIT, check=True)
    except subprocess.CalledProcessError as failed:  # without a network, for example
        not_here(f"npm ci failed: {failed.stderr.strip().partition(chr(10))[0]}")
    except subprocess.TimeoutExpired:
        not_here(f"npm ci did not end within {LIMIT} s")
    return folder


@contextmanager
def in_node(installed: Path) -> Iterator[Play]:
    """One process that plays all sessions."""
    (node,) = required("node")
    process = subprocess.Popen([node, "play.mjs"], cwd=installed, encoding="utf-8",
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process:
        try:
            assert process.stdin and process.stdout and process.stderr

            def play(session: str, hub: Hub, *transport: str) -> Any:
                print(json.dumps([session, hub.url, *transport]), file=process.stdin, flush=True)
                line = process.stdout.readline()  # every session has its limits
                assert line, process.stderr.read()
                return json.loads(line)

            yield play
        finally:
            process.kill()


@contextmanager
def in_a_page(installed: Path) -> Iterator[Play]:
    """The package's own file for browsers, in a page that comes from the hub, so that it may call it."""
    client = (installed / "node_modules/@microsoft/signalr/dist/browser/signalr.min.js").read_text(encoding="utf-8")
    sessions = (installed / "session.mjs").read_text(encoding="utf-8") + "\nwindow.sessions = sessions"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=required_browser(playwright), args=QUIET)
        try:
            page = browser.new_page()

            def play(session: str, hub: Hub, *transport: str) -> Any:
                # "404: Not Found", but from the right address: what a test makes up by itself may call nobody on 127.0.0.1
                page.goto(hub.url.removesuffix(hub.path))
                page.add_script_tag(content=client)
                page.add_script_tag(content=sessions, type="module")
                page.wait_for_function("() => window.sessions")
                return page.evaluate("([session, ...rest]) => sessions[session](signalR, ...rest)",
                                     [session, hub.url, *transport])

            yield play
        finally:
            browser.close()


PLACES = {"node": in_node, "page": in_a_page}


@pytest.fixture(scope="module", params=PLACES)
def play(request: pytest.FixtureRequest, installed: Path) -> Iterator[Play]:
    """A way to play a session, in each of the places where the client runs."""
    with PLACES[request.param](installed) as play:
        yield play


@pytest.fixture
def hub() -> Iterator[Hub]:
    """The methods that the sessions call."""
    hub = Hub()
    over: list[asyncio.Event] = []  # one for each stream that has begun

    @hub.method
    def Transport(caller: Caller):
        return caller.transport

    @hub.method
    def Echo(text):
        return text

    @hub.method
    def Broadcast(text):
        hub.broadcast("news", text)

    @hub.method
    async def Counter(count):
        over.append(asyncio.Event())
        try:
            for number in range(int(count)):
                yield number
                await asyncio.sleep(0.02)
        finally:
            over[-1].set()

    @hub.method
    async def Cancelled():
        await over[-1].wait()
        return True

    @hub.method
    def Boom():
        raise HubError("boom!")

    @hub.method
    def Dismiss(caller: Caller, reason):
        caller.close(reason)

    @hub.method
    def SendAway(caller: Caller):
        caller.close(reconnect=True)

    with hub:
        yield hub


def seen(transport: str, *failed: str) -> dict[str, object]:
    """What the client sees of the calls, by a transport, when those before it have failed."""
    return {
        "failed": list(failed),
        "transport": transport,
        "echo": "naïve ⚽",
        "news": ["to all"],
        "stream": [0, 1, 2],
        "cancelled": True,
        "boom": "An unexpected error occurred invoking 'Boom' on the server. HubException: boom!",
        "nobody": "Failed to invoke 'Nobody' due to an error on the server. HubException: Method does not exist.",
        "closed": None,
    }


@EVERY
def test_calls(play: Play, hub: Hub, transport: str, eventually: Callable[[Callable[[], object]], None]) -> None:
    assert play("calls", hub, transport) == seen(transport)
    eventually(lambda: len(hub.log) == 3)
    *before, last = hub.log
    assert before == ["client 1 connected", "client 1: Boom failed: HubError: boom!"]
    # beside a stream of events its goodbye travels on a line of its own, and the end of the stream may overtake it
    ends = ("closed by the client", "gone")[:1 + (transport == "ServerSentEvents")]
    assert last in [f"client 1 left ({end})" for end in ends]

def test_it_takes_the_best(play: Play, hub: Hub) -> None:
    assert play("calls", hub) == seen("WebSockets")

@EVERY
def test_the_hub_says_why(play: Play, hub: Hub, transport: str) -> None:
    assert play("dismissed", hub, transport) == "Server returned an error on close: closing time"

@EVERY
def test_it_may_come_back(play: Play, hub: Hub, transport: str) -> None:
    assert play("sentAway", hub, transport) == ["back", "again"]

@pytest.mark.parametrize("status", [200, 403, 500, 503])
def test_falling_back(play: Play, hub: Hub, status: int) -> None:
    hub.refuse["WebSockets"] = status
    assert play("calls", hub) == seen("ServerSentEvents", "WebSockets")

def test_falling_back_twice(play: Play, hub: Hub) -> None:
    hub.refuse |= {"WebSockets": 503, "ServerSentEvents": 503}
    assert play("calls", hub) == seen("LongPolling", "WebSockets", "ServerSentEvents")

def test_it_waits_for_what_hangs(play: Play, hub: Hub) -> None:
    hub.refuse["WebSockets"] = "hang"
    assert play("hung", hub) == {"state": "Connecting", "failed": []}


def test_where_there_is_no_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no node and no npm on this machine"):
        required("node", "npm")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no node and no npm on this machine"):
        required("node", "npm")
