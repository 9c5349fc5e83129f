"""Every notebook keeps the contract: what can be read from its file."""

import re

import pytest
from books import NOTEBOOKS, ROOT, Book, books
from contract import RULES, Rule, on_the_map


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("book", books(), ids=str)
def test_contract(book: Book, rule: Rule) -> None:
    complaints = list(rule(book))
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("book", books(), ids=str)
def test_map(book: Book) -> None:
    complaints = list(on_the_map(book, ROOT / "README.md"))
    assert not complaints, "\n".join(complaints)


def test_map_in_reading_order() -> None:
    """Each line of the map begins with its own notebook; what it links to exists, and stands in order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[[^\]]*\]\(notebooks/([^)#]+)\)", text, re.MULTILINE)
    assert rows == [book.name for book in books()]


def test_only_notebooks_among_notebooks() -> None:
    """Nothing else lies in the folder, but what Jupyter leaves there and git ignores."""
    others = {path.name for path in NOTEBOOKS.glob("*")} - {book.name for book in books()}
    assert others <= {".ipynb_checkpoints", ".gitkeep"}
