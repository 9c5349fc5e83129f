"""Hints for mistakes that look the same in every exercise."""

from __future__ import annotations

import inspect
from typing import Any

from .verdict import describe_kind

_TEXTS: tuple[tuple[type[BaseException], str, str], ...] = (
    # (type, a part of the error's text, the hint)
    (RuntimeError, "attached to a different loop", "loop"),
    (RuntimeError, "different event loop", "loop"),
    (ValueError, "different loop", "loop"),
    (
        RuntimeError,
        "asyncio.run() cannot be called from a running event loop",
        "A loop runs here already: it is the one that called you. What do you write inside an `async def` to wait for a coroutine?",
    ),
    (
        RuntimeError,
        "cannot reuse already awaited coroutine",
        "A coroutine object runs once, like a film ticket. Where would a new one come from?",
    ),
    (
        RuntimeError,
        "no running event loop",
        "This call needs an event loop that runs. Which function would have to be `async def` and awaited?",
    ),
    (
        TypeError,
        "bytes-like object is required, not 'str'",
        "The words are right, but a wire carries bytes. Which method turns text into bytes?",
    ),
    (TypeError, "can't concat str to bytes", "One of the two is text, the other is bytes. Which method turns one into the other?"),
    (TypeError, "can't be used in 'await' expression", "What stands behind `await` there is already a plain value. Was it a coroutine at all?"),
    (TypeError, "'coroutine' object", "You hold a coroutine, not its result. Which word in front of the call would wait for the result?"),
    (AttributeError, "'coroutine' object", "You hold a coroutine, not its result. Which word in front of the call would wait for the result?"),
)

LOOP = (
    "Every connection belongs to the event loop that opened it, and the check runs in a loop of its own. "
    "Does the answer use something from another cell, where it should use its own arguments?"
)


def about_error(error: BaseException) -> str:
    """A hint for an exception that the answer raised, or ""."""
    try:
        text = str(error)
    except Exception:
        return ""
    for kind, part, hint in _TEXTS:
        if isinstance(error, kind) and part in text:
            return LOOP if hint == "loop" else hint
    if isinstance(error, NotImplementedError):
        return "Part of it is still marked as not written."
    if isinstance(error, RecursionError):
        return "It calls itself and never stops. When should it?"
    return ""


def about_value(got: Any, want: Any, printed: bool) -> str:
    """A hint for a wrong value whose kind says it all, or ""."""
    kind = describe_kind(got)
    if kind == "a coroutine" or _holds(got, inspect.iscoroutine):
        return "These are recipes, not dishes: calling an `async def` cooks nothing. Who awaits them?"
    if got is None and want is not None:
        if printed:
            return "The answer went to the screen, not to the caller. Which word hands it back?"
        return "It came to its end without a `return`. What should the caller get?"
    if isinstance(got, (bytes, bytearray)) and isinstance(want, str) and bytes(got) == want.encode():
        return "The right letters, still as bytes. Which method turns bytes into text?"
    if isinstance(got, str) and isinstance(want, bytes) and got.encode(errors="replace") == want:
        return "The right letters, but as text. What does a wire carry?"
    if isinstance(got, (list, tuple)) and isinstance(want, (list, tuple)) and type(got) is not type(want) and list(got) == list(want):
        return f"The right values in the right order, in a {type(got).__name__}. A {type(want).__name__} was wanted."
    return ""


def _holds(got: Any, test: Any) -> bool:
    return isinstance(got, (list, tuple, set)) and any(test(item) for item in got)
