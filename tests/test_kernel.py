"""The stop button, pressed in a real kernel while a cell awaits."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from helpers.kernel import keep_interruptible

LIMIT = 20  # seconds: an interrupted cell that is still busy then is never going to end


@pytest.fixture(scope="module")
def kernel() -> Iterator[tuple[KernelManager, BlockingKernelClient]]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield manager, client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def start(client: BlockingKernelClient, code: str) -> str:
    """Start a cell, whose failure shall not abort the next one."""
    return client.execute(code, store_history=False, stop_on_error=False)


def wait_for_output(client: BlockingKernelClient, text: str) -> None:
    give_up = time.monotonic() + LIMIT
    while True:
        message = client.get_iopub_msg(timeout=max(0.1, give_up - time.monotonic()))
        if message["msg_type"] == "stream" and text in message["content"]["text"]:
            return


def result_of(client: BlockingKernelClient, code: str) -> dict[str, Any]:
    """Run a cell to its end; its reply, with what it printed under "printed"."""
    printed: list[str] = []

    def note(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            printed.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=LIMIT, output_hook=note, store_history=False)
    return {**reply["content"], "printed": "".join(printed)}


# says so when the kernel's loop is asleep: an interrupt that comes earlier needs no help to be noticed
TELLS_WHEN_ASLEEP = """
import sys, threading, time
def tell_when_asleep(kernels_thread=threading.get_ident()):
    looks = 0
    while looks < 50:
        asleep = sys._current_frames()[kernels_thread].f_code.co_name == "select"
        looks = looks + 1 if asleep else 0
        time.sleep(0.002)
    print("asleep", flush=True)
"""

CONNECTED = """
from helpers import EchoServer
from websockets.asyncio.client import connect
server = EchoServer().start()
ws = await connect(server.uri, proxy=None, ping_interval=None)
"""


def test_an_awaiting_cell_ends_when_it_is_interrupted(kernel: tuple[KernelManager, BlockingKernelClient]) -> None:
    manager, client = kernel
    assert result_of(client, CONNECTED + TELLS_WHEN_ASLEEP)["status"] == "ok"

    waiting = start(client, "threading.Thread(target=tell_when_asleep).start()\nawait ws.recv()")
    wait_for_output(client, "asleep")
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=LIMIT)
    assert reply["parent_header"]["msg_id"] == waiting
    assert reply["content"]["status"] == "error"
    assert reply["content"]["ename"] in ("CancelledError", "KeyboardInterrupt")

    # the next cell runs, and the same connection is still good
    after = result_of(client, "await ws.send('still there?'); print(await ws.recv())")
    assert after["printed"] == "Echo: still there?\n"
    assert result_of(client, "await ws.close(); server.stop()")["status"] == "ok"


def test_a_blocked_cell_ends_when_it_is_interrupted(kernel: tuple[KernelManager, BlockingKernelClient]) -> None:
    manager, client = kernel
    blocked = start(client, "import socket\nends = socket.socketpair()\nprint('blocked', flush=True)\nends[0].recv(1)")
    wait_for_output(client, "blocked")
    manager.interrupt_kernel()
    reply = client.get_shell_msg(timeout=LIMIT)
    assert reply["parent_header"]["msg_id"] == blocked
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert result_of(client, "[end.close() for end in ends]")["status"] == "ok"


def test_one_heartbeat_a_loop_without_a_task_or_a_thread(
    kernel: tuple[KernelManager, BlockingKernelClient],
) -> None:
    _, client = kernel
    code = """
import asyncio, threading
from helpers import kernel
tasks, threads = len(asyncio.all_tasks()), threading.active_count()
beats = []
beat = kernel._beat
kernel._beat = lambda loop: (beats.append(loop), beat(loop))
answers = [kernel.keep_interruptible() for _ in range(50)]
assert answers == [True] * 50
assert not beats, "a second heartbeat was started"
assert len(asyncio.all_tasks()) == tasks and threading.active_count() == threads
kernel._beat = beat
"""
    assert result_of(client, code)["status"] == "ok"


def test_outside_of_a_kernel_it_does_nothing() -> None:
    assert keep_interruptible() is False

    async def on_a_loop() -> bool:
        return keep_interruptible()

    assert asyncio.run(on_a_loop()) is False
