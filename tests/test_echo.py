"""The echo servers, and any handler behind WebSocket: answers, pushes, limits, and clients that misbehave."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import connect as connect_sync

from helpers import EchoServer, TCPEchoServer, WebSocketServer, background, echo, streams
from helpers.limits import connections_that_fit
from helpers.relay import RESET_ON_CLOSE

pytestmark = [pytest.mark.usefixtures("nothing_left", "silence"), pytest.mark.filterwarnings("error")]

LIMIT = 20  # seconds that a test waits for what comes at once

Eventually = Callable[[Callable[[], object]], None]


@pytest.fixture
def silence(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever happens, a server prints nothing."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture(autouse=True)
def stop_what_a_failed_test_left() -> Iterator[None]:
    yield
    for server in list(background._running):
        server.stop()


def connect(uri: str, **options: Any) -> Any:
    return connect_sync(uri, proxy=None, compression=None, ping_interval=None, **options)


HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
HELLO = bytes.fromhex("818500000000") + b"hello"  # a text frame whose mask is 0


@contextlib.contextmanager
def raw(server: WebSocketServer | TCPEchoServer) -> Iterator[socket.socket]:
    with socket.create_connection(server.address, timeout=LIMIT) as sock:
        yield sock


def shake_hands(sock: socket.socket) -> None:
    sock.sendall(HANDSHAKE)
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        byte = sock.recv(1)
        assert byte, f"it hung up after {received!r}"
        received += byte
    assert received.startswith(b"HTTP/1.1 101 ")


def reset(sock: socket.socket) -> None:
    """Vanish: what was sent or not, the other side gets a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    sock.close()


def read_to_the_end(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(2**16), b""))


class TestEcho:
    def test_text_gets_a_prefix_and_binary_comes_back(self) -> None:
        with EchoServer() as server, connect(server.uri) as ws:
            for sent, answer in [
                ("hello", "Echo: hello"),
                ("", "Echo: "),
                ("café ❤", "Echo: café ❤"),
                (b"\x00\xff", b"\x00\xff"),
                (b"", b""),
            ]:
                ws.send(sent)
                assert ws.recv(timeout=LIMIT) == answer

    def test_the_prefix_is_free(self) -> None:
        with EchoServer(prefix="") as pure, EchoServer(prefix=">> ", name="other") as other:
            with connect(pure.uri) as ws:
                ws.send("hello")
                assert ws.recv(timeout=LIMIT) == "hello"
            with connect(other.uri) as ws:
                ws.send("hello")
                assert ws.recv(timeout=LIMIT) == ">> hello"

    def test_a_message_in_fragments_is_one_message(self) -> None:
        with EchoServer() as server, connect(server.uri) as ws:
            ws.send(["he", "ll", "o"])
            assert ws.recv(timeout=LIMIT) == "Echo: hello"

    def test_a_hundred_balls_in_the_air_come_back_in_order(self) -> None:
        with EchoServer(prefix="") as server, connect(server.uri) as ws:
            sent = [str(number) for number in range(100)]
            for message in sent:
                ws.send(message)
            assert [ws.recv(timeout=LIMIT) for _ in sent] == sent

    def test_the_uri(self, quiet_port: int) -> None:
        server = EchoServer(port=quiet_port)
        with pytest.raises(RuntimeError, match=r"^not started yet: call start\(\)$"):
            _ = server.uri
        with server:
            uri = server.uri
            assert uri == f"ws://127.0.0.1:{quiet_port}"
        assert server.uri == uri
        with pytest.raises(ConnectionRefusedError):
            connect(server.uri).__enter__()

    def test_no_compression_so_that_the_bytes_can_be_read(self) -> None:
        with EchoServer(prefix="") as server, raw(server) as sock:
            shake_hands(sock)
            sock.sendall(HELLO)
            assert sock.recv(7, socket.MSG_WAITALL) == b"\x81\x05hello"

    @pytest.mark.parametrize("kind", [EchoServer, TCPEchoServer])
    def test_small_messages_are_not_held_back(self, kind: type[EchoServer | TCPEchoServer]) -> None:
        with kind() as server, raw(server) as sock:
            if kind is EchoServer:
                shake_hands(sock)
            else:
                sock.sendall(b"hello")
                sock.recv(5, socket.MSG_WAITALL)
            [transport] = server.run(lambda: [client.transport for client in server._clients])
            assert transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    def test_options_reach_the_library(self) -> None:
        with EchoServer(compression="deflate", server_header="a court") as server:
            with connect_sync(server.uri, proxy=None) as ws:
                assert ws.response.headers["Server"] == "a court"
                assert "permessage-deflate" in ws.response.headers["Sec-WebSocket-Extensions"]

    def test_an_option_that_does_not_exist(self) -> None:
        with pytest.raises(TypeError, match="pings"):
            EchoServer(pings=3).start()


class TestLog:
    def test_it_tells_the_story(self) -> None:
        with EchoServer() as server:
            with connect(server.uri) as ws:
                ws.send("hello")
                ws.recv(timeout=LIMIT)
                ws.send(b"\x01")
                ws.recv(timeout=LIMIT)
            with connect(server.uri) as ws:
                ws.close(code=4000)
        assert server.log == [
            "client 1 connected",
            "client 1 sent 'hello'",
            "client 1 sent b'\\x01'",
            "client 1 left (1000)",
            "client 2 connected",
            "client 2 left (4000)",
        ]

    def test_who_is_in_is_counted_and_who_has_left_is_not_at_once(self) -> None:
        # a cell that shows it right after connecting, or closing, must show the same on every run
        with EchoServer() as server:
            for number in range(1, 201):
                with connect(server.uri):
                    assert (server.clients, server.log[-1]) == (1, f"client {number} connected")
                assert (server.clients, server.log[-1]) == (0, f"client {number} left (1000)")

    def test_who_left_after_the_server_closed_is_noted_at_once(self) -> None:
        async def one_word(connection: Any) -> None:
            await connection.send("bye")

        with WebSocketServer(one_word) as server:
            for number in range(1, 101):
                with connect(server.uri) as ws:
                    assert ws.recv(timeout=LIMIT) == "bye"
                    with pytest.raises(ConnectionClosedOK):
                        ws.recv(timeout=LIMIT)
                    assert (server.clients, server.log[-1]) == (0, f"client {number} left (1000)")

    def test_it_has_the_order_of_the_wire(self) -> None:
        # nobody waits for an answer: the message and the close arrive together
        with EchoServer() as server:
            for number in range(1, 101):
                with connect(server.uri) as ws:
                    ws.send("bye")
                assert server.log[-3:] == [
                    f"client {number} connected",
                    f"client {number} sent 'bye'",
                    f"client {number} left (1000)",
                ]

    def test_messages_to_any_handler_are_noted(self) -> None:
        async def deaf(connection: Any) -> None:
            await connection.wait_closed()

        with WebSocketServer(deaf) as server:
            with connect(server.uri) as ws:
                for message in ("hello", b"\x01", ["he", "llo"], "é" * 41, b""):
                    ws.send(message)
            assert server.log[1:-1] == [
                "client 1 sent 'hello'",
                "client 1 sent b'\\x01'",
                "client 1 sent 'he'...",
                f"client 1 sent '{'é' * 40}'...",
                "client 1 sent b''",
            ]

    def test_a_long_message_is_cut(self) -> None:
        with EchoServer() as server, connect(server.uri) as ws:
            ws.send("x" * 100_000)
            ws.recv(timeout=LIMIT)
            assert server.log[-1] == f"client 1 sent '{'x' * 40}'..."

    def test_it_is_bounded(self) -> None:
        with EchoServer() as server, connect(server.uri) as ws:
            for number in range(1_500):
                ws.send(str(number))
                ws.recv(timeout=LIMIT)
            assert len(server.log) == 1_000
            assert server.log[-1] == "client 1 sent '1499'"

    def test_it_is_a_copy(self) -> None:
        with EchoServer() as server:
            server.log.append("scribble")
            assert server.log == []

    def test_the_number_of_clients_is_in_the_repr(self) -> None:
        with EchoServer() as server:
            with connect(server.uri):
                assert repr(server) == "<EchoServer, listening, 1 client>"
                with connect(server.uri):
                    assert repr(server) == "<EchoServer, listening, 2 clients>"
            assert repr(server) == "<EchoServer, listening, 0 clients>"


class TestHandler:
    def test_it_must_be_callable(self) -> None:
        with pytest.raises(TypeError, match="handler must be an async function that takes one connection, not 'echo'"):
            WebSocketServer("echo")  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("error", "shown"),
        [
            (TypeError("no such stroke"), "TypeError: no such stroke"),
            (ValueError("two\nlines"), "ValueError: two"),
            (LookupError(), "LookupError"),
            (SystemExit(3), "SystemExit: 3"),
            (KeyboardInterrupt(), "KeyboardInterrupt"),
            (asyncio.CancelledError(), "CancelledError"),
        ],
    )
    def test_one_that_raises_closes_with_1011_and_is_noted(self, error: BaseException, shown: str) -> None:
        async def fails(connection: Any) -> None:
            await connection.recv()
            raise error

        with WebSocketServer(fails) as server:
            for number in (1, 2):  # the second finds the server well
                with connect(server.uri) as ws:
                    ws.send("serve")
                    with pytest.raises(ConnectionClosedError) as caught:
                        ws.recv(timeout=LIMIT)
                    assert caught.value.rcvd.code == 1011
                assert server.log == [
                    f"client {number} connected",
                    f"client {number} sent 'serve'",
                    f"client {number}: handler failed: {shown}",
                    f"client {number} left (1011)",
                ]
                server._log.clear()

    def test_the_handler_of_old_answers_on_the_web(self) -> None:
        async def handler(connection: Any, path: str) -> None:
            await connection.send(path)

        with WebSocketServer(handler) as server, connect(server.uri) as ws:  # type: ignore[arg-type]
            with pytest.raises(ConnectionClosedError, match="1011"):
                ws.recv(timeout=LIMIT)
            assert server.log[1].startswith("client 1: handler failed: TypeError: ")
            assert server.log[1].endswith("handler() missing 1 required positional argument: 'path'")

    def test_one_that_is_not_async(self) -> None:
        handler: Any = lambda connection: None  # noqa: E731
        with WebSocketServer(handler) as server, connect(server.uri) as ws:
            with pytest.raises(ConnectionClosedError, match="1011"):
                ws.recv(timeout=LIMIT)
            assert server.log[1].startswith("client 1: handler failed: TypeError: ")

    def test_one_whose_own_call_fails_blames_itself(self) -> None:
        # ConnectionClosed of another connection is no "the client has gone"
        async def relays(connection: Any) -> None:
            async with connect_async(behind.uri, proxy=None) as ws:
                await ws.recv()

        async def hangs_up(connection: Any) -> None:
            pass

        with WebSocketServer(hangs_up, name="behind") as behind, WebSocketServer(relays) as server:
            with connect(server.uri) as ws, pytest.raises(ConnectionClosedError, match="1011"):
                ws.recv(timeout=LIMIT)
            assert server.log[1].startswith("client 1: handler failed: ConnectionClosedOK")

    def test_a_client_that_leaves_is_no_failure(self, eventually: Eventually) -> None:
        async def asks(connection: Any) -> None:
            while True:
                await connection.send("well?")
                await connection.recv()

        with WebSocketServer(asks) as server:
            with connect(server.uri) as ws:
                ws.recv(timeout=LIMIT)
            assert server.log == ["client 1 connected", "client 1 left (1000)"]
            eventually(lambda: no_tasks(server))
        assert server.log == ["client 1 connected", "client 1 left (1000)"]

    def test_one_that_exits_from_a_task_of_its_own_ends_the_server_and_says_so(self, eventually: Eventually) -> None:
        async def exits(connection: Any) -> None:
            async def leave() -> None:
                raise SystemExit(3)

            connection.task = asyncio.create_task(leave())
            await connection.recv()

        server = WebSocketServer(exits).start()
        with connect(server.uri) as ws, pytest.raises(ConnectionClosedOK, match="1001"):
            ws.recv(timeout=LIMIT)
        eventually(lambda: not server.running)
        assert "the server failed: SystemExit: 3" in server.log
        server.stop()


def no_tasks(server: WebSocketServer | TCPEchoServer) -> bool:
    """Whether the server's loop has only two tasks: the server's own, and the one that asks."""
    return server.run(lambda: len(asyncio.all_tasks())) == 2


class TestTooBig:
    def test_1009(self) -> None:
        with EchoServer(max_size=1_000) as server:
            with connect(server.uri) as ws:
                ws.send("x" * 1_000)
                assert ws.recv(timeout=LIMIT) == "Echo: " + "x" * 1_000
                ws.send("x" * 1_001)
                with pytest.raises(ConnectionClosedError) as caught:
                    ws.recv(timeout=LIMIT)
                assert caught.value.rcvd.code == 1009
            assert server.log[-1] == "client 1 left (1009)"
            with connect(server.uri) as ws:
                ws.send("next")
                assert ws.recv(timeout=LIMIT) == "Echo: next"

    def test_one_mebibyte_by_default(self) -> None:
        with EchoServer(prefix="") as server, connect(server.uri, max_size=None) as ws:
            ws.send(b"x" * 2**20)
            assert len(ws.recv(timeout=LIMIT)) == 2**20
            with pytest.raises(ConnectionClosedError, match="1009"):
                ws.send(b"x" * (2**20 + 1))
                ws.recv(timeout=LIMIT)

    def test_any_length_on_request(self) -> None:
        with EchoServer(max_size=None) as server, connect(server.uri, max_size=None) as ws:
            ws.send(b"x" * 2**22)
            assert len(ws.recv(timeout=LIMIT)) == 2**22


class TestPush:
    def test_to_nobody(self) -> None:
        with EchoServer() as server:
            assert server.push("anybody?") == 0

    def test_to_everybody_at_once_after_connecting(self) -> None:
        with EchoServer() as server:
            with connect(server.uri) as first:
                assert server.push("one") == 1
                with connect(server.uri) as second:
                    assert server.push(b"\x02") == 2
                    assert [first.recv(timeout=LIMIT), first.recv(timeout=LIMIT)] == ["one", b"\x02"]
                    assert second.recv(timeout=LIMIT) == b"\x02"
                assert server.push("three") == 1
                assert first.recv(timeout=LIMIT) == "three"
            assert server.push("four") == 0

    def test_not_when_it_does_not_run(self) -> None:
        server = EchoServer()
        with pytest.raises(RuntimeError, match=r"<EchoServer, not started> isn't running: call start\(\)"):
            server.push("early")
        with server:
            pass
        with pytest.raises(RuntimeError, match=r"<EchoServer, stopped> isn't running: call start\(\)"):
            server.push("late")

    @pytest.mark.parametrize("message", [42, None, ["a"], {"a": 1}])
    def test_only_messages(self, message: Any) -> None:
        with EchoServer() as server, pytest.raises(TypeError, match="a message is str or bytes, not "):
            server.push(message)

    def test_from_a_handler(self) -> None:
        async def calls_everybody(connection: Any) -> None:
            async for message in connection:
                server.push(f"all: {message}")

        with WebSocketServer(calls_everybody) as server:
            with connect(server.uri) as first, connect(server.uri) as second:
                first.send("hear")
                assert first.recv(timeout=LIMIT) == second.recv(timeout=LIMIT) == "all: hear"

    def test_from_many_threads_in_whole_messages(self) -> None:
        with EchoServer() as server, connect(server.uri, max_queue=None) as ws:
            def push_fifty(who: int) -> None:
                for number in range(50):
                    server.push(f"{who} {number}")

            threads = [threading.Thread(target=push_fifty, args=(who,)) for who in range(4)]
            for thread in threads:
                thread.start()
            received = [ws.recv(timeout=LIMIT) for _ in range(200)]
            for thread in threads:
                thread.join()
            for who in range(4):
                assert [m for m in received if m.startswith(f"{who} ")] == [f"{who} {n}" for n in range(50)]

    def test_while_clients_come_and_vanish(self, eventually: Eventually) -> None:
        with EchoServer() as server:
            pushing, done = threading.Event(), threading.Event()
            raised: list[BaseException] = []

            def come_and_vanish() -> None:
                try:
                    pushing.wait(LIMIT)
                    for _ in range(40):
                        with raw(server) as sock:
                            shake_hands(sock)
                            reset(sock)
                except BaseException as error:
                    raised.append(error)
                finally:
                    done.set()

            visitor = threading.Thread(target=come_and_vanish)
            visitor.start()
            with connect(server.uri) as steady:
                while not done.is_set():
                    assert server.push("x" * 1_000) >= 1
                    pushing.set()
                    assert steady.recv(timeout=LIMIT) == "x" * 1_000
            visitor.join()
            assert raised == []
            eventually(lambda: server.clients == 0)

    def test_to_one_who_does_not_read(self) -> None:
        with EchoServer() as server, raw(server) as deaf:
            shake_hands(deaf)
            with connect(server.uri) as ws:
                for _ in range(100):
                    assert server.push(b"x" * 100_000) == 2
                    assert len(ws.recv(timeout=LIMIT)) == 100_000


class TestStop:
    """A well-behaved client sees 1001, and nobody holds up the server."""

    def test_a_client_in_a_thread(self) -> None:
        with EchoServer() as server, connect(server.uri) as ws:
            server.stop()
            with pytest.raises(ConnectionClosedOK) as caught:
                ws.recv(timeout=LIMIT)
            assert caught.value.rcvd.code == 1001
        assert server.log == ["client 1 connected", "client 1 left (1001)"]

    def test_a_client_whose_loop_is_blocked_by_the_stop(self) -> None:
        with EchoServer() as server:
            asyncio.run(echoed_before_stop(server))

    def test_a_client_that_never_answers(self) -> None:
        with EchoServer() as server, raw(server) as sock:
            shake_hands(sock)
            server.stop()
            assert read_to_the_end(sock) == bytes.fromhex("880203e9")  # close, 2 bytes: 1001

    def test_a_client_that_reads_nothing_of_what_it_gets(self) -> None:
        with EchoServer() as server, raw(server) as sock:
            shake_hands(sock)
            for _ in range(100):
                server.push(b"x" * 1_000_000)
            server.stop()
            assert not server.running

    def test_a_client_in_the_middle_of_its_handshake(self) -> None:
        with EchoServer() as server, raw(server) as sock, raw(server) as silent:
            sock.sendall(HANDSHAKE[:50])
            server.run(asyncio.sleep, 0)
            server.stop()
            for caller in (sock, silent):
                with contextlib.suppress(ConnectionResetError):
                    assert caller.recv(1) == b""

    def test_a_handler_that_does_not_end(self) -> None:
        ended = []

        async def stays(connection: Any) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                ended.append(connection.number)

        with WebSocketServer(stays) as server, connect(server.uri), connect(server.uri):
            server.stop()
        assert sorted(ended) == [1, 2]

    def test_a_handler_that_will_not_be_cancelled(self) -> None:
        async def clings(connection: Any) -> None:
            for _ in range(3):
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                    await asyncio.sleep(3600)

        with WebSocketServer(clings) as server, connect(server.uri):
            server.stop()
            assert not server.running

    def test_clients_that_arrive_meanwhile(self, quiet_port: int) -> None:
        for _ in range(10):
            server = EchoServer(port=quiet_port).start()
            going = threading.Event()
            raised: list[BaseException] = []

            def arrive(server: EchoServer = server, going: threading.Event = going) -> None:
                try:
                    while True:
                        with connect(server.uri, open_timeout=LIMIT):
                            going.set()
                except (OSError, EOFError, ConnectionClosed):
                    pass  # refused, or hung up on
                except Exception as error:
                    if "did not receive a valid HTTP response" not in str(error) and "HTTP 503" not in str(error):
                        raised.append(error)

            threads = [threading.Thread(target=arrive) for _ in range(4)]
            for thread in threads:
                thread.start()
            assert going.wait(LIMIT)
            server.stop()
            for thread in threads:
                thread.join(LIMIT)
            assert not any(thread.is_alive() for thread in threads)
            assert raised == []


async def echoed_before_stop(server: EchoServer) -> None:
    async with connect_async(server.uri, proxy=None) as ws:
        await ws.send("hello")
        assert await ws.recv() == "Echo: hello"
        server.stop()  # as a cell does: it blocks the loop that this client lives on
        with pytest.raises(ConnectionClosedOK) as caught:
            await ws.recv()
        assert caught.value.rcvd.code == 1001


class TestVanishing:
    """A client that vanishes leaves no task, no socket, no traceback."""

    @pytest.mark.parametrize("sent", [b"", HANDSHAKE[:1], HANDSHAKE[:50], HANDSHAKE[:-1]])
    @pytest.mark.parametrize("how", ["reset", "close"])
    def test_before_or_in_its_handshake(self, sent: bytes, how: str, eventually: Eventually) -> None:
        with EchoServer() as server:
            with raw(server) as sock:
                sock.sendall(sent)
                if how == "reset":
                    reset(sock)
            eventually(lambda: no_tasks(server))
            assert server.clients == 0
            assert [entry for entry in server.log if "connected" in entry or "failed" in entry] == []

    @pytest.mark.parametrize("sent", [b"", HELLO[:1], HELLO[:4], HELLO[:-1], HELLO, HELLO * 50])
    @pytest.mark.parametrize("how", ["reset", "close"])
    def test_before_in_or_after_a_frame(self, sent: bytes, how: str, eventually: Eventually) -> None:
        with EchoServer() as server:
            with raw(server) as sock:
                shake_hands(sock)
                sock.sendall(sent)
                if how == "reset":
                    reset(sock)
            eventually(lambda: no_tasks(server))
            assert server.clients == 0
            assert (server.log[0], server.log[-1]) == ("client 1 connected", "client 1 left (1006)")
            assert [entry for entry in server.log if "failed" in entry] == []

    def test_while_the_handler_sends(self, eventually: Eventually) -> None:
        async def talks(connection: Any) -> None:
            while True:
                await connection.send(b"x" * 10_000)

        with WebSocketServer(talks) as server:
            with raw(server) as sock:
                shake_hands(sock)
                sock.recv(1_000)
                reset(sock)
            eventually(lambda: no_tasks(server))
            assert server.log == ["client 1 connected", "client 1 left (1006)"]

    def test_in_the_middle_of_closing(self, eventually: Eventually) -> None:
        async def hangs_up(connection: Any) -> None:
            await connection.close(4001)

        with WebSocketServer(hangs_up) as server:
            with raw(server) as sock:
                shake_hands(sock)
                assert sock.recv(4, socket.MSG_WAITALL) == bytes.fromhex("88020fa1")
                reset(sock)
            eventually(lambda: no_tasks(server))
            assert server.log == ["client 1 connected", "client 1 left (4001)"]


class TestGarbage:
    @pytest.mark.parametrize(
        ("sent", "answer", "noted"),
        [
            (b"hello\r\n\r\n", b"", "no answer (did not receive a valid HTTP request)"),
            (b"\x16\x03\x01\x02\x00\r\n", b"", "no answer (did not receive a valid HTTP request)"),
            (
                b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"HTTP/1.1 426 ",
                "426 Upgrade Required (missing Connection header)",
            ),
            (b"GET /" + b"x" * 8_200 + b" HTTP/1.1\r\n\r\n", b"HTTP/1.1 414 ", None),
        ],
    )
    def test_instead_of_a_handshake(
        self, sent: bytes, answer: bytes, noted: str | None, eventually: Eventually
    ) -> None:
        with EchoServer() as server:
            with raw(server) as sock:
                sock.sendall(sent)
                assert read_to_the_end(sock).startswith(answer)
                [entry] = server.log
                assert entry.startswith("refused a client: ")
                assert noted is None or entry == f"refused a client: {noted}"
            eventually(lambda: no_tasks(server))
            assert server.clients == 0
            with connect(server.uri) as ws:
                ws.send("well?")
                assert ws.recv(timeout=LIMIT) == "Echo: well?"

    def test_refused_by_a_rule(self) -> None:
        with EchoServer(origins=["http://localhost"]) as server:
            with pytest.raises(InvalidStatus, match="403"):
                connect(server.uri, origin="http://evil.example").__enter__()
            assert server.log == ["refused a client: 403 Forbidden (invalid Origin header: http://evil.example)"]

    def test_refused_by_a_rule_of_ones_own(self) -> None:
        def closed_today(connection: Any, request: Any) -> Any:
            return connection.respond(503, "closed today")

        with EchoServer(process_request=closed_today) as server:
            with pytest.raises(InvalidStatus, match="503"):
                connect(server.uri).__enter__()
            assert server.log == ["refused a client: 503 Service Unavailable"]

    def test_a_rule_that_hands_something_out_refuses_nobody(self) -> None:
        def hands_out(connection: Any, request: Any) -> Any:
            return connection.respond(200, "a page")

        with EchoServer(process_request=hands_out) as server:
            with raw(server) as sock:
                sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
                assert b" 200 OK" in read_to_the_end(sock)
            assert server.log == ["answered by HTTP: 200 OK"]

    def test_a_rule_that_fails_is_noted(self) -> None:
        def fails(connection: Any, request: Any) -> Any:
            raise LookupError("no rule")

        with EchoServer(process_request=fails) as server:
            with pytest.raises(InvalidStatus, match="500"):
                connect(server.uri).__enter__()
            assert server.log == [
                "process_request failed: LookupError: no rule",
                "refused a client: 500 Internal Server Error (no rule)",
            ]

    def test_instead_of_a_frame(self, eventually: Eventually) -> None:
        with EchoServer() as server:
            with raw(server) as sock:
                shake_hands(sock)
                sock.sendall(b"\xff" * 100)
                assert sock.recv(4, socket.MSG_WAITALL)[:1] == b"\x88"
            eventually(lambda: no_tasks(server))
            assert server.log == ["client 1 connected", "client 1 left (1002)"]

    def test_bytes_that_are_no_text(self, eventually: Eventually) -> None:
        with EchoServer() as server:
            with raw(server) as sock:
                shake_hands(sock)
                sock.sendall(bytes.fromhex("818200000000") + b"\xff\xff")
                assert sock.recv(4, socket.MSG_WAITALL)[2:] == struct.pack("!H", 1007)
            eventually(lambda: no_tasks(server))
            assert server.log == ["client 1 connected", "client 1 sent '\ufffd\ufffd'", "client 1 left (1007)"]


def test_a_stop_that_takes_long_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a thousand clients on a busy machine: here one that says nothing, and gets a long time to answer."""
    monkeypatch.setattr(background, "_PATIENCE", 0.6)
    monkeypatch.setattr(echo, "_GRACE", 1.5)
    with EchoServer() as server, raw(server) as sock:
        shake_hands(sock)
        server.stop()
        assert not server.running


def test_a_stop_whose_time_is_up_hangs_up_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_CLOSING", 0.2)
    monkeypatch.setattr(echo, "_GRACE", 5.0)
    with EchoServer() as server, raw(server) as sock:
        shake_hands(sock)
        server.stop()
        assert read_to_the_end(sock) == bytes.fromhex("880203e9")


def test_a_stop_whose_time_is_up_hangs_up_on_who_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_CLOSING", 0.2)
    monkeypatch.setattr(streams, "_GRACE", 5.0)
    with TCPEchoServer() as server, raw(server) as sock:
        sock.settimeout(1)
        with pytest.raises(TimeoutError):  # both ends are full
            while True:
                sock.sendall(bytes(2**20))
        server.stop()
        sock.settimeout(LIMIT)
        with pytest.raises(ConnectionResetError):
            read_to_the_end(sock)
            sock.sendall(b"still there?")
            sock.recv(1)


def test_a_stop_also_hangs_up_on_who_is_counted_out_and_does_not_read(eventually: Eventually) -> None:
    class Deep(TCPEchoServer):
        async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.set_write_buffer_limits(high=2**30)  # it reads to the end, however much it still has to send
            await super()._echo(reader, writer)

    with Deep() as server, raw(server) as sock:
        sock.sendall(bytes(2**24))
        sock.shutdown(socket.SHUT_WR)
        eventually(lambda: server.log[-1:] == ["client 1 left (end of stream)"])
        server.stop()
        with contextlib.suppress(ConnectionResetError):
            assert len(read_to_the_end(sock)) < 2**24


class TestAThousand:
    COUNT = 1_000

    @staticmethod
    async def dial(uri: str, count: int) -> list[ClientConnection]:
        at_once = asyncio.Semaphore(50)

        async def one() -> ClientConnection:
            async with at_once:
                return await connect_async(uri, proxy=None, compression=None, ping_interval=None, open_timeout=60)

        return await asyncio.gather(*(one() for _ in range(count)))

    def test_all_are_served_and_all_see_1001_from_the_loop_that_stop_blocks(self) -> None:
        assert connections_that_fit() >= self.COUNT

        async def main() -> None:
            clients = await self.dial(server.uri, self.COUNT)
            assert server.clients == self.COUNT
            await asyncio.gather(*(client.send(str(n)) for n, client in enumerate(clients)))
            answers = await asyncio.gather(*(client.recv() for client in clients))
            assert answers == [f"Echo: {n}" for n in range(self.COUNT)]
            assert await asyncio.to_thread(server.push, "to all") == self.COUNT
            assert set(await asyncio.gather(*(client.recv() for client in clients))) == {"to all"}
            server.stop()
            ends = await asyncio.gather(*(client.recv() for client in clients), return_exceptions=True)
            assert [end.rcvd.code for end in ends if isinstance(end, ConnectionClosedOK)] == [1001] * self.COUNT

        with EchoServer() as server:
            asyncio.run(main())

    def test_all_see_1001_from_another_thread(self) -> None:
        ready, codes = threading.Event(), []

        async def main() -> None:
            clients = await self.dial(server.uri, self.COUNT)
            ready.set()
            ends = await asyncio.gather(*(client.recv() for client in clients), return_exceptions=True)
            codes.extend(end.rcvd.code for end in ends if isinstance(end, ConnectionClosedOK))

        with EchoServer() as server:
            thread = threading.Thread(target=lambda: asyncio.run(main()))
            thread.start()
            assert ready.wait(90)
            server.stop()
            thread.join(90)
        assert codes == [1001] * self.COUNT

    def test_none_of_them_answers(self) -> None:
        with EchoServer() as server, contextlib.ExitStack() as stack:
            deaf = []
            for _ in range(self.COUNT):  # one by one: who has dialled has ten seconds for the handshake
                sock = stack.enter_context(raw(server))
                shake_hands(sock)
                deaf.append(sock)
            server.stop()
            assert {read_to_the_end(sock) for sock in deaf} == {bytes.fromhex("880203e9")}


class TestTCPEcho:
    def test_bytes_come_back(self) -> None:
        with TCPEchoServer() as server, raw(server) as sock:
            sock.sendall(b"hello")
            assert sock.recv(5, socket.MSG_WAITALL) == b"hello"
            assert server.clients == 1

    def test_the_rest_then_the_end(self) -> None:
        sent = bytes(range(256)) * 4_000
        with TCPEchoServer() as server, raw(server) as sock:
            sender = threading.Thread(target=lambda: (sock.sendall(sent), sock.shutdown(socket.SHUT_WR)))
            sender.start()
            assert read_to_the_end(sock) == sent
            sender.join()
            assert server.log == ["client 1 connected", "client 1 left (end of stream)"]

    def test_a_client_that_vanishes(self, eventually: Eventually) -> None:
        with TCPEchoServer() as server:
            with raw(server) as sock:
                sock.sendall(b"x")
                sock.recv(1)
                sock.sendall(b"x" * 100_000)
                reset(sock)
            eventually(lambda: len(server.log) == 2 and no_tasks(server))
            assert server.log[0] == "client 1 connected"
            assert server.clients == 0

    def test_stop_ends_the_line(self) -> None:
        with TCPEchoServer() as server, raw(server) as sock:
            sock.sendall(b"hello")
            assert sock.recv(5, socket.MSG_WAITALL) == b"hello"
            server.stop()
            assert sock.recv(1) == b""

    def test_stop_does_not_wait_for_one_who_does_not_read(self, eventually: Eventually) -> None:
        with TCPEchoServer() as server, raw(server) as sock:
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sock.send(b"x" * 100_000)
            eventually(lambda: server.clients == 1)
            server.stop()
            assert not server.running

    def test_clients_that_arrive_meanwhile(self, quiet_port: int) -> None:
        for _ in range(3):
            server = TCPEchoServer(port=quiet_port).start()
            going = threading.Event()

            def arrive(server: TCPEchoServer = server, going: threading.Event = going) -> None:
                with contextlib.suppress(OSError):
                    while True:
                        raw(server).__enter__().close()
                        going.set()

            threads = [threading.Thread(target=arrive) for _ in range(4)]
            for thread in threads:
                thread.start()
            assert going.wait(LIMIT)
            server.stop()
            for thread in threads:
                thread.join(LIMIT)
