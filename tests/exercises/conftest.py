"""The `taken` fixture: an exercise as it stands in its notebook, ready for `check`."""

import ast
import gc
import re
import textwrap
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from types import CodeType
from typing import Any

import pytest
import written
from books import NOTEBOOKS, Book, Cell


@dataclass(frozen=True)
class Taken:
    """One exercise of a notebook: the texts of its stub and its folded solution, and the functions they define."""

    book: Book
    name: str
    stub_text: str
    solution_text: str

    @property
    def stub(self) -> Any:
        """The function that a learner finds."""
        return self.write(self.stub_text)

    @property
    def solution(self) -> Any:
        """The function that the folded solution defines."""
        return self.write(self.solution_text)

    def write(self, text: str, **names: Any) -> Any:
        """The function that `text` defines, as if it stood in the notebook; `names` are added to what the notebook has."""
        space = self._notebook()
        space.update(names)
        written.run(textwrap.dedent(text), space)
        return space[self.name]

    def _notebook(self) -> dict[str, Any]:
        """What a learner's own code finds there: imports, functions, classes and plain constants of the cells up to the exercise."""
        space: dict[str, Any] = {"__name__": "__main__"}
        for code in self._cells:
            exec(code, space)
        return space

    @cached_property
    def _cells(self) -> list[CodeType]:
        codes = []
        for cell in self.book.code:
            kept = [statement for statement in cell.tree.body if _is_plain(statement) and getattr(statement, "name", None) != self.name]
            if kept:
                codes.append(written.compiled("\n".join(ast.unparse(statement) for statement in kept)))
            if _checks(cell) == self.name:
                break
        return codes


def _is_plain(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        # not one that is handed to a thing that the cells made, which isn't here: `@hub.method`
        return not any(isinstance(one, ast.Attribute) and one.attr == "method" for one in statement.decorator_list)
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.ClassDef):
        return True
    if isinstance(statement, ast.Assign):
        if any(isinstance(target, ast.Attribute | ast.Subscript) for target in statement.targets):
            return False  # of a thing that the cells made, which isn't here: `wire.chop = 1`
        try:
            ast.literal_eval(statement.value)
        except ValueError:
            return False
        return True
    return False


def _checks(cell: Cell) -> str | None:
    """The name in a cell that is `check(name)`."""
    found = re.search(r"^check\((\w+)\)", cell.source, flags=re.MULTILINE)
    return found[1] if found else None


def _defines(cell: Cell, name: str) -> bool:
    return any(getattr(statement, "name", None) == name for statement in cell.tree.body)


@cache
def take(number: str, name: str) -> Taken:
    """The exercise `name` of the notebook `NN_*.ipynb`. AssertionError with what is missing."""
    paths = sorted(NOTEBOOKS.glob(f"{number}_*.ipynb"))
    assert len(paths) == 1, f"one notebook {number}_*.ipynb, not {len(paths)}"
    book = Book(paths[0])
    checked = next((cell for cell in book.code if _checks(cell) == name), None)
    assert checked is not None, f"{book}: no cell says check({name})"
    stubs = [cell for cell in book.code if cell.index < checked.index and _defines(cell, name)]
    assert stubs, f"{book}: no cell above check({name}) defines it"
    for cell in book.prose:
        if cell.index > checked.index and "<details>" in cell.source:
            for block in re.findall(r"^```python\n(.*?)^```", cell.source, flags=re.MULTILINE | re.DOTALL):
                if re.search(rf"^(async )?def {name}\b|^class {name}\b", block, flags=re.MULTILINE):
                    return Taken(book, name, stubs[-1].source, block)
    raise AssertionError(f"{book}: no folded solution below check({name}) defines it")


@pytest.fixture(autouse=True)
def swept(quick_checks: None) -> Iterator[None]:
    """What a wrong answer leaves open is collected with its own test, and complains under no other one."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def taken() -> Callable[[str, str], Taken]:
    """taken("01", "recv_exactly") has `.stub`, `.solution` and `.write("def recv_exactly(sock, n): ...")`, each a function for `check`.

    from helpers import check

    def test_stub(taken):
        assert check(taken("01", "recv_exactly").stub).status == "not yet"

    def test_takes_what_comes(taken):
        verdict = check(taken("01", "recv_exactly").write("def recv_exactly(sock, n): return sock.recv(n)"))
        assert verdict.status == "failed" and "at most" in verdict.hint
    """
    return take
