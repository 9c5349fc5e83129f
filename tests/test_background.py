"""The life of a background server, whatever it serves: start, stop, replace, errors, interrupts, the end of Python."""

import asyncio
import errno
import itertools
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import open_files
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect

from helpers import BackgroundServer, EchoServer, TCPEchoServer, WebSocketServer, background

pytestmark = [pytest.mark.usefixtures("nothing_left"), pytest.mark.filterwarnings("error")]

Eventually = Callable[[Callable[[], object]], None]


class Silent(BackgroundServer):
    """The least of servers: it listens and says nothing."""

    async def _open(self) -> None:
        self.listener = self._listen()

    async def _close(self) -> None:
        self.listener.close()


def threads_named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


@pytest.fixture(autouse=True)
def stop_what_a_failed_test_left() -> Iterator[None]:
    yield
    for server in list(background._running):
        server.stop()


class TestStartAndStop:
    def test_it_listens_when_start_returns(self) -> None:
        server = Silent()
        assert server.start() is server
        assert server.running
        socket.create_connection(server.address, timeout=5).close()
        server.stop()
        assert not server.running

    def test_one_daemon_thread_with_a_name(self) -> None:
        with Silent(name="quiet"):
            [thread] = threads_named("Silent quiet")
            assert thread.daemon
        assert not threads_named("Silent quiet")

    def test_the_port_is_kept_and_refused_after_stop(self, quiet_port: int) -> None:
        server = Silent(port=quiet_port).start()
        address = server.address
        server.stop()
        assert server.address == address == (server.host, server.port)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(server.address, timeout=5)

    def test_starting_twice_changes_nothing(self) -> None:
        with Silent() as server:
            address, [thread] = server.address, threads_named("Silent")
            assert server.start() is server
            assert server.address == address
            assert threads_named("Silent") == [thread]

    def test_stopping_twice_or_before_the_start(self) -> None:
        server = Silent()
        server.stop()
        server.start()
        server.stop()
        server.stop()
        assert not server.running

    def test_it_starts_again(self) -> None:
        server = Silent()
        for _ in range(3):
            server.start()
            socket.create_connection(server.address, timeout=5).close()
            server.stop()

    def test_it_starts_again_on_the_port_it_was_asked_for(self, quiet_port: int) -> None:
        server = Silent(port=quiet_port)
        for _ in range(3):
            assert server.start().port == quiet_port
            server.stop()

    def test_with_stops_also_when_the_body_fails(self) -> None:
        with pytest.raises(ZeroDivisionError):
            with Silent() as server:
                assert server.running
                _ = 1 / 0
        assert not server.running

    def test_no_address_before_the_start(self) -> None:
        with pytest.raises(RuntimeError, match=r"^not started yet: call start\(\)$"):
            _ = Silent().address

    def test_it_says_what_it_is_without_ports(self) -> None:
        server = Silent()
        assert repr(server) == "<Silent, not started>"
        with server:
            assert repr(server) == "<Silent, listening, 0 clients>"
        assert repr(server) == "<Silent, stopped>"
        assert repr(Silent(name="left")) == "<Silent 'left', not started>"

    def test_nothing_is_printed(self, capfd: pytest.CaptureFixture[str]) -> None:
        with Silent():
            pass
        assert capfd.readouterr() == ("", "")

    def test_a_server_that_cannot_close_is_left_after_a_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Clinging(Silent):
            async def _close(self) -> None:
                await super()._close()
                await asyncio.Event().wait()

        monkeypatch.setattr(background, "_CLOSING", 0.1)
        server = Clinging().start()
        server.stop()
        assert not server.running
        assert server.log == ["the server failed: TimeoutError"]

    def test_a_close_that_fails_is_noted(self) -> None:
        class Failing(Silent):
            async def _close(self) -> None:
                await super()._close()
                raise LookupError("no such door")

        with Failing() as server:
            pass
        assert server.log == ["the server failed: LookupError: no such door"]


class TestReplacing:
    def test_fifty_starts_of_one_cell_leave_one_thread_and_one_port(self) -> None:
        kept = []  # as IPython's Out[] does
        files = None
        for _ in range(50):
            kept.append(Silent().start())
            files = files or open_files()
        assert open_files() == files
        assert len(threads_named("Silent")) == 1
        assert [server.running for server in kept] == [False] * 49 + [True]
        assert "replaced: another Silent of this name was started" in kept[0].log
        kept[-1].stop()

    def test_fifty_starts_on_one_port(self, quiet_port: int) -> None:
        for _ in range(50):
            server = Silent(port=quiet_port).start()
            assert server.port == quiet_port
        server.stop()

    def test_names_and_classes_keep_servers_apart(self) -> None:
        servers = [Silent(), Silent(name="left"), Silent(name="right"), TCPEchoServer(), EchoServer()]
        for server in servers:
            server.start()
        assert all(server.running for server in servers)
        second = Silent(name="left").start()
        assert [server.running for server in servers] == [True, False, True, True, True]
        for server in [*servers, second]:
            server.stop()

    def test_a_class_defined_anew_counts_as_the_same(self) -> None:
        cell = """
class Room(Silent):
    pass
room = Room().start()
"""
        notebook: dict[str, Any] = {"__name__": "__main__", "Silent": Silent}
        exec(cell, notebook)
        first = notebook["room"]
        exec(cell, notebook)
        second = notebook["room"]
        assert type(first) is not type(second)
        assert (first.running, second.running) == (False, True)
        second.stop()

    def test_with_neither_replaces_nor_is_replaced(self) -> None:
        standing = Silent().start()
        with Silent() as inner, Silent() as second:
            assert standing.running and inner.running and second.running
            replacing = Silent().start()
            assert (standing.running, inner.running, second.running, replacing.running) == (False, True, True, True)
        assert replacing.running
        replacing.stop()

    def test_with_that_failed_is_no_with(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            first = Silent(port=taken.getsockname()[1])
            with pytest.raises(OSError, match="is taken"), first:
                pass
        first.start()
        with Silent():
            assert first.running
        second = Silent().start()
        assert (first.running, second.running) == (False, True)
        second.stop()

    def test_one_that_cannot_be_made_replaces_nobody(self) -> None:
        with pytest.raises(ValueError):
            standing = Silent().start()
            Silent(port=-1).start()
        assert standing.running
        standing.stop()


class TestBadInput:
    @pytest.mark.parametrize("host", ["", None, 8765, b"127.0.0.1"])
    def test_no_host(self, host: Any) -> None:
        with pytest.raises(ValueError) as caught:
            Silent(host=host)
        assert str(caught.value) == (
            f"host must name an interface, not {host!r}: "
            "'127.0.0.1' is this machine alone, '0.0.0.0' is every interface"
        )

    @pytest.mark.parametrize("port", [-1, 65536, "8765", 8765.0, None, True])
    def test_no_port(self, port: Any) -> None:
        with pytest.raises(ValueError) as caught:
            Silent(port=port)
        assert str(caught.value) == f"port must be a whole number from 0 to 65535, not {port!r}; 0 takes any free port"

    def test_a_taken_port(self) -> None:
        with Silent() as other, pytest.raises(OSError) as caught:
            Silent(port=other.port).start()
        assert caught.value.errno == errno.EADDRINUSE
        assert caught.value.strerror == (
            f"port {other.port} is taken: stop the server that has it, or use port=0 for any free port"
        )

    def test_after_an_error_it_can_start(self, quiet_port: int) -> None:
        with Silent(port=quiet_port) as other:
            server = Silent(port=other.port)
            with pytest.raises(OSError):
                server.start()
            assert not server.running
            server.stop()
            assert repr(server) == "<Silent, not started>"
        assert server.start().port == other.port
        server.stop()

    def test_an_unknown_host(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def unknown(*args: object, **kwargs: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(OSError) as caught:
            Silent(host="nowhere.example").start()
        assert caught.value.errno == socket.EAI_NONAME
        assert caught.value.strerror == "host 'nowhere.example' is unknown: use '127.0.0.1' for this machine alone"

    @pytest.mark.parametrize("host", ["a" * 70 + ".example", "nul\0"])
    def test_a_host_that_is_no_name(self, host: str) -> None:
        with pytest.raises(OSError, match="is unknown"):
            Silent(host=host).start()

    def test_a_host_of_another_machine(self) -> None:
        with pytest.raises(OSError) as caught:
            Silent(host="192.0.2.1").start()  # kept for documentation (RFC 5737): no machine has it
        assert caught.value.errno == errno.EADDRNOTAVAIL
        assert caught.value.strerror == "host '192.0.2.1' isn't an address of this machine: use '127.0.0.1'"

    def test_special_rights(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(*args: object, **kwargs: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr(socket, "create_server", refused)
        with pytest.raises(PermissionError) as caught:
            Silent(port=80).start()
        assert caught.value.strerror == "port 80 needs special rights: use port=0 for any free port"

    def test_any_other_reason_is_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*args: object, **kwargs: object) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        monkeypatch.setattr(socket, "create_server", full)
        with pytest.raises(OSError) as caught:
            Silent(port=8765).start()
        assert caught.value.errno == errno.EMFILE
        assert caught.value.strerror == "can't listen on port 8765 of '127.0.0.1': Too many open files"

    def test_an_error_of_ones_own_is_raised_in_the_cell(self) -> None:
        class Broken(BackgroundServer):
            async def _open(self) -> None:
                raise LookupError("no such thing")

        server = Broken()
        with pytest.raises(LookupError, match="^no such thing$"):
            server.start()
        assert not server.running

    def test_a_start_that_takes_too_long(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = threading.Event()

        def slow(*args: object, **kwargs: object) -> list[Any]:
            found.wait(20)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", slow)
        monkeypatch.setattr(background, "_PATIENCE", 0.05)
        monkeypatch.setattr(background, "_CLOSING", 0.05)
        server = Silent(host="far.example")
        with pytest.raises(TimeoutError, match="host 'far.example' didn't get a listener"):
            server.start()
        assert not server.running
        found.set()
        monkeypatch.undo()
        server.stop()

    def test_a_start_that_ends_just_too_late(self, monkeypatch: pytest.MonkeyPatch) -> None:
        late = threading.Event()
        real = socket.getaddrinfo

        def slow(*args: Any, **kwargs: Any) -> list[Any]:
            late.wait(20)
            return real(*args, **kwargs)

        class Late(Silent):
            def _end(self, patience: float) -> bool:
                if self._thread is not None:
                    late.set()
                return super()._end(20)

        monkeypatch.setattr(background, "_PATIENCE", 0.05)
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        server = Late()
        with pytest.raises(TimeoutError, match="host '127.0.0.1' didn't get a listener"):
            server.start()
        assert not server.running


class TestInterfaces:
    def test_loopback_by_default(self) -> None:
        with Silent() as server:
            assert server.address[0] == "127.0.0.1"
            assert server.listener.getsockname()[0] == "127.0.0.1"

    def test_every_interface_is_dialled_on_this_machine(self) -> None:
        with Silent(host="0.0.0.0") as server:
            assert server.listener.getsockname()[0] == "0.0.0.0"
            assert server.address == ("127.0.0.1", server.port)
            socket.create_connection(server.address, timeout=5).close()

    def test_localhost_has_one_port(self) -> None:
        with EchoServer(host="localhost") as server:
            assert server.uri == f"ws://localhost:{server.port}"
            with connect(server.uri, proxy=None) as ws:
                ws.send("home")
                assert ws.recv() == "Echo: home"


class TestRun:
    def test_it_runs_in_the_servers_thread(self) -> None:
        with Silent() as server:
            assert [server.run(threading.current_thread)] == threads_named("Silent")

    def test_it_awaits_an_async_function(self) -> None:
        async def double(number: int) -> int:
            await asyncio.sleep(0)
            return 2 * number

        with Silent() as server:
            assert server.run(double, 21) == 42

    def test_errors_come_back(self) -> None:
        async def slow() -> None:
            raise TimeoutError("mine")

        with Silent() as server:
            with pytest.raises(ZeroDivisionError):
                server.run(lambda: 1 / 0)
            with pytest.raises(TimeoutError, match="^mine$"):
                server.run(slow)

    def test_not_without_a_running_server(self) -> None:
        server = Silent()
        with pytest.raises(RuntimeError, match=r"^<Silent, not started> isn't running: call start\(\)$"):
            server.run(print)
        with server:
            pass
        with pytest.raises(RuntimeError, match=r"^<Silent, stopped> isn't running: call start\(\)$"):
            server.run(print)

    def test_within_the_servers_own_thread(self) -> None:
        with Silent() as server:
            assert server.run(server.run, threading.get_ident) == server.run(threading.get_ident)
            with pytest.raises(RuntimeError, match="await it instead"):
                server.run(server.run, asyncio.sleep, 0)

    def test_a_server_that_stops_meanwhile(self) -> None:
        with Silent() as server:
            begun = threading.Event()
            raised: list[BaseException] = []

            async def never() -> None:
                begun.set()
                await asyncio.Event().wait()

            def call() -> None:
                try:
                    server.run(never)
                except BaseException as error:
                    raised.append(error)

            caller = threading.Thread(target=call)
            caller.start()
            assert begun.wait(20)
            server.stop()
            caller.join(20)
        [error] = raised
        assert isinstance(error, RuntimeError) and "isn't running" in str(error)

    def test_a_server_that_stops_before_it_hears_the_call(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Silent() as server:
            hear = server._loop.call_soon_threadsafe

            def stop_instead(call: Callable[[], None]) -> None:
                hear(server._stop_asked.set)

            monkeypatch.setattr(server._loop, "call_soon_threadsafe", stop_instead)
            with pytest.raises(RuntimeError, match="isn't running"):
                server.run(print)

    def test_a_server_that_has_stopped_since_it_was_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with Silent() as server:
            loop, hear = server._loop, server._loop.call_soon_threadsafe

            def stop_first(call: Callable[[], None]) -> None:
                monkeypatch.undo()
                server.stop()
                hear(call)

            monkeypatch.setattr(loop, "call_soon_threadsafe", stop_first)
            with pytest.raises(RuntimeError, match="isn't running"):
                server.run(print)

    def test_a_blocked_loop_is_not_waited_for_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        let_go = threading.Event()
        with Silent() as server:
            monkeypatch.setattr(background, "_PATIENCE", 0.05)
            with pytest.raises(TimeoutError, match="didn't answer"):
                server.run(let_go.wait, 20)
            let_go.set()
            monkeypatch.undo()


class TestBlockedLoop:
    def test_stop_says_so_and_can_be_repeated(self, monkeypatch: pytest.MonkeyPatch) -> None:
        entered, let_go = threading.Event(), threading.Event()

        async def blocks(connection: object) -> None:
            entered.set()
            let_go.wait(20)  # as time.sleep would

        server = WebSocketServer(blocks).start()
        with connect(server.uri, proxy=None):
            assert entered.wait(20)
            monkeypatch.setattr(background, "_PATIENCE", 0.05)
            with pytest.raises(RuntimeError, match="can't stop yet: a blocking call holds up its loop"):
                server.stop()
            assert not server.running
            let_go.set()
            monkeypatch.undo()
            server.stop()
        assert repr(server) == "<WebSocketServer, stopped>"


class TestInterrupts:
    def test_an_interrupted_stop_can_be_stopped_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        server = Silent().start()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "join", raise_keyboard_interrupt)
            with pytest.raises(KeyboardInterrupt):
                server.stop()
        server.stop()
        assert repr(server) == "<Silent, stopped>"

    def test_an_interrupted_stop_can_be_started_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        server = Silent().start()
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "join", raise_keyboard_interrupt)
            with pytest.raises(KeyboardInterrupt):
                server.stop()
        assert server.start().running
        server.stop()

    @pytest.mark.parametrize("where", ["result", "start", "join"])
    def test_an_interrupted_start_can_be_stopped_and_started(
        self, where: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = Silent()
        with monkeypatch.context() as patch:
            if where in ("result", "join"):
                patch.setattr(background.Future, "result", raise_keyboard_interrupt)
            if where == "join":  # interrupted a second time, while it cleans up after the first
                patch.setattr(threading.Thread, "join", raise_keyboard_interrupt)
            if where == "start":
                patch.setattr(threading.Thread, "start", raise_keyboard_interrupt)
            with pytest.raises(KeyboardInterrupt):
                server.start()
        server.stop()
        assert not server.running
        with server.start():
            socket.create_connection(server.address, timeout=5).close()


def raise_keyboard_interrupt(*args: object, **kwargs: object) -> None:
    raise KeyboardInterrupt


class TestRaces:
    def test_start_and_stop_of_one_server_from_many_threads(self) -> None:
        server = Silent()

        def flip(steps: Iterator[int]) -> None:
            for _ in steps:
                server.start()
                server.stop()

        run_in_threads(*[lambda: flip(iter(range(20)))] * 8)
        server.stop()
        assert not server.running

    def test_many_servers_of_one_name_from_many_threads(self) -> None:
        servers = [Silent() for _ in range(40)]
        numbers = itertools.count()

        def start_some() -> None:
            for _ in range(5):
                servers[next(numbers)].start()

        run_in_threads(*[start_some] * 8)
        assert sum(server.running for server in servers) == 1
        assert len(threads_named("Silent")) == 1
        for server in servers:
            server.stop()


def run_in_threads(*functions: Callable[[], None]) -> None:
    """Run functions side by side, and raise what one of them raises."""
    raised: list[BaseException] = []

    def call(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=call, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if raised:
        raise raised[0]


class TestInsideTheServersThread:
    def test_a_handler_may_stop_its_server(self, eventually: Eventually) -> None:
        async def last_orders(connection: Any) -> None:
            await connection.recv()
            server.stop()
            await connection.recv()

        server = WebSocketServer(last_orders).start()
        with connect(server.uri, proxy=None) as ws:
            ws.send("time, please")
            with pytest.raises(ConnectionClosedOK, match="1001"):
                ws.recv(timeout=20)
        eventually(lambda: not threads_named("WebSocketServer"))
        assert not server.running
        server.stop()

    def test_executor_threads_end_with_the_server(self) -> None:
        names: list[str] = []

        async def in_a_thread(connection: Any) -> None:
            names.append(await asyncio.to_thread(lambda: threading.current_thread().name))

        with WebSocketServer(in_a_thread, name="t") as server, connect(server.uri, proxy=None):
            pass
        server.stop()
        assert [name.startswith("WebSocketServer t") for name in names] == [True]

    def test_tasks_that_a_handler_forgot_end_with_the_server(self) -> None:
        ended: list[str] = []

        async def forgets(connection: Any) -> None:
            async def sleeps() -> None:
                try:
                    await asyncio.sleep(3600)
                finally:
                    ended.append("asleep")

            async def fails() -> None:
                raise LookupError("nobody asks")

            connection.tasks = [asyncio.create_task(sleeps()), asyncio.create_task(fails())]
            await connection.recv()

        with WebSocketServer(forgets) as server:
            with connect(server.uri, proxy=None) as ws:
                ws.send("go")
        assert ended == ["asleep"]


class TestTheEndOfPython:
    def test_what_runs_is_stopped_and_clients_are_told(self) -> None:
        code = """
            import logging
            from helpers import EchoServer, TCPEchoServer
            # a busy machine makes a turn long, and in the development mode a loop says so
            logging.getLogger("asyncio").addFilter(lambda record: not record.getMessage().startswith("Executing"))
            servers = [EchoServer(name="a").start(), EchoServer(name="b").start(), TCPEchoServer().start()]
            print(servers[0].uri, servers[1].uri, *servers[2].address, flush=True)
            input()
        """
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-X", "dev", "-c", textwrap.dedent(code)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                a, b, host, port = process.stdout.readline().split()
                with connect(a, proxy=None) as first, connect(b, proxy=None) as second:
                    tcp = socket.create_connection((host, int(port)), timeout=20)
                    tcp.sendall(b"x")
                    assert tcp.recv(1) == b"x"
                    process.stdin.write("\n")
                    process.stdin.flush()
                    for ws in (first, second):
                        with pytest.raises(ConnectionClosedOK, match="1001"):
                            ws.recv(timeout=20)
                    assert tcp.recv(1) == b""
                    tcp.close()
                assert process.wait(20) == 0
                assert process.stderr.read() == ""
            finally:
                process.kill()

    def test_a_blocked_server_does_not_keep_python_alive(self) -> None:
        code = """
            import threading
            from helpers import WebSocketServer, background
            from websockets.sync.client import connect
            entered = threading.Event()
            async def blocks(connection):
                entered.set()
                threading.Event().wait()
            server = WebSocketServer(blocks).start()
            ws = connect(server.uri, proxy=None).__enter__()
            entered.wait()
            background._PATIENCE = 0.1
        """
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_importing_is_quick_because_the_heavy_parts_come_later() -> None:
    code = "import sys, helpers; print(sorted({'matplotlib', 'IPython', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
