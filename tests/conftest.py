"""Fixtures that several test files share."""

import gc
import os
import random
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import nbval.kernel
import pytest
from hypothesis import settings
from kernels import PrivateKernelManager

# the kernels that nbval starts, many at the same time, take no ports from each other
nbval.kernel.KernelManager = PrivateKernelManager

# Generated cases are the same on every run, and no clock judges them; `--hypothesis-profile=default` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.load_profile("steady")

# Containers like to tell Python to keep no bytecode. Then each of a hundred kernels compiles a thousand modules, most of
# its time. Beside the environment's packages it is in nobody's way.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "bytecode"))

# numpy starts a thread a core for sums that nobody does here, and they spin: a seventh of a second for each of a hundred kernels
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: much of what these tests do is wait. (A third one saves a seventh of the time, and makes what has a limit late.)"""
    return 2 * (os.cpu_count() or 1)


LIMIT = 20.0  # seconds after which a test says that something hangs


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """``eventually(condition)`` waits until the condition holds, and fails when it never does."""

    def wait(condition: Callable[[], object]) -> None:
        give_up = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < give_up, "it never happened"
            time.sleep(0.002)

    return wait


@pytest.fixture(scope="session")
def quick_collections() -> None:
    """Take what has been imported so far out of the garbage collector's sight: one collection per test adds up."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # it is the garbage of whoever ran before
        gc.collect()
    gc.freeze()


@pytest.fixture
def quick_checks(quick_collections: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep it there. A check puts what was there before out of sight, and back again at its end.

    Else every collection would look at all that pytest, Jupyter and the tests before have made, which takes longer than the
    check.
    """
    monkeypatch.setattr(gc, "unfreeze", lambda: None)


@pytest.fixture
def no_thread_left(eventually: Callable[[Callable[[], object]], None]) -> Iterator[None]:
    """After the test no thread is there that was not there before it; one of an earlier test may have ended meanwhile."""
    threads = set(threading.enumerate())
    yield
    eventually(lambda: set(threading.enumerate()) <= threads)


@pytest.fixture
def nothing_left(quick_collections: None, no_thread_left: None, eventually: Callable[[Callable[[], object]], None]) -> Iterator[None]:
    """After the test there are no more threads and no more open files (sockets) than before it."""
    files = open_files()
    yield
    gc.collect()  # what only a cycle keeps alive is no leak, and warns now
    eventually(lambda: open_files() <= files)


@pytest.fixture
def quiet_port() -> int:
    """A free port that nobody gets who asks for any free port, so that once closed it stays closed."""
    while True:
        port = random.randrange(20_000, 32_000)  # below what Linux, macOS and Windows hand out
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def open_files() -> int:
    try:
        return len(os.listdir("/dev/fd"))
    except OSError:  # Windows
        return 0
