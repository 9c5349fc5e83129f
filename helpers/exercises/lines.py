"""Finds the line of the learner's own in which an answer waits, or raised."""

from __future__ import annotations

import linecache
import sys
import threading
import time
from collections.abc import Iterable
from types import FrameType
from typing import Any

WATCHED = 0.1
"""Seconds for which an answer is watched."""
BUSY = 0.15
"""Share of that time which a waiting program never computes; one that spins does, even beside other busy programs."""

SPINS = "it goes round and round"


def waits(threads: Iterable[threading.Thread], coroutines: Iterable[Any], files: set[str]) -> str:
    """What a stuck answer is doing, in words: "it waits in `...`", "it goes round and round", or "" when unknown.

    threads: those of the check. coroutines: the answer's that have not ended. files: where the learner's code is from.
    """
    began, computed = time.monotonic(), time.process_time()
    seen = []
    while time.monotonic() - began < WATCHED:
        seen.append(_line(threads, files))
        time.sleep(WATCHED / 10)
    if time.process_time() - computed > BUSY * WATCHED:
        return SPINS
    found = seen[0]
    if found is None:
        found = next((line for line in (_awaiting(coroutine, files) for coroutine in coroutines) if line), None)
    elif any(other != found for other in seen):
        return ""  # it is on its way somewhere
    if found is None:
        return ""
    text = _text(found)
    return f"it waits in `{text}`" if text else ""


def raised(error: BaseException, files: set[str]) -> str:
    """The learner's line that an exception came through last, or ""."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return _text(found) if found else ""


def _text(place: tuple[str, int]) -> str:
    return linecache.getline(*place).split(" #")[0].strip()


def _line(threads: Iterable[threading.Thread], files: set[str]) -> tuple[str, int] | None:
    """File and line of the learner's innermost frame that runs in one of the threads."""
    frames = sys._current_frames()
    for thread in threads:
        frame: FrameType | None = frames.get(thread.ident or 0)
        while frame is not None:
            if frame.f_code.co_filename in files:
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
    return None


def _awaiting(coroutine: Any, files: set[str]) -> tuple[str, int] | None:
    """File and line of the learner's innermost coroutine in a chain of awaits."""
    found = None
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_code.co_filename in files:
            found = frame.f_code.co_filename, frame.f_lineno
        coroutine = getattr(coroutine, "cr_await", None)
    return found
