"""The calls through a Wire: what comes in at one side goes out at the other, when and as the faults allow."""

import asyncio
import contextlib
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

from .background import BackgroundServer
from .faults import GAP, Faults, Pace
from .recording import Recording, Sender

# Bytes of one direction that may be inside the wire. At more it stops reading, and the sender is held up as it is by a
# reader that doesn't read. A delay needs more room: it holds what is in the air.
WINDOW = 2**18
WINDOW_IN_THE_AIR = 2**22

_WATCH = 0.1  # seconds between two looks at sides that aren't being read
_TURNS = 10  # of the loop: enough for what waits at a socket to be accepted, read and passed on
RESET_ON_CLOSE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""The value of SO_LINGER (on, 0 seconds) with which a close sends a RST in place of a FIN."""


class _Mark(Enum):
    """What stands among the bytes of one direction, in its place."""

    END = auto()
    RESET = auto()


class Relay:
    """All calls through one wire, from its start to its stop. Everything here runs in the wire's thread, on its loop.

    ``where()`` gives the target's host and port. ``owner`` keeps the log and counts the clients.
    """

    def __init__(
        self, owner: BackgroundServer, where: Callable[[], tuple[str, int]], faults: Faults, recording: Recording
    ) -> None:
        self.owner = owner
        self.where = where
        self.faults = faults
        self.loop = asyncio.get_running_loop()
        self._recording = recording
        self._started = self.loop.time()
        self._connections: set[Connection] = set()
        self._watching: asyncio.TimerHandle | None = None

    # Told by the wire

    def accept(self) -> asyncio.Protocol:
        """Take a new call. Returns the protocol of its client's side."""
        return Connection(self).client

    async def cut(self, after: int) -> None:
        """Reset every connection, both sides, after so many more bytes."""
        await self._settle()
        self.set("cut_after", after)
        if not after:
            self._cut_now()
            await self._settle()

    async def half_close(self, sender: Sender) -> None:
        """Pass an end of what this sender sends, on every connection."""
        await self._settle()
        for connection in list(self._connections):
            connection.side(sender).half_close()

    async def silence(self, on: bool) -> None:
        """Hold everything back, or let it go."""
        if on:
            await self._settle()
        if self.faults.silent is on:
            return
        self.faults.silent = on
        for connection in list(self._connections):
            connection.mark("silent" if on else "restored")
            connection.call_target()
            for side in connection.sides:
                side.start_afresh()

    def set(self, fault: str, value: object) -> None:
        """Change a setting of ``faults``, also for what is on its way."""
        setattr(self.faults, fault, value)
        for connection in list(self._connections):
            for side in connection.sides:
                side.start_afresh()

    async def close(self) -> None:
        """Hang up on everybody."""
        for connection in list(self._connections):
            connection.drop("stopped")
        await self._settle()
        if self._watching is not None:
            self._watching.cancel()

    # Told by the connections

    def record(self, connection: int, sender: Sender, kind: str, data: bytes = b"") -> None:
        """Record an event, at the time it is now."""
        self._recording.add(self.loop.time() - self._started, connection, sender, kind, data)

    def came(self, connection: "Connection") -> int:
        """Count a connection in. Returns its number."""
        self._connections.add(connection)
        return self.owner._client_came(connection)

    def left(self, connection: "Connection") -> None:
        """Count a connection out."""
        self._connections.discard(connection)
        self.owner._client_left(connection, connection.how)

    def passed(self) -> None:
        """See whether these were the last bytes before a cut."""
        if self.faults.cut_after == 0:
            # A moment, so that a reader that waits gets them: some systems drop unread bytes at a reset.
            self.loop.call_later(GAP, self._cut_if_due)

    def watch(self) -> None:
        """Look after sides that aren't being read, until there are none: no read will tell when they reset."""
        if self._watching is None:
            self._watching = self.loop.call_later(_WATCH, self._look)

    def _look(self) -> None:
        self._watching = None
        for connection in list(self._connections):
            for side in connection.sides:
                if side.unread:
                    side.look_for_reset()
                    self.watch()

    def _cut_if_due(self) -> None:
        if self.faults.cut_after == 0:
            self._cut_now()

    def _cut_now(self) -> None:
        self.faults.cut_after = None
        for connection in list(self._connections):
            connection.mark("cut")
            connection.reset("cut")

    async def _settle(self) -> None:
        """Let what waits at the sockets come in and go on its way; new calls too."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        calls = [connection.call for connection in self._connections if connection.call is not None]
        if any(not call.done() for call in calls):
            await asyncio.wait(calls, timeout=1)
            for _ in range(_TURNS):
                await asyncio.sleep(0)


class Connection:
    """One call: the client's connection to the wire, and the wire's own to the target."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.number = 0
        self.how = "end of stream"  # how it ended, for the log
        self.client = Side(self, "client")
        self.server = Side(self, "server")
        self.sides = (self.client, self.server)
        self.client.other, self.server.other = self.server, self.client
        self.call: asyncio.Task[None] | None = None  # the wire's call to the target

    def side(self, sender: Sender) -> "Side":
        """The side that sends this."""
        return self.client if sender == "client" else self.server

    def opened(self) -> None:
        """The client is there: call the target."""
        self.number = self.relay.came(self)
        self.client.record("open")
        if self.relay.faults.silent:
            self.mark("silent")
        self.call_target()

    def call_target(self) -> None:
        """Call the target, once, and not into a silence."""
        if self.call is None and not self.relay.faults.silent:
            self.call = self.relay.loop.create_task(self._call())

    async def _call(self) -> None:
        try:
            await self.relay.loop.create_connection(lambda: self.server, *self.relay.where())
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that can't be one
            self.server.lost = True
            self.server.record("refused")
            self.relay.owner._note(f"client {self.number}: the target refused: {type(error).__name__}")
            self.reset("refused")

    def mark(self, kind: str) -> None:
        """Record a fault that concerns both directions."""
        for side in self.sides:
            side.record(kind)

    def reset(self, how: str) -> None:
        """Break off both sides (RST)."""
        for side in self.sides:
            side.reset_on_close()
        self.drop(how)

    def drop(self, how: str) -> None:
        """Close both sides at once; bytes under way are lost."""
        self.how = how
        if self.call is not None and not self.server.lost:
            self.call.cancel()
        for side in self.sides:
            side.drop()
        self.see_whether_over()

    def see_whether_over(self) -> None:
        """Close what has come to its end in both directions; count out what has closed."""
        if all(side.ended and side.told_end for side in self.sides):
            for side in self.sides:
                side.close()
        if self.client.lost and self.server.lost:
            self.relay.left(self)


class Side(asyncio.Protocol):
    """One end of a connection: what it sends goes through a queue to the other side.

    The queue holds bytes and marks, each with the time of its arrival. ``pump()`` alone takes from it.
    """

    other: "Side"

    def __init__(self, connection: Connection, sender: Sender) -> None:
        self.pace = Pace(connection.relay.faults)
        self.full = True  # takes no bytes now: not connected yet, or its reader doesn't read
        self.ended = False  # it has sent its last byte
        self.told_end = False  # the other side was told that there won't be more
        self.lost = False  # its connection is closed
        self._connection = connection
        self._relay = connection.relay
        self._sender: Sender = sender
        self._transport: asyncio.Transport | None = None
        self._queue: deque[tuple[float, bytes | _Mark]] = deque()
        self._waiting = 0  # bytes in the queue
        self._offset = 0  # bytes of the first chunk that have passed
        self._later: asyncio.TimerHandle | None = None
        self._muted = False  # half-closed by the wire: what it sends is lost
        self._reset_seen = False
        self._dropped = False  # closed by the wire

    def record(self, kind: str, data: bytes = b"") -> None:
        """Record an event about what this side sends."""
        self._relay.record(self._connection.number, self._sender, kind, data)

    # Called by asyncio

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=0)  # one piece at most waits behind the system's own buffer
        # asyncio sees to this for connections that it makes, but not on every system for those that it accepts
        self._socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.full = False
        if self._sender == "client":
            self._connection.opened()
        else:
            self.other.pump()

    def data_received(self, data: bytes) -> None:
        self.record("received", data)
        if not self._muted:
            self._put(data)
            self._waiting += len(data)
            self.pump()

    def eof_received(self) -> bool:
        self.record("end")
        self.ended = True
        if self._muted:
            self._connection.see_whether_over()
        else:
            self._put(_Mark.END)
            self.pump()
        self._relay.watch()
        return True  # stay open: the other direction goes on

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        if not self._dropped and (exc is not None or self._reset_seen):
            self._connection.how = "reset"
            self.record("reset")
            self._put(_Mark.RESET)
        self.pump()
        self.other.pump()
        self._connection.see_whether_over()

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self.other.pump()

    # Passing on

    def pump(self) -> None:
        """Pass on what may pass now, and come back when the next piece may."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        faults, loop, other = self._relay.faults, self._relay.loop, self.other
        if other.lost:
            self._forget_queue()
        while self._queue and not faults.silent and faults.cut_after != 0:
            received, item = self._queue[0]
            if other.full and self._queue[-1][1] is _Mark.RESET:
                # Bytes wait for a reader who doesn't read; a reset doesn't.
                received, item = self._queue[-1]
            due = self.pace.due(received)
            if due > loop.time():
                self._later = loop.call_at(due, self.pump)
                break
            if item is _Mark.RESET:
                self.record("reset passed")
                self._connection.reset("reset")
                return
            if other.full:
                break
            if item is _Mark.END:
                self._queue.popleft()
                self._tell_end()
            else:
                self._pass_piece(item)
        self._throttle()

    def _pass_piece(self, chunk: bytes) -> None:
        start, size = self._offset, self.pace.size(len(chunk) - self._offset)
        if start + size == len(chunk):
            self._queue.popleft()
            self._offset = 0
        else:
            self._offset += size
        self._waiting -= size
        piece = chunk[start : start + size]  # the same object, if it is the whole
        # Recorded first: who has read the bytes finds them in the recording.
        self.record("passed", piece)
        self.other._transport.write(piece)
        self.pace.passed(self._relay.loop.time(), size)  # not before: the pause comes after the piece
        self._relay.passed()

    def _tell_end(self) -> None:
        self.record("end passed")
        self.told_end = True
        try:
            self.other._transport.write_eof()
        except OSError:
            pass  # it has just been reset, which the next read will say
        self._connection.see_whether_over()

    def _throttle(self) -> None:
        """Read on, or leave the sender's bytes where they are, so that the sender is held up."""
        if self._transport is None or self.ended or self.lost:
            return
        window = WINDOW_IN_THE_AIR if self._relay.faults.delay else WINDOW
        if self._waiting >= window:
            self._transport.pause_reading()
            self._relay.watch()
        else:
            self._transport.resume_reading()

    def _put(self, item: bytes | _Mark) -> None:
        self._queue.append((self._relay.loop.time(), item))

    def _forget_queue(self) -> None:
        self._queue.clear()
        self._waiting = self._offset = 0

    def start_afresh(self) -> None:
        """Go on under new settings."""
        self.pace.forget()
        self.pump()

    def half_close(self) -> None:
        """Let the other side read the end of the stream after what is under way."""
        if not self._muted and not self.ended and not self.lost:
            self._muted = True
            self.record("half-closed")
            self._put(_Mark.END)
            self.pump()

    # Closing

    @property
    def unread(self) -> bool:
        """Whether nobody reads here now, so that a reset would go unnoticed."""
        return self._transport is not None and not self.lost and (self.ended or not self._transport.is_reading())

    def look_for_reset(self) -> None:
        """Ask the system whether this side has been reset."""
        if self._socket().getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._reset_seen = True
            self._transport.abort()

    def reset_on_close(self) -> None:
        """Let the next close send a RST in place of a FIN."""
        if self._transport is not None and not self.lost:
            with contextlib.suppress(OSError):  # macOS refuses where the line is gone already
                self._socket().setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)

    def drop(self) -> None:
        """Close at once."""
        self._dropped = True
        self._forget_queue()
        if self._transport is None:
            self.lost = True
        else:
            self._transport.abort()

    def close(self) -> None:
        """Close when what was passed has gone out."""
        self._transport.close()

    def _socket(self) -> socket.socket:
        return self._transport.get_extra_info("socket")
