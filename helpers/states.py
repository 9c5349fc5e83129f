"""The four states of a connection, as both of its ends took them, from the log that the library itself writes."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Change", "StateLog"]

Side = Literal["client", "server"]

_STATE = re.compile(r"= connection is (\w+)")
_CLOSE = re.compile(r"([<>]) CLOSE (\d+)?")


@dataclass(frozen=True)
class Change:
    """One change of state at one end.

    ``before`` is "" for the first state of a connection. ``why`` is what that end had done or seen: "sent close 1000",
    "received close 1000", "line ended" and the like. ``code`` is the close code that the end sent or received first, None
    as long as there is none.

    The states: https://websockets.readthedocs.io/en/stable/reference/sansio/common.html and RFC 6455, sections 4 and 7.1.
    """

    side: Side
    before: str
    after: str
    why: str
    code: int | None = None


class StateLog:
    """Collects the changes of state at both ends of one connection.

    Give ``log.client`` to ``connect(logger=...)`` and ``log.server`` to the server's ``logger=...``. Both are loggers that
    stand alone: nothing is printed. The library writes into them at the level DEBUG, in whichever thread its end runs.
    """

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self.client = _logger(self._changes, "client")
        self.server = _logger(self._changes, "server")

    @property
    def changes(self) -> list[Change]:
        """What changed so far, at each end in its order: a copy."""
        return self._changes.copy()

    def ended(self, side: Side) -> bool:
        """Whether the last connection at this end is CLOSED; False when there was none yet."""
        own = [change.after for change in self.changes if change.side == side]
        return own[-1:] == ["CLOSED"]


def _logger(changes: list[Change], side: Side) -> logging.Logger:
    logger = logging.Logger(f"states of the {side}", logging.DEBUG)
    logger.addHandler(_Reader(changes, side))
    return logger


class _Reader(logging.Handler):
    """Turns the lines of one end's log into changes."""

    def __init__(self, changes: list[Change], side: Side) -> None:
        super().__init__()
        self._changes = changes
        self._side: Side = side
        self._state = ""
        self._first_close = ""  # "sent close 1000", whichever came first
        self._code: int | None = None

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if close := _CLOSE.match(line):
            if not self._first_close:
                self._code = int(close[2] or 1005)
                self._first_close = f"{'sent' if close[1] == '>' else 'received'} close {self._code}"
        elif state := _STATE.match(line):
            if state[1] == "CONNECTING":  # another connection
                self._state, self._first_close, self._code = "", "", None
            self._changes.append(Change(self._side, self._state, state[1], self._why(state[1]), self._code))
            self._state = state[1]

    def _why(self, state: str) -> str:
        match state:
            case "CONNECTING":
                return "calls" if self._side == "client" else "is called"
            case "OPEN":
                return "received 101" if self._side == "client" else "sent 101"
            case "CLOSING":
                return self._first_close
        return "line ended"
