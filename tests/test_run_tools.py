"""The tools that run notebooks see what they are there for: on notebooks made to break."""

from pathlib import Path

import kernels
import pytest
import runs
from books import Book
from specimens import Raw, Specimen, code, result, stream


def recorded(folder: Path, *cells: Raw, **patience: float) -> runs.Record:
    """A notebook of these cells, run; `patience` is for what is known to take for ever: SILENCE, END, GOING."""
    workbook = folder / "workbook"
    workbook.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name, seconds in patience.items():
            patch.setattr(kernels, name, seconds)
        return runs.record(Book(Specimen(folder, list(cells)).write()), workbook)


def said(judge: runs.Judge, record: runs.Record) -> str:
    return "\n".join(judge(record))


class TestGood:
    """A notebook that does everything a notebook may do."""

    CELLS = [
        code("setup", """\
import asyncio, os, socket, subprocess, sys, threading
from IPython.display import display
from websockets.sync.client import connect
from helpers import EchoServer

server = EchoServer().start()"""),
        code("echo", """\
with connect(server.uri, proxy=None) as client:
    client.send("hello")
    print(client.recv(timeout=2))""", stream("Echo: hello\n")),
        code("pixels", 'display({"image/png": "AAAA", "text/plain": "a dot"}, raw=True)',
             result(image_png="BBBB", text_plain="a dot")),
        code("queue", "await asyncio.to_thread(print, server.uri[:5])", stream("ws://\n")),
        code("workers", "_ = await asyncio.gather(*(asyncio.to_thread(threading.Event().wait, 0.1) for _ in range(3)))"),
        code("take", "taken = [1]", tags=("raises-exception",)) | {"source": "raise ValueError('meant')", "outputs": [
            {"output_type": "error", "ename": "ValueError", "evalue": "meant", "traceback": []}]},
        code("words", "words = ['once']"),
        code("pop", "words.pop()", tags=("run-once",)) | {"outputs": [
            {**result(text_plain="'once'"), "output_type": "execute_result", "execution_count": 7}]},
        code("outside", """\
for outside in (("192.0.2.1", 80), ("example.org", 80)):
    try:
        socket.create_connection(outside, timeout=2)
    except OSError as error:
        print(type(error).__name__)""", stream("OSError\ngaierror\n")),
        code("program", """\
program = "import socket; socket.create_connection(('192.0.2.1', 80))"
plain = os.environ | {"PYTHON_COLORS": "0"}  # Python 3.13 would colour it
done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=plain)
print(done.stderr.splitlines()[-1].split("]")[-1])""", stream(" Network is unreachable\n")),
        code("stop", "server.stop()"),
    ]

    @pytest.fixture(scope="class")
    @classmethod
    def record(cls, tmp_path_factory: pytest.TempPathFactory) -> runs.Record:
        return recorded(tmp_path_factory.mktemp("good"), *cls.CELLS)

    @pytest.mark.parametrize("judge", runs.JUDGEMENTS, ids=lambda judge: judge.__name__)
    def test_content(self, record: runs.Record, judge: runs.Judge) -> None:
        assert said(judge, record) == ""


class TestLeaky:
    """A notebook that leaves one of everything, and says what nobody else will say."""

    CELLS = [
        code("setup", "import asyncio, pathlib, socket, subprocess, sys, threading, time"),
        code("socket", "left = socket.socket()"),
        code("listener", "listening = socket.create_server(('127.0.0.1', 0))"),
        code("thread", "threading.Thread(target=threading.Event().wait, name='forgotten').start()"),
        code("task", "async def forgotten_task():\n    await asyncio.Event().wait()\n\n"
                     "task = asyncio.create_task(forgotten_task())"),
        code("child", "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)"),
        code("file", "pathlib.Path('forgotten.txt').touch()"),
        code("stderr", "print('careful', file=sys.stderr)"),
        code("time", "time.time_ns()"),
        code("late", "threading.Timer(0.5, print, ['late'], {'file': sys.stderr}).start()"),
    ]

    @pytest.fixture(scope="class")
    @classmethod
    def record(cls, tmp_path_factory: pytest.TempPathFactory) -> runs.Record:
        return recorded(tmp_path_factory.mktemp("leaky"), *cls.CELLS, GOING=1, END=2)

    @pytest.mark.parametrize("what", [
        "thread: forgotten", "socket: <socket.socket", "task: forgotten_task", "connection: pconn", "child process: ",
        "folder of the notebook: forgotten.txt",
    ])
    def test_left(self, record: runs.Record, what: str) -> None:
        assert what in said(runs.nothing_left, record)

    def test_left_names_nothing_else(self, record: runs.Record) -> None:
        first = record.left[0]
        assert [first["thread"], first["task"], len(first["socket"])] == [["forgotten"], ["forgotten_task"], 2]

    def test_stderr(self, record: runs.Record) -> None:
        assert "cell 7 (stderr) wrote to stderr: careful" in said(runs.quiet, record)

    def test_stderr_after_the_last_cell(self, record: runs.Record) -> None:
        assert "outside of the cells: late" in said(runs.quiet, record)

    def test_ends(self, record: runs.Record) -> None:
        assert "the kernel had to be killed" in said(runs.ends, record)

    def test_outputs(self, record: runs.Record) -> None:
        assert "first run: cell 8 (time) says" in said(runs.same_outputs, record)
        assert "second run: cell 8 (time) says" in said(runs.same_outputs, record)


class TestFailing:
    """A notebook that can't be run a second time, and fails where a proxy is named."""

    CELLS = [
        code("setup", "from websockets.sync.client import connect\nfrom helpers import EchoServer"),
        code("nothing", "1 + 1", tags=("raises-exception",)),
        code("words", "words = ['once']"),
        code("pop", "words.pop()"),
        code("proxy", "with EchoServer() as server, connect(server.uri) as client:\n    client.send('hello')"),
        code("after", "2 + 2"),
    ]

    @pytest.fixture(scope="class")
    @classmethod
    def record(cls, tmp_path_factory: pytest.TempPathFactory) -> runs.Record:
        return recorded(tmp_path_factory.mktemp("failing"), *cls.CELLS)

    def test_run_all(self, record: runs.Record) -> None:
        found = said(runs.run_all, record)
        assert "first run: cell 1 (nothing) raised nothing" in found
        assert "first run: cell 4 (proxy) failed: " in found
        assert "first run: cell 5 (after) was not run" in found

    def test_twice_in_a_row(self, record: runs.Record) -> None:
        assert "cell 3 (pop), run again, failed: IndexError" in said(runs.twice_in_a_row, record)


class TestDropping:
    """Nested loops let cells vanish when all are queued at once, and no cell shows an error."""

    def test_run_all(self, tmp_path: Path) -> None:
        cells = [code("setup", "import asyncio, nest_asyncio\nnest_asyncio.apply()")]
        cells += [code(f"step-{n}", "asyncio.run(asyncio.sleep(0.1))") for n in range(8)]
        record = recorded(tmp_path, *cells, SILENCE=5, END=2)
        assert "never" in said(runs.run_all, record)


class TestHanging:
    """A notebook whose wait has no limit."""

    def test_twice_in_a_row(self, tmp_path: Path) -> None:
        cells = [
            code("setup", "import threading\nonce = iter([1])"),
            code("wait", "next(once, None) or threading.Event().wait()", tags=("run-once",)),
            code("after", "1 + 1"),
        ]
        record = recorded(tmp_path, *cells, SILENCE=8, END=2)
        assert said(runs.run_all, record) == ""
        found = said(runs.twice_in_a_row, record)
        assert "cell 1 (wait), run again, never ended" in found
        assert "cell 2 (after) never started" in found


def test_a_fixed_port_is_noticed_by_two_at_once(tmp_path: Path, quiet_port: int) -> None:
    cells = [code("setup", "from helpers import EchoServer"), code("server", f"server = EchoServer(port={quiet_port}).start()")]
    found = "\n".join(runs.at_once(Book(Specimen(tmp_path, cells).write()), tmp_path))
    assert found.count("cell 1 (server) failed: ") == 1  # the other one has the port


def test_a_kernel_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is noticed at once, not after the time that a silent one gets."""
    monkeypatch.setattr(kernels, "SILENCE", 3600)
    with kernels.Kernel(tmp_path) as kernel:
        replies = kernel.run_all(["import os; os._exit(1)", "1"])
    assert [reply.status for reply in replies] == [None, None]
