"""What a kernel holds at this moment, beyond what it held before: imported inside the kernel under test.

An idle kernel has threads, sockets and tasks of its own, so a leak is a difference. `remember()` is called in a kernel
that is warm (see `warm`), `excess()` after the notebook.
"""

import asyncio
import gc
import io
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable

import psutil

_before: dict[str, Counter[str]] = {}


async def warm(imports: Iterable[str]) -> None:
    """Do once what leaves something behind for good and is nobody's leak: the imports, a picture, the helper threads."""
    for statement in imports:
        try:
            exec(statement, {})
        except ImportError:  # the notebook shows that, or fails by itself
            pass
    from IPython.display import display
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().set_title("warm")
    FigureCanvasAgg(figure).print_png(io.BytesIO())
    # for the first message of this size the kernel's messenger starts a thread of its own
    display({"image/png": "A" * 200_000, "text/plain": "a picture"}, raw=True)
    # a pool keeps its workers, and with how many it does two jobs in a row is chance: have all of them
    await asyncio.to_thread(time.monotonic)
    workers = asyncio.get_running_loop()._default_executor._max_workers
    everybody = threading.Barrier(workers)
    await asyncio.gather(*(asyncio.to_thread(everybody.wait, 10) for _ in range(workers)))


def _sockets() -> list[socket.socket]:
    """The open sockets of Python's own making, also those that the operating system's lists leave out."""
    return [thing for thing in gc.get_objects() if issubclass(type(thing), socket.socket) and thing.fileno() != -1]


def _held() -> dict[str, Counter[str]]:
    process = psutil.Process()
    # Windows lends threads of a pool to every process, when it likes
    unknown = 0 if sys.platform == "win32" else process.num_threads() - threading.active_count()
    return {
        "thread": Counter(thread.name for thread in threading.enumerate()),
        "thread unknown to threading": Counter({"one": unknown}),
        "task": Counter(task.get_coro().__qualname__ for task in asyncio.all_tasks()),
        "socket": Counter(map(repr, _sockets())),
        "connection": Counter(map(repr, process.net_connections("inet"))),
        "child process": Counter(map(repr, process.children(recursive=True))),
    }


async def remember() -> None:
    """Await this in a cell, as `excess` is: a cell that awaits is a task of its own."""
    _before.update(_held())


async def excess(limit: float) -> dict[str, list[str]]:
    """What is there now and was not there before, by kind; what is on its way out gets `limit` seconds for it."""
    deadline = time.monotonic() + limit
    while True:
        held = _held()
        more = {kind: sorted((names - _before[kind]).elements())
                for kind, names in held.items() if names.total() > _before[kind].total()}
        if not more or time.monotonic() > deadline:
            return more
        await asyncio.sleep(0.05)
