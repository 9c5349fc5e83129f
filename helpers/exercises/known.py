"""Hints for mistakes that look the same in every exercise."""

from __future__ import annotations

import asyncio
import inspect
from types import CodeType
from typing import Any

from ..background import BackgroundServer
from .stub import codes
from .verdict import describe_kind

_OTHER_LOOP = ("attached to a different loop", "different event loop", "different loop")

_ARGUMENTS = "Compare the arguments in its first line with those that the exercise names."
_OTHERS = "A call in it was given other arguments than it takes: the message names it. How was it called where you saw it?"

_TEXTS: tuple[tuple[type[BaseException], str, str], ...] = (
    # (type, a part of the error's text, the hint)
    (
        RuntimeError,
        "asyncio.run() cannot be called from a running event loop",
        "A loop runs here already: it is the one that called you. What do you write inside an `async def` to wait for a coroutine?",
    ),
    (
        RuntimeError,
        "cannot reuse already awaited coroutine",
        "A coroutine object runs once, as a ticket is good for one ride. Where would a new one come from?",
    ),
    (
        RuntimeError,
        "no running event loop",
        "This call needs an event loop that runs. Which function would have to be `async def` and awaited?",
    ),
    (
        TypeError,
        "bytes-like object is required, not 'str'",
        "The words are there, but a wire carries bytes. Which method turns text into bytes?",
    ),
    (TypeError, "can't concat str to bytes", "Both parts are there: one is text, the other bytes. Which method turns one into the other?"),
    (TypeError, 'concatenate str (not "bytes")', "Both parts are there: one is text, the other bytes. Which method turns one into the other?"),
    (TypeError, "object list can't be used in 'await'", "`await` takes one thing, and here it is given a list of them. What waits for several?"),
    (TypeError, "in 'await' expression", "What stands behind `await` there is no coroutine. Is it the result already?"),
    (TypeError, "'coroutine' object", "You hold a coroutine, not its result. Which word in front of the call waits for the result?"),
    (AttributeError, "'coroutine' object", "You hold a coroutine, not its result. Which word in front of the call waits for the result?"),
    (
        RuntimeError,
        "await wasn't used with future",
        "You hold a future, a promise of what will be there. Which word in front of it (`gather` makes one, too) waits for the results?",
    ),
    (
        TypeError,
        "'bytes' object cannot be interpreted as an integer",
        "Bytes stand where a number was wanted. (`append`, for one, adds a single byte.) What adds many of them?",
    ),
    (
        TypeError,
        "recv() got an unexpected keyword argument 'timeout'",
        "`recv(timeout=...)` is how `websockets.sync` says it. This `recv` is awaited: what puts a limit on an `await`, whatever is awaited?",
    ),
    (TypeError, "positional argument", _ARGUMENTS),
    (TypeError, "unexpected keyword argument", _ARGUMENTS),
    (NotImplementedError, "", "One part of it is still marked as not written. Which one?"),
    (RecursionError, "", "It calls itself and never stops. When should it?"),
    (NameError, "", "Is that name spelt as where it was made, and has the cell that makes it run?"),
)


def about_error(error: BaseException, function: Any) -> str:
    """A hint for an exception that the answer `function` raised, or ""."""
    try:
        text = str(error)
    except Exception:
        return ""
    if any(part in text for part in _OTHER_LOOP):
        return about_loop(function) or _LOOP
    hint = next((hint for kind, part, hint in _TEXTS if isinstance(error, kind) and part in text), "")
    name = getattr(inspect.unwrap(function), "__qualname__", "")
    own = text.startswith((f"{name}()", f"{name}.")) and "<locals>" not in text.removeprefix(name)
    return _OTHERS if hint == _ARGUMENTS and not own else hint


_LOOP = (
    "Queues, tasks and connections belong to the event loop in which they were made, and the check has a loop of its own. "
    "Does the answer take one from another cell, where it should use what it is given?"
)


def about_loop(function: Any) -> str:
    """A hint for an answer that uses something of another event loop from its notebook by name, or ""."""
    function = inspect.unwrap(function)
    space = getattr(function, "__globals__", {})
    for name in sorted({name for code in codes(function) for name in _names(code)}):
        value = space.get(name)
        loop = getattr(value, "loop", None) or getattr(value, "_loop", None)
        if isinstance(loop, asyncio.AbstractEventLoop) and not isinstance(value, BackgroundServer):
            return (
                f"`{name}` belongs to your notebook's own event loop, and the check runs in another one. "
                "Which of the arguments should it use instead?"
            )
    return ""


def _names(code: CodeType) -> set[str]:
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    return set(code.co_names).union(*(_names(const) for const in inner))


def about_value(got: Any, want: Any, printed: bool) -> str:
    """A hint for a wrong value whose kind says it all, or ""."""
    kind = describe_kind(got)
    if kind == "a coroutine" or _holds(got, inspect.iscoroutine):
        return "The call is the right one. But calling an `async def` gives a recipe, not a dish. Who cooks: which word is missing?"
    if got is None and want is not None:
        if printed:
            return "The answer went to the screen, not to the caller. Which word hands it back?"
        return "`None` is what a function gives back that ends without a `return`, or behind a bare one. What should the caller get?"
    if isinstance(got, (bytes, bytearray)) and isinstance(want, str) and bytes(got) == want.encode():
        return "The right letters, still as bytes. Which method turns bytes into text?"
    if isinstance(got, str) and isinstance(want, bytes) and got.encode(errors="replace") == want:
        return "The right letters, but as text. What does a wire carry?"
    if isinstance(got, (list, tuple)) and isinstance(want, (list, tuple)) and type(got) is not type(want) and list(got) == list(want):
        return f"The right values in the right order, in a {type(got).__name__}. A {type(want).__name__} was wanted."
    return ""


def _holds(got: Any, test: Any) -> bool:
    return isinstance(got, (list, tuple, set)) and any(test(item) for item in got)
