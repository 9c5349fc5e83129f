"""The same events delivered in several ways: when each of them came, and what went over the wire for it (notebook 13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from .clock import times
from .style import (
    CLIENT,
    LABEL,
    SERVER,
    SMALL,
    WIDTH,
    WIRE,
    Picture,
    block,
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

if TYPE_CHECKING:
    from ..deliveries import Delivery

WAYS, MOST = 6, 100

_LEFT, _RIGHT = 0.35, 1.15  # inches beside all; on the right, the number behind the longest bar
_STRIPS = 5.1  # inches for the time
_BARS = 5.8  # where the bars begin when there are strips
_NAMES = 2.3  # where they begin when there are none
_HEAD, _FOOT = 1.25, 0.6
_NAME, _TALL, _BETWEEN = 0.34, 0.5, 0.3  # a way's name, its strip, and the space below
_BAR = 0.34


@drawing
def deliveries(ways: Mapping[str, Delivery], *, heading: str = "The same events, delivered") -> Picture:
    """For each way a strip of time with a line for each event, and a bar for the bytes on the wire, all on one scale.

    A line leaves the green edge (the server) when the event was published, and meets the blue edge (the client) when it was
    there: an upright line is soon, a slanted one is late. Where no way has events there are bars alone.

    `ways`: name → what `helpers.deliveries.race` or `silence` returned.

        pictures.deliveries(await race(server, {"polling": polling, "WebSocket": websocket}))

    ValueError for no ways or more than 6, and for more than 100 events of one.
    """
    if not isinstance(ways, Mapping) or not 1 <= len(ways) <= WAYS:
        raise ValueError(f"pass 1 to {WAYS} ways, such as {{'polling': delivery}}")
    for name, way in ways.items():
        if len(way.flights) > MOST:
            raise ValueError(f"{name!r}: there is room for {MOST} events, not {len(way.flights)}")
    strips = any(way.flights for way in ways.values())
    step = _NAME + _TALL + _BETWEEN if strips else _BAR + _BETWEEN
    height = _HEAD + step * len(ways) + (_FOOT if strips else 0)
    fig = figure(height=height)
    paper = page(fig)
    title(paper, heading)
    begin = _BARS if strips else _NAMES
    _legend(paper, height - 0.85, strips)
    end = max((heard for way in ways.values() for _, heard in way.flights), default=0) * 1.02 or 1e-3
    scale = _STRIPS / end
    if strips:
        times(paper, end, scale, left=_LEFT, right=WIDTH - _LEFT - _STRIPS, foot=_FOOT, top=height - _HEAD)
    longest = max(way.bytes_from() for way in ways.values()) or 1
    y = height - _HEAD
    for name, way in ways.items():
        if strips:
            write(paper, _LEFT, y - _NAME / 2, str(name), bold=True, ha="left", room=_STRIPS, halo=True)
            _strip(paper, y - _NAME - _TALL, way, scale)
            _bar(paper, begin, y - _NAME - _TALL / 2, way, longest)
        else:
            write(paper, begin - 0.15, y - _BAR / 2, str(name), bold=True, ha="right", room=begin - 0.3)
            _bar(paper, begin, y - _BAR / 2, way, longest)
        y -= step
    shown = (
        "For each way a strip of time: a line for each event falls from the server's edge, when it was published, to the client's "
        "edge, when it was there; beside it a bar for the bytes on the wire, in two parts, from the client and from the server."
        if strips
        else "A bar for each way: the bytes on the wire, in two parts, from the client and from the server."
    )
    return picture(fig, f"{spoken(heading)}. {shown} Ways: {spoken(*ways)}.", colors=64)


def _strip(paper: Axes, y: float, way: Delivery, scale: float) -> None:
    for edge, color in ((y + _TALL, SERVER), (y, CLIENT)):
        line(paper, (_LEFT, edge), (_LEFT + _STRIPS, edge), color=color, width=2.4, zorder=1)
    for published, heard in way.flights:
        start, end = _LEFT + published * scale, _LEFT + heard * scale
        line(paper, (start, y + _TALL), (end, y), color=SERVER, width=1.4, zorder=2)
        paper.plot([start], [y + _TALL], marker="o", markersize=4, color=SERVER, linestyle="none", zorder=3)
        paper.plot([end], [y], marker="s", markersize=4, color=CLIENT, linestyle="none", zorder=3)


def _bar(paper: Axes, x: float, y: float, way: Delivery, longest: int) -> None:
    scale = (WIDTH - x - _RIGHT) / longest
    for sender, color in (("client", CLIENT), ("server", SERVER)):
        size = way.bytes_from(sender) * scale
        if size > 0:
            block(paper, x, y - _BAR / 2, size, _BAR, color=color, hatch="///" if sender == "server" else None, round_by=0)
            x += size
    line(paper, (x, y - _BAR / 2), (x, y + _BAR / 2), color=WIRE, width=1)
    total = way.bytes_from()
    write(paper, x + 0.1, y, f"{total / 1000:.1f} kB" if total >= 1000 else f"{total} B", size=LABEL, bold=True, ha="left", room=_RIGHT - 0.15)


def _legend(paper: Axes, y: float, strips: bool) -> None:
    x = _LEFT
    if strips:
        paper.plot([x + 0.1], [y], marker="o", markersize=6, color=SERVER, linestyle="none")
        write(paper, x + 0.27, y, "published", size=SMALL, ha="left")
        x += 0.27 + text_width(paper, "published", size=SMALL) + 0.3
        paper.plot([x], [y], marker="s", markersize=6, color=CLIENT, linestyle="none")
        write(paper, x + 0.17, y, "at the client", size=SMALL, ha="left")
        x = _BARS - 1.4
    for words, hatch, color in (("bytes of the client", None, CLIENT), ("of the server", "///", SERVER)):
        block(paper, x, y - 0.1, 0.3, 0.2, color=color, hatch=hatch, round_by=0)
        write(paper, x + 0.4, y, words, size=SMALL, ha="left")
        x += 0.4 + text_width(paper, words, size=SMALL) + 0.3
