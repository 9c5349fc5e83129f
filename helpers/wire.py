"""A wire between a client and a server that records every chunk, and can misbehave on request."""

import asyncio
from urllib.parse import urlsplit

from .background import BACKLOG, BackgroundServer
from .faults import Faults, checked_chop, checked_cut, checked_delay, checked_rate
from .recording import Event, Recording, Sender, check_sender, checked_limit
from .relay import Relay

__all__ = ["Event", "Wire"]


class Wire(BackgroundServer):
    """A relay between a client and a server that records every chunk and can misbehave on request.

    ``target`` is where the bytes go: a server of this package, a ``ws://`` URI, or a ``(host, port)`` tuple. Clients connect to
    the wire's own ``uri`` or ``address`` instead; the wire passes each call on by a call of its own to the target.

    Recording changes nothing: bytes, their order, the end of one direction (FIN), a reset (RST), and a reader that doesn't
    read all reach the other side as they would without the wire. If the target refuses, the client's connection is reset: its
    first ``recv()`` says so, or its ``connect()`` already.

    ``delay``, ``chop`` and ``rate`` can be set here, and at any time later, also while a connection runs. They hold for each
    direction of each connection by itself. ``limit`` is how many bytes of memory the recording takes, about; what comes
    after that passes unrecorded.

    Everything here may be called from any thread but the wire's own.

    Raises: ValueError for a target or a fault that can't be one; its text says what to pass. ``start()`` raises, besides what
    every server raises, RuntimeError when the target is a server that was never started.
    """

    def __init__(
        self,
        target: BackgroundServer | str | tuple[str, int],
        *,
        delay: float = 0,
        chop: int | None = None,
        rate: float | None = None,
        limit: int = 2**26,
        host: str = "127.0.0.1",
        port: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(host=host, port=port, name=name)
        self._target = _checked_target(target)
        self._faults = Faults(checked_delay(delay), checked_chop(chop), checked_rate(rate))
        self._recording = Recording(checked_limit(limit))

    @property
    def uri(self) -> str:
        """Where a WebSocket client connects, with the path and query of the target. RuntimeError before the first start."""
        host, port = self.address
        target = urlsplit(self._target if isinstance(self._target, str) else getattr(self._target, "uri", ""))
        login, at, _ = target.netloc.rpartition("@")
        place = f"[{host}]" if ":" in host else host
        return target._replace(scheme="ws", netloc=f"{login}{at}{place}:{port}").geturl()

    # The recording

    @property
    def events(self) -> list[Event]:
        """What happened since the start, oldest first: a copy. Bytes that a reader has got are in it already, as "passed"."""
        return self._recording.events()

    def clear(self) -> None:
        """Forget the recording. Times and the numbers of connections go on."""
        self._recording.clear()

    def chunks_from(self, sender: Sender, connection: int | None = None, *, passed: bool = False) -> list[Event]:
        """What one side sent, chunk by chunk: the "received" events of this sender, or the "passed" ones.

        ``connection`` picks one connection by its number; None takes them all. ValueError for an unknown sender.
        """
        sender = check_sender(sender)
        kind = "passed" if passed else "received"
        return [
            event
            for event in self.events
            if event.kind == kind and event.sender == sender and connection in (None, event.connection)
        ]

    def bytes_from(self, sender: Sender, connection: int | None = None, *, passed: bool = False) -> bytes:
        """What one side sent, as the wire received it, or as it passed it on: ``chunks_from()``, joined."""
        return b"".join(event.data for event in self.chunks_from(sender, connection, passed=passed))

    # The faults

    @property
    def delay(self) -> float:
        """How long bytes are under way, in seconds. This is latency: ten chunks sent at once arrive at once, that much later."""
        return self._faults.delay

    @delay.setter
    def delay(self, seconds: float) -> None:
        self._set("delay", checked_delay(seconds))

    @property
    def chop(self) -> int | None:
        """The largest piece that is passed on at a time, in bytes; None passes chunks on as they came.

        Two milliseconds pass after each piece, so that a reader that waits sees it by itself. On a busy machine it may still
        get two at once; a low ``rate`` makes that unlikely. ``chunks_from(sender, passed=True)`` has the exact pieces.
        """
        return self._faults.chop

    @chop.setter
    def chop(self, size: int | None) -> None:
        self._set("chop", checked_chop(size))

    @property
    def rate(self) -> float | None:
        """How many bytes per second pass at most, in each direction of each connection; None is no limit."""
        return self._faults.rate

    @rate.setter
    def rate(self, bytes_per_second: float | None) -> None:
        self._set("rate", checked_rate(bytes_per_second))

    def cut(self, after: int = 0) -> None:
        """Reset every open connection, towards both sides, after ``after`` more bytes have passed; 0 is now.

        Bytes of both directions and of all connections count. The wire is cut once; who connects later gets through.
        With 0, both sides are reset when this returns. ValueError for a bad ``after``, RuntimeError when the wire isn't running.
        """
        after = checked_cut(after)
        self.run(lambda: self._relay.cut(after))

    def half_close(self, sender: Sender) -> None:
        """End what ``sender`` says, on every open connection: the other side reads the end of the stream (FIN).

        What was sent before arrives first. What the sender sends from now on is received and lost. The other direction goes on.
        ValueError for an unknown sender, RuntimeError when the wire isn't running.
        """
        sender = check_sender(sender)
        self.run(lambda: self._relay.half_close(sender))

    def silence(self, on: bool = True) -> None:
        """Let nothing pass any more, and close nothing; ``on=False`` lets pass what has waited.

        Bytes, ends, resets and new calls wait. The wire still receives, up to 256 KiB in each direction.
        """
        on = bool(on)
        if self.running:
            self.run(lambda: self._relay.silence(on))
        else:
            self._faults.silent = on

    def _set(self, fault: str, value: object) -> None:
        if self.running:
            # in the wire's thread, so that no piece passes half under the old settings, half under the new ones
            self.run(lambda: self._relay.set(fault, value))
        else:
            setattr(self._faults, fault, value)

    # In the wire's thread

    async def _open(self) -> None:
        self._where()  # a target that was never started shows now, not at the first call
        self._recording.clear()
        self._faults.cut_after = None
        self._relay = Relay(self, self._where, self._faults, self._recording)
        self._server = await asyncio.get_running_loop().create_server(
            self._relay.accept, sock=self._listen(), backlog=BACKLOG
        )

    async def _close(self) -> None:
        self._server.close()
        await self._relay.close()

    def _where(self) -> tuple[str, int]:
        target = self._target
        if isinstance(target, tuple):
            return target
        if isinstance(target, str):
            parts = urlsplit(target)
            return str(parts.hostname), parts.port or 80
        try:
            return target.address  # asked for at each call: a server that was started anew may have another port
        except RuntimeError:
            raise RuntimeError(f"the target {target!r} was never started: call its start() first") from None


def _checked_target(target: object) -> BackgroundServer | str | tuple[str, int]:
    match target:
        case BackgroundServer():
            return target
        case str():
            return _checked_uri(target)
        case (str(host), int(port)) if host and 0 < port < 2**16 and not isinstance(port, bool):
            return host, port
    raise ValueError(f"target is a server, a ws:// URI, or a tuple of a host and a port from 1 to 65535; not {target!r}")


def _checked_uri(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:  # a port that is no number, a bracket left open
        scheme, host, port = "", None, None
    if scheme == "wss":
        raise ValueError(
            "wss:// is encrypted: the wire would show cipher text, and a client would not take the certificate. "
            "Pass the ws:// URI of a server without TLS"
        )
    if scheme != "ws" or not host or port == 0:
        raise ValueError(f"target is a URI like 'ws://127.0.0.1:8765/path', not {uri!r}")
    return uri
