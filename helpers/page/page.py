"""The page's end in the kernel: it hands out the page, tells it what to run, and hears what happens there."""

from __future__ import annotations

import html
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import OPEN

from ..background import BackgroundServer
from ..echo import WebSocketServer
from . import addresses
from .stand_in import StandIn

TEMPLATE = Path(__file__).with_name("page.html")
PROTOCOL = "full-duplex-page"  # the name by which page and server know each other

_LIMIT = 4.0  # seconds that a page has for what a cell waits for
_JUPYTER, _UNKNOWN, _UNLIKELY = 4.0, 0.8, 0.2
"""Seconds that a page has to connect: where Jupyter has started this kernel, where nobody knows, and where none came before."""

_BEHIND = 1.0  # seconds that a proxy has to connect to the target

_HIDDEN = {"ran", "road"}


class Said:
    """What happened in a page, a line each; shows itself as the value of a cell.

    lines: the events and what the script showed, in their order. who: "page" or "stand-in".
    """

    def __init__(self, lines: Sequence[str], who: str) -> None:
        self.lines = list(lines)
        self.who = who

    def __repr__(self) -> str:
        head = "the page:" if self.who == "page" else "no page here, so a stand-in in Python plays its part:"
        return "\n".join([head, *(f"  {line}" for line in self.lines or ["(nothing)"])])


class Page(WebSocketServer):
    """A web page in an output of a notebook. It runs ``script`` in the browser, and its notebook hears what happens.

    target: a running server or wire, or a ``ws://`` URI; in the script it is called ``address``, as the browser has to dial it.
    script: JavaScript, which may use ``address``, ``show(...)``, ``leave()``, and ``reach(uri)`` for another server.
    name: as for ``BackgroundServer``: starting another page of this name ends this one.

    Where no browser connects in time, a stand-in written in Python plays the page's part (``stand_in.py``), and every
    ``Said`` says so. Every method may be called from any thread but the page's own.

        page = Page(wire, 'let ws = new WebSocket(address)').start()
        page.wait("open")
    """

    _page_came: bool | None = None
    """Whether a page has connected to the last one that waited; None: nobody has waited yet."""

    def __init__(self, target: BackgroundServer | str, script: str = "", *, name: str | None = None) -> None:
        super().__init__(self._listen_to, name=name, subprotocols=[PROTOCOL], process_request=self._hand_out)
        self._target = target
        self.script = script
        self._news = threading.Condition()
        self._notes: list[tuple[str, str]] = []
        self._read = 0  # notes that a cell has shown
        self._remote: ServerConnection | None = None
        self._stand_in: StandIn | None = None
        self.road: str | None = None
        """The way by which the page has come: "direct", "proxy" or "forwarded"; None: none has."""

    # What a cell uses

    @property
    def url(self) -> str:
        """Where the page can be opened in a tab of its own, on this machine."""
        return self.uri.replace("ws", "http", 1) + "/"

    @property
    def here(self) -> bool:
        """Whether a page is connected now."""
        return self._remote is not None

    def wait(self, until: str = "ran", limit: float = _LIMIT) -> Said:
        """Wait until the page has told something of this kind, and return all that it told since it was last asked.

        until: "open", "message", "error", "close", "thrown", "show", or "left"; the text of a line; "ran": that the script was run.
        Returns what there is when ``limit`` seconds have passed. Blocks the calling thread.
        """
        self._ensure_somebody()
        return self._said(self._read, until, limit)

    def do(self, line: str, until: str = "ran", limit: float = _LIMIT) -> Said:
        """Have the page run one more line of JavaScript, and ``wait()``."""
        self._ensure_somebody()
        with self._news:
            begin = len(self._notes)
        self.run(self._order, line)
        return self._said(begin, until, limit)

    # The page in an output

    def html(self) -> str:
        """The text of the page."""
        target = self._target if isinstance(self._target, str) else self._target.uri
        settings = {"remote": f"{self.uri}/", "target": target if target.count("/") > 2 else f"{target}/"}
        if found := addresses.forwarded():
            settings["forwarded"] = found
        return TEMPLATE.read_text(encoding="utf-8").replace("SETTINGS", json.dumps(settings).replace("<", "\\u003c"), 1)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        if reason := addresses.no_way():
            return {"text/plain": reason}
        words = "The page, with your script in it. Where you see no page here, open the notebook in JupyterLab and run this cell."
        frame = (
            f'<iframe title="the page" style="width: 100%; height: 15em; border: 1px solid #888888" '
            f'srcdoc="{html.escape(self.html())}"></iframe>'
        )
        return {"text/html": f"<div>{words}</div>\n{frame}", "text/plain": words}

    # In the calling thread

    def _ensure_somebody(self) -> None:
        """Wait a moment for a page, the first time; where none comes, start the stand-in."""
        if self._remote is not None or self._stand_in is not None or self._notes:
            return
        if addresses.no_way():
            patience = 0.0
        elif Page._page_came is False:
            patience = _UNLIKELY
        else:
            patience = _JUPYTER if "JPY_SESSION_NAME" in os.environ else _UNKNOWN
        with self._news:
            self._news.wait_for(lambda: self._remote is not None, patience)
        Page._page_came = self.run(self._begin_stand_in)

    def _said(self, begin: int, until: str, limit: float) -> Said:
        with self._news:
            self._news.wait_for(lambda: any(kind == "left" or until in (kind, text) for kind, text in self._notes[begin:]), limit)
        if until == "open" and self.road == "proxy":
            self._wait_behind_the_proxy()
        with self._news:
            new, self._read = self._notes[self._read :], len(self._notes)
        return Said([text for kind, text in new if kind not in _HIDDEN], "page" if self._stand_in is None else "stand-in")

    def _wait_behind_the_proxy(self) -> None:
        """The proxy says yes to the page and connects then: a cell that goes on should find the line as open as without it."""
        deadline = monotonic() + _BEHIND
        while isinstance(self._target, BackgroundServer) and not self._target.clients and monotonic() < deadline:
            sleep(0.01)
        sleep(0.05)

    # In the page's thread

    async def _open(self) -> None:
        """Begin anew: who came to an earlier start, and what was told then, is forgotten."""
        with self._news:
            self._remote = self._stand_in = self.road = None
            self._notes, self._read = [], 0
        await super()._open()

    def _begin_stand_in(self) -> bool:
        """Let the stand-in begin, unless a page has come meanwhile. Returns whether one has."""
        if self._remote is not None:
            return True
        target = self._target if isinstance(self._target, str) else self._target.uri
        self._stand_in = StandIn(target, self._told)
        self._stand_in.run(self.script)
        return False

    def _order(self, line: str) -> None:
        if self._stand_in is not None and not self._stand_in.gone:
            self._stand_in.run(line)
        elif self._remote is not None and self._remote.protocol.state is OPEN:
            self._send(self._remote, run=line)
        else:
            self._told([("left", "(the page is gone: run its cell again)")])

    def _told(self, notes: Sequence[tuple[str, str]]) -> None:
        with self._news:
            for kind, text in notes:
                if kind == "road":
                    self.road = text
                self._notes.append((kind, text))
            self._news.notify_all()

    async def _listen_to(self, remote: ServerConnection) -> None:
        """The life of a page."""
        if self._stand_in is not None:
            self._send(remote, say="A stand-in plays already. Run the cell of this page again to play yourself.")
            await remote.wait_closed()
            return
        with self._news:
            self._remote = remote  # a second one (a tab of its own) takes over
            self._news.notify_all()
        try:
            self._send(remote, run=self.script)
            async for batch in remote:
                self._told([(str(kind), str(text)) for kind, text in json.loads(batch)])
        except ConnectionClosed:
            pass
        if self._remote is remote:
            self._remote = None
            self._told([("left", "the page is gone")])

    @staticmethod
    def _send(remote: ServerConnection, **order: str) -> None:
        remote.protocol.send_text(json.dumps(order).encode())
        remote.send_data()

    def _hand_out(self, remote: ServerConnection, request: Request) -> Response | None:
        """Who asks without an upgrade gets the page itself."""
        if "Upgrade" in request.headers:
            return None
        body = self.html().encode()
        headers = Headers({"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body)), "Connection": "close"})
        return Response(200, "OK", headers, body)

    async def _close(self) -> None:
        if self._stand_in is not None:
            await self._stand_in.end()
        await super()._close()
