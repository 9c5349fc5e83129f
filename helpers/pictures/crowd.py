"""Many clients at once: a line for each, from its call to its goodbye, and how many were connected (notebook 10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from matplotlib.axes import Axes

from .clock import times
from .messages import Message, messages
from .style import (
    CLIENT,
    FAINT,
    INK,
    PAPER,
    SERVER,
    SMALL,
    WIDTH,
    WIRE,
    Picture,
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

_LEFT, _RIGHT = 1.15, 0.35  # inches beside the lines
_HEAD = 1.2  # inches for the title and what the signs mean
_NAMED, _OTHERS = 0.4, 3.2  # inches for a client with a name, and for all the others
_COUNT = 1.0  # inches for how many there were
_FOOT = 0.6
_MOST = 1_000

Life = tuple[float, float, float | None]
"""When it called, when it was gone, and when its first answer came, in seconds since the picture's left edge."""


@drawing
def crowd(
    recording: object, *, names: Mapping[int, str] | None = None, heading: str = "Who is connected, and when?"
) -> Picture:
    """A blue line for each client while it is connected, a green dot where its first answer came; time runs right.

    `recording`: as for `rally`, with up to 1,000 connections. `names`: up to four numbers of connections, which get
    a thick line with a name, above the others; the picture begins shortly before the first of those. Below, a step line counts who is connected.

        pictures.crowd(wire)
        pictures.crowd(wire, names={1: "the silent one"})

    ValueError when there is no message, for more connections, and for the name of a connection that isn't there.
    """
    found: dict[int, list[Message]] = {}
    for message in messages(recording):
        found.setdefault(message.connection, []).append(message)
    names = dict(names or {})
    if not found:
        raise ValueError("there is no message in this recording: talk through the wire first, and don't clear it")
    if len(found) > _MOST:
        raise ValueError(f"there is room for {_MOST:,} clients, the recording has {len(found):,}")
    if unknown := sorted(set(names) - set(found)):
        raise ValueError(f"names: there is no connection {unknown[0]} in this recording")
    if len(names) > 4:
        raise ValueError(f"names: there is room for four, not {len(names)}")

    start = min(one[0].sent for number, one in found.items() if number not in names or len(names) == len(found))
    end = max(_moment(message) for one in found.values() for message in one)
    start -= (end - start) * 0.06  # those with a name may have been there long before
    end -= start
    lives = {number: _life(one, start, end) for number, one in found.items()}
    others = sorted(life for number, life in lives.items() if number not in names)

    row = min(_NAMED, _OTHERS / max(1, len(others)))
    height = _HEAD + _NAMED * len(names) + row * len(others) + 0.35 + _COUNT + _FOOT
    fig = figure(height=height)
    paper = page(fig)
    title(paper, heading)
    _legend(paper, height - 0.8)
    scale = (WIDTH - _LEFT - _RIGHT) / (end or 1.0)
    times(paper, end, scale, left=_LEFT, right=_RIGHT, foot=_FOOT, top=height - _HEAD)

    y = height - _HEAD
    for number, name in names.items():
        _draw(paper, y - _NAMED / 2, lives[number], scale, 0.28)
        _name(paper, y - _NAMED / 2, lives[number], scale, str(name))
        y -= _NAMED
    for place, life in enumerate(others):
        _draw(paper, y - (place + 0.5) * row, life, scale, row * 0.6)
    if len(others) > 2:
        write(paper, _LEFT - 0.15, y - row * len(others) / 2, "a line for\neach client", size=SMALL, ha="right")
    _count(paper, sorted(lives.values()), scale)
    return picture(
        fig,
        "Time runs to the right. A blue line for each client, from its call to its goodbye, with a green dot where its "
        f"first answer came{f'; thick and with a name: {spoken(*names.values())}' if names else ''}. Below, a step line "
        "counts how many are connected at once.",
    )


def _moment(message: Message) -> float:
    return message.sent if message.received is None else message.received


def _life(own: Sequence[Message], start: float, end: float) -> Life:
    answers = [_moment(m) for m in own if m.sender == "server" and m.kind in ("text", "binary", "bytes")]
    closed = any(m.kind == "close" for m in own)
    last = max(map(_moment, own)) - start if closed else end
    return max(0.0, own[0].sent - start), max(0.0, last), min(answers) - start if answers else None


def _draw(paper: Axes, y: float, life: Life, scale: float, thick: float) -> None:
    begin, close, answer = life
    ends = [_LEFT + begin * scale, _LEFT + max(close * scale, begin * scale + 0.02)]
    paper.plot(ends, [y, y], color=CLIENT, linewidth=thick * 72, solid_capstyle="butt", zorder=2)
    if answer is not None and answer >= 0:
        size = min(9.0, max(3.0, thick * 72))
        rim = 0.4 if thick * 72 > 1.5 else 0.0  # where lines lie close, rims would cover the dots beside them
        dot = {"marker": "o", "markersize": size, "markeredgecolor": PAPER, "markeredgewidth": rim}
        paper.plot([_LEFT + answer * scale], [y], color=SERVER, linestyle="none", zorder=4, **dot)


def _name(paper: Axes, y: float, life: Life, scale: float, words: str) -> None:
    """The name in its line or, where that is too short for it, on the side that has more room."""
    first, last = _LEFT + life[0] * scale, _LEFT + life[1] * scale
    inside, left, right = last - first - 0.3, first - _LEFT - 0.2, WIDTH - last - 0.2
    if text_width(paper, words, size=SMALL, bold=True) < inside or inside >= max(left, right):
        middle = (first + last) / 2
        write(paper, middle, y - 0.01, words, size=SMALL, color=PAPER, bold=True, room=max(inside, 0.0))
    elif right > left:
        write(paper, last + 0.12, y - 0.01, words, size=SMALL, bold=True, ha="left", room=right, halo=True)
    else:
        write(paper, first - 0.12, y - 0.01, words, size=SMALL, bold=True, ha="right", room=left, halo=True)


def _count(paper: Axes, lives: Sequence[Life], scale: float) -> None:
    """How many are connected, as a step line at the foot of the page."""
    changes = [(begin, 1) for begin, _, _ in lives] + [(close, -1) for _, close, _ in lives]
    changes.sort(key=lambda change: (change[0], -change[1]))  # one that comes and goes at once was there
    counts = list(accumulate(change for _, change in changes))
    most = max(counts)
    xs = [_LEFT + moment * scale for moment, _ in changes]
    ys = [_FOOT + count / most * _COUNT for count in counts]
    for count in (0, most):
        level = _FOOT + count / most * _COUNT
        line(paper, (_LEFT, level), (WIDTH - _RIGHT, level), color=FAINT, width=1, zorder=0.5)
        write(paper, _LEFT - 0.1, level, str(count), size=SMALL, ha="right")
    paper.fill_between(xs, ys, _FOOT, step="post", color=WIRE, alpha=0.35, linewidth=0, zorder=2)
    paper.step(xs, ys, where="post", color=INK, linewidth=1.8, zorder=3)
    write(paper, _LEFT - 0.15, _FOOT + _COUNT / 2, "connected\nat once", size=SMALL, ha="right")


def _legend(paper: Axes, y: float) -> None:
    words = "connected"
    line(paper, (0.2, y), (0.6, y), color=CLIENT, width=5)
    write(paper, 0.7, y, words, size=SMALL, ha="left")
    x = 0.7 + text_width(paper, words, size=SMALL) + 0.45
    dot = {"marker": "o", "markersize": 9, "markeredgecolor": PAPER}
    paper.plot([x], [y], color=SERVER, linestyle="none", zorder=4, **dot)
    write(paper, x + 0.15, y, "its answer came", size=SMALL, ha="left")
