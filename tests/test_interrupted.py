"""The stop button on a cell that waits while others are queued behind it: it ends, none is lost, and work goes on."""

from collections.abc import Iterator

import kernels
import pytest

SETUP = """
import asyncio, socket, threading
from websockets.asyncio.client import connect
from helpers import EchoServer

server = EchoServer().start()
line = await connect(server.uri, proxy=None, ping_interval=None)
near, far = socket.socketpair()
busy = threading.Thread(target=threading.Event().wait, daemon=True)
busy.start()
"""

# each says so when it waits; in the last it is the loop that says so, from where it has nothing else to do than wait
WAITS = {
    "bytes": "print('waiting', flush=True)\nnear.recv(1)",
    "a thread": "print('waiting', flush=True)\nbusy.join()",
    "a message": "asyncio.get_running_loop().call_later(0.1, print, 'waiting')\nawait line.recv()",
}

STILL_GOOD = """
far.sendall(b"x")
await line.send("still there?")
print(near.recv(1), await line.recv())
"""


class TestInterrupted:
    @pytest.fixture(scope="class")
    @classmethod
    def kernel(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[kernels.Kernel]:
        with kernels.Kernel(tmp_path_factory.mktemp("workbook")) as kernel:
            assert kernel.run(SETUP).status == "ok"
            yield kernel

    @pytest.mark.parametrize("what", WAITS)
    def test_waiting_for(self, kernel: kernels.Kernel, what: str) -> None:
        def stop(printed: str) -> None:
            if "waiting" in printed:
                kernel.interrupt()

        queued = {kernel.send(code): code for code in (WAITS[what], "1 + 1", "2 + 2")}
        replies = kernel.collect(queued, on_print=stop)
        assert replies[0].error is not None
        assert replies[0].error.split(":")[0] in ("KeyboardInterrupt", "CancelledError")
        assert [reply.status for reply in replies] == ["error", "aborted", "aborted"]

        replies = kernel.run_all(["1 + 1", STILL_GOOD, "2 + 2"])
        assert [reply.status for reply in replies] == ["ok", "ok", "ok"]
        assert replies[1].text() == "b'x' Echo: still there?\n"
