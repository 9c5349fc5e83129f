"""A stream handler in a background thread."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from helpers import StreamServer
from helpers.relay import RESET_ON_CLOSE

Eventually = Callable[[Callable[[], object]], None]
PATIENCE = 20.0  # seconds: nothing in these tests takes that long

pytestmark = pytest.mark.usefixtures("nothing_left")


@contextlib.contextmanager
def called(server: StreamServer) -> Iterator[socket.socket]:
    """A line to the server."""
    with socket.create_connection(server.address, timeout=PATIENCE) as line:
        yield line


def heard(line: socket.socket) -> bytes:
    """All that comes until the other end hangs up."""
    got = b""
    while piece := line.recv(65536):
        got += piece
    return got


async def shouted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1024):
        writer.write(data.upper())
        await writer.drain()
    writer.close()


async def fails(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"half a sen")
    await reader.read(1)
    raise ValueError("no more words")


async def forgets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello")


def test_the_handler_is_served_in_a_thread_of_its_own() -> None:
    threads: list[str] = []

    async def noted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        threads.append(threading.current_thread().name)
        await shouted(reader, writer)

    with StreamServer(noted, name="noted") as server, called(server) as one, called(server) as other:
        one.sendall(b"one")
        other.sendall(b"other")
        assert (one.recv(3), other.recv(5)) == (b"ONE", b"OTHER")
        assert server.clients == 2
        one.shutdown(socket.SHUT_WR)
        assert heard(one) == b""
    assert set(threads) == {"StreamServer noted"}


def test_a_handler_that_returns_has_left(eventually: Eventually) -> None:
    with StreamServer(shouted) as server:
        with called(server) as line:
            line.sendall(b"x")
            line.shutdown(socket.SHUT_WR)
            assert heard(line) == b"X"
        eventually(lambda: server.clients == 0)
        assert server.log == ["client 1 connected", "client 1 left (handler returned)"]


def test_a_handler_that_raises_is_noted_and_its_line_closed(eventually: Eventually, capfd: pytest.CaptureFixture[str]) -> None:
    with StreamServer(fails) as server, called(server) as line:
        line.sendall(b"x")
        assert heard(line) == b"half a sen"
        eventually(lambda: server.clients == 0)
        assert server.log[1:] == ["client 1: handler failed: ValueError: no more words", "client 1 left (handler failed)"]
    assert capfd.readouterr() == ("", "")


def test_a_client_that_vanishes_fails_the_handler_with_the_name_of_the_error_alone(eventually: Eventually) -> None:
    with StreamServer(shouted) as server:
        line = socket.create_connection(server.address, timeout=PATIENCE)
        line.sendall(b"x")
        assert line.recv(1) == b"X"
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        line.close()
        eventually(lambda: server.clients == 0)
        assert server.log[1] == "client 1: handler failed: ConnectionResetError"


def test_a_handler_that_forgets_to_close_leaves_the_line_open() -> None:
    with StreamServer(forgets) as server:
        with called(server) as line:
            assert line.recv(5) == b"hello"
            line.settimeout(0.2)
            with pytest.raises(TimeoutError):
                line.recv(1)
            assert server.clients == 1
            line.settimeout(PATIENCE)
            server.stop()
            assert line.recv(1) == b""


def test_stopping_ends_a_handler_in_the_middle() -> None:
    with StreamServer(shouted) as server, called(server) as line:
        line.sendall(b"x")
        assert line.recv(1) == b"X"
        server.stop()
        assert heard(line) == b""
        assert server.log[-1].startswith("client 1 left")


def test_it_wants_a_function() -> None:
    with pytest.raises(TypeError, match="reader and a writer"):
        StreamServer("echo")  # type: ignore[arg-type]
