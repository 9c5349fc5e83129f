"""The doctor: silent about a healthy machine, and for each trouble one line, what to do, and what still works."""

import asyncio
import errno
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tiny_course import REPOSITORY, make_tiny_course, nobodys_workbook  # noqa: F401

from helpers.course import checkup, doctor, main
from helpers.course.checkup import NOTE, TROUBLE, WELL, examine, report

HEALTHY = """\
✓ Python: new enough
✓ packages: all here, in versions that fit
✓ loopback: a line on 127.0.0.1 carries bytes
· localhost: one address or two (IPv4, IPv6), either is fine: the course says 127.0.0.1
· proxies: the course goes round them, with proxy=None
✓ event loop: asyncio's own
✓ open files: enough may be open at once
✓ WebSocket: a message went to a server and came back
✓ kernel: one started and answered
✓ port: one is free for JupyterLab
✓ workbook: your copy can be written
All is well.
"""

PROXIES = {"http_proxy": "http://secret@proxy.example:3128", "HTTPS_PROXY": "http://proxy.example:3128",
           "ALL_PROXY": "socks5h://proxy.example:1080"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tiny_course(tmp_path / "checkout")


@pytest.fixture
def no_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare a test the start of a kernel that it has no question about."""
    monkeypatch.setattr(checkup, "check_kernel", lambda: checkup.Finding(WELL, "not tried"))


def refuse(*_: object, **__: object) -> None:
    raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")


def test_in_a_cell_a_healthy_machine_always_reads_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COURSE_WORKBOOK", str(tmp_path))
    threads = set(threading.enumerate())

    async def cell() -> None:  # the kernel's own loop runs in the thread of a cell
        doctor()

    asyncio.run(cell())
    assert capsys.readouterr() == (HEALTHY, "")
    assert set(threading.enumerate()) <= threads


def test_in_a_terminal_it_tells_the_details(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_kernel: None
) -> None:
    for name in (*PROXIES, "no_proxy", "NO_PROXY", "https_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert main(["doctor"], root=root) == 0
    out = capsys.readouterr().out
    assert "new enough (3." in out and "websockets " in out and f"({root / 'workbook'})" in out
    assert main(["doctor", "--brief"], root=root) == 0
    assert capsys.readouterr().out == HEALTHY.replace("one started and answered", "not tried")
    assert not (root / "workbook").exists(), "it only looks"


def only(name: str, root: Path) -> checkup.Finding:
    """One check's finding, by its name."""
    return next(found for found in examine(root, root / "workbook") if found.name == name)


# --- each check can fail


def wants(root: Path, old: str, new: str) -> None:
    path = root / "pyproject.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_an_old_python(root: Path) -> None:
    wants(root, 'requires-python = ">=3.11"', 'requires-python = ">=3.99"')
    found = only("Python", root)
    assert (found.mark, found.says) == (TROUBLE, "the course needs >=3.99")
    assert found.remedy.startswith("Install a newer Python")


def test_packages_that_are_missing_or_do_not_fit(root: Path) -> None:
    wants(root, '"websockets>=17.0.1,<18"', '"websockets>=99", "not-there-at-all>=1", "elsewhere>=1; sys_platform == \'nowhere\'"')
    found = only("packages", root)
    assert found.mark == TROUBLE
    assert "websockets is 1" in found.detail and "wanted is >=99" in found.detail
    assert "not-there-at-all is missing" in found.detail and "elsewhere" not in found.detail
    assert "uv sync" in found.remedy and "environment.yml" in found.remedy


def test_no_loopback(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", refuse)
    found = only("loopback", root)
    assert found.mark == TROUBLE and "Connection refused" in found.detail and "firewall" in found.remedy


def test_localhost_of_two_addresses_and_of_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = (socket.SOCK_STREAM, 6, "")
    both = [(socket.AF_INET6, *kind, ("::1", 8888, 0, 0)), (socket.AF_INET, *kind, ("127.0.0.1", 8888))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    found = only("localhost", root)
    assert (found.mark, found.detail) == (NOTE, "::1 then 127.0.0.1")

    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = only("localhost", root)
    assert found.mark == TROUBLE and "hosts file" in found.remedy


def test_proxies_are_named_but_not_shown(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    found = only("proxies", root)
    assert found.mark == NOTE and "all, http, https" in found.detail and "proxy=None" in found.detail
    assert "no_proxy=127.0.0.1,localhost" in found.detail
    assert "example" not in found.detail and "secret" not in found.detail
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert "no_proxy" not in only("proxies", root).detail


def test_a_foreign_event_loop(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Loop(asyncio.SelectorEventLoop):
        pass

    monkeypatch.setattr(asyncio, "new_event_loop", Loop)
    found = only("event loop", root)
    assert found.mark == TROUBLE and found.detail.endswith("Loop") and "policy" in found.remedy


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_too_few_open_files(root: Path) -> None:
    program = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
from pathlib import Path
from helpers.course.checkup import check_open_files
found = check_open_files()
print(found.mark == {TROUBLE!r}, found.detail, found.remedy)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.startswith("True 100, wanted are 256 In the terminal, before `course`: `ulimit -n 4096`")


def test_no_websocket(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", refuse)
    found = only("WebSocket", root)
    assert found.mark == TROUBLE and "ConnectionRefusedError" in found.detail and "above this line" in found.remedy


@pytest.mark.parametrize(("module", "body", "problem"), [
    ("ipykernel_launcher", "raise SystemExit('broken on purpose')", "broken on purpose"),
    ("ipykernel_launcher", "import time; time.sleep(60)", "no answer within 2 s"),
    ("helpers", "raise ImportError('another helpers')", "ImportError: another helpers"),
], ids=["dies", "silent", "other"])
def test_no_kernel(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, body: str, problem: str
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / f"{module}.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "first"))
    if "within" in problem:
        monkeypatch.setattr(checkup, "KERNEL_LIMIT", 2)
    found = checkup.check_kernel()
    assert found.mark == TROUBLE and problem in found.detail and "reinstall" in found.remedy


def test_no_port(root: Path, monkeypatch: pytest.MonkeyPatch, no_kernel: None) -> None:
    def taken(*_: object, **__: object) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setattr(socket, "create_server", taken)
    found = only("port", root)
    assert found.mark == TROUBLE and "course --port 9999" in found.remedy


def test_another_port_when_the_first_is_taken(root: Path, no_kernel: None) -> None:
    first = only("port", root)
    with socket.create_server(("127.0.0.1", int(first.detail))):
        second = only("port", root)
    assert (first.mark, second.mark) == (WELL, WELL) and first.detail != second.detail


def test_a_workbook_that_cannot_be_written(root: Path, no_kernel: None) -> None:
    (root / "workbook").write_text("a file")
    found = only("workbook", root)
    assert found.mark == TROUBLE and "course --workbook FOLDER" in found.remedy


def test_a_check_that_fails_itself_is_a_finding(root: Path) -> None:
    (root / "pyproject.toml").write_text("no TOML at all")
    found = only("packages", root)
    assert (found.mark, found.says) == (TROUBLE, "the check itself failed")
    assert found.detail.startswith("TOMLDecodeError: ")


# --- one thing to do first


def test_the_first_trouble_first_and_what_still_works(
    root: Path, capsys: pytest.CaptureFixture[str], no_kernel: None
) -> None:
    wants(root, 'requires-python = ">=3.11"', 'requires-python = ">=3.99"')
    (root / "workbook").write_text("a file")
    assert main(["doctor", "--brief"], root=root) == 1
    out = capsys.readouterr().out
    assert out.count(TROUBLE) == 2 and "All is well" not in out
    first, works = out.splitlines()[-2:]
    assert first.startswith("Do this first (Python): Install a newer Python")
    assert works == (
        "What still works: reading the notebooks with their outputs, in notebooks/; the experiments with coroutines; "
        "the experiments with sockets; the experiments with WebSockets; `course echo` in a terminal.")


def test_without_a_loopback_little_works(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, no_kernel: None
) -> None:
    monkeypatch.setattr(socket, "create_connection", refuse)
    assert not report(examine(root, root / "workbook"), details=False)
    first, works = capsys.readouterr().out.splitlines()[-2:]
    assert first.startswith("Do this first (loopback): ")
    assert works == ("What still works: reading the notebooks with their outputs, in notebooks/; opening and running notebooks; "
                     "the experiments with coroutines.")


def test_what_still_works_asks_for_checks_that_exist(root: Path, no_kernel: None) -> None:
    names = {found.name for found in examine(root, root / "workbook")}
    assert set().union(*checkup.STILL_WORKS.values()) <= names


def test_it_finds_its_own_checkout() -> None:
    assert checkup.course_root() == REPOSITORY


def test_it_speaks_also_where_the_libraries_are_missing(root: Path) -> None:
    program = """\
import sys
for name in ("websockets", "matplotlib", "numpy", "packaging", "nbformat", "nbclient", "jupyterlab", "zmq"):
    sys.modules[name] = None  # what is imported from here on is missing
from pathlib import Path
from helpers.course import checkup, main
checkup.check_kernel = lambda: checkup.Finding(checkup.WELL, "not tried")
sys.exit(main(["doctor"], root=Path(sys.argv[1])))
"""
    done = subprocess.run([sys.executable, "-c", program, str(root)], capture_output=True, encoding="utf-8", errors="replace",
                          env=os.environ | {"PYTHONUTF8": "1"}, timeout=60)
    assert done.returncode == 1 and not done.stderr, done.stderr
    assert "✗ WebSocket: websockets can't be imported" in done.stdout
    assert "✓ loopback: a line on 127.0.0.1 carries bytes" in done.stdout
    assert "the experiments with sockets" in done.stdout
