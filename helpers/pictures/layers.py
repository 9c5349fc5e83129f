"""What lies on what: bytes, frames, messages, calls, and beside them who waits (notebook 27)."""

from __future__ import annotations

from .style import (
    FAINT,
    INK,
    PAPER,
    SMALL,
    WIRE,
    Picture,
    block,
    drawing,
    figure,
    line,
    page,
    picture,
    title,
    write,
)

# From the bottom to the top: what it is made of, whose it is, who draws the borders, where the course opens it.
_LAYERS = (
    ("bytes", "TCP", "nobody: a cut may\nfall anywhere", "01, 02", "#4A4A4A"),
    ("frames", "WebSocket", "a length in the\nfirst bytes of each", "15", WIRE),
    ("messages", "WebSocket", "the bit FIN in the\nlast frame of each", "09, 12", "#BDBDBD"),
    ("calls", "SignalR", "a byte 0x1E after\neach record", "22", FAINT),
)
_WAITING = (("thread", "03"), ("coroutine", "04"), ("task", "06"))


@drawing
def layers() -> Picture:
    """The layers of the course, each with who draws its borders and the notebook that shows it; beside them, who waits.

    Sources: RFC 9293 (TCP, a stream of bytes), RFC 6455 section 5 (frames and messages), the SignalR hub protocol
    (records).

        pictures.layers()
    """
    fig = figure(height=4.4)
    paper = page(fig)
    title(paper, "What lies on what")

    row, bottom = 0.78, 0.3
    top = bottom + len(_LAYERS) * row
    for x, words, ha in ((0.3, "layer", "left"), (2.7, "who draws the borders?", "left"), (5.75, "notebook", "center")):
        write(paper, x, top + 0.22, words, size=SMALL, ha=ha)
    for place, (name, whose, borders, notebook, color) in enumerate(_LAYERS):
        y = bottom + place * row
        ink = PAPER if place < 2 else INK
        block(paper, 0.2, y, 6.1, row - 0.07, color=color)
        write(paper, 0.4, y + row / 2 + 0.1, name, size=15, color=ink, bold=True, ha="left")
        write(paper, 0.4, y + row / 2 - 0.17, whose, size=SMALL, color=ink, ha="left")
        write(paper, 2.7, y + row / 2 - 0.03, borders, color=ink, ha="left")
        write(paper, 5.75, y + row / 2 - 0.03, notebook, color=ink, bold=True)

    line(paper, (6.55, bottom - 0.05), (6.55, top + 0.35), color=WIRE, style=":", width=2)
    write(paper, 7.8, top + 0.22, "beside it, not in it:", size=SMALL)
    write(paper, 7.8, top - 0.2, "who waits?", size=15, bold=True)
    for place, (name, notebook) in enumerate(_WAITING):
        y = top - 1.1 - place * 0.78
        block(paper, 6.85, y, 1.35, 0.52, name, color=INK, filled=False)
        write(paper, 8.5, y + 0.26, notebook, bold=True)
    return picture(
        fig,
        "A layer cake. From the bottom to the top: bytes of TCP, whose borders nobody draws; frames of WebSocket, with "
        "a length each; messages of WebSocket, ended by the bit FIN; calls of SignalR, ended by the byte 0x1E. Beside "
        "the cake, not in it, stands who waits: a thread, a coroutine, a task.",
    )
