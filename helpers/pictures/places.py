"""Where everything lives while a notebook talks to a server of its own (notebook 00)."""

from __future__ import annotations

from itertools import pairwise

from matplotlib.axes import Axes

from .style import (
    CLIENT,
    FAINT,
    INK,
    SERVER,
    SMALL,
    WIRE,
    Picture,
    arrow,
    band,
    block,
    drawing,
    figure,
    line,
    numbered,
    page,
    picture,
    title,
    write,
)


@drawing
def places() -> Picture:
    """Browser, Jupyter server and kernel, the two threads in the kernel, and the way of one echo between them.

    pictures.places()
    """
    fig = figure(height=4.9)
    paper = page(fig)
    title(paper, "Where your server lives")

    block(paper, 0.2, 3.0, 1.3, 0.95, "browser", color=CLIENT, size=14)
    block(paper, 2.75, 3.0, 1.3, 0.95, color=WIRE)
    write(paper, 3.4, 3.475, "Jupyter\nserver", size=14, color="white", bold=True)
    _line_between(paper, 1.5, 2.75, 3.475, "WebSocket")
    _line_between(paper, 4.05, 5.1, 3.475, "ZeroMQ")

    block(paper, 5.1, 1.75, 3.75, 2.5, color=INK, filled=False)
    write(paper, 6.975, 4.02, "kernel: one Python process", size=SMALL)
    block(paper, 5.25, 2.1, 1.65, 1.65, color=CLIENT, filled=False)
    write(paper, 6.075, 2.925, "main thread:\nyour cells", size=SMALL, color=CLIENT, bold=True)
    block(paper, 7.0, 2.1, 1.7, 1.65, color=SERVER)
    write(paper, 7.85, 2.925, "second thread:\nEchoServer", size=SMALL, color="white", bold=True)

    band(paper, 5.1, 0.2, 3.75, 0.95, color=FAINT)
    write(paper, 6.975, 0.38, "operating system, 127.0.0.1", size=SMALL)
    _way(paper, [(5.65, 2.1), (5.65, 0.7), (8.3, 0.7), (8.3, 2.1)], CLIENT)
    _way(paper, [(7.5, 2.1), (7.5, 0.95), (6.55, 0.95), (6.55, 2.1)], SERVER)
    for number, x, color in ((1, 5.65, CLIENT), (2, 8.3, CLIENT), (3, 7.5, SERVER), (4, 6.55, SERVER)):
        numbered(paper, x, 1.45, number, color=color)

    steps = (
        (CLIENT, "your cell sends “hello” …"),
        (CLIENT, "… out of the kernel, and back into it"),
        (SERVER, "EchoServer sends “Echo: hello” …"),
        (SERVER, "… and your cell's recv() returns it"),
    )
    for number, (color, words) in enumerate(steps, start=1):
        y = 2.35 - 0.45 * number + 0.06
        numbered(paper, 0.4, y, number, color=color)
        write(paper, 0.65, y, words, ha="left")
    return picture(
        fig,
        "From left to right: the browser, linked by a WebSocket to the Jupyter server, which is linked by ZeroMQ to the "
        "kernel. In the kernel stand two threads side by side: the main thread with your cells and a second one with "
        "EchoServer. An echo leaves the kernel for the operating system at 127.0.0.1, enters it again at the second "
        "thread, and the answer returns the same way, in four numbered steps.",
    )


def _line_between(paper: Axes, left: float, right: float, y: float, words: str) -> None:
    arrow(paper, (left + 0.06, y), (right - 0.06, y), both=True, color=INK)
    write(paper, (left + right) / 2, y + 0.22, words, size=SMALL)


def _way(paper: Axes, points: list[tuple[float, float]], color: str) -> None:
    for start, end in pairwise(points[:-1]):
        line(paper, start, end, color=color, width=2.6, zorder=3)
    arrow(paper, points[-2], points[-1], color=color, width=2.6, head=18)
