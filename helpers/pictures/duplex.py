"""One connection from left to right, the course's own picture: HTTP once, then both sides serve."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from .messages import Message, messages
from .style import (
    CLIENT,
    INK,
    SERVER,
    SMALL,
    WIDTH,
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
    text_width,
    title,
    write,
)

_LEFT, _RIGHT = 1.35, 0.35
_TOP, _BOTTOM = 2.35, 0.6  # the y of the two lanes


@drawing
def duplex(
    recording: object, *, connection: int | None = None, heading: str = "Full duplex: both sides serve, unasked"
) -> Picture:
    """A connection as a banner: time runs to the right, the client above, the server below, a line for each message.

    `recording`: as for `rally`. The scale of time is true. Labels that would lie on one another are left out;
    goodbyes, pings and pongs are not drawn. A message that never came ends in a ×.

        pictures.duplex(wire)
        pictures.duplex(wire).save("duplex.png")

    ValueError when there is no message, and when the recording holds several connections and `connection` names none.
    """
    found = [
        message for message in messages(recording, connection) if message.kind in ("http", "text", "binary", "bytes")
    ]
    if not found:
        raise ValueError("there is no message in this recording: talk through the wire first, and don't clear it")
    if len({message.connection for message in found}) > 1:
        raise ValueError(f"the recording has several connections: pass connection={found[0].connection}")
    start = found[0].sent
    end = max(moment for message in found for moment in (message.sent, message.received or start))
    scale = (WIDTH - _LEFT - _RIGHT) / ((end - start) or 1.0)

    fig = figure(height=3.4)
    paper = page(fig)
    title(paper, heading)
    colors, lanes = {"client": CLIENT, "server": SERVER}, {"client": _TOP, "server": _BOTTOM}
    for sender, y in lanes.items():
        block(paper, 0.2, y - 0.21, 0.95, 0.42, sender, color=colors[sender], size=14)
        line(paper, (1.15, y), (WIDTH - 0.15, y), color=colors[sender], width=2.4, zorder=1)

    http = [message for message in found if message.kind == "http"]
    if http:
        last = max(message.received or message.sent for message in http)
        width = max((last - start) * scale, 0.12)
        band(paper, _LEFT, _BOTTOM, width, _TOP - _BOTTOM)
        write(paper, _LEFT + width / 2, _TOP - 0.3, "HTTP, once", size=SMALL, bold=True, room=max(width - 0.5, 0.1))
    for message in found:
        y, goal = lanes[message.sender], lanes["server" if message.sender == "client" else "client"]
        x = _LEFT + (message.sent - start) * scale
        color = INK if message.kind == "http" else colors[message.sender]
        style = "-" if message.sender == "client" else (0, (5, 1.2))
        if message.received is None:
            line(paper, (x, y), (x + 0.2, (y + goal) / 2), color=color, width=1.8, style=style, zorder=3)
            cross(paper, x + 0.2, (y + goal) / 2)
        else:
            arrow(
                paper,
                (x, y),
                (_LEFT + (message.received - start) * scale, goal),
                color=color,
                width=1.8,
                style=style,
                head=12,
            )
    for sender, y in lanes.items():
        own = [message for message in found if message.sender == sender and message.kind != "http"]
        _labels(paper, y + (0.17 if sender == "client" else -0.17), own, start, scale, colors[sender])
    return picture(
        fig,
        "One connection, time running to the right, the client in blue above, the server in green below, and a slanted "
        "line for each message"
        + (": first HTTP, once, then messages" if http else "")
        + (
            " in both directions, crossing in the air."
            if len({m.sender for m in found if m.kind != "http"}) > 1
            else "."
        ),
    )


def _labels(paper: Axes, y: float, own: Sequence[Message], start: float, scale: float, color: str) -> None:
    free = 0.0
    for message in own:
        words = fit(paper, message.text, 1.6, size=SMALL, bold=True, mono=True)
        half = text_width(paper, words, size=SMALL, bold=True, mono=True) / 2
        x = min(max(_LEFT + (message.sent - start) * scale, 1.25 + half), WIDTH - 0.1 - half)
        if x - half >= free:
            write(paper, x, y, words, size=SMALL, color=color, bold=True, mono=True)
            free = x + half + 0.12
