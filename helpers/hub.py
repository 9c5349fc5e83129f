"""A SignalR hub to learn from: methods that clients call, over three transports, in a background thread."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, overload

from aiohttp import web

from . import hub_transports as transports
from .background import one_line
from .hub_protocol import Caller, HubError, Method
from .http_server import STOPPING, HTTPServer

__all__ = ["TRANSPORTS", "Caller", "Hub", "HubError"]

TRANSPORTS = ("WebSockets", "ServerSentEvents", "LongPolling")
"""The names of the transports, the best first: a client tries them in this order."""

HANG = "hang"
"""What ``refuse`` says for a request that is never answered."""

_FORMATS = {"WebSockets": ["Text", "Binary"], "ServerSentEvents": ["Text"], "LongPolling": ["Text", "Binary"]}


class Hub(HTTPServer):
    """A hub whose methods clients call by name, on a server in a thread of its own.

    hub = Hub()

    @hub.method
    async def Add(a, b):
        return a + b

    hub.start()
    hub.broadcast("news", "a new game")     # calls `news` at every client

    A method is a plain function, a coroutine function, or an async generator function, whose items are streamed. It
    runs on the hub's loop; a plain one must not block. If its first parameter is called ``caller``, it gets the
    ``Caller``. What it raises the client sees as an error, with its text only for a ``HubError``.

    host, port, name: as for ``BackgroundServer``.
    path: where the hub is, below the address.
    ping: seconds of silence after which it sends a Ping record; clients give up on a hub that is silent for 30.
    lease: seconds that a connection may be without any request of its client's before it is given up.
    silence: seconds without a word from a client that has a request open, after which it is given up.
    greeting: seconds that a client has for its handshake.
    poll: seconds that a long poll without news stays open.
    max_size: characters of the longest record taken; a longer one ends its connection with an error.

    ``refuse`` is for lessons on falling back: the name of a transport → the HTTP status with which to refuse it
    (``{"WebSockets": 503}``), or "hang": it is not answered at all. It may be changed while the hub runs; it is still
    offered.

    Source: https://github.com/dotnet/aspnetcore/tree/main/src/SignalR/docs/specs
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        name: str | None = None,
        path: str = "/hub",
        ping: float = 10.0,
        lease: float = 5.0,
        silence: float = 30.0,
        greeting: float = 15.0,
        poll: float = 20.0,
        max_size: int = 2**15,
    ) -> None:
        super().__init__(host=host, port=port, name=name)
        self.path = path
        self.ping, self.lease, self.silence, self.greeting, self.poll = ping, lease, silence, greeting, poll
        self.max_size = max_size
        self.methods: dict[str, Method] = {}
        self.refuse: dict[str, int | str] = {}
        self._callers: dict[str, Caller] = {}

    # What a cell uses

    @overload
    def method(self, function: Method) -> Method: ...
    @overload
    def method(self, *, name: str) -> Callable[[Method], Method]: ...

    def method(self, function: Method | None = None, *, name: str | None = None) -> Any:
        """Register a function, as a decorator: ``@hub.method`` under its own name, ``@hub.method(name="Add")``.

        Raises TypeError for what can't be called. A name that is registered already gets the new function.
        """
        if function is None:
            return lambda function: self._register(function, name)
        return self._register(function, name)

    def broadcast(self, target: str, *arguments: Any, group: str | None = None) -> int:
        """Call ``target`` at every client, or at those of a group. From a cell, any thread, or a method.

        Returns at how many. Raises RuntimeError when the hub isn't running, TimeoutError when it didn't answer within four
        seconds (a method blocks), TypeError or ValueError for what JSON can't say.
        """
        return self.run(self._broadcast, target, arguments, group)

    # What a caller uses

    def arrived(self, caller: Caller) -> None:
        """A caller's handshake was accepted."""
        self._client_came(caller)

    def failed(self, caller: Caller, name: str, error: Exception) -> None:
        """A method of a caller's raised: the log says what, which the caller is not told."""
        self._note(f"client {self._clients.get(caller, '?')}: {name} failed: {one_line(error)}")

    def left(self, caller: Caller, how: str) -> None:
        """A caller has ended."""
        if caller.transport != "LongPolling":  # its last poll fetches the goodbye, or its lease ends
            self._callers.pop(caller.token, None)
        self._client_left(caller, how)

    # The machinery, all of it on the hub's loop

    def _register(self, function: Method, name: str | None) -> Method:
        if not callable(function):
            raise TypeError(f"a method of a hub is a function, not {function!r}")
        self.methods[name or function.__name__] = function
        return function

    def _broadcast(self, target: str, arguments: tuple[Any, ...], group: str | None) -> int:
        callers = [caller for caller in self._clients if group is None or group in caller.groups]
        for caller in callers:
            caller.send(target, *arguments)
        return len(callers)

    async def _open(self) -> None:
        self._callers.clear()
        app = web.Application()
        app.router.add_post(self.path + "/negotiate", self._negotiate)
        app.router.add_route("*", self.path, self._serve_request)
        await self._open_app(app)
        self._sweeping = asyncio.create_task(self._sweep())

    async def _close(self) -> None:
        self._sweeping.cancel()
        callers = list(self._callers.values())
        for caller in callers:
            caller.close(reconnect=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOPPING):
                while any(caller.requests for caller in callers):
                    await asyncio.sleep(0.01)
        await self._close_app()

    async def _negotiate(self, request: web.Request) -> web.Response:
        version = 1 if request.query.get("negotiateVersion", "0") >= "1" else 0
        caller = self._new_caller(public=version == 0)
        names = {"connectionId": caller.id} | ({"connectionToken": caller.token} if version else {})
        offers = [{"transport": name, "transferFormats": _FORMATS[name]} for name in TRANSPORTS]
        return web.json_response({"negotiateVersion": version, **names, "availableTransports": offers})

    async def _serve_request(self, request: web.Request) -> web.StreamResponse:
        transport = _transport(request)
        if transport is not None and transport in self.refuse:
            return await self._refused(self.refuse[transport])
        if "id" in request.query:
            caller = self._callers.get(request.query["id"])
        else:  # a WebSocket may come without having asked what is on offer
            caller = self._new_caller() if transport == "WebSockets" else None
            if caller is None:
                return web.Response(status=400, text="Connection ID required")
        if caller is None:
            return web.Response(status=404, text="No Connection with that ID")
        if caller.ended is not None and request.method != "GET":
            return web.Response(status=404, text="This connection has ended")
        if request.method == "POST":
            return await transports.take_post(request, caller, max_size=self.max_size)
        if request.method == "DELETE":
            caller.end("closed by the client")
            return web.Response(status=202)
        if transport is None:
            return web.Response(status=405, headers={"Allow": "GET, POST, DELETE"})
        if caller.transport not in (None, transport) or (caller.requests and transport != "LongPolling"):
            return web.Response(status=409, text="This connection has its transport already")
        return await self._carry(request, caller, transport)

    async def _carry(self, request: web.Request, caller: Caller, transport: str) -> web.StreamResponse:
        first, caller.transport = caller.transport is None, transport
        with _carrying(caller):
            match transport:
                case "WebSockets":
                    return await transports.websocket(request, caller, ping=self.ping, max_size=self.max_size)
                case "ServerSentEvents":
                    return await transports.server_sent_events(request, caller, ping=self.ping)
            answer = await transports.long_polling(request, caller, first=first, patience=self.poll)
            if answer.status == 204:
                self._callers.pop(caller.token, None)
            return answer

    async def _refused(self, how: int | str) -> web.Response:
        if how == HANG:
            await asyncio.get_running_loop().create_future()  # until the client hangs up
        return web.Response(status=int(how), text="refused, for the sake of the lesson")

    def _new_caller(self, *, public: bool = False) -> Caller:
        caller = Caller(self, public=public)
        self._callers[caller.token] = caller
        return caller

    async def _sweep(self) -> None:
        """Give up those who are not heard of any more, until cancelled."""
        while True:
            await asyncio.sleep(min(self.lease, self.silence, self.greeting) / 4)
            now = time.monotonic()
            for caller in list(self._callers.values()):
                if not caller.requests and now - caller.heard > self.lease:
                    caller.end("its lease ended")
                    self._callers.pop(caller.token, None)
                elif not caller.greeted and now - caller.born > self.greeting:
                    caller.refuse("Handshake was canceled.")
                elif now - caller.heard > self.silence:
                    caller.close("Connection closed: nothing was heard of the client.", reconnect=True)


def _transport(request: web.Request) -> str | None:
    """Which transport a request wants to begin or go on with; None for one that only carries something."""
    if request.method != "GET":
        return None
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return "WebSockets"
    return "ServerSentEvents" if "text/event-stream" in request.headers.get("Accept", "") else "LongPolling"


@contextlib.contextmanager
def _carrying(caller: Caller) -> Iterator[None]:
    caller.requests += 1
    try:
        yield
    finally:
        caller.requests -= 1
        caller.heard = time.monotonic()
