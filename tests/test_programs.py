"""Programs beside the notebook: how they start, are stopped and die, and that nothing stays behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from helpers.programs import Ended, Program, Workshop

SERVER = """
import asyncio, sys
from websockets.asyncio.server import serve

async def echo(ws):
    async for message in ws:
        await ws.send(message)

async def main():
    async with serve(echo, "127.0.0.1", 0) as server:
        print(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("stopped", *sys.argv[1:])
"""

WAITS = "import time\nprint('ready', flush=True)\ntime.sleep(60)"


@pytest.fixture
def bench(no_thread_left):
    with Workshop() as bench:
        yield bench
    assert not bench.folder.exists()
    assert not psutil.Process().children()


def test_ctrl_c_is_a_clean_stop(bench):
    bench.save("server.py", SERVER)
    server = bench.start("server.py", "a b", 7)
    with connect(server.lines[0], proxy=None) as ws:
        server.ctrl_c()
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=3)
        assert closed.value.rcvd.code == 1001
    assert server.wait() == 0
    assert server.lines[-1] == "stopped a b 7" and server.errors == [] and not server.running


def test_kill_is_none(bench):
    bench.save("server.py", SERVER)
    server = bench.start("server.py")
    with connect(server.lines[0], proxy=None) as ws:
        server.kill()
        assert not server.running
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(timeout=3)
        assert closed.value.rcvd is None and ws.close_code == 1006
    assert len(server.lines) == 1


def test_it_starts_again_and_keeps_what_it_said_until_then(bench):
    bench.save("server.py", SERVER)
    server = bench.start("server.py")
    assert server.start() is server and len(server.lines) == 1
    first = server.lines[0]
    server.stop()
    server.stop()
    assert server.lines == [first, "stopped"]
    assert len(server.start().lines) == 1


def test_the_same_name_again_ends_the_first(bench):
    bench.save("server.py", SERVER)
    many = [bench.start("server.py") for _ in range(3)]
    assert [one.running for one in many] == [False, False, True]
    assert many[0].lines[-1] == "stopped"


def test_a_program_that_ignores_ctrl_c_is_killed(bench):
    bench.save("deaf.py", "import time\nprint('ready', flush=True)\nwhile True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass")
    deaf = bench.start("deaf.py")
    begin = time.monotonic()
    deaf.stop()
    assert not deaf.running and time.monotonic() - begin < 4


def test_ctrl_c_of_a_program_that_knows_nothing_of_it(bench):
    bench.save("waits.py", WAITS)
    program = bench.start("waits.py")
    program.ctrl_c()
    assert program.wait() != 0
    assert program.errors[-1] == "KeyboardInterrupt"


def test_a_program_that_fails_says_so_at_the_start(bench):
    bench.save("fails.py", "import no_such_library")
    with pytest.raises(RuntimeError, match=r"fails.py ended: ModuleNotFoundError: No module named 'no_such_library'"):
        bench.start("fails.py")
    bench.save("mute.py", "")
    with pytest.raises(RuntimeError, match="mute.py ended: without a word"):
        bench.start("mute.py")
    with pytest.raises(FileNotFoundError, match="no program 'nothing.py': run the cell that writes it"):
        bench.start("nothing.py")
    bench.save("slow.py", "import time\ntime.sleep(60)")
    with pytest.raises(TimeoutError, match="slow.py printed nothing within 4 s"):
        bench.start("slow.py")


def test_its_neighbours_can_be_imported_and_it_is_main(bench):
    bench.save("deep/neighbour.py", "word = 'hello'")
    bench.save("deep/program.py", "import sys\nfrom neighbour import word\nprint(__name__, word, sys.argv[1:])")
    started = bench.start("deep/program.py", "x")
    assert started.wait() == 0
    assert started.lines == ["__main__ hello ['x']"] == bench.run("deep/program.py", "x").lines


def test_wait_has_a_limit_and_leaves_it_running(bench):
    bench.save("waits.py", WAITS)
    program = bench.start("waits.py")
    with pytest.raises(TimeoutError, match="waits.py still runs after 4 s"):
        program.wait()
    assert program.running


def test_before_the_start_nothing_happens(bench):
    program = Program(bench.folder / "any.py")
    program.stop()
    program.kill()
    program.ctrl_c()
    assert program.wait() is None and program.lines == [] and repr(program) == "<Program any.py, not started>"


def test_run_says_how_it_ended(bench):
    bench.save("good.py", "import sys\nprint(sys.argv[1])\nprint(2)")
    assert repr(bench.run("good.py", 1)) == "good.py: exit code 0\n    printed     1\n    printed     2"
    bench.save("bad.py", "def f():\n    nothing\n\nf()")
    bad = bench.run("bad.py")
    assert repr(bad).splitlines() == [
        "bad.py: exit code 1",
        "    printed     nothing",
        "    complained  NameError: name 'nothing' is not defined",
    ]
    assert str(bench.folder) not in "\n".join(bad.errors)
    bench.save("many.py", "for n in range(9): print(n)")
    assert repr(bench.run("many.py")) == "many.py: exit code 0\n    printed     9 lines"


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("await x", "SyntaxError: 'await' outside function"),
        ("async def main(): pass\nmain()", "RuntimeWarning: coroutine 'main' was never awaited"),
        ("import socket\nsocket.create_connection(('127.0.0.1', 1), 2)", "ConnectionRefusedError"),
        ("raise ValueError('a: b')", "ValueError: a: b"),
        ("raise KeyError", "KeyError"),
        ("print(1)", ""),
    ],
)
def test_the_complaint_is_the_line_that_matters(bench, text, complaint):
    bench.save("program.py", text)
    assert bench.run("program.py").complaint == complaint


def test_what_it_prints_is_utf_8_wherever_it_runs(bench, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")  # as on Windows
    bench.save("far.py", "print('→ é')")
    assert bench.run("far.py").lines == ["→ é"]
    assert bench.start("far.py").lines == ["→ é"]


def test_there_are_no_colours_where_a_kernel_asks_for_them(bench, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    bench.save("bad.py", "nothing")
    bench.save("waits_and_fails.py", "print('ready', flush=True)\nnothing")
    assert bench.run("bad.py").errors[-1] == "NameError: name 'nothing' is not defined"
    program = bench.start("waits_and_fails.py")
    assert program.wait() == 1 and program.errors[-1] == "NameError: name 'nothing' is not defined"


def test_the_complaint_does_not_differ_from_system_to_system():
    for words in ("[Errno 111] Connect call failed ('127.0.0.1', 9)", "[WinError 1225] The remote computer refused"):
        assert Ended("x.py", 1, [], [f"ConnectionRefusedError: {words}"]).complaint == "ConnectionRefusedError"


def test_run_has_a_limit_and_its_own_environment(bench):
    bench.save("waits.py", WAITS)
    with pytest.raises(TimeoutError, match="waits.py still ran after 0.5 s, and was killed"):
        bench.run("waits.py", limit=0.5)
    bench.save("env.py", "import os\nprint(os.environ.get('http_proxy'))")
    assert bench.run("env.py", env={**os.environ, "http_proxy": "x"}).lines == ["x"]


def test_nobody_waits_at_the_keyboard(bench):
    bench.save("asks.py", "input()")
    assert bench.run("asks.py").complaint.startswith("EOFError")


PARENT = textwrap.dedent("""
    import sys, time
    from helpers.programs import Program
    program = Program(sys.argv[1]).start()
    print(program._process.pid, flush=True)
    time.sleep(60 if sys.argv[2] == "killed" else 0)
""")


@pytest.mark.parametrize("end", ["killed", "ends"])
def test_no_program_outlives_its_notebook(bench, end):
    bench.save("server.py", SERVER)
    command = [sys.executable, "-c", PARENT, str(bench.folder / "server.py"), end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as notebook:
        pid = int(notebook.stdout.readline())
        server = psutil.Process(pid) if psutil.pid_exists(pid) else None
        if end == "killed":
            notebook.kill()
    if server is not None:
        psutil.wait_procs([server], timeout=10)
        assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no groups of processes that a signal reaches")
def test_an_interrupt_of_the_notebook_does_not_reach_it(bench):
    bench.save("server.py", SERVER)
    server = bench.start("server.py")
    assert os.getpgid(server._process.pid) != os.getpgrp()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to ignore")
def test_ctrl_c_works_where_the_kernel_ignores_it(bench):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in a job that a shell has put into the background
    try:
        bench.save("server.py", SERVER)
        server = bench.start("server.py")
        server.ctrl_c()
        assert server.wait() == 0 and server.lines[-1] == "stopped"
    finally:
        signal.signal(signal.SIGINT, before)
