"""Cells that were queued to a kernel all at once: which ran, which failed, which are gone (notebook 07)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from .style import (
    INK,
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
    page,
    picture,
    spoken,
    text_width,
    title,
    write,
)

_LEFT, _RIGHT = 1.95, 1.35  # inches beside the cells: the names of the rows, the counts
_ROW, _CELL, _GAP = 0.85, 0.5, 0.12
_MOST, _ROWS = 12, 6
_STATES = {"ran": "ran", "failed": "ran into an error", "lost": "gone: no run, no error"}


@drawing
def queues(rows: Mapping[str, Sequence[str]], *, heading: str = "Run All: which cells ran?") -> Picture:
    """A row for each queue, a numbered box for each cell, first come first: filled: it ran; striped: it failed; an outline
    with a vermilion ×: the kernel took it, and it neither ran nor failed. At the right edge stands how many ran.

    `rows`: the name of each queue, and for each of its cells "ran", "failed" or "lost".

        pictures.queues({"by hand": ["ran", "ran", "failed"], "nested": ["ran", "lost", "lost"]})

    ValueError when there is nothing to draw, for another word, for more than 12 cells in a row and for more than 6 rows.
    """
    checked = _checked(rows)
    fig = figure(height=1.35 + len(checked) * _ROW + 0.3)
    paper = page(fig)
    height = fig.get_size_inches()[1]
    title(paper, heading)
    _legend(paper, height - 0.78)

    longest = max(map(len, checked.values()))
    step = min(_CELL + _GAP, (WIDTH - _LEFT - _RIGHT) / longest)
    y = height - 1.35 - _ROW / 2
    for name, states in checked.items():
        write(paper, _LEFT - 0.2, y, name, bold=True, ha="right", room=_LEFT - 0.3)
        for place, state in enumerate(states):
            _box(paper, _LEFT + place * step, y, step - _GAP, _CELL, state, str(place + 1))
        ran = states.count("ran")
        write(paper, WIDTH - 0.15, y, f"{ran} of {len(states)}", size=14, bold=True, ha="right", room=_RIGHT - 0.2)
        y -= _ROW
    write(paper, _LEFT, 0.28, "first in the queue", size=SMALL, color=WIRE, ha="left")
    arrow(paper, (_LEFT + 1.75, 0.28), (_LEFT + 2.5, 0.28), color=WIRE)
    return picture(
        fig,
        f"Rows of numbered boxes, the cells in their queue, for {spoken(*checked)}. A filled box is a cell that ran, a "
        "striped one ran into an error, an outlined one with a cross is gone: it neither ran nor failed. Behind each row "
        "stands how many ran.",
    )


def _checked(rows: object) -> dict[str, list[str]]:
    if not isinstance(rows, Mapping) or not rows or not all(rows.values()):
        raise ValueError("pass at least one row with at least one cell in it, such as {'nested': ['ran', 'lost']}")
    if len(rows) > _ROWS:
        raise ValueError(f"there is room for {_ROWS} rows, not {len(rows)}")
    checked = {str(name): list(states) for name, states in rows.items()}
    for name, states in checked.items():
        if unknown := [state for state in states if state not in _STATES]:
            raise ValueError(f"{name}: a cell is {', '.join(map(repr, _STATES))}, not {unknown[0]!r}")
        if len(states) > _MOST:
            raise ValueError(f"{name}: there is room for {_MOST} cells, not {len(states)}")
    return checked


def _box(paper: Axes, x: float, y: float, width: float, height: float, state: str, number: str) -> None:
    look = {"filled": state == "ran", "hatch": "////" if state == "failed" else None}
    color = TROUBLE if state == "lost" else INK
    block(paper, x, y - height / 2, width, height, number if state == "ran" else "", color=color, **look)
    if state == "failed":
        write(paper, x + width / 2, y, number, bold=True, halo=True)
    elif state == "lost":
        cross(paper, x + width / 2, y)


def _legend(paper: Axes, y: float) -> None:
    x = 0.2
    for state, words in _STATES.items():
        _box(paper, x, y, 0.42, 0.32, state, "")
        write(paper, x + 0.54, y, words, size=SMALL, ha="left")
        x += 0.54 + text_width(paper, words, size=SMALL) + 0.4
