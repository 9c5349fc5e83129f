"""What may happen to bytes on their way through a Wire: late, in small pieces, slowly, not at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Pieces sent back to back are one piece to a reader that is not quick enough. This pause between two pieces, in
# seconds, lets a reader that waits see each of them.
GAP = 0.002

# A limited rate is kept in slices of this many seconds: the bytes trickle, they don't come in lumps.
SLICE = 0.02


@dataclass
class Faults:
    """How one wire misbehaves now. While it runs, only its own thread changes these."""

    delay: float = 0
    chop: int | None = None
    rate: float | None = None
    silent: bool = False
    cut_after: int | None = None


class Pace:
    """When the next piece of one direction of one connection may pass, and how large it may be.

    Times are in seconds on the wire's loop clock.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._free_at = 0.0

    def due(self, received: float) -> float:
        """When bytes that were received at this time may pass."""
        return max(received + self._faults.delay, self._free_at)

    def size(self, length: int) -> int:
        """How many of so many bytes may pass in one piece."""
        faults = self._faults
        if faults.chop is not None:
            length = min(length, faults.chop)
        if faults.rate is not None:
            length = min(length, max(1, int(faults.rate * SLICE)))
        if faults.cut_after is not None:
            length = min(length, faults.cut_after)
        return length

    def passed(self, now: float, length: int) -> None:
        """Take note of a piece that has just passed: the next one may have to wait for it."""
        faults = self._faults
        if faults.rate is not None:
            # A timer that fires a little late is made up for, by one slice at most.
            self._free_at = max(self._free_at, now - SLICE) + length / faults.rate
        if faults.chop is not None:
            self._free_at = max(self._free_at, now + GAP)
        if faults.cut_after is not None:
            faults.cut_after -= length

    def forget(self) -> None:
        """The settings have changed: what passed before holds nothing back any more."""
        self._free_at = 0.0


def checked_delay(seconds: object) -> float:
    """A latency as given by the user, in seconds; ValueError if it can't be one."""
    if not _is_number(seconds) or seconds < 0:
        raise ValueError(f"delay is a number of seconds, 0 or more, for example 0.2; not {seconds!r}")
    return seconds


def checked_chop(size: object) -> int | None:
    """A largest size of a piece, in bytes, or None for whole chunks; ValueError if it is neither."""
    if size is not None and (not _is_whole(size) or size < 1):
        raise ValueError(f"chop is the largest size of a piece in bytes, 1 or more, or None for no chopping; not {size!r}")
    return size


def checked_rate(rate: object) -> float | None:
    """A limit in bytes per second, or None for no limit; ValueError if it is neither."""
    if rate is not None and (not _is_number(rate) or rate <= 0):
        raise ValueError(f"rate is a number of bytes per second above 0, or None for no limit; not {rate!r}")
    return rate


def checked_cut(after: object) -> int:
    """A number of bytes after which to cut; ValueError if it can't be one."""
    if not _is_whole(after) or after < 0:
        raise ValueError(f"after is a number of bytes, 0 (cut now) or more; not {after!r}")
    return after


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
