"""What a learner sees of a check: the verdict, as text and as HTML."""

from __future__ import annotations

import asyncio
import functools
import html
import inspect
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NOT_YET, PASSED, FAILED = "not yet", "passed", "failed"
SYMBOLS = {NOT_YET: "○", PASSED: "✓", FAILED: "✗"}
# the course's colours; the text itself keeps the theme's colours, so that it reads on light and dark alike
EDGES = {NOT_YET: "#888888", PASSED: "#009E73", FAILED: "#D55E00"}
LONGEST = 300
PRINTED_LINES = 8


class words(str):
    """Text that a verdict shows as it is. Any other value is shown by its `repr`."""


@dataclass(frozen=True, repr=False)
class Verdict:
    """What `check` found out. Its text is the same on every run: no ports, addresses or times."""

    name: str
    status: str
    """`"not yet"`, `"passed"` or `"failed"`."""
    summary: str
    """One line: what happened."""
    rows: tuple[tuple[str, str], ...] = ()
    """What was sent, expected and received, each as (label, text)."""
    hint: str = ""
    printed: str = ""
    """What the answer printed while it was checked."""
    notes: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every case held."""
        return self.status == PASSED

    def _lines(self) -> list[tuple[str, str]]:
        lines = list(self.rows)
        if self.hint:
            lines.append(("hint", self.hint))
        if self.printed:
            shown = self.printed.split("\n")
            more = ["…"] if len(shown) > PRINTED_LINES else []
            lines.append(("printed", "\n".join(shown[:PRINTED_LINES] + more)))
        return lines + [("note", note) for note in self.notes]

    def __repr__(self) -> str:
        text = f"{SYMBOLS[self.status]} {self.name}: {self.summary}"
        for label, value in self._lines():
            text += f"\n    {label:<9} " + value.replace("\n", "\n" + " " * 14)
        return text

    def _repr_html_(self) -> str:
        parts = [
            f"<div><b>{SYMBOLS[self.status]} {html.escape(self.name)}</b>: {_prose(self.summary)}</div>"
        ]
        for label, value in self._lines():
            shown = _prose(value) if label in ("hint", "note") else _code(value)
            parts.append(
                '<div style="display: flex; margin-top: 0.2em">'
                f'<span style="flex: 0 0 6em; opacity: 0.75">{label}</span><span>{shown}</span></div>'
            )
        return (
            f'<div style="border-left: 4px solid {EDGES[self.status]}; padding: 0.2em 0.8em">' + "".join(parts) + "</div>"
        )


def _code(text: str) -> str:
    return f'<span style="font-family: monospace; white-space: pre-wrap">{html.escape(text)}</span>'


def _prose(text: str) -> str:
    """Escaped text in which `backticks` are shown as code and *stars* as emphasis."""
    parts = re.split(r"`([^`]+)`", text)
    parts[::2] = [re.sub(r"\*(\w[^*]*)\*", r"<em>\1</em>", html.escape(part)) for part in parts[::2]]
    parts[1::2] = [_code(part) for part in parts[1::2]]
    return "".join(parts)


def describe(value: Any) -> str:
    """A value in words that are the same on every run and of bearable length.

    Call it in the thread of the check: a learner's own `__repr__` may hang or raise.
    """
    return _shown(_describe(value, depth=3))


def _describe(value: Any, depth: int) -> str:
    if isinstance(value, words):
        return str(value)
    if value is None:
        return "None"
    if isinstance(value, type):
        return value.__name__
    kind = describe_kind(value)
    if kind:
        return kind
    inner = functools.partial(_describe, depth=depth - 1)
    try:
        if depth and type(value) is list:
            return f"[{', '.join(map(inner, value))}]"
        if depth and type(value) is tuple:
            return f"({', '.join(map(inner, value))}{',' * (len(value) == 1)})"
        if depth and type(value) is dict:
            return "{" + ", ".join(f"{inner(key)}: {inner(item)}" for key, item in value.items()) + "}"
        if depth and type(value) is set and value:
            return "{" + ", ".join(sorted(map(inner, value))) + "}"
        return repr(value)
    except Exception as error:
        return f"a {type(value).__name__} whose repr raises {type(error).__name__}"


def describe_kind(value: Any) -> str | None:
    """"a coroutine", "a socket" and the like, whose own `repr` differs from run to run; None for plain values."""
    tests: tuple[tuple[Callable[[Any], bool], str], ...] = (
        (inspect.iscoroutine, "a coroutine"),
        (inspect.isasyncgen, "an async generator"),
        (inspect.isgenerator, "a generator"),
        (lambda value: isinstance(value, socket.socket), "a socket"),
        (lambda value: isinstance(value, asyncio.Task), "a task"),
        (lambda value: isinstance(value, asyncio.Future), "a future"),
    )
    return next((name for test, name in tests if test(value)), None)


def describe_error(error: BaseException) -> str:
    """An exception as the last line of its traceback, the same on every run."""
    try:
        text = str(error)
    except Exception:
        text = ""
    name = type(error).__name__
    return _shown(f"{name}: {text}" if text else name)


def steady(text: str) -> str:
    """The text without what differs from run to run: memory addresses, ports, numbers of tasks and files."""
    for pattern, plain in _UNSTEADY:
        text = pattern.sub(plain, text)
    return text


_UNSTEADY = [
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"Task <.*> got Future <.*> attached", "a task got a future attached"),
        (r"<(?:Task|Future|_GatheringFuture) .*>", "<a task>"),
        (r"<(coroutine|generator|async_generator) object [^>]*>+", r"<\1>"),
        (r"<socket\.socket [^>]*>", "<a socket>"),
        (r" at 0x[0-9a-fA-F]+", ""),
        (r"(127\.0\.0\.1|localhost|\[::1\]):\d+", r"\1:PORT"),
        (r"('(?:127\.0\.0\.1|localhost|::1)'), \d+", r"\1, PORT"),
        (r"\b(fd=|Task-|Thread-)\d+", r"\1N"),
    )
]


def _shown(text: str) -> str:
    # shortened twice: a text of ten million characters would take a second to search
    return _shorten(steady(_shorten(text, 10 * LONGEST)), LONGEST)


def _shorten(text: str, longest: int) -> str:
    """At most that many characters, the middle left out."""
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} … {text[-half:]}"
