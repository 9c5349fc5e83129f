"""A few numbers of one kind, as bars from the same line (notebook 18)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from .style import INK, SERVER, SMALL, WIRE, Picture, block, drawing, figure, line, page, picture, spoken, title, write

ROWS = 8

_LEFT, _RIGHT = 2.3, 1.2  # inches beside the bars: their names, and the number of the longest
_ROW, _STEP, _TOP, _BOTTOM = 0.42, 0.62, 0.75, 0.2


@drawing
def bars(heading: str, values: Mapping[str, float]) -> Picture:
    """A bar for each value, with its name on the left and the number behind it, a small one to two digits.

    The first bar is what the others are compared with: it is grey, and a dotted line falls from its end.

        pictures.bars("Messages a second, websockets = 1", {"websockets": 1, "ours": 1.4})

    ValueError for no or more than 8 values, and for one that is not above 0.
    """
    if not isinstance(values, Mapping) or not 1 <= len(values) <= ROWS:
        raise ValueError(f"pass 1 to {ROWS} values, such as {{'one way': 1, 'another': 2.5}}")
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name!r}: a bar needs a number above 0, not {value!r}")
    fig = figure(height=_TOP + _STEP * len(values) + _BOTTOM)
    paper = page(fig)
    width, height = fig.get_size_inches()
    title(paper, heading)
    scale = (width - _LEFT - _RIGHT) / max(values.values())
    y = height - _TOP - _ROW
    for number, (name, value) in enumerate(values.items()):
        long = max(0.03, value * scale)
        write(paper, _LEFT - 0.15, y + _ROW / 2, str(name), ha="right", room=_LEFT - 0.3)
        block(paper, _LEFT, y, long, _ROW, color=SERVER if number else WIRE, round_by=0)
        write(paper, _LEFT + long + 0.1, y + _ROW / 2, f"{value:,.0f}" if value >= 10 else f"{value:.2g}", size=SMALL + 1, bold=True, ha="left", halo=True)
        y -= _STEP
    first = _LEFT + next(iter(values.values())) * scale
    line(paper, (first, height - _TOP), (first, _BOTTOM), color=INK, style=":", width=1.2, zorder=1)
    return picture(fig, f"{spoken(heading)}: a bar for each of {spoken(*values)}; a dotted line marks the end of the first.")
