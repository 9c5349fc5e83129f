"""Plays the part of a page where there is no browser: in tests, on a server, in a classroom's CI.

It is a WebSocket client in Python that behaves as a browser's does in what notebook 11 tries: same frames on the wire, same
events in the same order, same refusals, as the standard has them (https://websockets.spec.whatwg.org/). A test holds it
against Chromium. It is no browser, and it reads no JavaScript beyond the lines of that notebook: one statement on a line,
handlers of one expression.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.protocol import OPEN

ORIGIN = "http://127.0.0.1:8888"
"""Where the page claims to come from: JupyterLab's usual address."""

LONG = 40  # characters of a line that are told, as in page.html

Tell = Callable[[list[tuple[str, str]]], None]


class Thrown(Exception):
    """What a browser throws; the text is its name, such as InvalidStateError."""


class StandIn:
    """A page without a browser. Everything here runs on one loop, that of the page's server.

    address: where its script connects, a ``ws://`` URI.
    tell: called with a list of (kind, text) for each turn of the loop, as a page tells its notebook.
    """

    def __init__(self, address: str, tell: Tell) -> None:
        self._tell = tell
        self._batch: list[tuple[str, str]] = []
        self._loop = asyncio.get_running_loop()
        self.sockets: list[BrowserSocket] = []
        self.gone = False  # it was left, or has ended: no line of its script runs any more
        self._names: dict[str, Any] = {
            "address": address,
            "reach": lambda uri: uri,
            "show": self.show,
            "leave": self.leave,
            "typeof": _typeof,
            "true": True,
            "false": False,
            "null": None,
            "setTimeout": lambda act, milliseconds=0: self._loop.call_later(milliseconds / 1000, self.guarded, act),
            "WebSocket": lambda url, protocols=(): BrowserSocket(self, url, protocols),
        }

    def run(self, script: str) -> None:
        """Run a script. What it throws is told, as in a page."""
        self.guarded(lambda: exec(as_python(script), self._names))
        self.note("ran", "")

    def guarded(self, act: Callable[..., Any], *args: Any) -> None:
        """Call ``act``; what it throws is told by its name."""
        if self.gone:
            return
        try:
            act(*args)
        except Thrown as thrown:
            self.note("thrown", str(thrown))
        except NameError:
            self.note("thrown", "ReferenceError")
        except (AttributeError, TypeError):
            self.note("thrown", "TypeError")

    def note(self, kind: str, text: str) -> None:
        """Tell something, with all that happens in the same turn of the loop."""
        if not self._batch:
            self._loop.call_soon(self._flush)
        self._batch.append((kind, text))

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        self._tell(batch)

    def show(self, *values: Any) -> None:
        """Write a line into the page."""
        self.note("show", _short(" ".join(_shown(value) for value in values)))

    def leave(self) -> None:
        """Go to another page: what is open is closed with 1001, and no event comes any more."""
        self.gone = True
        for socket in self.sockets:
            socket.abandon()
        self.note("left", "the page is gone")

    async def end(self) -> None:
        """Close what is open, and wait until it is."""
        self.gone = True
        for socket in self.sockets:
            socket.abandon()
        await asyncio.gather(*(socket.life for socket in self.sockets), return_exceptions=True)


class BrowserSocket:
    """A browser's ``WebSocket``, in Python and with a browser's names."""

    CONNECTING, OPEN, CLOSING, CLOSED = range(4)

    def __init__(self, page: StandIn, url: str, protocols: Any = ()) -> None:
        names = [protocols] if isinstance(protocols, str) else list(protocols) if isinstance(protocols, (list, tuple)) else ["[object Object]"]
        if any(not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", str(name)) for name in names):
            raise Thrown("SyntaxError")
        if not url.startswith(("ws://", "wss://")) or "#" in url:
            raise Thrown("SyntaxError")
        self.readyState = self.CONNECTING
        self.bufferedAmount = 0
        self.url = url
        self.onopen = self.onmessage = self.onerror = self.onclose = None
        self._page = page
        self._listeners: list[tuple[str, Callable[..., Any]]] = []
        self._waiting: list[str | bytes] = []
        self._line: ClientConnection | None = None
        self._left = False
        page.sockets.append(self)
        self.life = asyncio.get_running_loop().create_task(self._live(names))

    def __contains__(self, name: str) -> bool:
        return hasattr(self, name)

    def addEventListener(self, kind: str, listener: Callable[..., Any]) -> None:
        self._listeners.append((kind, listener))

    def send(self, data: Any) -> None:
        if self.readyState == self.CONNECTING:
            raise Thrown("InvalidStateError")
        data = data if isinstance(data, bytes) else _shown(data)
        self.bufferedAmount += len(data.encode() if isinstance(data, str) else data)
        if self.readyState != self.OPEN:
            return  # lost, without a word: the standard has it so
        self._waiting.append(data)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_soon(self._flush)

    def close(self, code: int | None = None, reason: str = "") -> None:
        if code is not None and code != 1000 and not 3000 <= code <= 4999:
            raise Thrown("InvalidAccessError")
        if len(reason.encode()) > 123:
            raise Thrown("SyntaxError")
        if self.readyState in (self.CLOSING, self.CLOSED):
            return
        if self.readyState == self.CONNECTING:
            self.readyState = self.CLOSING
            self.life.cancel()
            asyncio.get_running_loop().call_soon(self._over)
            return
        self._flush()
        self.readyState = self.CLOSING
        self._say_goodbye(1000 if code is None and reason else code, reason)

    def abandon(self) -> None:
        """The page is gone."""
        self._left = True
        if self.readyState == self.CONNECTING:
            self.life.cancel()
        elif self.readyState == self.OPEN:
            self.readyState = self.CLOSING
            self._say_goodbye(1001, "")

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            if self._line is None or self._line.protocol.state is not OPEN:
                return
            self._line.protocol.send_text(data.encode()) if isinstance(data, str) else self._line.protocol.send_binary(data)
            self.bufferedAmount -= len(data.encode() if isinstance(data, str) else data)
        if waiting:
            self._line.send_data()

    def _say_goodbye(self, code: int | None, reason: str) -> None:
        assert self._line is not None
        if self._line.protocol.state is OPEN:
            self._line.protocol.send_close(code, reason)
            self._line.send_data()

    async def _live(self, protocols: list[str]) -> None:
        try:
            async with connect(
                self.url,
                origin=ORIGIN,
                subprotocols=protocols or None,
                user_agent_header="a stand-in",
                compression=None,
                proxy=None,
                ping_interval=None,
                open_timeout=3,
                close_timeout=1,
                max_size=None,
            ) as self._line:
                self.readyState = self.OPEN
                self._happens("open", "open")
                async for message in self._line:
                    self._happens("message", f"message {_quoted(message)}", data=message)
        except (OSError, WebSocketException, TimeoutError):
            pass
        self._over()

    def _over(self) -> None:
        """The line is closed, or never was one."""
        if self.readyState == self.CLOSED:
            return
        self.readyState = self.CLOSED
        said = None if self._line is None else self._line.protocol.close_rcvd
        code, reason = (1006, "") if said is None else (int(said.code), said.reason)
        if self._line is None:  # it failed; a line that broke later is no error, only an end that is not clean
            self._happens("error", "error")
        text = f"close {code}" + (f" '{reason}'" if reason else "") + (", not clean" if said is None else ", clean")
        self._happens("close", text, code=code, reason=reason, wasClean=said is not None)

    def _happens(self, kind: str, text: str, **fields: Any) -> None:
        if self._left:
            return
        self._page.note(kind, text)
        handler = getattr(self, f"on{kind}")
        handlers = [*([handler] if handler else []), *(listener for wanted, listener in self._listeners if wanted == kind)]
        for each in handlers:
            self._page.guarded(each, type("Event", (), {"type": kind, **fields})())


def as_python(script: str) -> str:
    """A script of notebook 11 as Python: the few ways of writing that differ, line by line.

    ``const``, ``let``, ``new`` and semicolons go; ``x => e`` becomes a lambda. Raises Thrown("SyntaxError") for what it can't read.
    """
    lines = [_line_as_python(line) for line in script.splitlines()]
    text = "\n".join(line for line in lines if line)
    try:
        compile(text, "script", "exec")
    except SyntaxError:
        raise Thrown("SyntaxError") from None
    return text


def _line_as_python(line: str) -> str:
    line = re.sub(r"(^|\s)//.*", "", line).strip().rstrip(";")
    line = re.sub(r"^(?:const|let|var)\s+", "", line)
    line = re.sub(r"\bnew\s+(?=[A-Z])", "", line)
    line = re.sub(r"\btypeof\s+([\w.]+)", r"typeof(lambda: \1)", line)
    line = re.sub(r"(\"[^\"]*\")\.repeat\((\d+)\)", r"(\1 * \2)", line)
    return re.sub(r"\(?(\w*)\)?\s*=>\s*", lambda found: f"lambda {found[1] or '_'}=None: ", line)


def _typeof(value: Callable[[], Any]) -> str:
    try:
        found = value()
    except (AttributeError, NameError):
        return "undefined"
    kinds = {bool: "boolean", int: "number", float: "number", str: "string"}
    return "function" if callable(found) else kinds.get(type(found), "object")


def _shown(value: Any) -> str:
    """A value as JavaScript turns it into a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _quoted(data: str | bytes) -> str:
    return "of bytes" if isinstance(data, bytes) else f"'{_short(data)}'"


def _short(text: str) -> str:
    return f"{text[:LONG]}..." if len(text) > LONG else text
