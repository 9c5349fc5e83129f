"""A server function in a process of its own: what goes along, what it costs, where its room ends, and that nothing stays behind."""

import socket
import sys
from types import SimpleNamespace

import psutil
import pytest

from helpers import limits, servers
from helpers.costs import Cost, measure, per_connection
from helpers.customers import visits
from helpers.server_process import _LIMIT, ServerProcess

GREETING = b"hello "


def greet(line, greeting=GREETING):
    with line, socket.socket():
        line.sendall(greeting + line.recv(100))


def greeter(listener: socket.socket) -> None:
    while True:
        greet(listener.accept()[0])


async def streams(listener):
    import asyncio

    async def echo(reader, writer):
        while words := await reader.read(1024):
            writer.write(words)

    await (await asyncio.start_server(echo, sock=listener)).serve_forever()


def fails(listener):
    listener.accept()
    raise ValueError("burnt")


@pytest.fixture(autouse=True)
def nothing_stays(no_thread_left):
    yield
    assert not psutil.Process().children()


def say(server, words=b"you"):
    with socket.create_connection(server.address, timeout=4) as line:
        line.sendall(words)
        return line.recv(100)


def test_the_functions_it_uses_go_along_with_their_constants_and_imports():
    with ServerProcess(greeter) as server:
        assert say(server) == b"hello you" and say(server, b"me") == b"hello me"
        assert server.memory > 2**20 and server.cpu > 0 and server.complaint == ""


def test_a_coroutine_function_gets_a_loop():
    with ServerProcess(streams) as server:
        assert say(server) == b"you"


@pytest.mark.parametrize("serve", [servers.one_at_a_time, servers.thread_each, servers.one_selector])
def test_the_three_servers_echo(serve):
    with ServerProcess(serve) as server:
        assert [say(server, words) for words in (b"one", b"two")] == [b"one", b"two"]


def test_the_same_name_again_replaces_the_first():
    with ServerProcess(greeter) as first, ServerProcess(greeter) as second:
        assert not first.running and second.running
        with ServerProcess(greeter, name="another") as third:
            assert second.running and third.running


def test_how_it_failed_is_kept():
    server = ServerProcess(fails).start()
    socket.create_connection(server.address).close()
    server.wait()
    assert server.complaint == "ValueError: burnt" and not server.running and server.errors[0].startswith("Traceback")
    with pytest.raises(RuntimeError, match="doesn't run"):
        server.memory
    server.stop()


def test_bad_input_says_what_to_pass():
    with pytest.raises(TypeError, match="written with def"):
        ServerProcess(lambda listener: None)
    with pytest.raises(ValueError, match="1 or more"):
        ServerProcess(greeter, room=0)
    space = {}
    exec("def unseen(listener): pass", space)
    with pytest.raises(TypeError, match="can't be found"):
        ServerProcess(space["unseen"])
    with pytest.raises(RuntimeError, match="not started"):
        ServerProcess(greeter).address


def counting(listener):  # as many as it has room for, and then what happens
    lines = []
    try:
        while True:
            lines.append(listener.accept()[0])
    except OSError as error:
        lines[0].sendall(f"{len(lines)} {error.errno} {error.strerror}".encode())


def full(server):
    # one more could be refused: a system may say that there is no room before anybody calls, and then the server ends
    lines = [socket.create_connection(server.address, timeout=4) for _ in range(5)]
    said = lines[0].recv(100)
    for line in lines:
        line.close()
    return said


def test_the_room_is_for_so_many_lines():
    with ServerProcess(counting, room=5) as server:
        assert full(server) == b"5 24 Too many open files"


def test_where_there_is_no_limit_it_is_played(monkeypatch):
    monkeypatch.setattr("helpers.server_process._LIMIT", _LIMIT.replace("import resource as", "import nothing_of_the_kind as"))
    with ServerProcess(counting, room=5) as server:
        assert full(server) == b"5 24 Too many open files"


# The customers


def test_customers_of_one_at_a_time_are_served_in_the_order_of_their_calls():
    with ServerProcess(servers.one_at_a_time) as server:
        came = visits(server.address, 5, think=0.01)
    assert [visit.number for visit in came] == [1, 2, 3, 4, 5]
    assert all(visit.end == "goodbye" and visit.heard == 2 for visit in came)
    assert all(before.left - before.served >= 0.01 for before in came), "each thinks between its words"
    assert all(after.served > before.served + 0.01 for before, after in zip(came, came[1:]))


def test_threads_serve_them_at_once():
    with ServerProcess(servers.thread_each) as server:
        came = visits(server.address, 5, think=0.5)
    assert max(visit.served for visit in came) < min(visit.left for visit in came)


def test_who_is_not_served_gives_up():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        came = visits(listener.getsockname(), 3, patience=1)
    assert [(visit.served, visit.heard, visit.end) for visit in came] == [(None, 0, "gave up")] * 3


def test_who_is_hung_up_on_is_cut_off():
    with ServerProcess(fails) as server:
        assert {visit.end for visit in visits(server.address, 3)} == {"cut off"}
        server.wait()
        assert visits(server.address, 1)[0].end == "cut off", "nobody listens any more"


def test_customers_are_counted():
    with pytest.raises(ValueError, match="at least one customer"):
        visits(("127.0.0.1", 1), 0)


# The costs


def test_costs_are_the_servers_own():
    few, many = measure(servers.thread_each, (1, 100))
    assert (few.connections, many.connections) == (1, 100)
    assert many.memory > few.memory and few.message >= 0


def test_sizes_end_where_the_files_do(monkeypatch):
    monkeypatch.setattr("helpers.costs.connections_that_fit", lambda per_connection: 3)
    assert [cost.connections for cost in measure(servers.one_selector, (2, 1000))] == [2, 3]


def test_sizes_end_where_select_does(monkeypatch):
    monkeypatch.setattr("helpers.costs._cost", lambda serve, size: size)
    monkeypatch.setattr("helpers.costs.connections_that_fit", lambda per_connection: 10**6)
    assert measure(servers.one_selector, (10, 1000)) == [10, 500 if sys.platform == "win32" else 1000]
    monkeypatch.setattr("helpers.costs.sys", SimpleNamespace(platform="win32"))
    assert measure(servers.one_selector, (10, 1000)) == [10, 500]


def test_per_connection_is_the_slope():
    assert per_connection([Cost(n, 5_000 + 300 * n, 0.0) for n in (10, 100, 1000)]) == pytest.approx(300)
    assert str(per_connection([Cost(10, 1, 0.0)])) == "nan"
    assert limits.connections_that_fit(per_connection=1) > 0
