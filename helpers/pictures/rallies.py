"""Messages on a scale of time: who serves when, and how many balls are in the air (notebook 12)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from .messages import Message, messages
from .style import (
    CLIENT,
    FAINT,
    INK,
    SERVER,
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
    picture,
    spoken,
    text_width,
    title,
    write,
)

_LEFT = 0.75  # inches for the scale of time
_TALL = 4.2  # inches for the longest panel
_LABEL = 0.22  # the height of one label


@drawing
def rallies(recordings: Mapping[str, object], *, heading: str = "Who serves when?") -> Picture:
    """Recordings side by side on one scale of time, which runs down; beneath each, how many balls are in the air.

    `recordings`: titles and recordings, one to four, each as for `rally`, with one connection. Only messages are
    drawn: the HTTP, pings and goodbyes around them are left out, and each panel begins with its first message. A ball
    is in the air from the moment it is sent until it comes. Labels that would lie on one another are left out.

        pictures.rallies({"a rally": slow, "ten balls": pipelined, "both serve": duplex})
        pictures.rallies({"one echo": [(0.0, 0.1, "client", "hello"), (0.1, 0.2, "server", "Echo: hello")]})

    ValueError when there is no message, when a recording holds several connections, or for more than four recordings.
    """
    if not isinstance(recordings, Mapping) or not 1 <= len(recordings) <= 4:
        raise ValueError("pass a dict with one to four recordings: {'a rally': wire, 'both serve': other_wire}")
    panels = {str(name): _balls(str(name), recording) for name, recording in recordings.items()}
    longest = max(_end(balls) for balls in panels.values()) or 1.0
    most = max(1, *(count for balls in panels.values() for _, count in _in_the_air(balls, longest)))

    height = 0.6 + 0.4 + 0.55 + _TALL + 0.75 + 1.0 + 0.55
    fig = figure(height=height)
    paper = page(fig)
    title(paper, heading)
    top = height - 1.6
    width = (WIDTH - _LEFT - 0.1) / len(panels)
    _scale(paper, top, longest)
    for place, (name, balls) in enumerate(panels.items()):
        left = _LEFT + place * width
        write(paper, left + width / 2, height - 0.75, name, size=14, bold=True, room=width - 0.15)
        _panel(paper, left, width, top, balls, _TALL / longest)
        _air(paper, left, width, 0.55, 1.0, balls, longest, most, first=place == 0)
    write(paper, _LEFT + 0.12, 1.72, "balls in the air", size=SMALL, bold=True, ha="left")
    return picture(
        fig,
        f"{'One panel' if len(panels) == 1 else f'{len(panels)} panels on one scale of time'}: time runs down, the "
        "client in blue on the left and the server in green on the right, a slanted line for each message: "
        f"{spoken(*panels)}. Beneath each panel a line shows how many balls are in the air.",
    )


def _balls(name: str, recording: object) -> list[Message]:
    found = [message for message in messages(recording) if message.kind in ("text", "binary", "bytes")]
    if not found:
        raise ValueError(f"{name!r}: there is no message in this recording")
    if len({message.connection for message in found}) > 1:
        raise ValueError(f"{name!r}: the recording has several connections: pass pictures.messages(wire, connection=1)")
    start = found[0].sent
    return [
        Message(
            m.sent - start, None if m.received is None else m.received - start, m.sender, m.text, m.kind, m.connection
        )
        for m in found
    ]


def _end(balls: Sequence[Message]) -> float:
    return max(moment for ball in balls for moment in (ball.sent, ball.received or 0.0))


def _closest(balls: Sequence[Message]) -> float:
    """The time that is usual between a ball and the next one of the same side; infinite when neither has a second."""
    own = [[ball.sent for ball in balls if ball.sender == sender] for sender in ("client", "server")]
    gaps = sorted(after - before for sent in own for before, after in itertools.pairwise(sorted(sent)))
    return gaps[len(gaps) // 2] if gaps else math.inf


def _in_the_air(balls: Sequence[Message], longest: float) -> list[tuple[float, int]]:
    """(moment, how many balls are in the air from then on).

    Where one comes and the next one leaves, sooner than this scale can show, none is missing in between.
    """
    changes = [(ball.sent, 1) for ball in balls] + [(ball.received, -1) for ball in balls if ball.received is not None]
    steps: list[tuple[float, int]] = []
    for moment, change in sorted(changes):
        if change > 0 and steps and steps[-1][1] < 0 and moment - steps[-1][0] < longest / 150:
            steps.pop()
        else:
            steps.append((moment, change))
    counts, count = [(0.0, 0)], 0
    for moment, change in steps:
        count += change
        counts.append((moment, count))
    return [*counts, (_end(balls), count)]


def _unit(longest: float) -> tuple[float, str]:
    return (1e6, "µs") if longest < 2e-3 else (1e3, "ms") if longest < 2 else (1, "s")


def _steps(longest: float, most: int) -> list[float]:
    """Round numbers from 0 to `longest`, at most `most` of them besides 0."""
    step = 10.0**-9
    while True:
        for factor in (1, 2, 5):
            if longest / (step * factor) <= most:
                return [step * factor * n for n in range(int(longest / (step * factor) * 1.0001) + 1)]
        step *= 10


def _scale(paper: Axes, top: float, longest: float) -> None:
    factor, name = _unit(longest)
    for moment in _steps(longest, 6):
        y = top - moment / longest * _TALL
        line(paper, (_LEFT, y), (WIDTH - 0.1, y), color=FAINT, width=1, zorder=0.5)
        write(paper, _LEFT - 0.08, y, f"{moment * factor:.6g}", size=SMALL, color=WIRE, ha="right")
    write(paper, _LEFT - 0.08, top + 0.3, name, size=SMALL, color=WIRE, ha="right")


def _panel(paper: Axes, left: float, width: float, top: float, balls: Sequence[Message], scale: float) -> None:
    margin = width * 0.27
    lanes = {"client": left + margin, "server": left + width - margin}
    colors = {"client": CLIENT, "server": SERVER}
    bottom = top - max(_end(balls) * scale, 0.3)
    # inches between two balls: where thinner lines keep apart what thick ones would fill
    stroke, head = (0.9, 5) if 0.025 < _closest(balls) * scale < 0.06 else (1.5, 9)
    for sender, x in lanes.items():
        block(paper, x - 0.42, top + 0.14, 0.84, 0.34, sender, color=colors[sender], size=SMALL)
        line(paper, (x, top + 0.14), (x, bottom - 0.08), color=colors[sender], width=2.2, zorder=1)
    for ball in balls:
        start, end = lanes[ball.sender], lanes["server" if ball.sender == "client" else "client"]
        y = top - ball.sent * scale
        style = "-" if ball.sender == "client" else (0, (5, 1.2))
        if ball.received is None:
            half = (start + end) / 2
            line(paper, (start, y), (half, y - 0.15), color=colors[ball.sender], width=stroke, zorder=3, style=style)
            cross(paper, half, y - 0.15, size=9)
        else:
            goal = top - ball.received * scale
            arrow(paper, (start, y), (end, goal), color=colors[ball.sender], width=stroke, head=head, style=style)
    for sender, x in lanes.items():
        outward = -1 if sender == "client" else 1
        _labels(
            paper,
            x + outward * 0.08,
            margin - 0.14,
            [b for b in balls if b.sender == sender],
            top,
            scale,
            sender,
            colors[sender],
        )


def _labels(
    paper: Axes, x: float, room: float, balls: Sequence[Message], top: float, scale: float, sender: str, color: str
) -> None:
    """A label for each ball that stands clear of the last label; for a heap of three or more, its first and last."""
    heaps: list[list[Message]] = []
    for ball in balls:
        if heaps and (ball.sent - heaps[-1][-1].sent) * scale < _LABEL * 0.6:
            heaps[-1].append(ball)
        else:
            heaps.append([ball])
    free = float("inf")  # the highest y at which there is room
    for heap in heaps:
        y = top - heap[0].sent * scale
        if y > free:
            continue
        free = y - _LABEL
        words = heap[0].text
        if len(heap) > 2:
            words = f"{heap[0].text}…{heap[-1].text}"
            if text_width(paper, words, size=SMALL, bold=True, mono=True) > room:
                words = f"{heap[0].text}…"
        write(
            paper,
            x,
            y,
            fit(paper, words, room, size=SMALL, bold=True, mono=True),
            size=SMALL,
            color=color,
            bold=True,
            mono=True,
            ha="right" if sender == "client" else "left",
        )


def _air(
    paper: Axes,
    left: float,
    width: float,
    bottom: float,
    height: float,
    balls: Sequence[Message],
    longest: float,
    most: int,
    *,
    first: bool,
) -> None:
    x0, room = left + 0.12, width - 0.3
    band(paper, x0, bottom, room, height, color="#F6F6F6")
    for count in (0, most):
        y = bottom + height * count / most
        line(paper, (x0, y), (x0 + room, y), color=FAINT, width=1, zorder=0.5)
        if first:
            write(paper, x0 - 0.1, y, str(count), size=SMALL, ha="right")
    counts = _in_the_air(balls, longest)
    xs = [x0 + moment / longest * room for moment, _ in counts]
    ys = [bottom + height * count / most for _, count in counts]
    paper.step(xs, ys, where="post", color=INK, linewidth=1.8, zorder=3)
    paper.fill_between(xs, ys, bottom, step="post", color=WIRE, alpha=0.35, linewidth=0, zorder=2)
    factor, name = _unit(longest)
    last = _steps(longest, 3)[-1]
    for moment in (0.0, last):
        x = x0 + moment / longest * room
        words = f"{moment * factor:.6g} {name}" if moment else "0"
        write(
            paper,
            x,
            bottom - 0.17,
            words,
            size=SMALL,
            color=WIRE,
            ha="left" if not moment else "right" if moment / longest > 0.8 else "center",
        )
