"""Both ends of one connection, and what waits between them: sent, and not yet received (notebook 01)."""

from __future__ import annotations

import socket
import time

from matplotlib.axes import Axes

from .style import (
    CLIENT,
    SERVER,
    WIRE,
    Picture,
    arrow,
    band,
    block,
    cross,
    drawing,
    figure,
    page,
    picture,
    shown,
    title,
    write,
)

_ENDS = (0.25, 7.25)  # inches: where the caller's and the answerer's boxes begin
_END, _TANK, _LANE = 1.5, 3.0, 0.62
_MOST = 65536  # bytes to look at: more than anybody can read in a box


@drawing
def phone_line(caller: socket.socket, answerer: socket.socket) -> Picture:
    """The two ends of one line, and for each direction the bytes that the operating system is keeping for the listener.

    It looks at the bytes (`MSG_PEEK`) and takes none: a `recv` afterwards gets them all. A direction whose speaker
    will say no more, with nothing left to read, is marked with a ×. It waits a twentieth of a second before it looks,
    for bytes that are still on their way; both sockets keep their timeouts.

    ValueError when one of the two is no open, connected socket of this program.
    """
    for name, end in (("caller", caller), ("answerer", answerer)):
        if not isinstance(end, socket.socket) or end.fileno() < 0:
            raise ValueError(f"{name}: pass an open socket, such as the one that create_connection or accept returned")
    time.sleep(0.05)
    for_answerer, for_caller = _waiting("answerer", answerer), _waiting("caller", caller)

    height = 3.35
    fig = figure(height=height)
    paper = page(fig)
    title(paper, "Said, and not yet heard")
    middle = (_ENDS[0] + _END + _ENDS[1]) / 2
    left = middle - _TANK / 2
    band(paper, left - 0.25, 0.2, _TANK + 0.5, height - 0.85)
    write(paper, middle, height - 0.9, "operating system", color=WIRE, bold=True)
    block(paper, _ENDS[0], 0.4, _END, 1.85, "caller", color=CLIENT)
    block(paper, _ENDS[1], 0.4, _END, 1.85, "answerer", color=SERVER)
    _lane(paper, 1.5, left, for_answerer, CLIENT, rightwards=True)
    _lane(paper, 0.55, left, for_caller, SERVER, rightwards=False)
    return picture(fig, _alt(for_answerer, for_caller))


def _waiting(name: str, end: socket.socket) -> bytes | None:
    """What this end could read now, without taking it; None when the other side will say no more."""
    limit = end.gettimeout()
    end.settimeout(0)
    try:
        return end.recv(_MOST, socket.MSG_PEEK) or None
    except BlockingIOError:
        return b""
    except OSError as error:
        raise ValueError(f"{name}: pass a socket that is connected ({error.strerror})") from error
    finally:
        end.settimeout(limit)


def _lane(paper: Axes, y: float, left: float, waiting: bytes | None, color: str, *, rightwards: bool) -> None:
    words = "the end" if waiting is None else shown(waiting) or "nothing"
    block(paper, left, y, _TANK, _LANE, words, color=color if waiting else WIRE, filled=bool(waiting), dashed=not waiting,
          mono=bool(waiting), bold=bool(waiting), size=14)  # fmt: skip
    middle, right = y + _LANE / 2, left + _TANK
    outer_left, outer_right = _ENDS[0] + _END + 0.06, _ENDS[1] - 0.06
    spans = [(outer_left, left - 0.06), (right + 0.06, outer_right)]
    if not rightwards:
        spans = [(end, start) for start, end in reversed(spans)]
    for (start, end), verb in zip(spans, ("send", "recv"), strict=True):
        arrow(paper, (start, middle), (end, middle), color=color)
        beside = (outer_left + left - 0.25) / 2 if min(start, end) < left else (right + 0.25 + outer_right) / 2
        write(paper, beside, middle + 0.2, verb, color=color, bold=True)
    if waiting is None:
        cross(paper, sum(spans[0]) / 2, middle)


def _alt(for_answerer: bytes | None, for_caller: bytes | None) -> str:
    def lane(speaker: str, waiting: bytes | None) -> str:
        if waiting is None:
            return f"the {speaker} has said its last word"
        return f"the {speaker}'s words wait" if waiting else f"nothing from the {speaker} waits"

    return (
        "A blue box on the left, the caller, and a green box on the right, the answerer, with the operating system between them. "
        f"In it, {lane('caller', for_answerer)}, and {lane('answerer', for_caller)}."
    )
