"""What a check can see of an answer, and which hint fits it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any

Hints = Mapping[Any, str] | Iterable[tuple[Any, str]]
"""Keys and texts: the table at the top of `engine.py`."""

NOTHING: Any = object()
"""Where None would be a value."""


class Seen(enum.Enum):
    """What a check can see besides values and exceptions; each may be a key of `hints`."""

    STUCK = "it did not end in time"
    PRINTED = "it printed"
    UNAWAITED = "a coroutine was never awaited"
    SOCKET_LEFT = "a socket was left open"
    TASK_LEFT = "a task was left running"
    THREAD_LEFT = "a thread was left running"
    SERVER_LEFT = "a server of `helpers` was left running"
    INPUT = "it asked for input"
    EXIT = "it asked Python to exit"


MATTERS = {
    Seen.EXIT: ("it asked Python to exit", "The notebook wants to go on after this. Which word ends only the function?"),
    Seen.INPUT: ("it asked for input", "Nobody is at the keyboard while it is checked. Which values come with the call?"),
    Seen.UNAWAITED: (
        "a coroutine that nobody awaited",
        "What came back is right, but one call was only prepared, never made. Where is an `await` missing?",
    ),
    Seen.SOCKET_LEFT: (
        "a socket left open",
        "What came back is right, but a socket is still open. Who closes it, also when a line before fails?",
    ),
}
"""What fails an answer at the end of a case, whatever it returned: in words, and the hint."""


def pairs(hints: Hints) -> list[tuple[Any, str]]:
    """Hints as a list of (key, text)."""
    return list(hints.items()) if isinstance(hints, Mapping) else list(hints)


def fits(key: Any, received: Any, seen: set[Seen]) -> bool:
    """Whether a key of `hints` fits: the table at the top of `engine.py`. `received` may be NOTHING."""
    if isinstance(key, Seen):
        return key in seen or (key is Seen.STUCK and isinstance(received, TimeoutError))
    if isinstance(key, tuple) and key and all(isinstance(k, (type, Seen)) for k in key):
        return any(fits(k, received, seen) for k in key)
    if isinstance(key, type):
        return isinstance(received, key)
    if received is NOTHING or isinstance(received, BaseException):
        return False
    if callable(key):
        try:
            return bool(key(received))
        except Exception:  # the test was written for another type: it does not fit
            return False
    return type(key) is type(received) and bool(key == received)
