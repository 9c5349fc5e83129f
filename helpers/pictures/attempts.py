"""Who tried what, and when: the attempts of a client that falls back, a panel for each start (notebook 23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ..attempts import CONNECTED, Attempt
from .clock import times
from .style import (
    PAPER,
    SERVER,
    SMALL,
    WIDTH,
    WIRE,
    Picture,
    band,
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

PANELS, MOST = 5, 5

_LEFT, _RIGHT = 2.2, 1.75  # inches: the names; what became of the last attempt
_HEAD, _NAME, _BETWEEN, _FOOT = 1.1, 0.4, 0.14, 0.55
_ROW, _BAR = 0.36, 0.2


@drawing
def attempts(panels: Mapping[str, Sequence[Attempt]], *, heading: str = "Who tried what, and when?") -> Picture:
    """A row for each attempt, in its order; time runs right, on one scale for all panels.

    Hatched while it waits for an answer; a vermilion × where it failed, and why; green, to the end, where it connected.

    `panels`: for each start its name and the attempts, such as `helpers.attempts.Attempts` notes them.

        pictures.attempts({"all is well": tries.made})

    ValueError when there is nothing to draw, for more than 5 panels, and for more than 5 attempts in one.
    """
    checked = _checked(panels)
    end = max(attempt.ended for panel in checked.values() for attempt in panel) or 1e-3
    rows = sum(map(len, checked.values()))
    height = _HEAD + rows * _ROW + len(checked) * (_NAME + _BETWEEN) + _FOOT
    fig = figure(height=height)
    paper = page(fig)
    title(paper, heading)
    _legend(paper, height - 0.75)
    scale = (WIDTH - _LEFT - _RIGHT) / end
    times(paper, end, scale, left=_LEFT, right=0.6, foot=_FOOT, top=height - _HEAD - _NAME)
    y = height - _HEAD
    for name, panel in checked.items():
        band(paper, 0, y - _NAME, WIDTH, _NAME, color=PAPER).set_zorder(0.6)  # no line of the time runs through the name
        write(paper, 0.2, y - 0.22, name, size=14, bold=True, ha="left", room=WIDTH - 0.4)
        y -= _NAME
        for attempt in panel:
            _row(paper, y - _ROW / 2, attempt, scale)
            y -= _ROW
        y -= _BETWEEN
    return picture(
        fig,
        "Time runs to the right. A row for each attempt to connect: hatched while it waits, with a cross and the reason where it "
        f"failed, green where it connected. {'Panels' if len(checked) > 1 else 'Panel'}: {_said(checked)}.",
        colors=32,
    )


def _checked(panels: object) -> dict[str, list[Attempt]]:
    if not isinstance(panels, Mapping) or not 1 <= len(panels) <= PANELS:
        raise ValueError(f"pass 1 to {PANELS} panels, such as {{'all is well': tries.made}}")
    checked = {str(name): list(panel) for name, panel in panels.items()}
    for name, panel in checked.items():
        if not 1 <= len(panel) <= MOST:
            raise ValueError(f"panel {name!r}: there is room for 1 to {MOST} attempts, not {len(panel)}")
    return checked


def _said(panels: Mapping[str, Sequence[Attempt]]) -> str:
    parts = [spoken(name) + " (" + spoken(*(f"{attempt.name} {attempt.end}" for attempt in panel)) + ")"
             for name, panel in list(panels.items())[:4]]
    return "; ".join(parts)[:480] + ("; and more" if len(panels) > 4 else "")


def _row(paper: Axes, y: float, attempt: Attempt, scale: float) -> None:
    begin, end = _LEFT + attempt.began * scale, _LEFT + attempt.ended * scale
    write(paper, _LEFT - 0.15, y, attempt.name, ha="right", room=_LEFT - 0.35)
    _waits(paper, begin, y, max(end - begin, 0.03))
    if attempt.end == CONNECTED:
        _connected(paper, end, y, WIDTH - 0.2 - end)
        write(paper, WIDTH - 0.3, y, attempt.end, size=SMALL, color=PAPER, bold=True, ha="right")
    else:
        cross(paper, end, y, size=9)
        write(paper, end + 0.15, y, attempt.end, size=SMALL, ha="left", room=WIDTH - end - 0.25, halo=True)


def _waits(paper: Axes, x: float, y: float, width: float) -> None:
    paper.add_patch(Rectangle((x, y - _BAR / 2), width, _BAR, facecolor=PAPER, edgecolor=WIRE, hatch="////", linewidth=1.2, zorder=2))


def _connected(paper: Axes, x: float, y: float, width: float) -> None:
    paper.add_patch(Rectangle((x, y - _BAR / 2 - 0.03), width, _BAR + 0.06, facecolor=SERVER, edgecolor="none", zorder=3))


def _legend(paper: Axes, y: float) -> None:
    x = 0.2
    for words in ("waits for an answer", "failed", "connected"):
        match words:
            case "failed":
                cross(paper, x + 0.28, y, size=9)
            case "connected":
                _connected(paper, x, y, 0.42)
            case _:
                _waits(paper, x, y, 0.42)
        write(paper, x + 0.52, y, words, size=SMALL, ha="left")
        x += 0.52 + text_width(paper, words, size=SMALL) + 0.4
