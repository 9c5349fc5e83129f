"""Functions made from source text, as a notebook's cell makes them."""

import itertools
import linecache
import textwrap
from types import CodeType
from typing import Any

_numbers = itertools.count(1)


def run(text: str, space: dict[str, Any]) -> None:
    """Run the text in a namespace, as IPython runs a cell."""
    exec(compiled(text), space)


def compiled(text: str) -> CodeType:
    """The text's code, under a file name of its own and with its lines known, as IPython compiles a cell."""
    name = f"<cell {next(_numbers)}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    return compile(text, name, "exec")


def function(text: str, **names: Any) -> Any:
    """The last function or class that the text defines, with `names` beside it."""
    space: dict[str, Any] = {"__name__": "__main__", **names}
    before = set(space)
    run(textwrap.dedent(text), space)
    made = [value for name, value in space.items() if name not in before and hasattr(value, "__code__") or isinstance(value, type)]
    return made[-1]
