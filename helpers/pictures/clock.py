"""An axis of time along the foot of a page: round numbers of milliseconds, or of seconds."""

from __future__ import annotations

from matplotlib.axes import Axes

from .style import FAINT, SMALL, WIDTH, WIRE, line, text_width, write


def times(paper: Axes, end: float, scale: float, *, left: float, right: float, foot: float, top: float) -> None:
    """Numbers under `foot`, with a faint line up to `top` for each, between the margins `left` and `right`, all in inches.

    `end` is the last moment in seconds, the first is 0; `scale` is in inches per second.
    """
    unit, name = (1.0, "s") if end >= 2 else (1e-3, "ms")
    step = 1e-6
    while end / step > 6:
        step *= 10
    step = next(small for small in (step / 5, step / 2, step) if end / small <= 6)
    edge = WIDTH - right + 0.25
    room = edge - text_width(paper, name, size=SMALL) - 0.1
    for number in range(int(end / step * 1.0001) + 1 if end else 1):
        x = left + number * step * scale
        label = f"{number * step / unit:.6g}"
        line(paper, (x, foot - 0.05), (x, top), color=FAINT, width=1, zorder=0.5)
        if x + text_width(paper, label, size=SMALL) / 2 < room or not number:
            write(paper, x, foot - 0.22, label, size=SMALL, color=WIRE)
        else:  # the last one
            name = f"{label} {name}"
    write(paper, edge, foot - 0.22, name, size=SMALL, color=WIRE, ha="right")
