"""The states of a connection at both of its ends, and the changes that a run really took (notebook 16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from matplotlib.axes import Axes

from .style import (
    CLIENT,
    INK,
    SERVER,
    SMALL,
    TROUBLE,
    WIDTH,
    WIRE,
    Picture,
    arrow,
    block,
    cross,
    drawing,
    figure,
    line,
    page,
    picture,
    shorten,
    spoken,
    title,
    write,
)

STATES = ("CONNECTING", "OPEN", "CLOSING", "CLOSED")

_COLOR = {"client": CLIENT, "server": SERVER}
_LEFT, _RIGHT = 1.15, 0.2  # inches: room for the name of the end, and at the other edge
_BOX, _HIGH = 1.34, 0.46
_ROW, _JUMP = 1.0, 0.55  # the height of an end, and what an arc below it adds
_UNANNOUNCED = ", no close frame: 1006"  # RFC 6455, section 7.1.5
_ON = {(before, after): place for place, (before, after) in enumerate(zip(STATES, STATES[1:], strict=False))}


class _Change(Protocol):
    """What is used of the changes that `helpers.states.StateLog` collects."""

    side: str
    before: str
    after: str
    why: str
    code: int | None


@drawing
def states(changes: object, *, heading: str = "Four states, and the way through them") -> Picture:
    """The states from left to right, a row for each end: filled: it was there; hollow: it never was.

    `changes`: a `StateLog` or its `.changes`, or a dict of titles and such, drawn below each other. An arrow is a change that was
    taken, with the reason above it. A change that leaves a state out goes round it: from OPEN to CLOSED it has a ×, since no close frame
    came, and the code that both ends write down then.

        pictures.states(log)
        pictures.states({"a goodbye": log, "a cut": other_log})

    ValueError when there is no change, or more than three recordings.
    """
    panels = dict(changes) if isinstance(changes, Mapping) else {"": changes}
    if not 1 <= len(panels) <= 3:
        raise ValueError(f"pass one to three recordings, not {len(panels)}")
    ways = {name: _ways(one) for name, one in panels.items()}

    extra = 0.45 if any(panels) else 0.0
    heights = [
        sum(_ROW + _JUMP * any(change[0:2] not in _ON for change in way) for way in own.values()) + extra for own in ways.values()
    ]
    fig = figure(WIDTH, 0.75 + sum(heights) + 0.15 * (len(heights) - 1))
    paper = page(fig)
    title(paper, heading)
    y = fig.get_size_inches()[1] - 0.7
    for place, (name, own) in enumerate(ways.items()):
        if place:
            line(paper, (0.2, y - 0.05), (WIDTH - 0.2, y - 0.05), color=WIRE, style=":")
            y -= 0.15
        if name:
            write(paper, 0.2, y - 0.2, name, size=14, bold=True, ha="left", room=WIDTH - 0.4)
        y -= extra
        for side, way in own.items():
            _end(paper, side, way, y - _ROW + 0.1)
            y -= _ROW + _JUMP * any(change[0:2] not in _ON for change in way)
    said = "; ".join(f"{shorten(spoken(name), 24)}: {_said(own)}".removeprefix(": ") for name, own in ways.items())
    return picture(
        fig,
        "The four states of a connection from left to right, a row for the client in blue and one for the server in green, "
        f"an arrow for each change: {said}.",
    )


_Way = list[tuple[str, str, str, bool]]  # before, after, why, whether something is wrong with it


def _ways(changes: object) -> dict[str, _Way]:
    """The changes of each end, in its order."""
    entries = getattr(changes, "changes", changes)
    if isinstance(entries, (str, bytes)) or not isinstance(entries, Iterable):
        raise ValueError(f"pass a StateLog, its changes, or a dict of them, not {type(changes).__name__}")
    found: dict[str, _Way] = {"client": [], "server": []}
    for entry in entries:
        if not all(hasattr(entry, name) for name in ("side", "before", "after", "why")) or entry.side not in found:
            raise ValueError(f"a change is one of a StateLog's, not {entry!r:.60}")
        if entry.before:
            trouble = (entry.before, entry.after) == ("OPEN", "CLOSED")
            found[entry.side].append((entry.before, entry.after, entry.why, trouble))
    if not any(found.values()):
        raise ValueError("there is no change of state: give the log's loggers to connect and to the server, and talk first")
    return {side: way for side, way in found.items() if way}


def _end(paper: Axes, side: str, way: _Way, y: float) -> None:
    """One end: its boxes, with their lower edge at `y`, and its arrows."""
    step = (WIDTH - _LEFT - _RIGHT - _BOX) / (len(STATES) - 1)
    left = {state: _LEFT + place * step for place, state in enumerate(STATES)}
    seen = {state for before, after, *_ in way for state in (before, after)}
    taken = {(before, after): (why, trouble) for before, after, why, trouble in way}
    middle = y + _HIGH / 2
    write(paper, 0.2, middle, side, bold=True, color=_COLOR[side], ha="left", size=14)
    for state, x in left.items():
        color = _COLOR[side] if state in seen else WIRE
        block(paper, x, y, _BOX, _HIGH, state, color=color, filled=state in seen, dashed=state not in seen, size=SMALL)
    for before, after in _ON:
        if (before, after) in taken:
            start, end = left[before] + _BOX + 0.05, left[after] - 0.05
            arrow(paper, (start, middle), (end, middle), color=_COLOR[side], width=2.4)
            why = taken[before, after][0]
            write(paper, (start + end) / 2, y + _HIGH + 0.17, why, size=SMALL, color=INK, room=step - 0.1)
    for (before, after), (why, trouble) in taken.items():
        if (before, after) in _ON:
            continue
        color = TROUBLE if trouble else _COLOR[side]
        start, end = left[before] + _BOX / 2, left[after] + _BOX / 2
        below = y - 0.34
        line(paper, (start, y - 0.03), (start, below), color=color, width=2.4)
        line(paper, (start, below), (end, below), color=color, width=2.4)
        arrow(paper, (end, below), (end, y - 0.03), color=color, width=2.4)
        if trouble:
            cross(paper, start + 0.3, below)
        words = why + _UNANNOUNCED * trouble
        write(paper, (start + end) / 2 + 0.15, below + 0.15, words, size=SMALL, room=end - start - 0.7)


def _said(own: Mapping[str, Sequence[tuple[str, str, str, bool]]]) -> str:
    """The way of each end for the alt text."""
    parts = []
    for side, way in own.items():
        steps = [f"{after} ({shorten(spoken(why), 20)}{_UNANNOUNCED * trouble})" for _, after, why, trouble in way]
        parts.append(f"the {side} from {way[0][0]} to " + ", ".join(steps))
    return ", ".join(parts)
