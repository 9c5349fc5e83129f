"""The doctor: looks for what breaks a course, and says for each trouble what to do."""

import asyncio
import errno
import importlib.metadata
import os
import platform
import socket
import subprocess
import tempfile
import threading
import tomllib
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .lab import PORT
from .places import CourseError, course_root, workbook_of
from .workbook import probe

WELL, NOTE, TROUBLE = "✓", "·", "✗"

KERNEL_LIMIT = 20  # seconds; a slow disk's first start takes half of it
ENOUGH_FILES = 256  # what a notebook with a hundred connections needs


@dataclass(frozen=True)
class Finding:
    """What one check found.

    `says` is the same on every machine where `mark` is ✓ or ·; `detail` is what differs; `remedy` is what to do about a ✗.
    """

    mark: str
    says: str
    detail: str = ""
    remedy: str = ""
    name: str = ""


def doctor(details: bool = False) -> None:
    """Print what breaks courses, or that all is well; about two seconds, most of it the start of a kernel.

    Where all is well the text is the same on every machine; `details` adds versions, addresses and limits.
    Runs in the calling thread, with a thread for the kernel that is tried; needs no event loop and leaves nothing behind.
    """
    root = course_root()
    report(examine(root, workbook_of(root)), details=details)


def report(findings: Iterator[Finding], *, details: bool) -> bool:
    """Print findings as they come, then what to do first and what still works. Returns whether there is no trouble."""
    seen = []
    for finding in findings:
        seen.append(finding)
        detail = f" ({finding.detail})" if finding.detail and (details or finding.mark == TROUBLE) else ""
        print(f"{finding.mark} {finding.name}: {finding.says}{detail}", flush=True)
        if finding.remedy:
            print(f"    {finding.remedy}", flush=True)
    troubles = [finding for finding in seen if finding.mark == TROUBLE]
    if not troubles:
        print("All is well.")
        return True
    well = {finding.name for finding in seen} - {finding.name for finding in troubles}
    print(f"\nDo this first ({troubles[0].name}): {troubles[0].remedy}")
    print(f"What still works: {'; '.join(what for what, needs in STILL_WORKS.items() if needs <= well)}.")
    return False


def examine(root: Path, workbook: Path) -> Iterator[Finding]:
    """Every check's finding, in the order in which troubles are best mended.

    `root` is the checkout, whose pyproject.toml says which versions are needed; `workbook` is the learner's folder.
    """
    checks: dict[str, Callable[[], Finding]] = {
        "Python": lambda: check_python(root),
        "packages": lambda: check_packages(root),
        "loopback": check_loopback,
        "localhost": check_localhost,
        "proxies": check_proxies,
        "event loop": check_event_loop,
        "open files": check_open_files,
        "WebSocket": check_websocket,
        "kernel": check_kernel,
        "port": check_port,
        "workbook": lambda: check_workbook(workbook),
    }
    for name, check in checks.items():
        try:
            found = check()
        except Exception as error:  # a doctor that falls ill is a finding too
            found = Finding(TROUBLE, "the check itself failed", f"{type(error).__name__}: {error}",
                            "Show this line to whoever keeps the course.")
        yield replace(found, name=name)


STILL_WORKS = {
    "reading the notebooks with their outputs, in notebooks/": set(),
    "opening and running notebooks": {"Python", "packages", "kernel", "port", "workbook"},
    "the experiments with coroutines": {"kernel"},
    "the experiments with sockets": {"kernel", "loopback"},
    "the experiments with WebSockets": {"kernel", "loopback", "WebSocket"},
    "`course echo` in a terminal": {"loopback", "WebSocket"},
}


def _wanted(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]


def check_python(root: Path) -> Finding:
    """The running Python against `requires-python`."""
    from packaging.specifiers import SpecifierSet

    wanted, here = _wanted(root)["requires-python"], platform.python_version()
    if SpecifierSet(wanted).contains(here, prereleases=True):
        return Finding(WELL, "new enough", f"{here} on {platform.system()}")
    return Finding(TROUBLE, f"the course needs {wanted}", f"here is {here}",
                   "Install a newer Python, or let uv bring one: `uv python install`, then `uv run course`.")


def check_packages(root: Path) -> Finding:
    """The installed versions of what pyproject.toml asks for."""
    from packaging.requirements import Requirement

    here, wrong = [], []
    for text in _wanted(root)["dependencies"]:
        wanted = Requirement(text)
        if wanted.marker and not wanted.marker.evaluate():
            continue
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        here.append(f"{wanted.name} {version}")
        if not wanted.specifier.contains(version, prereleases=True):
            wrong.append(f"{wanted.name} is {version}, wanted is {wanted.specifier}")
    if not wrong:
        return Finding(WELL, "all here, in versions that fit", ", ".join(here))
    return Finding(TROUBLE, "some don't fit", "; ".join(wrong),
                   f"In {root}: `uv sync`; with conda `conda env update -f environment.yml`; else `pip install -e .`.")


def check_loopback() -> Finding:
    """A line between two sockets on 127.0.0.1, and one byte through it."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(2)
            with socket.create_connection(listener.getsockname(), timeout=2) as caller, listener.accept()[0] as answerer:
                caller.sendall(b"!")
                answerer.settimeout(2)
                if answerer.recv(1) == b"!":
                    return Finding(WELL, "a line on 127.0.0.1 carries bytes")
                problem = "the byte was lost"
    except OSError as error:
        problem = str(error)
    return Finding(TROUBLE, "programs of this computer can't reach each other on 127.0.0.1", problem,
                   "Let Python through the firewall or security software, at least on 127.0.0.1.")


def check_localhost() -> Finding:
    """What `localhost` means here. Two addresses are as good as one."""
    try:
        found = socket.getaddrinfo("localhost", PORT, type=socket.SOCK_STREAM)
    except OSError as error:
        return Finding(TROUBLE, "nobody knows this name", str(error),
                       "Add the line `127.0.0.1 localhost` to the hosts file; until then write 127.0.0.1.")
    addresses = " then ".join(dict.fromkeys(str(entry[4][0]) for entry in found))
    return Finding(NOTE, "one address or two (IPv4, IPv6), either is fine: the course says 127.0.0.1", addresses)


def check_proxies() -> Finding:
    """Proxies named in the environment, or in the system's settings. Their values are never shown."""
    named = sorted(name for name in urllib.request.getproxies() if name != "no")
    if not named:
        detail = "none is named here"
    else:
        detail = f"named here for {', '.join(named)}; in programs of your own say connect(uri, proxy=None)"
        if not urllib.request.proxy_bypass("127.0.0.1"):
            detail += "; if JupyterLab's page doesn't load, set no_proxy=127.0.0.1,localhost"
    return Finding(NOTE, "the course goes round them, with proxy=None", detail)


def check_event_loop() -> Finding:
    """Whose event loop a new one is."""
    loop = asyncio.new_event_loop()
    loop.close()
    kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
    if type(loop).__module__.split(".")[0] == "asyncio":
        return Finding(WELL, "asyncio's own", kind)
    return Finding(TROUBLE, "something has put its own in place of asyncio's", kind,
                   "Take out what sets an event-loop policy (uvloop, a startup file), and restart the kernel.")


def check_open_files() -> Finding:
    """How many files and sockets a process may have open, after the course has asked for more."""
    from ..limits import raise_open_files

    limit = raise_open_files()
    if limit >= ENOUGH_FILES:
        return Finding(WELL, "enough may be open at once", str(limit))
    return Finding(TROUBLE, "too few may be open at once", f"{limit}, wanted are {ENOUGH_FILES}",
                   "In the terminal, before `course`: `ulimit -n 4096`; where that is refused, ask who keeps the machine.")


def check_websocket() -> Finding:
    """A message to an EchoServer and back."""
    try:
        from websockets.exceptions import WebSocketException
        from websockets.sync.client import connect

        from ..echo import EchoServer
    except ImportError as error:
        return Finding(TROUBLE, "websockets can't be imported", str(error), "See “packages” above.")
    try:
        with EchoServer() as server, connect(server.uri, proxy=None, compression=None, open_timeout=2, close_timeout=2) as ws:
            ws.send("hello")
            answer = ws.recv(timeout=2)
        if answer == "Echo: hello":
            return Finding(WELL, "a message went to a server and came back")
        problem = f"the answer was {answer!r}"
    except (OSError, WebSocketException) as error:
        problem = f"{type(error).__name__}: {error}"
    return Finding(TROUBLE, "no message came back", problem,
                   "Mend what stands above this line; if nothing does, let Python through the security software.")


def check_kernel() -> Finding:
    """A kernel that starts, imports the helpers and answers, within a limit."""
    problem: list[str] = []
    # in a thread, with a loop of its own: the caller may be a cell
    thread = threading.Thread(target=lambda: problem.append(_try_kernel()), name="doctor's kernel")
    thread.start()
    thread.join()
    if not problem[0]:
        return Finding(WELL, "one started and answered")
    return Finding(TROUBLE, "none answered as it should", problem[0],
                   "`uv sync --reinstall-package ipykernel` (or `pip install --force-reinstall ipykernel`), then `course doctor`.")


def _try_kernel() -> str:
    # the same kind of loop everywhere: ZeroMQ can't use the one that Windows has by default
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner, tempfile.TemporaryFile() as words:
        try:
            return runner.run(_ask_kernel(words))
        except Exception as error:
            words.seek(0)
            last = words.read().decode(errors="replace").strip().splitlines()[-1:]
            reason = f"no answer within {KERNEL_LIMIT} s" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
            return ": ".join([reason, *last])


async def _ask_kernel(words: Any) -> str:
    """Returns what is wrong, or nothing."""
    from jupyter_client.manager import AsyncKernelManager

    manager = AsyncKernelManager(kernel_name="python3")
    client = None
    try:
        async with asyncio.timeout(KERNEL_LIMIT):
            await manager.start_kernel(stdout=subprocess.DEVNULL, stderr=words)
            client = manager.client()
            client.start_channels()
            await client.wait_for_ready(timeout=None)
            reply = (await client.execute("import helpers", store_history=False, reply=True, timeout=None))["content"]
        return "" if reply["status"] == "ok" else f"{reply['ename']}: {reply['evalue']}"
    finally:
        if client:
            client.stop_channels()
        if manager.has_kernel:
            await manager.shutdown_kernel(now=True)
        manager.context.destroy()


def check_port() -> Finding:
    """A port for JupyterLab: 8888, or one of the next."""
    for port in range(PORT, PORT + 50):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        else:
            return Finding(WELL, "one is free for JupyterLab", str(port))
    return Finding(TROUBLE, "none is free for JupyterLab", f"{PORT} to {PORT + 49} are taken",
                   "Close other JupyterLabs (`jupyter server list` names them), or choose: `course --port 9999`.")


def check_workbook(workbook: Path) -> Finding:
    """Whether the learner's copy can be written."""
    try:
        probe(workbook)
    except CourseError as error:
        return Finding(TROUBLE, "your copy can't be written", remedy=str(error))
    return Finding(WELL, "your copy can be written", os.fspath(workbook))
