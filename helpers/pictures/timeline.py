"""Who ran when: a lane for each task, in naps, drawn from what `helpers.lanes` measured (notebooks 06 to 08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from .style import (
    FAINT,
    INK,
    PAPER,
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

_LEFT, _RIGHT = 1.55, 1.35  # inches: the names of the lanes, the totals
_LANE, _BAR = 0.46, 0.3
_NOTABLE = 0.2  # naps: to be let in later than that is no accident of the clock

Spans = Sequence[tuple[str, float, float]]


@drawing
def timeline(panels: Mapping[str, Mapping[str, Spans]], *, heading: str = "Who runs, who waits?") -> Picture:
    """Panels on one scale of naps: solid: runs; hatched: waits; a vermilion × on an outline: ready, but not let in.

    `panels`: what `Lanes.panels` gives: titles, and for each the lanes' names with their spans (kind, start, end),
    the kind being "runs", "waits" or "ready", the times in naps. At the right edge stands how many naps each panel
    took in all.

        pictures.timeline(lanes.panels)
        pictures.timeline({"one nap": {"rice": [("runs", 0, 0.1), ("waits", 0.1, 1.1), ("runs", 1.1, 1.2)]}})

    ValueError when there is nothing to draw, for unknown kinds, for a span that ends before it starts, and for more
    than 24 lanes.
    """
    checked = _checked(panels)
    longest = max(end for lanes in checked.values() for spans in lanes.values() for _, _, end in spans) or 1.0
    lanes = sum(len(lanes) for lanes in checked.values())
    height = 1.15 + lanes * _LANE + len(checked) * 0.62 + 0.5
    fig = figure(height=height)
    paper = page(fig)
    title(paper, heading)
    scale = (WIDTH - _LEFT - _RIGHT) / longest
    _legend(paper, height - 0.78)

    y = height - 1.15
    ticks = _naps(paper, longest, scale)
    for name, spans_of in checked.items():
        write(paper, 0.2, y - 0.22, name, size=14, bold=True, ha="left", room=WIDTH - 0.4)
        y -= 0.45
        for x in ticks:
            line(paper, (x, y - _LANE * len(spans_of)), (x, y), color=FAINT, width=1.2, zorder=0.5)
        for lane, spans in spans_of.items():
            write(paper, _LEFT - 0.15, y - _LANE / 2, lane, ha="right", room=_LEFT - 0.35)
            _lane(paper, y - _LANE / 2, spans, scale)
            y -= _LANE
        total = max(end for spans in spans_of.values() for _, _, end in spans)
        middle = y + _LANE * len(spans_of) / 2
        write(paper, WIDTH - 0.15, middle, f"{total:.1f} naps", size=14, bold=True, ha="right", room=_RIGHT - 0.2)
        y -= 0.17
    tasks = dict.fromkeys(lane for spans_of in checked.values() for lane in spans_of)
    return picture(
        fig,
        "A timeline in naps with a lane for each task, solid where it runs, hatched where it waits, with a cross where "
        f"it is ready but not let in. {'Panels' if len(checked) > 1 else 'Panel'}: {spoken(*checked)}. "
        f"Tasks: {spoken(*tasks)}.",
    )


def _checked(panels: object) -> dict[str, dict[str, list[tuple[str, float, float]]]]:
    if not isinstance(panels, Mapping) or not panels:
        raise ValueError("pass the panels of a Lanes object, lanes.panels, with at least one panel in it")
    checked: dict[str, dict[str, list[tuple[str, float, float]]]] = {}
    for name, lanes in panels.items():
        if not isinstance(lanes, Mapping) or not any(lanes.values()):
            raise ValueError(
                f"panel {name!r}: nothing was recorded; run something watched inside `with lanes.panel(…)`"
            )
        checked[str(name)] = {str(lane): [tuple(span) for span in spans] for lane, spans in lanes.items()}
        for spans in checked[str(name)].values():
            for span in spans:
                if len(span) != 3 or span[0] not in ("runs", "waits", "ready"):
                    raise ValueError(f'a span is ("runs" | "waits" | "ready", start, end), not {span!r}')
                if not 0 <= span[1] <= span[2]:
                    raise ValueError(f"a span starts at 0 or later and ends after its start: {span!r}")
    if sum(map(len, checked.values())) > 24:
        raise ValueError("more than 24 lanes can't be told apart: draw fewer")
    return checked


def _lane(paper: Axes, y: float, spans: Spans, scale: float) -> None:
    drawn: list[tuple[str, float, float]] = []
    for kind, start, end in spans:
        if kind == "ready" and end - start < _NOTABLE:
            if not drawn:
                continue  # a task that has not begun waits for nothing
            kind = "waits"
        if drawn and drawn[-1][0] == kind == "waits":
            start = drawn.pop()[1]
        drawn.append((kind, start, end))
    for kind, start, end in drawn:
        _span(paper, kind, _LEFT + start * scale, y, (end - start) * scale)


def _span(paper: Axes, kind: str, x: float, y: float, width: float) -> None:
    if kind == "runs":
        _bar(paper, x, y, max(width, 0.045), facecolor=INK, edgecolor=INK, zorder=3)
    elif kind == "waits":
        _bar(paper, x, y, width, facecolor=PAPER, edgecolor=WIRE, hatch="////", zorder=2)
    else:
        _bar(paper, x, y, width, facecolor="#FBE9DF", edgecolor=TROUBLE, zorder=2)
        cross(paper, x + width / 2, y)


def _bar(paper: Axes, x: float, y: float, width: float, **look: object) -> None:
    paper.add_patch(Rectangle((x, y - _BAR / 2), width, _BAR, linewidth=1.2, **look))


def _naps(paper: Axes, longest: float, scale: float) -> list[float]:
    """The numbers of the naps along the bottom, as many as have room. Returns where each stands."""
    room = text_width(paper, str(floor(longest)), size=SMALL) + 0.2
    step = next(digit * 10**zeros for zeros in range(300) for digit in (1, 2, 5) if digit * 10**zeros * scale > room)
    naps = range(0, floor(longest + 1e-6) + 1, step)
    for nap in naps:
        write(paper, _LEFT + nap * scale, 0.35, str(nap), size=SMALL, color=WIRE)
    write(paper, _LEFT - 0.25, 0.35, "naps", size=SMALL, color=WIRE, ha="right")
    return [_LEFT + nap * scale for nap in naps]


def _legend(paper: Axes, y: float) -> None:
    x = 0.2
    for kind, words in (("runs", "runs"), ("waits", "waits"), ("ready", "ready, but not let in")):
        _span(paper, kind, x, y, 0.42)
        write(paper, x + 0.52, y, words, size=SMALL, ha="left")
        x += 0.52 + text_width(paper, words, size=SMALL) + 0.4
