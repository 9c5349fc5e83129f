"""The `course` command itself: its arguments, JupyterLab behind it, and the echo server in a terminal."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from tiny_course import REPOSITORY, heeds_ctrl_c, make_tiny_course, nobodys_workbook  # noqa: F401
from websockets.sync.client import connect

from helpers.course import lab, main

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process alone")


def course() -> str:
    """The installed console command."""
    found = shutil.which("course", path=sysconfig.get_path("scripts"))
    assert found, "the project isn't installed: uv sync"
    return found


@contextmanager
def running(command: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A process whose output can be read; it is stopped in the end, and when it hangs."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                               **options)  # type: ignore[call-overload]
    limit = threading.Timer(120, process.kill)
    limit.start()
    try:
        yield process
    finally:
        limit.cancel()
        limit.join()
        process.kill()
        process.wait(timeout=30)
        for pipe in (process.stdout, process.stderr):
            assert pipe
            pipe.close()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What the process prints, up to the line with `text`."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    raise AssertionError(f"no {text!r} in {lines} and {process.stderr.read()}")  # type: ignore[union-attr]


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Ctrl-C; returns what it prints from then on."""
    assert process.stdout and process.stderr
    process.send_signal(signal.SIGINT)
    said = process.stdout.read(), process.stderr.read()
    process.wait(timeout=30)
    return said


# --- arguments


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    for name in ("workbook", "reset", "refresh", "doctor", "echo", "--no-browser", "--port", "--workbook"):
        assert re.search(rf"^ +{name}\b", out, re.MULTILINE), name


def test_help_is_quick_because_nothing_heavy_is_imported() -> None:
    program = "import sys; from helpers.course import main\ntry: main(['--help'])\nexcept SystemExit: print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ran.stdout.splitlines()[-1].split())
    assert not loaded & {"jupyterlab", "jupyter_client", "nbclient", "nbformat", "matplotlib", "tqdm", "zmq"}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert re.fullmatch(r"course \d+\.\d+.*\n", capsys.readouterr().out)


@pytest.mark.parametrize("arguments", [
    ["05"], ["open"], ["--port", "0"], ["--port", "65536"], ["--port", "x"], ["--port"], ["--nonsense"],
    ["reset"], ["refresh", "--timeout", "0"], ["refresh", "--timeout", "soon"], ["echo", "--port", "-1"], ["doctor", "now"],
], ids=" ".join)
def test_bad_arguments_are_one_line_and_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("course") and "--help" in err


def test_what_it_says_of_the_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = make_tiny_course(tmp_path)
    folder = root / "workbook"
    assert main(["workbook"], root=root) == 0
    assert capsys.readouterr().out == f"Your copy is in {folder} (new there: 00_start_here, 05_event_loop).\n"
    original = root / "notebooks" / "05_event_loop.ipynb"
    original.write_text(original.read_text().replace("1 + 1", "1 + 2"))
    assert main(["workbook"], root=root) == 0
    assert capsys.readouterr().out == (
        f"Your copy is in {folder}.\nNewer than your copy: 05_event_loop. "
        "`course reset 05` gives them afresh and keeps yours beside them.\n")


def test_without_its_notebooks_it_says_how_to_install(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "helpers", tmp_path / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    program = "import sys; from helpers.course import main; sys.exit(main(['workbook']))"
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.count("\n") == 1 and "pip install -e ." in ran.stderr


def test_the_checkout_is_found_from_any_folder(tmp_path: Path) -> None:
    make_tiny_course(tmp_path / "checkout")
    shutil.copytree(REPOSITORY / "helpers", tmp_path / "checkout" / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    program = "import sys; from helpers.course import main; sys.exit(main(['workbook']))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "checkout")}
    (tmp_path / "elsewhere").mkdir()
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path / "elsewhere", env=environment, timeout=60, check=True)
    assert (tmp_path / "checkout" / "workbook" / "00_start_here.ipynb").exists()
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path / "elsewhere", timeout=60, check=True,
                   env={**environment, "COURSE_WORKBOOK": "here"})
    assert (tmp_path / "elsewhere" / "here" / "00_start_here.ipynb").exists()


# --- JupyterLab


def get(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as answer:
        return answer.read()


def test_a_request_in_the_middle_keeps_no_thread_when_jupyterlab_stops() -> None:
    """As Jupyter's server does it: a thread reads a file for a request, and Ctrl-C stops the loop before it is over."""
    loop, before = asyncio.new_event_loop(), set(threading.enumerate())

    async def request() -> None:
        await anyio.to_thread.run_sync(int)
        loop.stop()
        await asyncio.Event().wait()

    going = loop.create_task(request())
    loop.run_forever()
    [thread] = set(threading.enumerate()) - before
    lab._end_requests(loop)
    thread.join(20)
    assert not thread.is_alive() and going.cancelled()
    loop.close()


STOLEN = """
import socket, sys
from pathlib import Path
from jupyter_server.serverapp import ServerApp
from helpers.course import main

find, stolen = ServerApp._find_http_port, []

def find_and_lose(self):
    find(self)
    if not stolen:
        stolen.append(socket.create_server(("127.0.0.1", self.port)))
        print("stolen:", self.port, flush=True)

ServerApp._find_http_port = find_and_lose
sys.exit(main(["--no-browser"], root=Path(sys.argv[1])))
"""


def test_who_takes_its_port_in_the_last_moment_does_not_stop_it(tmp_path: Path) -> None:
    make_tiny_course(tmp_path)
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    with running([sys.executable, "-c", STOLEN, str(tmp_path)], env=environment) as process:
        stolen = re.search(r"stolen: (\d+)", read_until(process, "stolen"))
        address = re.search(r"http://127\.0\.0\.1:(\d+)/\S+", read_until(process, "Open in a browser"))
        assert stolen and address and stolen[1] != address[1]
        assert b"JupyterLab" in get(address[0])


@POSIX
def test_it_opens_jupyterlab_on_the_first_notebook_and_stops_cleanly(tmp_path: Path, heeds_ctrl_c: None) -> None:  # noqa: F811
    (tmp_path / "else where").mkdir()
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path / "config"), "JUPYTER_DATA_DIR": str(tmp_path / "data"),
                   "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"), "http_proxy": "http://127.0.0.1:9"}
    # a terminal to type into: there JupyterLab would ask whether Ctrl-C was meant
    keyboard, terminal = os.openpty()
    with open(keyboard, "wb"), open(terminal, "rb") as stdin, socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [course(), "--no-browser", "--port", str(port), "--workbook", "my copy"]
        with running(command, cwd=tmp_path / "else where", env=environment, stdin=stdin) as process:
            said = read_until(process, "Ctrl-C here stops it.")
            found = re.search(r"http://127\.0\.0\.1:(\d+)/lab/tree/00_start_here\.ipynb\?token=\w+", said)
            assert found
            assert int(found[1]) != port and f"Port {port} is taken: using {found[1]}." in said
            assert ("--allow-root" in said) == (os.geteuid() == 0)

            page = get(found[0]).decode()
            settings = json.loads(re.search(r'id="jupyter-config-data" type="application/json">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
            assert "@jupyterlab/apputils-extension:announcements" in settings["disabledExtensions"]
            with pytest.raises(urllib.error.HTTPError, match="404"):  # nor does anybody look for language servers
                get(found[0].replace("/lab/tree/00_start_here.ipynb", "/lsp/status"))
            listing = json.loads(get(found[0].replace("/lab/tree/00_start_here.ipynb", "/api/contents")))
            copies = {path.name for path in (tmp_path / "else where" / "my copy").glob("*.ipynb")}
            assert {entry["name"] for entry in listing["content"]} == copies
            with pytest.raises(urllib.error.HTTPError):
                get(found[0].partition("?")[0].replace("/lab/tree", "/api/contents"))  # without the token

            out, err = interrupt(process)
    assert (process.returncode, out, err) == (0, "Stopped.\n", "")


def test_an_address_of_another_machine_is_one_line(tmp_path: Path) -> None:
    ran = subprocess.run([course(), "--no-browser", "--ip", "203.0.113.7", "--workbook", str(tmp_path / "mine")],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1
    assert ran.stderr.startswith("course: JupyterLab can't listen on 203.0.113.7 (") and ran.stderr.count("\n") == 1


# --- the echo server


@POSIX
def test_echo_tells_what_happens_until_ctrl_c(heeds_ctrl_c: None, quiet_port: int) -> None:  # noqa: F811
    port = quiet_port
    with running([course(), "echo", "--port", str(port)]) as process:
        assert read_until(process, "Ctrl-C") == f"Listening on ws://127.0.0.1:{port}\nCtrl-C stops it.\n"
        with connect(f"ws://127.0.0.1:{port}", proxy=None) as ws:
            ws.send("fifteen")
            assert ws.recv(timeout=5) == "Echo: fifteen"
        assert read_until(process, "left") == "client 1 connected\nclient 1 sent 'fifteen'\nclient 1 left (1000)\n"
        out, err = interrupt(process)
    assert (process.returncode, out, err) == (0, "\nStopped.\n", "")


def test_echo_on_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["echo", "--port", str(port)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert f"port {port} is taken" in err and "course echo --port NUMBER" in err
