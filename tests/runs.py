"""A notebook run in ways that nbval doesn't try, and what is to be said about it afterwards.

One kernel runs it three times: all cells are queued at once (Run All); then all of them once more; then each cell runs
twice in a row. And two kernels run a notebook at the same time, as two people in a classroom do. All of them stand in an
environment that names proxies which answer nothing, and without a route to anywhere but this machine.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from books import Book, Cell, shown
from kernels import Kernel, Reply


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
    kernel: Kernel
    """The kernel, ended."""
    files: list[str]
    """What lies in the notebook's folder that was not there before."""

    def cells(self, replies: list[Reply]) -> Iterator[tuple[Cell, Reply]]:
        return zip(self.book.code, replies, strict=True)


def record(book: Book, folder: Path) -> Record:
    """Run `book` in a kernel that starts in `folder`, an empty one. After a cell that never ended nothing more is run."""
    codes = _codes(book)
    each_twice = [code for code in codes for _ in range(2)]
    passes, left = [], []
    with Kernel(folder) as kernel:
        kernel.remember(book.imports)
        for _ in range(2):
            passes.append(_run(kernel, codes, passes, may_fail=_may_fail(book)))
            left.append(kernel.excess() if _ended(passes[-1]) else {})
        doubles = _run(kernel, each_twice, passes, may_fail=range(len(each_twice)))
    return Record(book, passes, left, list(zip(doubles[::2], doubles[1::2])), kernel, _names(folder))


def at_once(book: Book, folder: Path) -> list[str]:
    """What goes wrong when two kernels, both in `folder`, run the whole of `book` at the same time."""
    with Kernel(folder) as one, Kernel(folder) as other:
        sent = [(kernel, kernel.queue(_codes(book), may_fail=_may_fail(book))) for kernel in (one, other)]
        passes = [kernel.collect(queued) for kernel, queued in sent]
    both = Record(book, passes, [], [], one, [])
    return [*run_all(both), *same_outputs(both)]


def _codes(book: Book) -> list[str]:
    return [cell.source for cell in book.code]


def _may_fail(book: Book) -> list[int]:
    return [index for index, cell in enumerate(book.code) if "raises-exception" in cell.tags]


def _run(kernel: Kernel, codes: list[str], earlier: list[list[Reply]], *, may_fail: Iterable[int]) -> list[Reply]:
    """Queue the cells, unless a cell of an earlier pass never ended."""
    if not all(map(_ended, earlier)):
        return [Reply(code) for code in codes]
    return kernel.run_all(codes, may_fail=may_fail)


def _ended(replies: list[Reply]) -> bool:
    return all(reply.status for reply in replies)


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
    if record.kernel.noise:
        yield f"written to stderr outside of the cells: {record.kernel.noise}"


def ends(record: Record) -> Iterator[str]:
    """The kernel ends when asked: no thread keeps it."""
    if not record.kernel.ended_by_itself:
        yield "the kernel had to be killed"


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
