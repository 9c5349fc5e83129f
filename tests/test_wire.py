"""The wire: what it passes on, what it records, and how it misbehaves when asked to."""

import asyncio
import hashlib
import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

import pytest
from conftest import open_files
from websockets.asyncio.client import connect as async_connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from helpers import EchoServer, TCPEchoServer, WebSocketServer, Wire
from helpers.faults import GAP
from helpers.limits import connections_that_fit
from helpers.recording import Event
from helpers.relay import RESET_ON_CLOSE, WINDOW, WINDOW_IN_THE_AIR, Connection

pytestmark = pytest.mark.filterwarnings("error::ResourceWarning")

HANG = 20  # seconds after which a test gives up; nothing here takes a tenth of it
ONE_READ = 2**18  # bytes that asyncio reads at once, at most


class Line(NamedTuple):
    """A client and a server of the test's own, with a wire between them."""

    wire: Wire
    client: socket.socket
    server: socket.socket

    def ends(self, sender: str) -> tuple[socket.socket, socket.socket]:
        """The socket that sends, and the one that reads."""
        return (self.client, self.server) if sender == "client" else (self.server, self.client)

    def connections(self) -> list[Connection]:
        """The wire's inside, when it has got through to the server."""
        self.client.sendall(b"!")
        read(self.server, 1)
        self.wire.clear()
        return list(self.wire._relay._connections)


@contextmanager
def line(**faults: Any) -> Iterator[Line]:
    with listening() as listener, Wire(listener.getsockname(), **faults) as wire:
        client = socket.create_connection(wire.address, timeout=HANG)
        with client:
            server, _ = listener.accept()
            server.settimeout(HANG)
            with server:
                yield Line(wire, client, server)


@contextmanager
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(HANG)
        yield listener


def read(sock: socket.socket, size: int) -> bytes:
    """Exactly so many bytes."""
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        assert more, f"the stream ended after {data!r}"
        data += more
    return data


def read_all(sock: socket.socket) -> tuple[bytes, str]:
    """All that comes, and how it ends."""
    chunks = []
    try:
        while chunk := sock.recv(2**16):
            chunks.append(chunk)
    except ConnectionResetError:
        return b"".join(chunks), "reset"
    return b"".join(chunks), "end"


def call_and_read(wire: Wire) -> tuple[bytes, str]:
    """Connect and read all; a reset may come while connecting."""
    try:
        with socket.create_connection(wire.address, timeout=HANG) as client:
            return read_all(client)
    except ConnectionResetError:
        return b"", "reset"


def reset(sock: socket.socket) -> None:
    """Close with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    sock.close()


def send_until_stuck(sock: socket.socket) -> int:
    """Send until no more is taken for a while. Returns how many bytes were."""
    sock.settimeout(0.3)
    sent = 0
    with suppress(TimeoutError):
        while True:
            sent += sock.send(bytes(2**16))
    return sent


def until(condition: Callable[[], Any]) -> Any:
    """Look again and again until something is true. Returns it."""
    deadline = time.monotonic() + HANG
    while not (result := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.001)
    return result


def until_recorded(wire: Wire, kind: str, sender: str | None = None) -> Event:
    return until(lambda: [e for e in wire.events if e.kind == kind and sender in (None, e.sender)])[0]


def story(wire: Wire, connection: int | None = None) -> list[tuple[str, str]]:
    """What happened, without times and bytes."""
    return [(e.sender, e.kind) for e in wire.events if connection in (None, e.connection)]


def nothing_to_read(sock: socket.socket) -> bool:
    sock.settimeout(0)
    try:
        sock.recv(1)
    except BlockingIOError:
        return True
    finally:
        sock.settimeout(HANG)
    return False


SIDES = pytest.mark.parametrize("sender", ["client", "server"])


class TestPassingOn:
    """Nothing that crosses the wire is changed by it."""

    def test_a_conversation_and_its_recording(self) -> None:
        with line() as (wire, client, server):
            client.sendall(b"anybody there?")
            assert read(server, 14) == b"anybody there?"
            server.sendall(b"yes")
            assert read(client, 3) == b"yes"
            assert [(e.connection, e.sender, e.kind, e.data) for e in wire.events] == [
                (1, "client", "open", b""),
                (1, "client", "received", b"anybody there?"),
                (1, "client", "passed", b"anybody there?"),
                (1, "server", "received", b"yes"),
                (1, "server", "passed", b"yes"),
            ]
            times = [e.time for e in wire.events]
            assert times == sorted(times) and times[0] >= 0

    @SIDES
    def test_the_end_of_one_direction_is_no_end_of_the_other(self, sender: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            speaker.sendall(b"that was all")
            speaker.shutdown(socket.SHUT_WR)
            assert read_all(listener) == (b"that was all", "end")
            for _ in range(3):
                listener.sendall(b"go on")
                assert read(speaker, 5) == b"go on"
            listener.shutdown(socket.SHUT_WR)
            assert read_all(speaker) == (b"", "end")
            until(lambda: link.wire.clients == 0)
            other = "server" if sender == "client" else "client"
            marks = [entry for entry in story(link.wire) if entry[1] not in ("received", "passed")]
            assert marks == [
                ("client", "open"),
                (sender, "end"),
                (sender, "end passed"),
                (other, "end"),
                (other, "end passed"),
            ]

    @SIDES
    def test_a_reset_is_a_reset(self, sender: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            speaker.sendall(b"last words")
            assert read(listener, 10) == b"last words"
            reset(speaker)
            assert read_all(listener) == (b"", "reset")
            assert story(link.wire)[-2:] == [(sender, "reset"), (sender, "reset passed")]

    @SIDES
    def test_a_reset_after_an_end_is_noticed_although_nobody_writes(self, sender: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            speaker.shutdown(socket.SHUT_WR)
            assert read_all(listener) == (b"", "end")
            reset(speaker)
            until_recorded(link.wire, "reset passed", sender)
            with pytest.raises(OSError):  # the system tells it once, as a reset or a broken pipe
                until(lambda: listener.sendall(b"?"))

    @SIDES
    def test_a_reset_in_the_middle_of_a_long_stream(self, sender: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            send_until_stuck(speaker)
            reset(speaker)
            received, how = read_all(listener)
            assert how == "reset"
            assert len(received) <= len(link.wire.bytes_from(sender, passed=True))

    @SIDES
    def test_a_reset_overtakes_bytes_that_nobody_reads(self, sender: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            (connection,) = link.connections()
            link.wire.run(connection.side(sender).other.pause_writing)  # what asyncio calls when a reader doesn't read
            speaker.sendall(b"nobody reads this")
            until_recorded(link.wire, "received", sender)
            reset(speaker)
            assert read_all(listener) == (b"", "reset")
            assert link.wire.bytes_from(sender, passed=True) == b""

    @SIDES
    def test_a_reset_is_noticed_while_the_wire_does_not_read(self, sender: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            (connection,) = link.connections()

            def stop_reading() -> None:
                connection.side(sender)._transport.pause_reading()
                link.wire._relay.watch()

            link.wire.run(stop_reading)
            speaker.sendall(b"too much")
            reset(speaker)
            assert read_all(listener) == (b"", "reset")

    def test_a_client_that_closes_with_unread_bytes(self) -> None:
        # the system sends a RST then, and no FIN
        with line() as (wire, client, server):
            server.sendall(b"you never read this")
            assert client.recv(1, socket.MSG_PEEK) == b"y"
            client.close()
            assert read_all(server) == (b"", "reset")

    def test_a_target_that_refuses(self) -> None:
        with listening() as listener:
            address = listener.getsockname()
        with Wire(address) as wire:
            for number in (1, 2):
                assert call_and_read(wire) == (b"", "reset")
                assert story(wire, number) == [("client", "open"), ("server", "refused")]
            until(lambda: wire.clients == 0)
            assert wire.log[:3] == [
                "client 1 connected",
                "client 1: the target refused: ConnectionRefusedError",
                "client 1 left (refused)",
            ]

    def test_a_server_that_is_started_again_is_found_on_its_new_port(self) -> None:
        server = TCPEchoServer(name="found again")
        with Wire(server.start()) as wire:
            server.stop()
            assert call_and_read(wire) == (b"", "reset")
            with server, socket.create_connection(wire.address, timeout=HANG) as client:
                client.sendall(b"back?")
                assert read(client, 5) == b"back?"

    @SIDES
    @pytest.mark.parametrize("delay", [0, 30])
    def test_a_reader_that_stops_stops_the_sender(self, sender: str, delay: float) -> None:
        with line(limit=2**30) as link:
            wire = link.wire
            speaker, listener = link.ends(sender)
            wire.delay = delay
            sent = send_until_stuck(speaker)
            inside = len(wire.bytes_from(sender)) - len(wire.bytes_from(sender, passed=True))
            assert inside <= (WINDOW_IN_THE_AIR if delay else WINDOW) + ONE_READ
            # nothing of it is lost, and it flows again
            wire.delay = 0
            speaker.shutdown(socket.SHUT_WR)
            received, how = read_all(listener)
            assert (len(received), how) == (sent, "end")

    def test_a_hundred_megabytes_arrive_intact_although_the_recording_is_full(self) -> None:
        block = random.Random(1).randbytes(2**20)
        sent, received = hashlib.sha256(), hashlib.sha256()

        def send(sock: socket.socket) -> None:
            for number in range(100):
                data = block[number:] + block[:number]
                sent.update(data)
                sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)

        with line() as (wire, client, server):
            sender = threading.Thread(target=send, args=(client,))
            sender.start()
            size = 0
            while data := server.recv(2**20):
                received.update(data)
                size += len(data)
            sender.join()
            assert size == 100 * 2**20
            assert received.digest() == sent.digest()
            assert [e.kind for e in wire.events].count("full") == 1
            assert wire.events[-1].kind == "full"
            assert sum(len(e.data) for e in wire.events) <= 2**26

    def test_both_directions_at_once(self) -> None:
        data = random.Random(2).randbytes(2**22)
        with TCPEchoServer() as target, Wire(target, limit=2**28) as wire:
            with socket.create_connection(wire.address, timeout=HANG) as client:
                sender = threading.Thread(target=client.sendall, args=(data,))
                sender.start()
                assert read(client, len(data)) == data
                sender.join()
            assert wire.bytes_from("client") == wire.bytes_from("server", passed=True) == data

    def test_a_thousand_connections(self) -> None:
        with ExitStack() as stack:
            target = stack.enter_context(TCPEchoServer())
            wire = stack.enter_context(Wire(target))
            count = min(1_000, connections_that_fit(per_connection=4))
            clients = []
            for _ in range(count):
                clients.append(stack.enter_context(socket.create_connection(wire.address, timeout=HANG)))
            for number, client in enumerate(clients):
                client.sendall(b"%06d" % number)
            for number, client in enumerate(clients):
                assert read(client, 6) == b"%06d" % number
            assert wire.clients == count
            assert {wire.bytes_from("server", connection) for connection in range(1, count + 1)} == {
                b"%06d" % number for number in range(count)
            }

    def test_a_piece_is_not_held_back_for_the_next_one(self) -> None:
        # TCP_NODELAY: otherwise the second piece waits 40 ms for the first one's acknowledgement
        with line() as link:
            (connection,) = link.connections()
            for side in connection.sides:
                assert side._socket().getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class TestWebSockets:
    """A client and a server behave through the wire as they do without it."""

    @staticmethod
    async def handler(connection: ServerConnection) -> None:
        async for message in connection:
            match message:
                case "close":
                    await connection.close(4000, "as you wish")
                case "fail":
                    raise LookupError("nothing found")
                case "abort":
                    connection.transport.abort()
                case "path":
                    await connection.send(connection.request.path)
                case _:
                    await connection.send(message)

    @staticmethod
    async def play(uri: str, server: WebSocketServer, scenario: str) -> tuple[Any, ...]:
        """Act out a scenario. Returns all that the client saw."""
        async with asyncio.timeout(HANG), async_connect(uri, proxy=None) as client:
            seen = []
            for message in ("hello", "käse", b"\x00\xff", "x" * 70_000):
                await client.send(message)
                seen.append(await client.recv())
            match scenario:
                case "client closes":
                    await client.close(1000, "bye")
                case "client vanishes":
                    client.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                    client.transport.abort()
                case "server stops":
                    await asyncio.to_thread(server.stop)
                case "too long":
                    await client.send("x" * (2**20 + 1))
                case message:
                    await client.send(message)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            return seen, client.close_code, client.close_reason, closed.value.rcvd

    @pytest.mark.parametrize(
        ("scenario", "code"),
        [
            ("client closes", 1000),
            ("server stops", 1001),
            ("abort", 1006),
            ("client vanishes", 1006),
            ("too long", 1009),
            ("fail", 1011),
            ("close", 4000),
        ],
    )
    def test_the_same_close_as_without_the_wire(self, scenario: str, code: int) -> None:
        outcomes = []
        for wired in (False, True):
            with WebSocketServer(self.handler) as server, Wire(server) as wire:
                saw = asyncio.run(self.play(wire.uri if wired else server.uri, server, scenario))
                until(lambda: server.clients == 0)
                outcomes.append((saw, [entry for entry in server.log if "left" in entry]))
        direct, wired = outcomes
        assert direct == wired
        assert direct[0][1] == code

    def test_the_uri_has_the_targets_path_and_query(self) -> None:
        with WebSocketServer(self.handler) as server:
            with Wire(f"{server.uri}/room/7?name=ada") as wire:
                assert wire.uri == f"ws://127.0.0.1:{wire.port}/room/7?name=ada"
                with connect(wire.uri, proxy=None) as client:
                    client.send("path")
                    assert client.recv(HANG) == "/room/7?name=ada"
                assert wire.bytes_from("client").startswith(b"GET /room/7?name=ada HTTP/1.1\r\n")
            with Wire(server) as wire, Wire(wire) as second:
                assert wire.uri == f"ws://127.0.0.1:{wire.port}"
                with connect(second.uri, proxy=None) as client:
                    client.send("twice recorded")
                    assert client.recv(HANG) == "twice recorded"
                assert wire.bytes_from("server") == second.bytes_from("server")

    @pytest.mark.parametrize("chop", [1, 2, 7, 125, 4096])
    def test_messages_in_pieces(self, chop: int) -> None:
        messages = ["", "hello", "x" * 126, bytes(range(256)) * 2]
        with EchoServer(prefix="") as server, Wire(server) as wire:
            with connect(wire.uri, proxy=None) as client:
                wire.chop = chop
                for message in messages:
                    client.send(message)
                assert [client.recv(HANG) for _ in messages] == messages


class TestTargets:
    @pytest.mark.parametrize(
        ("target", "says"),
        [
            ("wss://127.0.0.1:8765/", "ws:// URI of a server without TLS"),
            ("http://127.0.0.1:8765/", "ws://127.0.0.1:8765/path"),
            ("127.0.0.1:8765", "ws://127.0.0.1:8765/path"),
            ("ws://", "ws://127.0.0.1:8765/path"),
            ("ws://127.0.0.1:nine", "ws://127.0.0.1:8765/path"),
            ("ws://127.0.0.1:0", "ws://127.0.0.1:8765/path"),
            ("ws://[::1", "ws://127.0.0.1:8765/path"),
            ("", "ws://127.0.0.1:8765/path"),
            (("127.0.0.1", 0), "a host and a port from 1 to 65535"),
            (("127.0.0.1", "8765"), "a host and a port from 1 to 65535"),
            (("127.0.0.1", True), "a host and a port from 1 to 65535"),
            (("", 8765), "a host and a port from 1 to 65535"),
            (8765, "a host and a port from 1 to 65535"),
            (None, "a host and a port from 1 to 65535"),
        ],
    )
    def test_one_that_cant_be_one(self, target: Any, says: str) -> None:
        with pytest.raises(ValueError) as error:
            Wire(target)
        assert says in str(error.value)

    def test_a_server_that_was_never_started(self) -> None:
        wire = Wire(TCPEchoServer())
        with pytest.raises(RuntimeError, match=r"<TCPEchoServer, not started> was never started: call its start\(\)"):
            wire.start()
        assert not wire.running

    def test_a_host_name_and_a_uri_without_a_port(self) -> None:
        assert Wire("ws://example.org/chat")._where() == ("example.org", 80)
        assert Wire("ws://[::1]:8765")._where() == ("::1", 8765)
        with TCPEchoServer() as target, Wire(("localhost", target.port)) as wire:
            with socket.create_connection(wire.address, timeout=HANG) as client:
                client.sendall(b"by name")
                assert read(client, 7) == b"by name"

    def test_a_host_name_that_cant_be_one_is_a_refusal(self) -> None:
        for host in ("x" * 70, "no such host"):
            with Wire((host, 80)) as wire:
                assert call_and_read(wire) == (b"", "reset")
                assert story(wire) == [("client", "open"), ("server", "refused")]

    def test_a_login_stays_in_the_uri(self) -> None:
        with Wire("ws://ada:secret@127.0.0.1:9/") as wire:
            assert wire.uri == f"ws://ada:secret@127.0.0.1:{wire.port}/"

    def test_before_the_first_start(self) -> None:
        wire = Wire(("127.0.0.1", 9))
        with pytest.raises(RuntimeError, match="not started yet"):
            wire.uri
        for fault in (wire.cut, lambda: wire.half_close("client")):
            with pytest.raises(RuntimeError, match=r"call start\(\)"):
                fault()
        assert wire.events == []


class TestRecording:
    def test_chunks_of_one_connection_and_sender(self) -> None:
        with TCPEchoServer() as target, Wire(target) as wire:
            for name in (b"ada", b"grace"):
                with socket.create_connection(wire.address, timeout=HANG) as client:
                    client.sendall(name)
                    assert read(client, len(name)) == name
            assert wire.bytes_from("client") == b"adagrace"
            assert wire.bytes_from("server", 2) == b"grace"
            assert wire.bytes_from("server", 3) == b""
            (chunk,) = wire.chunks_from("client", 1)
            (passed,) = wire.chunks_from("client", 1, passed=True)
            assert chunk.data is passed.data and chunk.time <= passed.time

    def test_an_unknown_sender(self) -> None:
        with Wire(("127.0.0.1", 9)) as wire:
            for ask in (wire.bytes_from, wire.chunks_from, wire.half_close):
                with pytest.raises(ValueError, match="'client' or 'server', not 'clients'"):
                    ask("clients")

    @pytest.mark.parametrize("bad", [-1, 1.5, "1", None, True])
    def test_a_bad_limit(self, bad: Any) -> None:
        with pytest.raises(ValueError, match="bytes of memory"):
            Wire(("127.0.0.1", 9), limit=bad)

    def test_clear_while_running(self) -> None:
        with line() as (wire, client, server):
            client.sendall(b"forgotten")
            read(server, 9)
            before = wire.events[-1].time
            wire.clear()
            assert wire.events == []
            client.sendall(b"kept")
            read(server, 4)
            assert wire.bytes_from("client") == b"kept"
            assert wire.events[0].connection == 1 and wire.events[0].time > before

    def test_clear_makes_room_in_a_full_recording(self) -> None:
        with line(limit=1_000) as (wire, client, server):
            client.sendall(bytes(1_000))
            read(server, 1_000)
            assert story(wire) == [("client", "open"), ("client", "full")]
            client.sendall(b"unseen")
            read(server, 6)
            assert len(wire.events) == 2
            wire.clear()
            client.sendall(b"seen")
            read(server, 4)
            assert wire.bytes_from("client") == b"seen"

    def test_it_outlives_a_stop_and_ends_with_the_next_start(self) -> None:
        with listening() as listener:
            wire = Wire(listener.getsockname())
            with wire, socket.create_connection(wire.address, timeout=HANG):
                until_recorded(wire, "open")
            assert story(wire)[0] == ("client", "open")
            with wire:
                assert wire.events == []

    def test_reading_it_from_another_thread(self) -> None:
        # what the reader has got is in the recording already
        with TCPEchoServer() as target, Wire(target) as wire:
            with socket.create_connection(wire.address, timeout=HANG) as client:
                for number in range(300):
                    client.sendall(b"%03d" % number)
                    assert read(client, 3) == b"%03d" % number
                    assert wire.bytes_from("server", passed=True)[-3:] == b"%03d" % number

    def test_a_snapshot_stays_as_it_is(self) -> None:
        with line() as (wire, client, server):
            until_recorded(wire, "open")
            snapshot = wire.events
            client.sendall(b"later")
            read(server, 5)
            assert len(snapshot) == 1
            snapshot.clear()
            assert len(wire.events) == 3


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "bad", "says"),
        [
            *(("delay", bad, "a number of seconds, 0 or more") for bad in (-1, "1", None, True, float("nan"), float("inf"))),
            *(("chop", bad, "in bytes, 1 or more, or None") for bad in (0, -1, 1.5, "1", True)),
            *(("rate", bad, "bytes per second above 0, or None") for bad in (0, -1, "1", True, float("nan"))),
        ],
    )
    def test_bad_values(self, fault: str, bad: Any, says: str) -> None:
        with pytest.raises(ValueError, match=says):
            Wire(("127.0.0.1", 9), **{fault: bad})
        with Wire(("127.0.0.1", 9)) as running, pytest.raises(ValueError, match=says):
            setattr(running, fault, bad)
        wire = Wire(("127.0.0.1", 9))
        before = getattr(wire, fault)
        with pytest.raises(ValueError, match=says):
            setattr(wire, fault, bad)
        assert getattr(wire, fault) == before

    @pytest.mark.parametrize("bad", [-1, 1.5, "1", None, True])
    def test_a_bad_cut(self, bad: Any) -> None:
        with Wire(("127.0.0.1", 9)) as wire, pytest.raises(ValueError, match=r"0 \(cut now\) or more"):
            wire.cut(bad)

    @SIDES
    @pytest.mark.parametrize("chop", [1, 2, 3, 5, 10, 11, 12, 1000])
    def test_chop(self, sender: str, chop: int) -> None:
        with line(chop=chop) as link:
            speaker, listener = link.ends(sender)
            speaker.sendall(b"hello world")
            assert read(listener, 11) == b"hello world"
            pieces = [e.data for e in link.wire.chunks_from(sender, passed=True)]
            assert pieces == [b"hello world"[i : i + chop] for i in range(0, 11, chop)]
            assert link.wire.bytes_from(sender) == b"hello world"
            times = [e.time for e in link.wire.chunks_from(sender, passed=True)]
            assert all(later - earlier >= GAP for earlier, later in itertools.pairwise(times))

    @pytest.mark.parametrize("seed", range(20))
    def test_any_stream_in_any_pieces(self, seed: int) -> None:
        chance = random.Random(seed)
        with TCPEchoServer() as target, Wire(target) as wire:
            with socket.create_connection(wire.address, timeout=HANG) as client:
                sent = b""
                sizes = chance.choices([1, 2, 125, 126, 1_000, 70_000], k=chance.randint(1, 8))
                for size in sizes:
                    data = chance.randbytes(size)
                    wire.chop = chance.choice([None, size + 5_000, sum(sizes) // chance.randint(2, 30) + 1])
                    wire.delay = chance.choice([0, 0, 0.005])
                    wire.rate = chance.choice([None, None, 10_000_000])
                    client.sendall(data)
                    sent += data
                client.shutdown(socket.SHUT_WR)
                assert read_all(client) == (sent, "end")
            for sender in ("client", "server"):
                assert wire.bytes_from(sender) == wire.bytes_from(sender, passed=True) == sent

    @pytest.mark.parametrize("seed", range(20))
    def test_cut_after_any_number_of_bytes(self, seed: int) -> None:
        chance = random.Random(seed)
        data = chance.randbytes(chance.randint(1, 5_000))
        after = chance.randint(1, len(data))
        with line() as (wire, client, server):
            wire.chop = chance.choice([None, None, max(1, len(data) // 10)])
            wire.cut(after=after)
            client.sendall(data)
            assert read_all(server) == (data[:after], "reset")
            assert read_all(client) == (b"", "reset")
            assert wire.bytes_from("client", passed=True) == data[:after]
            assert story(wire)[-2:] == [("client", "cut"), ("server", "cut")]

    def test_cut_counts_both_directions_and_cuts_once(self) -> None:
        with TCPEchoServer() as target, Wire(target) as wire:
            with socket.create_connection(wire.address, timeout=HANG) as client:
                wire.cut(after=14)
                client.sendall(b"0123456789")
                assert read_all(client) == (b"0123", "reset")
            with socket.create_connection(wire.address, timeout=HANG) as client:
                client.sendall(b"whole again")
                assert read(client, 11) == b"whole again"

    def test_cut_now_cuts_all_also_who_has_just_called(self) -> None:
        with TCPEchoServer() as target, Wire(target) as wire, ExitStack() as stack:
            clients = [
                stack.enter_context(socket.create_connection(wire.address, timeout=HANG)) for _ in range(10)
            ]
            wire.cut()
            for client in clients:
                assert read_all(client) == (b"", "reset")
            assert wire.clients == 0
            until(lambda: target.clients == 0)
            assert sorted(e.connection for e in wire.events if e.kind == "cut") == sorted([*range(1, 11)] * 2)

    @SIDES
    def test_half_close(self, sender: str) -> None:
        with line() as link:
            wire = link.wire
            speaker, listener = link.ends(sender)
            speaker.sendall(b"before")
            wire.half_close(sender)
            assert read_all(listener) == (b"before", "end")
            speaker.sendall(b"after")
            listener.sendall(b"still here")
            assert read(speaker, 10) == b"still here"
            until(lambda: wire.bytes_from(sender) == b"beforeafter")
            assert wire.bytes_from(sender, passed=True) == b"before"
            wire.half_close(sender)  # once is enough
            assert story(wire).count((sender, "half-closed")) == 1
            # the rest ends as ever
            listener.shutdown(socket.SHUT_WR)
            assert read_all(speaker) == (b"", "end")
            speaker.close()
            until(lambda: wire.clients == 0)

    @SIDES
    def test_a_reset_after_a_half_close(self, sender: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            link.wire.half_close(sender)
            assert read_all(listener) == (b"", "end")
            reset(speaker)
            until(lambda: link.wire.clients == 0)
            assert story(link.wire)[-2:] == [(sender, "reset"), (sender, "reset passed")]

    def test_half_closed_both_ways_the_line_still_takes_bytes(self) -> None:
        with line() as (wire, client, server):
            for sender in ("client", "server"):
                wire.half_close(sender)
            assert read_all(client) == read_all(server) == (b"", "end")
            for sender, sock in (("client", client), ("server", server)):
                sock.sendall(b"into the void")
                until(lambda: wire.bytes_from(sender) == b"into the void")
            client.close()
            server.close()
            until(lambda: wire.clients == 0)
            assert "reset" not in str(story(wire))

    @SIDES
    @pytest.mark.parametrize("ending", ["end", "reset"])
    def test_silence_holds_an_end_by_itself(self, sender: str, ending: str) -> None:
        with line() as link:
            speaker, listener = link.ends(sender)
            link.wire.silence()
            if ending == "end":
                speaker.shutdown(socket.SHUT_WR)
            else:
                reset(speaker)
            until_recorded(link.wire, ending, sender)
            assert nothing_to_read(listener)
            link.wire.silence(False)
            assert read_all(listener) == (b"", ending)

    @SIDES
    def test_what_was_sent_to_one_who_is_gone_is_not_passed(self, sender: str) -> None:
        with line() as link:
            wire = link.wire
            speaker, listener = link.ends(sender)
            wire.silence()
            speaker.sendall(b"too late")
            until_recorded(wire, "received", sender)
            reset(listener)
            until(lambda: "reset" in [e.kind for e in wire.events])
            wire.silence(False)
            assert read_all(speaker) == (b"", "reset")
            assert wire.bytes_from(sender, passed=True) == b""

    @SIDES
    @pytest.mark.parametrize("ending", ["nothing", "end", "reset"])
    def test_silence(self, sender: str, ending: str) -> None:
        with line() as link:
            wire = link.wire
            speaker, listener = link.ends(sender)
            wire.silence()
            wire.silence()
            speaker.sendall(b"do you hear me?")
            match ending:
                case "nothing":
                    until_recorded(wire, "received", sender)
                case "end":
                    speaker.shutdown(socket.SHUT_WR)
                    until_recorded(wire, "end", sender)
                case "reset":
                    until_recorded(wire, "received", sender)
                    reset(speaker)
                    until_recorded(wire, "reset", sender)
            assert nothing_to_read(listener)
            assert wire.clients == 1
            expected = [("client", "open"), ("client", "silent"), ("server", "silent"), (sender, "received")]
            assert story(wire)[:4] == expected and ("passed" not in str(story(wire)))
            wire.silence(False)
            if ending == "nothing":
                assert read(listener, 15) == b"do you hear me?"
            else:
                assert read_all(listener) == (b"do you hear me?", ending)
            assert story(wire).count(("server", "restored")) == 1

    def test_a_call_into_the_silence_waits(self) -> None:
        with listening() as listener:
            wire = Wire(listener.getsockname())
            wire.silence()
            with wire, socket.create_connection(wire.address, timeout=HANG) as client:
                client.sendall(b"anybody?")
                until_recorded(wire, "received")
                listener.settimeout(0)
                with pytest.raises(BlockingIOError):
                    listener.accept()
                listener.settimeout(HANG)
                wire.silence(False)
                server, _ = listener.accept()
                with server:
                    assert read(server, 8) == b"anybody?"

    def test_delay_is_latency_and_ten_chunks_share_it(self) -> None:
        delay = 0.5
        with line(delay=delay) as (wire, client, server):
            for number in range(10):
                client.sendall(b"chunk %d;" % number)
                until(lambda: len(wire.chunks_from("client")) == number + 1)
            assert read(server, 80) == b"".join(b"chunk %d;" % number for number in range(10))
            received = wire.chunks_from("client")
            passed = wire.chunks_from("client", passed=True)
            assert [e.data for e in passed] == [e.data for e in received]
            for start, end in zip(received, passed):
                assert end.time - start.time >= delay
            # one after the other would take ten delays
            assert passed[-1].time - received[0].time < 5 * delay

    def test_delay_holds_for_the_end_too(self) -> None:
        with line(delay=0.1) as (wire, client, server):
            client.sendall(b"bye")
            client.shutdown(socket.SHUT_WR)
            assert read_all(server) == (b"bye", "end")
            times = {e.kind: e.time for e in wire.events}
            assert times["end passed"] - times["end"] >= 0.1

    @SIDES
    def test_rate(self, sender: str) -> None:
        size, rate = 50_000, 100_000
        with line(rate=rate) as link:
            speaker, listener = link.ends(sender)
            speaker.sendall(bytes(size))
            assert len(read(listener, size)) == size
            passed = link.wire.chunks_from(sender, passed=True)
            took = passed[-1].time - passed[0].time
            assert 0.8 * size / rate <= took <= 10 * size / rate
            # it trickles: at no time much more has passed than the rate allows
            arrived = itertools.accumulate(len(e.data) for e in passed)
            for event, total in zip(passed, arrived):
                assert total <= rate * (event.time - passed[0].time) + 0.1 * size

    def test_settings_change_what_is_on_its_way(self) -> None:
        with line(delay=600) as (wire, client, server):
            client.sendall(b"late")
            until_recorded(wire, "received")
            wire.delay = 0
            assert read(server, 4) == b"late"

            wire.rate = 0.01
            client.sendall(b"slow")
            assert read(server, 1) == b"s"
            wire.rate = None
            assert read(server, 3) == b"low"

            wire.chop = 1
            client.sendall(b"in pieces")
            assert read(server, 9) == b"in pieces"
            wire.chop = None
            wire.clear()
            client.sendall(b"in one")
            assert read(server, 6) == b"in one"
            assert [e.data for e in wire.chunks_from("client", passed=True)] == [b"in one"]

    def test_settings_before_the_start_and_after_the_stop(self) -> None:
        with TCPEchoServer() as target:
            wire = Wire(target, delay=0.01, chop=3, rate=1_000)
            assert (wire.delay, wire.chop, wire.rate) == (0.01, 3, 1_000)
            wire.chop = 4
            with wire, socket.create_connection(wire.address, timeout=HANG) as client:
                client.sendall(b"12345678")
                assert read(client, 8) == b"12345678"
                assert max(len(e.data) for e in wire.events) <= 8
                assert max(len(e.data) for e in wire.chunks_from("client", passed=True)) <= 4
            wire.delay = 0
            assert wire.delay == 0


class TestStop:
    @pytest.mark.parametrize("fault", ["none", "delay", "silence", "stuck"])
    def test_with_connections_open(self, fault: str) -> None:
        with line() as (wire, client, server):
            match fault:
                case "delay":
                    wire.delay = 600
                case "silence":
                    wire.silence()
            if fault == "stuck":
                send_until_stuck(client)
            else:
                client.sendall(b"never mind")
                until_recorded(wire, "received")
            wire.stop()
            read_all(server)  # ends, one way or another
            read_all(client)
            assert not wire.running and wire.clients == 0
            with pytest.raises(OSError):
                socket.create_connection(wire.address, timeout=HANG).close()

    @pytest.mark.parametrize("how", ["stop", "cut", "reset"])
    def test_while_calling_a_target_that_does_not_answer(self, how: str) -> None:
        # a listener whose queue is full: a call gets no answer
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                with suppress(BlockingIOError):
                    filler.connect(listener.getsockname())
            with Wire(listener.getsockname()) as wire:
                at_rest = wire.run(lambda: len(asyncio.all_tasks()))
                with socket.create_connection(wire.address, timeout=HANG) as client:
                    until_recorded(wire, "open")
                    match how:
                        case "stop":
                            wire.stop()
                            read_all(client)
                            return
                        case "cut":
                            wire.cut()
                            assert read_all(client) == (b"", "reset")
                        case "reset":
                            reset(client)
                    until(lambda: wire.clients == 0)
                    until(lambda: wire.run(lambda: len(asyncio.all_tasks())) == at_rest)

    def test_nothing_is_left_behind(self) -> None:
        def a_day() -> None:
            with TCPEchoServer() as target, Wire(target) as wire:
                at_rest = wire.run(lambda: len(asyncio.all_tasks()))
                for number in range(20):
                    with socket.create_connection(wire.address, timeout=HANG) as client:
                        client.sendall(b"hello")
                        read(client, 5)
                        match number % 4:
                            case 0:
                                wire.cut()
                            case 1:
                                reset(client)
                            case 2:
                                wire.half_close("server")
                until(lambda: wire.clients == 0)
                assert wire.run(lambda: len(asyncio.all_tasks())) == at_rest
                assert wire._relay._connections == set()
                assert not [entry for entry in wire.log if "rror" in entry or "xception" in entry]

        a_day()
        before = leftovers()
        a_day()
        assert_nothing_new(before)

    def test_fifty_starts_are_one_wire(self) -> None:
        with listening() as listener:
            before = leftovers()
            wires = [Wire(listener.getsockname(), name="fifty").start() for _ in range(50)]
            assert [wire.running for wire in wires] == [False] * 49 + [True]
            wires[-1].stop()
            assert_nothing_new(before)


def leftovers() -> tuple[set[threading.Thread], int]:
    """The threads of this process, and how many files it has open."""
    return set(threading.enumerate()), open_files()


def assert_nothing_new(before: tuple[set[threading.Thread], int]) -> None:
    """What an earlier test left may end at any time; more than before is a leak."""
    threads, files = leftovers()
    assert threads <= before[0] and files <= before[1]
