"""Coroutines taking turns, step by step: who holds the marker, who is paused (notebooks 04 and 05)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from .style import (
    FAINT,
    INK,
    SMALL,
    WIDTH,
    WIRE,
    Picture,
    arrow,
    band,
    block,
    cross,
    drawing,
    figure,
    fit,
    line,
    page,
    pause,
    picture,
    shown,
    spoken,
    text_width,
    title,
    write,
)

_LEFT, _RIGHT = 1.35, 0.2
_LANE, _LOOP, _TRAY = 0.62, 0.42, 0.34
_BACK = (0, (3, 1.5))  # dashes
_TRAYS = ("ready", "asleep", "listening")

Step = tuple[str, object]


@drawing
def turns(
    steps: Sequence[Step],
    trays: Sequence[Mapping[str, Sequence[str]]] | None = None,
    *,
    heading: str = "One step at a time: who runs?",
) -> Picture:
    """A column for each step of a loop, a lane for each coroutine: filled: it runs; hollow with two bars: it is paused.

    `steps`: one (name, request) for each `send(None)`, in order. The request is what came back: anything, None when
    it asked for nothing, the StopIteration when it returned, or another exception that it raised.
    `trays`: as many entries as steps, what lay in the loop's trays after each: a dict of "ready", "asleep" and
    "listening" with lists of names. Every third is drawn.

        pictures.turns([("A", None), ("B", None), ("A", StopIteration()), ("B", StopIteration())])
        pictures.turns(steps=[("A", "sleep 0.1")], trays=[{"ready": ["B"], "asleep": ["A"]}])

    ValueError when there is no step, more than 30 steps, more than 8 coroutines, or a tray of another name.
    """
    checked = _checked(steps, trays)
    names = list(dict.fromkeys(name for name, _ in checked))
    tall = len(_TRAYS) * _TRAY + 0.25 if trays else 0.0
    height = 1.25 + len(names) * _LANE + 0.5 + _LOOP + 0.4 + tall
    fig = figure(height=height)
    paper = page(fig)
    title(paper, heading)
    _legend(paper, height - 0.8)

    column = min(1.25, (WIDTH - _LEFT - _RIGHT) / len(checked))
    loop = tall + 0.42
    lanes = {
        name: loop + _LOOP + 0.5 + (len(names) - 1 - place) * _LANE + _LANE / 2 for place, name in enumerate(names)
    }
    for name, y in lanes.items():
        write(paper, _LEFT - 0.15, y, name, bold=True, ha="right", room=_LEFT - 0.25)
    write(paper, _LEFT - 0.15, loop + _LOOP / 2, "loop", bold=True, color=WIRE, ha="right")
    band(paper, _LEFT, loop, column * len(checked), _LOOP, color=FAINT)
    write(paper, _LEFT - 0.15, loop - 0.2, "step", size=SMALL, color=WIRE, ha="right")

    first = {name: place for place, (name, _) in reversed(list(enumerate(checked)))}
    last = {name: place for place, (name, request) in enumerate(checked) if isinstance(request, BaseException)}
    for place, (name, request) in enumerate(checked):
        x = _LEFT + place * column
        if column > 0.3 or place % 3 == 0:
            write(paper, x + column / 2, loop - 0.2, str(place + 1), size=SMALL, color=WIRE)
        for other, y in lanes.items():
            if other != name and first[other] < place < last.get(other, len(checked)):
                _paused(paper, x, y, column)
        _step(paper, x, lanes[name], column, loop + _LOOP, name, request)
        words = fit(paper, _words(request), column - 0.06, size=SMALL)
        if len(words) > 3 or words == _words(request):
            write(paper, x + column / 2, loop + _LOOP / 2, words, size=SMALL)
    if trays:
        _draw_trays(paper, trays, column, tall)
    return picture(
        fig,
        f"Steps from left to right, a lane for each of {spoken(*names)}, the loop below them. In each column one block "
        "is filled: that coroutine runs; the others are hollow with two bars: paused. An arrow up is send(None), an "
        "arrow down what came back."
        + (
            " Under every third step stand three trays with the names of those who are ready, asleep and listening."
            if trays
            else ""
        ),
    )


def _checked(steps: object, trays: object) -> list[Step]:
    if isinstance(steps, (str, bytes)) or not isinstance(steps, Sequence) or not steps:
        raise ValueError(
            "steps: pass a list with one (name, request) for each send(None), such as [('A', None), ('B', 'read')]"
        )
    for step in steps:
        if not isinstance(step, (tuple, list)) or len(step) != 2:
            raise ValueError(f"steps: each is a pair (name, request), not {step!r:.60}")
    if len(steps) > 30:
        raise ValueError(f"steps: {len(steps)} are too many for one picture, 30 are the most: pass steps[:30]")
    checked = [(str(name), request) for name, request in steps]
    if len({name for name, _ in checked}) > 8:
        raise ValueError("steps: more than 8 coroutines have no room in one picture")
    if trays is not None:
        if not isinstance(trays, Sequence) or len(trays) != len(checked):
            raise ValueError(f"trays: pass one dict for each of the {len(checked)} steps")
        for tray in trays:
            if not isinstance(tray, Mapping) or set(tray) - set(_TRAYS):
                raise ValueError(f"trays: each is a dict with lists of names for {', '.join(_TRAYS)}, not {tray!r:.60}")
    return checked


def _words(request: object) -> str:
    if request is None:
        return ""
    if isinstance(request, StopIteration):
        return "returned"
    if isinstance(request, BaseException):
        return type(request).__name__
    if isinstance(request, (tuple, list)):
        return " ".join(shown(part if isinstance(part, bytes) else str(part)) for part in request)
    return shown(request if isinstance(request, bytes) else str(request))


def _step(paper: Axes, x: float, y: float, column: float, loop: float, name: str, request: object) -> None:
    """The block that runs, and the two arrows between it and the loop."""
    failed = isinstance(request, BaseException) and not isinstance(request, StopIteration)
    width = column * 0.88
    room_for_name = not failed and text_width(paper, name, size=SMALL, bold=True) < width - 0.1
    block(paper, x + column * 0.06, y - 0.2, width, 0.4, name if room_for_name else "", color=INK, size=SMALL)
    head = min(13, 40 * column)
    arrow(paper, (x + column * 0.2, loop), (x + column * 0.2, y - 0.21), head=head)
    arrow(paper, (x + column * 0.8, y - 0.2), (x + column * 0.8, loop + 0.01), head=head, style=_BACK)
    if failed:
        cross(paper, x + column / 2, y)


def _paused(paper: Axes, x: float, y: float, column: float) -> None:
    width = min(column * 0.42, 0.45)
    block(paper, x + (column - width) / 2, y - 0.2, width, 0.4, color=WIRE, filled=False)
    pause(paper, x + column / 2, y, height=min(0.2, width * 0.8), color=WIRE)


def _legend(paper: Axes, y: float) -> None:
    x = 0.2
    for what, words in (("runs", "runs"), ("paused", "paused"), ("up", "send(None)"), ("down", "what came back")):
        if what == "runs":
            block(paper, x, y - 0.15, 0.42, 0.3, color=INK)
        elif what == "paused":
            block(paper, x, y - 0.15, 0.42, 0.3, color=WIRE, filled=False)
            pause(paper, x + 0.21, y, height=0.17, color=WIRE)
        else:
            x -= 0.15
            ends = (x + 0.3, y - 0.17), (x + 0.3, y + 0.17)
            arrow(paper, *(ends if what == "up" else ends[::-1]), head=13, style="-" if what == "up" else _BACK)
        write(paper, x + 0.52, y, words, size=SMALL, ha="left")
        x += 0.52 + text_width(paper, words, size=SMALL) + 0.35


def _draw_trays(paper: Axes, trays: Sequence[Mapping[str, Sequence[str]]], column: float, tall: float) -> None:
    for place, kind in enumerate(_TRAYS):
        y = tall - 0.25 - place * _TRAY
        write(paper, _LEFT - 0.15, y, kind, size=SMALL, ha="right")
        for step in range(2, len(trays), 3):
            right = _LEFT + (step + 1) * column
            x, width = right - 3 * column + 0.06, 3 * column - 0.12
            block(paper, x, y - _TRAY / 2 + 0.03, width, _TRAY - 0.06, color=WIRE, filled=False, round_by=0.02)
            names = ", ".join(str(name) for name in trays[step].get(kind, ()))
            write(paper, x + width / 2, y, names, size=SMALL, room=width - 0.1)
            if place == 0:
                line(
                    paper,
                    (right - column / 2, y + _TRAY / 2 - 0.03),
                    (right - column / 2, y + _TRAY / 2 + 0.05),
                    color=WIRE,
                )
