"""A kernel to throw away: cells are queued to it all at once, as Run All does, and each is followed to its end.

It is a process of its own, so what a cell does to it, such as replacing a part of asyncio, ends with it.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from queue import Empty
from typing import Any, Literal

from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

_START = 60.0  # seconds that a kernel may take to start; only a machine in trouble needs them
_SILENCE = 0.5  # seconds without a word from the kernel, after which it is asked whether its queue is empty
_LAST = 0.5  # seconds in which what was written is still read when the limit is over
_FILLING = 0.3  # seconds for which the kernel is kept busy while its queue is filled


@dataclass
class Fate:
    """What became of one cell."""

    code: str
    status: Literal["ran", "failed", "lost"] = "lost"
    """"lost": the kernel never answered for it, although its queue is empty."""
    printed: str = ""
    noise: str = ""
    """What stands in red under it, its own error aside."""


async def run_all(cells: Sequence[str], *, limit: float = 20.0) -> list[Fate]:
    """Start a kernel of this Python, queue all ``cells`` to it before the first one begins, and end it again.

    Returns the fate of each cell, in their order, once the kernel's queue is empty or ``limit`` seconds have passed since
    the cells were sent: then with what they wrote, as far as half a second is enough to read it. Kernels that run at the
    same time don't get in each other's way.

    No garbage is collected in the kernel: where a cell's task was dropped half done, the collector logs it, in whatever
    thread it happens to run. If that is the one that publishes what a cell writes, while the cell itself logs and waits for
    it to be published, the two wait for each other, ten seconds each time.

    Raises RuntimeError when the kernel doesn't start within a minute. It awaits on the loop of the caller; the kernel ends also
    when that is cancelled.

    What is sent and what comes back: https://jupyter-client.readthedocs.io/en/stable/messaging.html
    """
    async with _kernel() as client:
        # a queue that is filled while the kernel is busy is there as a whole when the first cell begins
        client.execute(f"import gc, time; gc.disable(); time.sleep({_FILLING})", silent=True, store_history=False)
        fates = {client.execute(cell, allow_stdin=False): Fate(cell) for cell in cells}
        try:
            async with asyncio.timeout(limit):
                last = await _follow(client, fates)
                await _read(client, fates, last)
        except TimeoutError:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LAST):
                    await _read(client, fates)
        return list(fates.values())


async def _follow(client: AsyncKernelClient, fates: dict[str, Fate]) -> str:
    """Note how each cell ended, until all have, or until the kernel answers what was sent after them.

    The kernel takes its requests in their order. So one that is asked last, and answered, says that nothing is
    queued in front of it. One that is asked while a cell runs may be lost as well, so it is asked again.

    Returns the id of the request that was answered last.
    """
    waiting, asked, answered = set(fates), set[str](), ""
    while waiting and answered not in asked:
        try:
            reply = await client.get_shell_msg(timeout=_SILENCE)
        except Empty:
            asked.add(client.execute("", silent=True, store_history=False))
            continue
        answered = reply["parent_header"].get("msg_id", "")
        if answered in waiting:
            waiting.discard(answered)
            fates[answered].status = "ran" if reply["content"]["status"] == "ok" else "failed"
    return answered


async def _read(client: AsyncKernelClient, fates: dict[str, Fate], last: str | None = None) -> None:
    """Note what was written under each cell, up to the end of the request ``last``; None: for ever."""
    while True:
        message = await client.get_iopub_msg()
        parent, kind, content = message["parent_header"].get("msg_id", ""), message["msg_type"], message["content"]
        if kind == "stream" and parent in fates:
            if content["name"] == "stdout":
                fates[parent].printed += content["text"]
            else:
                fates[parent].noise += content["text"]
        if kind == "status" and content["execution_state"] == "idle" and parent == last:
            return


@asynccontextmanager
async def _kernel() -> AsyncIterator[AsyncKernelClient]:
    manager, client = _Manager(), None
    try:
        await manager.start_kernel(
            # kernels that share the file of the history wait for each other
            extra_arguments=["--HistoryManager.hist_file=:memory:"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        client = manager.client()
        client.start_channels(hb=False)
        await client.wait_for_ready(timeout=_START)
        yield client
    finally:
        if client is not None:
            client.stop_channels()
        await manager.shutdown_kernel(now=True)
        manager.clean_up()


class _Manager(AsyncKernelManager):
    """A manager for one of many kernels that start at the same time.

    Jupyter picks a kernel's five ports, frees them and hopes that they are still free when the kernel binds them half a
    second later. In a classroom they are taken now and then. Sockets in a folder of one's own can't be (Windows has none:
    there it stays with ports).
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kernel_spec = KernelSpec(**get_kernel_dict())
        self._folder = tempfile.mkdtemp(prefix="kernel-")
        self.connection_file = os.path.join(self._folder, "k.json")
        if sys.platform != "win32":
            self.transport = "ipc"
            self.ip = os.path.join(self._folder, "k")

    def clean_up(self) -> None:
        """Remove the folder. Once the kernel has ended."""
        shutil.rmtree(self._folder, ignore_errors=True)
