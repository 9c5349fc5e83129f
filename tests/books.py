"""Notebooks as the tests read them: from the file, without Jupyter's help, so that nothing is mended on the way."""

import ast
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
NAME = re.compile(r"(?P<number>\d\d)_(?P<topic>[a-z][a-z0-9_]*)\.ipynb")


@dataclass(frozen=True)
class Cell:
    """One cell; `index` counts all cells of the notebook from 0."""

    index: int
    raw: dict

    @property
    def id(self) -> str:
        return self.raw.get("id", "")

    @property
    def is_code(self) -> bool:
        return self.raw["cell_type"] == "code"

    @property
    def source(self) -> str:
        return joined(self.raw["source"])

    @property
    def tags(self) -> list[str]:
        return self.raw["metadata"].get("tags", [])

    @property
    def outputs(self) -> list[dict]:
        return self.raw.get("outputs", [])

    @property
    def lines(self) -> int:
        """How many lines hold something."""
        return sum(bool(line.strip()) for line in self.source.splitlines())

    @cached_property
    def tree(self) -> ast.Module:
        """The code as IPython compiles it: `await` may stand outside of functions. SyntaxError for `!` and `%`."""
        return compile(self.source, self.id, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    def __str__(self) -> str:
        return f"cell {self.index} ({self.id})"


@dataclass(frozen=True)
class Book:
    """One notebook; `folder` holds it and its neighbours."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def stem(self) -> str:
        return self.path.stem

    @property
    def number(self) -> str:
        """Two digits, as in its file's name."""
        return self.name[:2]

    @cached_property
    def raw(self) -> dict:
        return json.loads(self.path.read_text(encoding="utf-8"))

    @cached_property
    def cells(self) -> list[Cell]:
        return [Cell(index, raw) for index, raw in enumerate(self.raw["cells"])]

    @property
    def code(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.is_code]

    @property
    def prose(self) -> list[Cell]:
        return [cell for cell in self.cells if not cell.is_code]

    @property
    def opening(self) -> str:
        """The text before the first code."""
        first = self.code[0].index if self.code else len(self.cells)
        return "\n\n".join(cell.source for cell in self.cells[:first])

    @property
    def closing(self) -> str:
        """The text after the last code."""
        last = self.code[-1].index if self.code else len(self.cells)
        return "\n\n".join(cell.source for cell in self.cells[last + 1:])

    @property
    def minutes(self) -> int | None:
        """What its opening announces, or None."""
        found = re.search(r"\*\*Time\*\*:?\s*(\d+) minutes\b", self.opening)
        return int(found[1]) if found else None

    @property
    def imports(self) -> list[str]:
        """Every import statement that stands outside of functions and blocks."""
        return [ast.unparse(statement) for cell in self.code for statement in cell.tree.body
                if isinstance(statement, ast.Import | ast.ImportFrom)]

    @cached_property
    def siblings(self) -> list["Book"]:
        """All notebooks of its folder, itself among them, in reading order."""
        return books(self.path.parent)

    def __str__(self) -> str:
        return self.stem


def books(folder: Path = NOTEBOOKS) -> list[Book]:
    """The notebooks of a folder in reading order; nothing registers them."""
    return [Book(path) for path in sorted(folder.glob("*.ipynb"))]


def joined(text: str | list[str]) -> str:
    """A text of the file format, which may be a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def rules(path: Path) -> list[tuple[re.Pattern[str], str]]:
    """The substitutions of a sanitiser file, as nbval reads them."""
    text = path.read_text(encoding="utf-8")
    return [(re.compile(regex), replace)
            for regex, replace in re.findall(r"^regex: (.*)$\n^replace: (.*)$", text, flags=re.MULTILINE)]


SANITIZER = rules(Path(__file__).parent / "sanitize.cfg")


def sanitized(text: str) -> str:
    """A text as nbval compares it."""
    for regex, replace in SANITIZER:
        text = regex.sub(replace, text)
    return text


def shown(outputs: list[dict]) -> list[tuple[str, str]]:
    """What the outputs of a cell say, as nbval compares it: (kind, text); streams joined, pixels left out."""
    found: list[tuple[str, str]] = []
    streams: dict[str, int] = {}
    for output in outputs:
        match output["output_type"]:
            case "stream":
                name, text = output["name"], joined(output["text"])
                if name in streams:
                    found[streams[name]] = (name, found[streams[name]][1] + text)
                else:
                    streams[name] = len(found)
                    found.append((name, text))
            case "error":
                found.append(("error", f"{output['ename']}: {output['evalue']}"))
            case _:
                found += [(kind, joined(data) if isinstance(data, str | list) else json.dumps(data, sort_keys=True))
                          for kind, data in sorted(output["data"].items()) if kind not in ("image/png", "image/jpeg")]
    return [(kind, sanitized(text)) for kind, text in found]
