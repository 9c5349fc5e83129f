"""Who was served when: a line for each customer of a server, from its call to its goodbye (notebooks 03 and 08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from ..customers import Visit
from .clock import times
from .style import (
    SERVER,
    SMALL,
    TROUBLE,
    WIDTH,
    WIRE,
    Picture,
    cross,
    drawing,
    figure,
    line,
    page,
    picture,
    spoken,
    text_width,
    title,
    write,
)

PANELS, MOST = 6, 200

_LEFT, _RIGHT = 0.35, 0.35  # inches beside the lines
_HEAD, _NAME, _BETWEEN, _FOOT = 1.15, 0.42, 0.12, 0.55
_ROW, _ROWS = 0.26, 1.9  # inches: one line at most, and all lines of a panel


@drawing
def visits(panels: Mapping[str, Sequence[Visit]], *, heading: str = "Who was served when?") -> Picture:
    """A line for each customer, the first caller above; time runs right, on one scale for all panels.

    Thin and grey while the customer waits for its first word, thick and green from then on until it leaves. A
    vermilion × stands where one left before the end: it gave up, or was cut off.

    `panels`: for each server its name and what `helpers.customers.visits` returned.

        pictures.visits({"one at a time": visits(server.address)})

    ValueError when there is nothing to draw, for more than 6 panels, and for more than 200 customers in one.
    """
    checked = _checked(panels)
    end = max(visit.left for panel in checked.values() for visit in panel) or 1e-3
    rows = {name: min(_ROW, _ROWS / len(panel)) for name, panel in checked.items()}
    heights = {name: rows[name] * len(panel) for name, panel in checked.items()}
    height = _HEAD + sum(heights.values()) + len(checked) * (_NAME + _BETWEEN) + _FOOT
    fig = figure(height=height)
    paper = page(fig)
    title(paper, heading)
    _legend(paper, height - 0.78)
    scale = (WIDTH - _LEFT - _RIGHT) / end
    times(paper, end, scale, left=_LEFT, right=_RIGHT, foot=_FOOT, top=height - _HEAD)
    y = height - _HEAD
    for name, panel in checked.items():
        served = sum(visit.end == "goodbye" for visit in panel)
        count = f"{served} of {len(panel)} served"
        room = WIDTH - _LEFT - _RIGHT - text_width(paper, count, size=SMALL) - 0.3
        write(paper, _LEFT, y - 0.24, name, size=14, bold=True, ha="left", room=room, halo=True)
        write(paper, WIDTH - _RIGHT, y - 0.24, count, size=SMALL, ha="right", halo=True)
        y -= _NAME
        for place, visit in enumerate(panel):
            _draw(paper, y - (place + 0.5) * rows[name], visit, scale, rows[name])
        y -= heights[name] + _BETWEEN
    return picture(
        fig,
        "Time runs to the right. A line for each customer: thin and grey while it waits for its first word, thick and green "
        "from then on until it hangs up, with a cross where one left before the end. "
        f"{'Panels' if len(checked) > 1 else 'Panel'}: {spoken(*checked)}.",
    )


def _checked(panels: object) -> dict[str, list[Visit]]:
    if not isinstance(panels, Mapping) or not 1 <= len(panels) <= PANELS:
        raise ValueError(f"pass 1 to {PANELS} panels, such as {{'one at a time': visits(server.address)}}")
    checked = {str(name): list(panel) for name, panel in panels.items()}
    for name, panel in checked.items():
        if not 1 <= len(panel) <= MOST:
            raise ValueError(f"panel {name!r}: there is room for 1 to {MOST} customers, not {len(panel)}")
    return checked


def _draw(paper: Axes, y: float, visit: Visit, scale: float, row: float) -> None:
    begin, left = _LEFT + visit.called * scale, _LEFT + visit.left * scale
    served = left if visit.served is None else _LEFT + visit.served * scale
    line(paper, (begin, y), (served, y), color=WIRE, width=min(1.6, row * 72 * 0.4))
    if visit.served is not None:
        ends = [served, max(left, served + 0.03)]
        paper.plot(ends, [y, y], color=SERVER, linewidth=row * 72 * 0.78, solid_capstyle="butt", zorder=3)
    if visit.end != "goodbye":
        if row * 72 > 9:
            cross(paper, left, y, size=9)
        else:  # where lines lie close, white rims would cover the crosses beside them
            paper.plot([left], [y], marker="x", markersize=row * 72 * 0.75, markeredgewidth=1.3, color=TROUBLE, zorder=6)


def _legend(paper: Axes, y: float) -> None:
    x = _LEFT
    for words, color, width in (("waits for its first word", WIRE, 1.6), ("is being served", SERVER, 9), ("left before the end", None, 0)):
        if color:
            line(paper, (x, y), (x + 0.4, y), color=color, width=width)
        else:
            cross(paper, x + 0.28, y, size=9)
        write(paper, x + 0.52, y, words, size=SMALL, ha="left")
        x += 0.52 + text_width(paper, words, size=SMALL) + 0.4
