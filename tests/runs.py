"""A notebook run in ways that nbval doesn't try, and what is to be said about it afterwards.

Two kernels run the same notebook at the same time, as two people in a classroom do. In the first all cells are queued
at once (Run All), and then all of them once more; in the second each cell runs twice in a row. Both stand in an
environment that names proxies which answer nothing, and without a route to anywhere but this machine.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from books import Book, Cell, shown
from jupyter_core.utils import ensure_event_loop
from kernels import Kernel, Reply

T = TypeVar("T")

@dataclass
class Record:
    """What happened to a notebook."""

    book: Book
    passes: list[list[Reply]]
    """The two runs of the whole notebook, cell by cell."""
    left: list[dict[str, list[str]]]
    """What the kernel held after each of them that it did not hold before, by kind."""
    doubles: list[tuple[Reply, Reply]]
    """The two runs in a row of each cell."""
    kernels: list[Kernel]
    """The kernels, ended."""
    files: list[str]
    """What lies in the notebook's folder that was not there before."""

    def cells(self, replies: list[Reply]) -> Iterator[tuple[Cell, Reply]]:
        return zip(self.book.code, replies, strict=True)


def record(book: Book, folder: Path) -> Record:
    """Run `book` in two kernels that start in `folder`, an empty one."""
    with ThreadPoolExecutor(2) as people:
        one = people.submit(_alone, whole_twice, book, folder)
        other = people.submit(_alone, _each_twice, book, folder)
        found, (kernel, found.doubles) = one.result(), other.result()
    found.kernels.append(kernel)
    found.files = _names(folder)
    return found


def _alone(function: Callable[[Book, Path], T], book: Book, folder: Path) -> T:
    """The function, in a thread of its own, and then without the event loop that Jupyter's client left in it."""
    try:
        return function(book, folder)
    finally:
        ensure_event_loop().close()


def whole_twice(book: Book, folder: Path) -> Record:
    """The half of `record` in which all cells are queued at once, without the cells that run twice in a row."""
    codes = [cell.source for cell in book.code]
    may_fail = [index for index, cell in enumerate(book.code) if "raises-exception" in cell.tags]
    passes, left = [], []
    with Kernel(folder) as kernel:
        kernel.remember(book.imports)
        for _ in range(2):
            passes.append(kernel.run_all(codes, may_fail=may_fail))
            left.append(kernel.excess() if all(reply.status for reply in passes[-1]) else {})
    return Record(book, passes, left, [], [kernel], _names(folder))


def _each_twice(book: Book, folder: Path) -> tuple[Kernel, list[tuple[Reply, Reply]]]:
    codes = [cell.source for cell in book.code for _ in range(2)]
    with Kernel(folder) as kernel:
        replies = kernel.run_all(codes, may_fail=range(len(codes)))
    return kernel, list(zip(replies[::2], replies[1::2]))


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What is to be said about a record, sentence by sentence.


def run_all(record: Record) -> Iterator[str]:
    """All cells, queued at once, run in their order and without an error, in both runs of the notebook."""
    for which, replies in zip(("first", "second"), record.passes):
        starts = [reply.order for reply in replies if reply.order is not None]
        if starts != sorted(starts):
            yield f"{which} run: the cells started in the order {starts}"
        for cell, reply in record.cells(replies):
            expected = {"error"} if "raises-exception" in cell.tags else {"ok"}
            if reply.status not in expected:
                yield f"{which} run: {cell} {_end(reply)}"


def same_outputs(record: Record) -> Iterator[str]:
    """Every cell says what is stored under it, in both runs of the notebook."""
    for which, replies in zip(("first", "second"), record.passes):
        for cell, reply in record.cells(replies):
            if (now := shown(reply.outputs)) != (stored := shown(cell.outputs)):
                yield f"{which} run: {cell} says {now}, stored is {stored}"


def twice_in_a_row(record: Record) -> Iterator[str]:
    """Every cell runs twice; of one that is tagged run-once, the second run has to end, well or not."""
    for cell, (first, second) in zip(record.book.code, record.doubles, strict=True):
        expected = {"error"} if "raises-exception" in cell.tags else {"ok"}
        if first.status not in expected:
            yield f"{cell} {_end(first)}"
        if second.status not in (expected | {"error"} if "run-once" in cell.tags else expected):
            yield f"{cell}, run again, {_end(second)}"


def nothing_left(record: Record) -> Iterator[str]:
    """After the last cell there is no more of anything than in a kernel that is warm; and no file."""
    for which, kinds in zip(("first", "second"), record.left):
        for kind, names in kinds.items():
            yield f"after the {which} run, {kind}: {', '.join(names)}"
    for name in record.files:
        yield f"a file in the folder of the notebook: {name}"


def quiet(record: Record) -> Iterator[str]:
    """Nothing on stderr: neither in a cell, nor from the process until its end."""
    everything = [*record.passes, *zip(*record.doubles)]
    for replies in everything:
        for cell, reply in record.cells(list(replies)):
            if words := reply.text("stderr"):
                yield f"{cell} wrote to stderr: {words}"
    for kernel in record.kernels:
        if kernel.noise:
            yield f"written to stderr outside of the cells: {kernel.noise}"


def ends(record: Record) -> Iterator[str]:
    """The kernels end when asked: no thread keeps them."""
    for kernel in record.kernels:
        if not kernel.ended_by_itself:
            yield "a kernel had to be killed"


Judge = Callable[[Record], Iterator[str]]
JUDGEMENTS: list[Judge] = [run_all, same_outputs, twice_in_a_row, nothing_left, quiet, ends]


def _end(reply: Reply) -> str:
    match reply.status:
        case "ok":
            return "raised nothing"
        case "error":
            return f"failed: {reply.error}"
        case "aborted":
            return "was not run, as an earlier one failed"
    return "never started" if reply.order is None else "never ended"
