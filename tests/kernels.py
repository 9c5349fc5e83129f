"""Kernels driven from outside as JupyterLab drives them: cells queued without waiting, interrupted, and left."""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import KernelManager
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg

INSIDE = Path(__file__).parent / "inside"
"""Modules for the kernel's side: the fence around the network, and what a kernel holds."""

START = 60.0
"""Seconds a kernel may take to start; only a machine in trouble needs them."""

END = 15.0
"""Seconds a kernel may take to end when asked."""

GOING = 5.0
"""Seconds that what is on its way out (a thread that ends, a socket that closes) gets for it."""

SILENCE = 30.0
"""Seconds without a word from the kernel, after which cells that have not ended never will."""

PROXIES = ("http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "socks_proxy", "all_proxy", "no_proxy")


class PrivateKernelManager(KernelManager):
    """A kernel manager for one of many kernels that start at the same time.

    Jupyter picks a kernel's five ports, frees them and hopes that they are still free when the kernel binds them half a
    second later. Dozens of kernels and servers on one machine take them from each other now and then. Sockets in a
    folder of one's own can't be taken (Windows has none: there it stays with ports). History stays in memory, since
    kernels that share its file wait for each other.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._folder = tempfile.mkdtemp(prefix="kernel-")
        self.connection_file = os.path.join(self._folder, "k.json")
        if sys.platform != "win32":
            self.transport = "ipc"
            self.ip = os.path.join(self._folder, "k")

    def start_kernel(self, **options: Any) -> Any:
        extra = [*options.pop("extra_arguments", []), "--HistoryManager.hist_file=:memory:"]
        return super().start_kernel(extra_arguments=extra, **options)

    def shutdown_kernel(self, now: bool = False, restart: bool = False) -> None:
        super().shutdown_kernel(now=now, restart=restart)
        if not restart:
            shutil.rmtree(self._folder, ignore_errors=True)


def hostile_environment() -> dict[str, str]:
    """This process's environment, made a classroom's: proxies named that answer nothing, and no route outside."""
    environment = {name: value for name, value in os.environ.items() if name.lower() not in PROXIES}
    for name in PROXIES[:-1]:
        environment[name] = environment[name.upper()] = "http://127.0.0.1:9"
    before = [environment["PYTHONPATH"]] if environment.get("PYTHONPATH") else []
    environment["PYTHONFAULTHANDLER"] = "1"  # a process that crashes says where
    environment["PYTHONPATH"] = os.pathsep.join([str(INSIDE), *before])
    return environment


@dataclass
class Reply:
    """What came back for one cell."""

    code: str
    status: str | None = None
    """"ok", "error", "aborted" (not run, an earlier one failed), or None: it never ended."""
    order: int | None = None
    """The how-manieth it was to start, from 0; None: it never started."""
    outputs: list[NotebookNode] = field(default_factory=list)
    expressions: dict[str, Any] = field(default_factory=dict)

    def text(self, name: str = "stdout") -> str:
        return "".join(o.text for o in self.outputs if o.output_type == "stream" and o.name == name)

    @property
    def error(self) -> str | None:
        """The error as one line, or None."""
        return next((f"{o.ename}: {o.evalue}" for o in self.outputs if o.output_type == "error"), None)


class Kernel:
    """One kernel of this Python, started in `folder` and in a hostile environment.

    with Kernel(folder) as kernel:
        replies = kernel.run_all(["1 + 1", "2 + 2"])
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.noise = ""
        """What was written to stderr outside of the cells, all of it known after `stop()`."""
        self.ended_by_itself: bool | None = None
        """Whether it ended when asked, known after `stop()`."""

    def __enter__(self) -> Self:
        self._noise = tempfile.TemporaryFile()
        self._manager = PrivateKernelManager()
        self._manager._kernel_spec = KernelSpec(**get_kernel_dict())
        self._client = None
        try:
            self._manager.start_kernel(cwd=str(self.folder), env=hostile_environment(), stderr=self._noise)
            self._client = self._manager.client()
            self._client.start_channels()
            self._client.wait_for_ready(timeout=START)
        except BaseException:
            self.stop(now=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, now: bool = False) -> None:
        """Ask it to end, wait, and keep what it said; `now`: kill it.

        It is asked by a cell that says `exit`. On a shutdown request ipykernel 7.4 stops all its loops at once, and the
        thread of its shell channel closes sockets that the main thread's loop may still look at: once in some hundred
        times libzmq then aborts the process.
        """
        process = getattr(self._manager.provisioner, "process", None)
        if process is not None and not now and self._client is not None:
            self.send("exit")
            try:
                process.wait(timeout=END)
            except subprocess.TimeoutExpired:
                pass
            self.ended_by_itself = process.poll() == 0
            self._drain()
        if self._client is not None:
            self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._noise.seek(0)
        self.noise += self._noise.read().decode(errors="replace")
        self._noise.close()

    def send(self, code: str, *, stop_on_error: bool = True, **options: Any) -> str:
        """Queue a cell and return its message's id; nothing is waited for."""
        return self._client.execute(code, allow_stdin=False, stop_on_error=stop_on_error, **options)

    def collect(self, sent: dict[str, str], silence: float | None = None,
                on_print: Callable[[str], None] = lambda text: None) -> list[Reply]:
        """The replies to {id: code}, in that order, when all have ended, the kernel died, or was silent for too long.

        `silence` is how long that is, in seconds; SILENCE unless given. `on_print` is called with what cells print.
        """
        replies = {message: Reply(code) for message, code in sent.items()}
        waiting = {(message, what) for message in sent for what in ("reply", "idle")}
        started = 0
        heard = time.monotonic()
        while waiting and (message := self._next(heard + (silence or SILENCE))):
            parent, kind, content = message["parent_header"].get("msg_id"), message["msg_type"], message["content"]
            reply = replies.get(parent)
            if reply is None:
                self._overhear(message)
                continue
            heard = time.monotonic()
            match kind:
                case "execute_input":
                    reply.order, started = started, started + 1
                case "execute_reply":
                    waiting.discard((parent, "reply"))
                    reply.status = content["status"]
                    reply.expressions = content.get("user_expressions", {})
                case "status" if content["execution_state"] == "idle":
                    waiting.discard((parent, "idle"))
                case "stream" | "display_data" | "execute_result" | "error":
                    reply.outputs.append(output_from_msg(message))
                    if kind == "stream":
                        on_print(content["text"])
        return list(replies.values())

    def _overhear(self, message: dict[str, Any]) -> None:
        """Keep what is said on stderr outside of the cells that are being waited for."""
        if message["msg_type"] == "stream" and message["content"]["name"] == "stderr":
            self.noise += message["content"]["text"]

    def _drain(self) -> None:
        while message := self._next(time.monotonic() + 0.1):
            self._overhear(message)

    def _next(self, deadline: float) -> dict[str, Any] | None:
        """The next message of the kernel; None after the deadline, or when the kernel is dead."""
        channels = {c.socket: c for c in (self._client.shell_channel, self._client.iopub_channel)}
        poller = zmq.Poller()
        for socket in channels:
            poller.register(socket, zmq.POLLIN)
        while (left := deadline - time.monotonic()) > 0:
            for socket, _ in poller.poll(1000 * min(left, 1)):
                return channels[socket].get_msg(timeout=0)
            if not self._manager.is_alive():
                return None
        return None

    def queue(self, codes: Sequence[str], *, may_fail: Iterable[int] = ()) -> dict[str, str]:
        """Queue all cells at once, as Run All does, and return what `collect` wants: {id: code}.

        A cell whose index is in `may_fail` may fail without stopping those behind it, as one tagged `raises-exception`.
        """
        may_fail = set(may_fail)
        return {self.send(code, stop_on_error=index not in may_fail): code for index, code in enumerate(codes)}

    def run_all(self, codes: Sequence[str], *, may_fail: Iterable[int] = ()) -> list[Reply]:
        """Queue all cells as `queue` does, then collect what came back."""
        return self.collect(self.queue(codes, may_fail=may_fail))

    def run(self, code: str, **options: Any) -> Reply:
        return self.collect({self.send(code, **options): code})[0]

    def value(self, code: str, expression: str) -> Any:
        """Run helping code, unseen by the notebook's history, and return the value of an expression after it."""
        sent = {self.send(code, store_history=False, user_expressions={"value": expression}): code}
        reply = self.collect(sent, silence=START)[0]
        self.noise += reply.text("stderr")
        answer = reply.expressions.get("value", {})
        if reply.status != "ok" or answer.get("status") != "ok":
            raise RuntimeError(f"{code!r} in the kernel: {reply.status}, {reply.error}, {answer}")
        return ast.literal_eval(answer["data"]["text/plain"])

    def remember(self, imports: Iterable[str] = ()) -> None:
        """Warm the kernel with these import statements, and remember what it holds then."""
        self.value(f"import holdings as _h; await _h.warm({list(imports)!r}); del _h", "None")
        # a request of its own: by now the picture has left the kernel, and its messenger has its thread
        self.value("import holdings as _h; await _h.remember(); del _h", "None")

    def excess(self) -> dict[str, list[str]]:
        """What the kernel holds that it did not hold at `remember()`, by kind; see holdings.excess."""
        return self.value(f"import holdings as _h; _h.found = await _h.excess({GOING}); del _h",
                          "__import__('holdings').found")

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()
