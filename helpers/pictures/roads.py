"""The ways from a page to a server in the kernel, on one machine and on two (notebook 11)."""

from __future__ import annotations

from matplotlib.axes import Axes

from .style import CLIENT, INK, SERVER, SMALL, WIRE, Picture, arrow, band, block, cross, drawing, figure, page, picture, title, write

_ROW = 1.5  # inches from row to row
_HIGH = 0.62


@drawing
def roads() -> Picture:
    """A page and the server it looks for: on one machine; on two, by the address that is right on one; and through Jupyter.

    pictures.roads()
    """
    fig = figure(height=0.5 + 3 * _ROW)
    paper = page(fig)
    title(paper, "How does the page find your server?")
    top = 3 * _ROW - 0.12

    y = _row(paper, top, "one machine", whole=True)
    arrow(paper, (1.6, y), (7.14, y), color=CLIENT, width=2.4)
    _address(paper, 4.37, y, "ws://127.0.0.1:PORT/")

    y = _row(paper, top - _ROW, "two machines, and the same address")
    arrow(paper, (1.6, y), (3.1, y), color=CLIENT, width=2.4)
    cross(paper, 3.3, y, size=14)
    write(paper, 2.35, y + 0.2, "127.0.0.1", size=SMALL, mono=True)
    write(paper, 2.35, y - 0.2, "nobody there", size=SMALL)

    y = _row(paper, top - 2 * _ROW, "two machines, through Jupyter")
    block(paper, 4.7, y - _HIGH / 2, 1.35, _HIGH, color=WIRE)
    write(paper, 5.375, y, "Jupyter's\nproxy", size=SMALL, color="white", bold=True)
    arrow(paper, (1.6, y), (4.64, y), color=CLIENT, width=2.4)
    write(paper, 3.1, y + 0.2, "wss://HUB/…/proxy/PORT/", size=SMALL, mono=True)
    arrow(paper, (6.11, y), (7.14, y), color=WIRE, width=2.4)
    write(paper, 6.6, y + 0.2, "ws", size=SMALL, mono=True)
    return picture(
        fig,
        "Three rows, in each a blue page on the left and a green server on the right. On one machine an arrow leads from the one to the "
        "other, at ws and 127.0.0.1. On two machines the same address ends in a cross, on the browser's own machine. Through Jupyter an "
        "arrow with wss leads over the border to a grey proxy, and one with ws from there to the server.",
    )


def _row(paper: Axes, top: float, words: str, *, whole: bool = False) -> float:
    """The machines, the page and the server of a row; returns the height of its arrows."""
    y = top - 0.85
    for left, width in ((0.1, 8.8),) if whole else ((0.1, 3.55), (4.4, 4.5)):
        band(paper, left, y - 0.48, width, 0.96)
    write(paper, 0.2, top - 0.18, words, size=SMALL, bold=True, ha="left")
    block(paper, 0.25, y - _HIGH / 2, 1.3, _HIGH, "page", color=CLIENT)
    block(paper, 7.2, y - _HIGH / 2, 1.55, _HIGH, "your server", color=SERVER)
    return y


def _address(paper: Axes, x: float, y: float, words: str) -> None:
    write(paper, x, y + 0.2, words, size=SMALL, color=INK, mono=True)
