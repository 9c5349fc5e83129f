"""The stop button, pressed in a real kernel on a cell that waits: it ends, none behind it is lost, and work goes on."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from kernels import Kernel

from helpers.kernel import keep_interruptible

SETUP = """
import asyncio, socket, threading
from asleep import tell
from websockets.asyncio.client import connect
from helpers import EchoServer

server = EchoServer().start()
line = await connect(server.uri, proxy=None, ping_interval=None)
near, far = socket.socketpair()

def busy():
    thread = threading.Thread(target=threading.Event().wait, daemon=True)
    thread.start()
    return thread
"""

WAITS = {"bytes": "near.recv(1)", "a thread": "busy().join()", "a message": "await line.recv()"}

STILL_GOOD = """
far.sendall(b"x")
await line.send("still there?")
print(near.recv(1), await line.recv())
"""


class TestInterrupted:
    @pytest.fixture(scope="class")
    @classmethod
    def kernel(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
        with Kernel(tmp_path_factory.mktemp("workbook")) as kernel:
            assert kernel.run(SETUP).status == "ok"
            yield kernel

    @pytest.mark.parametrize("what", WAITS)
    @pytest.mark.parametrize("behind", [[], ["1 + 1", "2 + 2"]], ids=["alone", "others queued behind it"])
    def test_waiting_for(self, kernel: Kernel, what: str, behind: list[str]) -> None:
        def stop(printed: str) -> None:
            if "waiting" in printed:
                if behind:  # the kernel has to have them before it can throw them away
                    time.sleep(0.3)
                kernel.interrupt()

        waiting = f"tell('waiting')\n{WAITS[what]}"
        replies = kernel.collect({kernel.send(code): code for code in (waiting, *behind)}, on_print=stop)
        assert replies[0].error is not None
        assert replies[0].error.split(":")[0] in ("KeyboardInterrupt", "CancelledError")
        assert [reply.status for reply in replies] == ["error", *("aborted" for _ in behind)]

        replies = kernel.run_all(["1 + 1", STILL_GOOD, "2 + 2"])
        assert [reply.status for reply in replies] == ["ok", "ok", "ok"]
        assert replies[1].text() == "b'x' Echo: still there?\n"

    def test_one_heartbeat_a_loop_without_a_task_or_a_thread(self, kernel: Kernel) -> None:
        reply = kernel.run("""
import asyncio, threading
from helpers import kernel
tasks, threads = len(asyncio.all_tasks()), threading.active_count()
beats = []
beat = kernel._beat
kernel._beat = lambda loop: (beats.append(loop), beat(loop))
answers = [kernel.keep_interruptible() for _ in range(50)]
assert answers == [True] * 50
assert not beats, "a second heartbeat was started"
assert len(asyncio.all_tasks()) == tasks and threading.active_count() <= threads
kernel._beat = beat
""")
        assert reply.status == "ok", reply.error


def test_outside_of_a_kernel_it_does_nothing() -> None:
    assert keep_interruptible() is False

    async def on_a_loop() -> bool:
        return keep_interruptible()

    assert asyncio.run(on_a_loop()) is False
