"""Finds the line of the learner's own in which an answer waits, or raised."""

from __future__ import annotations

import dis
import linecache
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

LOOKS, PAUSE, TIMES = 10, 0.01, 3
"""An answer is looked at ten times in a tenth of a second, up to three times."""
QUIET = 2
"""Times that it must be found doing nothing: once could be because a busy machine didn't let it."""
WATCHED = LOOKS * PAUSE * TIMES
"""Seconds that it takes at most."""
BUSY = 0.04
"""Share of that time which a waiting program never computes; one that spins does, even beside many busy programs."""

SPINS = "it goes round and round"


def doing(threads: Iterable[threading.Thread], coroutines: Iterable[Any], files: set[str]) -> str:
    """What an answer is doing, in words: "it waits in `...`", "it goes round and round", or "" when unknown.

    threads: those of the check. coroutines: the answer's that have not ended. files: where the learner's code is from.
    """
    quiet: list[_Spot | None] = []
    for _ in range(TIMES):
        began, computed, seen, held_up = time.monotonic(), _computed_by_others(), set(), 0
        for _ in range(LOOKS):
            spot, thread = _running(threads, files)
            seen.add(spot)
            held_up += wants_to_run(thread)
            time.sleep(PAUSE)
        busy = _computed_by_others() - computed > BUSY * (time.monotonic() - began) or 2 * held_up > LOOKS
        if len(seen) == 1 and not busy and not any(spot and spot.jumps for spot in seen):
            quiet.extend(seen)
        if len(quiet) == QUIET:
            break
    else:
        return SPINS
    spot = quiet[-1] or next((spot for spot in (_awaiting(coroutine, files) for coroutine in coroutines) if spot), None)
    text = _text(spot.file, spot.line) if spot else ""
    return f"it waits in `{text}`" if text else ""


def _computed_by_others() -> float:
    """Seconds that the other threads of this process have computed."""
    return time.process_time() - time.thread_time()


@dataclass(frozen=True)
class _Spot:
    """Where a frame is: file, line, and the instruction in its code."""

    file: str
    line: int
    instruction: int
    jumps: bool
    """Whether it jumps just now: no call that could wait does."""

    @classmethod
    def of(cls, frame: FrameType) -> _Spot:
        code = frame.f_code
        name = dis.opname[code.co_code[frame.f_lasti]] if frame.f_lasti >= 0 else ""
        return cls(code.co_filename, frame.f_lineno or 0, frame.f_lasti, "JUMP" in name)


def _running(threads: Iterable[threading.Thread], files: set[str]) -> tuple[_Spot | None, threading.Thread | None]:
    """The learner's innermost frame that runs in one of the threads, and that thread."""
    frames = sys._current_frames()
    for thread in threads:
        frame: FrameType | None = frames.get(thread.ident or 0)
        while frame is not None:
            if frame.f_code.co_filename in files:
                return _Spot.of(frame), thread
            frame = frame.f_back
    return None, None


def wants_to_run(thread: threading.Thread | None) -> bool:
    """Whether a thread computes, or would if the machine let it. Known on Linux only; elsewhere the answer is False.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the letter behind the name is the state.
    """
    try:
        state = Path(f"/proc/self/task/{thread.native_id if thread else None}/stat").read_bytes().rpartition(b") ")[2][:1]
    except OSError:  # another system, or the thread has just ended
        return False
    return state == b"R"


def _awaiting(coroutine: Any, files: set[str]) -> _Spot | None:
    """The learner's innermost coroutine in a chain of awaits."""
    found = None
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None and frame.f_code.co_filename in files:
            found = _Spot.of(frame)
        coroutine = getattr(coroutine, "cr_await", None)
    return found


def raised(error: BaseException, files: set[str]) -> str:
    """The learner's line that an exception came through last, or ""."""
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            found = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return _text(*found) if found else ""


def _text(file: str, line: int) -> str:
    return linecache.getline(file, line).split(" #")[0].strip()
