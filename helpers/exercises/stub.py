"""Telling an answer that was not begun from one that is wrong."""

from __future__ import annotations

import dis
import inspect
from types import CodeType
from typing import Any

_EMPTY = (
    "pass",
    "raise NotImplementedError",
    "raise NotImplementedError()",
    "raise NotImplementedError('text')",
)


Shape = tuple[tuple[tuple[str, bool], ...], tuple[str, ...]]


def is_stub(answer: Any) -> bool:
    """Whether the body is only a docstring, `...`, `pass` or `raise NotImplementedError`.

    A class is one when one of its methods is; `__init__` and its like may well be empty.
    """
    return any(_shape(code) in _SHAPES for code in codes(answer) if not (inspect.isclass(answer) and code.co_name.startswith("__")))


def has_gap(answer: Any) -> bool:
    """Whether a `...` is left inside an expression. A line that is only `...` leaves no trace and does not count."""
    return any(_mentions_ellipsis(code) for code in codes(answer))


def codes(answer: Any) -> list[CodeType]:
    """The code objects of a function, or of a class's own methods."""
    answer = inspect.unwrap(answer)
    if inspect.isclass(answer):
        members = [inspect.unwrap(m) for m in vars(answer).values() if callable(m)]
        return [m.__code__ for m in members if inspect.isfunction(m)]
    code = getattr(answer, "__code__", None)
    return [code] if code is not None else []


def _mentions_ellipsis(code: CodeType) -> bool:
    return any(
        const is ... or (isinstance(const, tuple) and ... in const) or (isinstance(const, CodeType) and _mentions_ellipsis(const))
        for const in code.co_consts
    )


def _shape(code: CodeType) -> Shape:
    # compared with functions compiled by the same Python, so that no opcode has to be known here
    steps = [step for step in dis.get_instructions(code) if step.opname != "NOP"]
    return tuple((step.opname, "CONST" in step.opname and step.argval is None) for step in steps), code.co_names


def _shapes() -> set[Shape]:
    shapes = set()
    for kind in ("def", "async def"):
        for body in _EMPTY:
            space: dict[str, Any] = {}
            exec(f"{kind} stub(): {body}", space)
            shapes.add(_shape(space["stub"].__code__))
    return shapes


_SHAPES = _shapes()
