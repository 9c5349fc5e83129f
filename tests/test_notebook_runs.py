"""Every notebook, run in the ways that nbval doesn't try; see runs.py for what they are.

Each notebook gets a class of its own, since pytest-xdist's `loadscope` gives a class to one worker: so a notebook's
kernel is started once, and several notebooks run side by side.
"""

from pathlib import Path
from typing import ClassVar

import pytest
import runs
from books import NOTEBOOKS, Book, books


class NotebookRuns:
    """The tests of one notebook; a subclass names it."""

    book: ClassVar[Book]

    @pytest.fixture(scope="class")
    @classmethod
    def record(cls, tmp_path_factory: pytest.TempPathFactory) -> runs.Record:
        return runs.record(cls.book, tmp_path_factory.mktemp("workbook"))

    @pytest.mark.parametrize("judge", runs.JUDGEMENTS, ids=lambda judge: judge.__name__)
    def test_run(self, record: runs.Record, judge: runs.Judge) -> None:
        complaints = list(judge(record))
        assert not complaints, "\n".join(complaints)


for _book in books():
    globals()[f"Test_{_book.stem}"] = type(f"Test_{_book.stem}", (NotebookRuns,), {"book": _book})


def test_two_people_run_one_notebook_at_the_same_time(tmp_path: Path) -> None:
    """One that starts servers; what they start, they start through the same helpers as all the others."""
    found = runs.at_once(Book(NOTEBOOKS / "09_echo_server.ipynb"), tmp_path)
    assert not found, "\n".join(found)
