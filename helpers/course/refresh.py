"""Run notebooks from top to bottom and store their outputs, the same bytes whenever nothing has changed."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from tqdm import tqdm

from .places import CourseError, write_whole

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def refresh(paths: Iterable[Path], *, timeout: float = 60) -> bool:
    """Run each notebook in a kernel of its own and store it; print a line for each, with a progress bar on stderr.

    `timeout` is the limit of one cell in seconds. A notebook in which a cell fails, or whose outputs name folders of
    this machine, is left as it is. Returns whether all went well.
    """
    paths = list(paths)
    well = True
    with tqdm(total=sum(_code_cells(path) for path in paths), unit="cell", file=sys.stderr, leave=False) as bar:
        for path in paths:
            bar.set_description(path.stem, refresh=False)
            try:
                changed = refresh_one(path, timeout=timeout, ran=bar.update)
                line = f"✓ {path.stem}: {'stored' if changed else 'unchanged'}"
            except CourseError as error:
                well = False
                line = f"✗ {path.stem}: {error} Nothing written."
            tqdm.write(line, file=sys.stdout)
    return well


def refresh_one(path: Path, *, timeout: float = 60, ran: Callable[[], object] = lambda: None) -> bool:
    """Run one notebook and store it, if that changes its bytes; says whether it did. `ran` is called after each code cell.

    CourseError when it is no notebook, when a cell fails, or when an output names a folder of this machine;
    KeyboardInterrupt on Ctrl-C, when the kernel has ended. Then it is left as it is.
    """
    before = path.read_bytes()
    notebook = _read(path, before)
    try:
        asyncio.run(_execute(notebook, path.parent, timeout, ran))
    except asyncio.CancelledError:  # only Ctrl-C does that
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        raise CourseError(f"no kernel to run it ({error}): `course doctor` looks for the reason.") from None
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = without_ports(merged(cell.outputs))
    refuse_paths(notebook, path.parent)
    after = (nbformat.writes(notebook) + "\n").encode()
    if after == before:
        return False
    write_whole(path, after)
    return True


def _code_cells(path: Path) -> int:
    return len(re.findall(rb'"cell_type":\s*"code"', path.read_bytes()))  # for the bar alone


def _read(path: Path, data: bytes) -> Any:
    """The notebook without outputs, with the course's metadata, an id in every cell, and of a cell's metadata the tags."""
    try:
        notebook = json.loads(data)
        name_cells(notebook["cells"])
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])  # a file may hold it as a list of lines
            cell["metadata"] = {name: value for name, value in cell["metadata"].items() if name == "tags" and value}
            if cell["cell_type"] == "code":
                cell["outputs"], cell["execution_count"] = [], None
        notebook |= {"metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
        notebook = nbformat.v4.reads(json.dumps(notebook))  # joins the lines
        nbformat.validate(notebook)
    except (ValueError, KeyError, TypeError, nbformat.ValidationError) as error:
        problem = str(error).strip().splitlines()[0]
        raise CourseError(f"not a notebook of format 4 ({type(error).__name__}: {problem}).") from None
    return notebook


def name_cells(cells: list[dict[str, Any]]) -> None:
    """Give a readable id, made of its first words, to each cell that has none or one that was there before."""
    used: set[str] = set()
    unnamed = []
    for cell in cells:
        if cell.get("id") and cell["id"] not in used:
            used.add(cell["id"])
        else:
            unnamed.append(cell)
    for cell in unnamed:
        words = re.findall(r"[a-z0-9]+", "".join(cell["source"]).lower())
        name = "-".join(words[:5])[:40].strip("-") or "cell"
        number = 1
        cell["id"] = name
        while cell["id"] in used:
            number += 1
            cell["id"] = f"{name}-{number}"
        used.add(cell["id"])


async def _execute(notebook: Any, folder: Path, timeout: float, ran: Callable[[], object]) -> None:
    """Run the code cells and put their outputs into `notebook`. Ctrl-C cancels it."""
    client = NotebookClient(notebook, kernel_name="python3", timeout=timeout, record_timing=False,
                            resources={"metadata": {"path": str(folder)}})
    task = asyncio.current_task()
    assert task
    # in the loop's next turn: nbclient has put up its own handler by then, which ends the kernel and lets its user go on
    asyncio.get_running_loop().call_soon(_cancel_on_ctrl_c, task)
    try:
        async with client.async_setup_kernel(stderr=subprocess.DEVNULL):  # the kernel's own log, no cell's output
            await _execute_cells(client, task, timeout, ran)
    finally:
        if client.km is not None and client.km.has_kernel:  # cancelled while it started
            await client.km.shutdown_kernel(now=True)


def _cancel_on_ctrl_c(task: asyncio.Task) -> None:
    """Have Ctrl-C cancel the task: as KeyboardInterrupt it would come up anywhere, also in a task that nobody waits for."""
    with suppress(NotImplementedError):  # Windows has none: there asyncio.run cancels it
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, task.cancel)


async def _execute_cells(client: NotebookClient, task: asyncio.Task, timeout: float, ran: Callable[[], object]) -> None:
    for index, cell in enumerate(client.nb.cells):
        where = f"cell {index + 1} (id {cell.id!r})"
        try:
            await client.async_execute_cell(cell, index)
        except CellExecutionError as error:
            reason = f"{error.ename}: {error.evalue}".splitlines()[0]
            raise CourseError(f"{where} failed: {reason}.") from None
        except CellTimeoutError:
            raise CourseError(f"{where} was not done after {timeout:g} s (see --timeout).") from None
        except DeadKernelError:
            if task.cancelling():  # nbclient takes it for the end of the kernel
                raise asyncio.CancelledError from None
            raise CourseError(f"the kernel died in {where}.") from None
        if cell.cell_type == "code":
            ran()


def merged(outputs: list[Any]) -> list[Any]:
    """The outputs with neighbouring streams joined, stdout before stderr, since their order is chance."""
    result: list[Any] = []
    run: dict[str, Any] = {}
    for output in [*outputs, None]:
        if output is not None and output.output_type == "stream":
            if output.name in run:
                run[output.name].text += output.text
            else:
                run[output.name] = output
            continue
        result += [run[name] for name in ("stdout", "stderr") if name in run]
        run = {}
        if output is not None:
            result.append(output)
    return result


_PORT = re.compile(r"\b((?:ws|http)s?://127\.0\.0\.1):[1-9]\d{4}\b")
"""A URI of this machine, with a port of five digits: one that the system has picked."""


def without_ports(outputs: list[Any]) -> list[Any]:
    """The outputs, with the word PORT in the place of each port that the system has picked for a server here.

    Nobody listens there when the notebook is read, or somebody else does.
    """
    for output in outputs:
        said = output.get("data", output)  # a dictionary of texts by their kind, or the output of print
        for kind in [kind for kind in said if kind == "text" or kind.startswith("text/")]:
            said[kind] = _PORT.sub(r"\1:PORT", said[kind])
    return outputs


def refuse_paths(notebook: Any, folder: Path) -> None:
    """CourseError when the text of an output names a folder of this machine: it would differ on every other one."""
    folders = {folder, folder.parent, Path.home(), Path(sys.prefix), Path(sys.base_prefix), Path(tempfile.gettempdir())}
    folders = {name for path in folders for name in (path, path.resolve()) if len(path.parts) > 1}
    names = {name for path in folders for name in (str(path), path.as_posix(), str(path).replace("\\", "\\\\"))}
    forbidden = re.compile("|".join([*(re.escape(name) + r"(?![\w-])" for name in sorted(names, key=len, reverse=True)),
                                     r"site-packages", r"\bpython3\.\d+[/\\]", r"ipykernel_\d+"]))
    for index, cell in enumerate(notebook.cells):
        for text in _texts(cell):
            if found := forbidden.search(text):
                raise CourseError(f"cell {index + 1} (id {cell.id!r}) shows a path of this machine ({found[0]!r}): "
                                  "print something else.")


def _texts(cell: Any) -> Iterable[str]:
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            yield output.text
        elif output.output_type == "error":
            yield re.sub(r"\x1b\[[0-9;]*m", "", "\n".join([output.evalue, *output.traceback]))
        else:
            for kind, data in output.data.items():
                if isinstance(data, str) and (kind.startswith("text/") or kind in ("image/svg+xml", "application/javascript")):
                    yield re.sub(r"base64,[A-Za-z0-9+/=\s]+", "base64,", data)
