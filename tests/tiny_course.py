"""A checkout with a few tiny notebooks, for the tests of the `course` command."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def nobodys_workbook(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that are run in a terminal of JupyterLab: keep them away from the learner's copy that is open there."""
    monkeypatch.delenv("COURSE_WORKBOOK", raising=False)


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """For tests that run in the background of a shell, which ignores Ctrl-C there: their processes would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, *tags: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {"tags": list(tags)} if tags else {}, "source": source,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "stored before\n"}], "execution_count": 3}


def write_notebook(path: Path, *cells: dict[str, Any]) -> Path:
    """Write a notebook of these cells, as an editor would leave it: no ids, timings in its metadata."""
    notebook = {"cells": list(cells), "metadata": {"widgets": {}, "language_info": {"name": "python", "version": "3.0"}},
                "nbformat": 4, "nbformat_minor": 4}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), "utf-8")
    return path


def make_tiny_course(root: Path) -> Path:
    """Make a checkout in `root`: two notebooks, a file that is none, and this project's own pyproject.toml."""
    write_notebook(root / "notebooks" / "00_start_here.ipynb", markdown("# Start"), code("print('hello')"))
    write_notebook(root / "notebooks" / "05_event_loop.ipynb", markdown("# Löop"), code("1 + 1"))
    write_notebook(root / "notebooks" / "scratch.ipynb", code("1"))
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    return root


def read_cells(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text("utf-8"))["cells"]
