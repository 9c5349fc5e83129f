"""Fixtures that several test files share."""

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator

import nbval.kernel
import pytest
from kernels import PrivateKernelManager

# the kernels that nbval starts, many at the same time, take no ports from each other
nbval.kernel.KernelManager = PrivateKernelManager

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


@pytest.fixture
def nothing_left(eventually: Callable[[Callable[[], object]], None]) -> Iterator[None]:
    """After the test there are no more threads and no more open files (sockets) than before it."""
    gc.collect()
    threads, files = set(threading.enumerate()), open_files()
    yield
    gc.collect()
    eventually(lambda: not [thread for thread in threading.enumerate() if thread not in threads])
    eventually(lambda: open_files() <= files)


def open_files() -> int:
    try:
        return len(os.listdir("/dev/fd"))
    except OSError:  # Windows
        return 0
