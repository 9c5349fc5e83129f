"""Notebooks made for the purpose: one that keeps the contract, and whatever a test makes of it."""

import copy
import json
from pathlib import Path
from typing import Any

Raw = dict[str, Any]


def text(name: str, source: str) -> Raw:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def code(name: str, source: str, *outputs: Raw, tags: tuple[str, ...] = ()) -> Raw:
    return {"cell_type": "code", "id": name, "metadata": {"tags": list(tags)} if tags else {}, "source": source,
            "outputs": list(outputs), "execution_count": None}


def stream(words: str, name: str = "stdout") -> Raw:
    return {"output_type": "stream", "name": name, "text": words}


def result(**data: str) -> Raw:
    """An output with these data; `text_html` is text/html."""
    return {"output_type": "display_data", "metadata": {},
            "data": {kind.replace("_", "/"): value for kind, value in data.items()}}


ALT = "Three blue blocks above, and three green rows below."

GOOD: list[Raw] = [
    text("title", """\
# 05 · Specimen

A notebook that keeps every rule.

**You will be able to**

- see
- hear
- feel

**You need** [04 Before](04_before.ipynb#What-goes-wrong).

**Time** 20 minutes

**From an earlier notebook** Who?

<details><summary>Answer</summary>

Nobody.

</details>
"""),
    code("setup", "import socket"),
    text("predict", "Will it be **said**? (a) no, (b) never, (c) yes."),
    code("say", 'guess = "?"\nprint("said")', stream("said\n")),
    text("say-why", "**(c).** *(a)* and *(b)* are what others say."),
    code("draw", "picture", result(text_html=f'<img alt="{ALT}" src="data:image/png;base64,AAAA">',
                                   image_png="AAAA", text_plain=ALT)),
    text("exercise", "See `the picture`.\n\n### Exercise 1 · Double\n\n`double(2)` is 4."),
    code("double", "def double(n):\n    ...  # your code"),
    code("double-check", "check(double)", result(text_plain="○ double: not yet. It returned None; 4 was expected.")),
    text("double-solution", """\
<details><summary>Solution</summary>

```python
def double(n):
    return 2 * n
```

Twice.

</details>
"""),
    text("once", "Run the cell above first."),
    code("take", "1 + 1", tags=("run-once",)),
    text("wrong", "## What goes wrong"),
    code("wrong-run", 'print("it says why")', stream("it says why\n")),
    *[cell for n in range(4) for cell in (text(f"more-{n}", f"Step {n}."), code(f"step-{n}", f"{n} + {n}"))],
    text("stop-intro", "Stop what you started: [see](#What-goes-wrong), [PEP 492](https://peps.python.org/pep-0492/)."),
    code("stop", "socket.socket().close()"),
    text("end", """\
## In short

1. one
2. two
3. three

**New terms**

- **said**: what was said

**Next** [06 After](06_after.ipynb): more.

**Further reading** [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455#section-5)
"""),
]


class Specimen:
    """A notebook under construction: take GOOD, change it, write it into `folder` between two neighbours."""

    def __init__(self, folder: Path, cells: list[Raw] = GOOD, name: str = "05_specimen.ipynb") -> None:
        self.path = folder / name
        self.raw: Raw = {
            "cells": copy.deepcopy(cells),
            "metadata": {
                "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "nbformat": 4, "nbformat_minor": 5,
        }

    def __getitem__(self, name: str) -> Raw:
        """The cell with this id."""
        return next(cell for cell in self.raw["cells"] if cell["id"] == name)

    def replace(self, name: str, old: str, new: str) -> None:
        """Change the source of the cell with this id; `old` must be in it."""
        assert old in self[name]["source"]
        self[name]["source"] = self[name]["source"].replace(old, new)

    def insert_after(self, name: str, *cells: Raw) -> None:
        index = self.raw["cells"].index(self[name]) + 1
        self.raw["cells"][index:index] = cells

    def remove(self, name: str) -> None:
        self.raw["cells"].remove(self[name])

    def write(self, *, number: bool = True) -> Path:
        """Write it, its code cells numbered as one run from the top unless told otherwise."""
        if number:
            for count, cell in enumerate((c for c in self.raw["cells"] if c["cell_type"] == "code"), start=1):
                cell["execution_count"] = count
        self.path.write_text(json.dumps(self.raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return self.path


def with_neighbours(folder: Path) -> Specimen:
    """A specimen that keeps the contract, with the notebooks it links to beside it."""
    for name, title in (("04_before.ipynb", "# 04 · Before"), ("06_after.ipynb", "# 06 · After")):
        Specimen(folder, [text("title", f"{title}\n\n## What goes wrong")], name).write()
    return Specimen(folder)
