"""The hub protocol of SignalR, JSON version 1, without any transport: text comes in, text is to go out.

Source: https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md
"""

import asyncio
import inspect
import json
import secrets
import time
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, Protocol

GREETING = {"protocol": "json", "version": 1}
"""A client's first words; the hub answers with an empty object."""

END = "\x1e"
"""What stands behind every record, and never inside one: JSON writes it as an escape."""

INVOCATION, ITEM, COMPLETION, STREAM, CANCEL, PING, CLOSE = range(1, 8)
"""The types of records."""

WAITING = 10_000
"""Records that may wait for a client that does not take them; one more, and it is dropped."""

Method = Callable[..., Any]


def dump(record: dict[str, Any]) -> str:
    """A record as it travels. TypeError or ValueError for what JSON can't say."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False) + END


class HubError(Exception):
    """Raised in a method, its text is told to the client that called; the text of any other exception is not."""


class BadRecord(ValueError):
    """A client broke the protocol; the text says how."""


class House(Protocol):
    """What a caller needs of its hub."""

    methods: dict[str, Method]
    max_size: int

    def arrived(self, caller: "Caller") -> None: ...
    def failed(self, caller: "Caller", name: str, error: Exception) -> None: ...
    def left(self, caller: "Caller", how: str) -> None: ...


class Caller:
    """One client of a hub, whatever carries its records.

    A method whose first parameter is called ``caller`` gets it. All of it runs on the hub's loop, in its thread.

    id: the connection's public name. token: what the client shows to be let in; nobody else knows it.
    groups: the names of the groups it has joined.
    """

    def __init__(self, hub: House, *, public: bool = False) -> None:
        self.id = secrets.token_urlsafe(16)
        self.token = self.id if public else secrets.token_urlsafe(16)
        self.groups: set[str] = set()
        self.transport: str | None = None
        """"WebSockets", "ServerSentEvents" or "LongPolling", once it has come by one."""
        self.heard = time.monotonic()
        """When it was last heard of, on the clock of ``time.monotonic``."""
        self.born = self.heard
        self.requests = 0
        """How many of its requests are open, by which it can be told something."""
        self.greeted = False
        """Whether its handshake was accepted."""
        self.sent_away = False
        self.ended: str | None = None
        """How it ended, in words; None as long as it goes on."""
        self._hub = hub
        self._unread = ""
        self._unsent: deque[str] = deque()
        self._news = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._unnumbered: set[asyncio.Task[None]] = set()

    def send(self, target: str, *arguments: Any) -> None:
        """Call ``target`` at the client, which answers nothing. TypeError or ValueError for what JSON can't say."""
        self._put({"type": INVOCATION, "target": target, "arguments": arguments})

    def join(self, group: str) -> None:
        """From now on it hears what is broadcast to this group."""
        self.groups.add(group)

    def leave(self, group: str) -> None:
        """The opposite of ``join``; no error where it has not joined."""
        self.groups.discard(group)

    def close(self, reason: str | None = None, *, reconnect: bool = False) -> None:
        """End the connection with a Close record. reason: an error for the client; None is a friendly end.

        reconnect: whether a client that reconnects by itself may do so; a WebSocket then ends with 1001.
        """
        self.sent_away = reconnect
        if self.ended is None and self.greeted:
            record: dict[str, Any] = {"type": CLOSE}
            if reason is not None:
                record["error"] = reason
            if reconnect:
                record["allowReconnect"] = True
            self._put(record)
        self.end(reason or "closed by the hub")

    # For a transport

    def receive(self, text: str) -> None:
        """Take what the client sent: any part of a record, or any number of them."""
        self.heard = time.monotonic()
        if self.ended is not None:
            return
        try:
            *records, self._unread = (self._unread + text).split(END)
            for record in records:
                self._limit(record)
                self._handle(record)
                if self.ended is not None:
                    return
            self._limit(self._unread)
        except BadRecord as broken:
            self.refuse(str(broken))

    def refuse(self, why: str) -> None:
        """End the connection for a mistake of the client's, and tell it which."""
        if self.greeted:
            self.close(f"Connection closed with an error. {why}")
        else:
            self._put({"error": why})
            self.end(why)

    def end(self, how: str) -> None:
        """It is over: what it called is cancelled, what waits may still be sent. Only the first call counts."""
        if self.ended is not None:
            return
        self.ended = how
        self._news.set()
        for task in [*self._running.values(), *self._unnumbered]:
            # later: a task that is cancelled before its first step never gets to its `finally`
            asyncio.get_running_loop().call_soon(task.cancel)
        self._hub.left(self, how)

    async def next_text(self, patience: float | None) -> str | None:
        """What is to be sent next, all that waits, as one text; "" when there was nothing for `patience` seconds (None: never).

        None when it has ended and everything was taken.
        """
        try:
            async with asyncio.timeout(patience):
                await self._news.wait()
        except TimeoutError:
            return ""
        text = "".join(self._unsent)
        self._unsent.clear()
        if self.ended is None:
            self._news.clear()
        return text or (None if self.ended is not None else "")

    # The protocol

    def _put(self, record: dict[str, Any]) -> None:
        text = dump(record)
        if self.ended is not None:
            return
        if len(self._unsent) >= WAITING:
            self._unsent.clear()
            self.end("too slow: it does not take what is sent to it")
            return
        self._unsent.append(text)
        self._news.set()

    def _limit(self, record: str) -> None:
        if len(record) > self._hub.max_size:
            raise BadRecord(f"A record is longer than {self._hub.max_size} characters.")

    def _handle(self, text: str) -> None:
        try:
            record = json.loads(text)
        except (ValueError, RecursionError):
            raise BadRecord("A record is not JSON.") from None
        if not isinstance(record, dict):
            raise BadRecord("A record is not an object.")
        if not self.greeted:
            self._greet(record)
            return
        match record.get("type"):
            case 1 | 4 as kind:
                self._called(record, streaming=kind == STREAM)
            case 5:
                task = self._running.get(_text(record, "invocationId"))
                if task is not None:
                    asyncio.get_running_loop().call_soon(task.cancel)
            case 6:
                pass
            case 7:
                self.end("closed by the client")
            case other:
                raise BadRecord(f"Records of type {json.dumps(other)[:40]} are not known here.")

    def _greet(self, record: dict[str, Any]) -> None:
        if record.get("protocol") != "json":
            raise BadRecord(f"The protocol {json.dumps(record.get('protocol'))[:40]} is not supported.")
        if record.get("version") != 1:
            raise BadRecord(f"Version {json.dumps(record.get('version'))[:40]} of the protocol is not supported.")
        self._put({})
        self.greeted = True
        self._hub.arrived(self)

    def _called(self, record: dict[str, Any], *, streaming: bool) -> None:
        name, arguments = _text(record, "target"), record.get("arguments")
        number = _text(record, "invocationId") if streaming or "invocationId" in record else None
        if not isinstance(arguments, list):
            raise BadRecord("The arguments of a call are not a list.")
        if number in self._running:
            raise BadRecord(f"The invocation {number[:40]!r} is running already.")
        task = asyncio.get_running_loop().create_task(self._answer(name, arguments, number, streaming))
        if number is None:
            self._unnumbered.add(task)
            task.add_done_callback(self._unnumbered.discard)
        else:
            self._running[number] = task

    async def _answer(self, name: str, arguments: list[Any], number: str | None, streaming: bool) -> None:
        answer: dict[str, Any] = {}
        try:
            answer = await self._call(name, arguments, number, streaming)
        except asyncio.CancelledError:
            pass  # by the client, which is told that it is over, or because it is gone
        finally:
            if number is not None:
                del self._running[number]
                self._put({"type": COMPLETION, "invocationId": number, **answer})

    async def _call(self, name: str, arguments: list[Any], number: str | None, streaming: bool) -> dict[str, Any]:
        """What a Completion says beside its number: a result, an error, or, after a stream, nothing."""
        failed = f"Failed to invoke '{name}' due to an error on the server."
        # looked up in a register: with getattr a client could call anything
        method = self._hub.methods.get(name)
        if method is None:
            return {"error": f"{failed} HubException: Method does not exist."}
        streams = inspect.isasyncgenfunction(method)
        if streams and not streaming:
            return {"error": f"The client attempted to invoke the streaming '{name}' method "
                             "with a non-streaming invocation."}
        if streaming and not streams:
            return {"error": f"The client attempted to invoke the non-streaming '{name}' method "
                             "with a streaming invocation."}
        signature = inspect.signature(method)
        given = [self, *arguments] if next(iter(signature.parameters), "") == "caller" else arguments
        try:
            signature.bind(*given)
        except TypeError:
            return {"error": failed}
        try:
            if streams:
                async with aclosing(method(*given)) as items:
                    async for item in items:
                        self._put({"type": ITEM, "invocationId": number, "item": item})
                return {}
            result = method(*given)
            result = await result if inspect.isawaitable(result) else result
            dump({"result": result})  # what JSON can't say is the method's failure
            return {"result": result}
        except Exception as error:
            # what failed inside is nobody's business outside, unless the method says so
            self._hub.failed(self, name, error)
            told = f" HubException: {error}" if isinstance(error, HubError) else ""
            return {"error": f"An unexpected error occurred invoking '{name}' on the server.{told}"}


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    if not isinstance(value, str):
        raise BadRecord(f"The {key} of a record is not a text.")
    return value
