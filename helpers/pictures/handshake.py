"""The true bytes of a connection's beginning: HTTP line by line, then frames in hexadecimal (notebook 14)."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from ..frames import Frame, Http, Part, conversation
from .style import (
    CLIENT,
    INK,
    SERVER,
    SMALL,
    WIDTH,
    WIRE,
    Picture,
    arrow,
    block,
    cross,
    drawing,
    figure,
    line,
    page,
    picture,
    shown,
    text_width,
    title,
    write,
)

_LEFT, _RIGHT = 0.75, 8.25  # where the two lanes are, in inches
_ROW = 0.27  # the height of a line
_FLIGHT = 0.34  # how far an arrow falls while it crosses
_LINES = 10  # of one head, and
_FRAMES = 4  # frames in one picture; more are counted
_BYTES = 16  # of a frame


@drawing
def handshake(recording: object, *, connection: int | None = None, heading: str = "HTTP once, then frames") -> Picture:
    """A connection's first words as a sequence: time runs down, the client is on the left, the server on the right.

    `recording`: a `Wire` or its `.events`. Each line of a head is shown with the two bytes that end it; a body, with
    its size. Below a dashed line come the first frames, as bytes in hexadecimal and in words. An arrow that
    ends in a × never reached the other side.

        pictures.handshake(wire)
        pictures.handshake(wire, connection=1, heading="A refusal")

    ValueError when nothing was said, and when the recording holds several connections and `connection` names none.
    """
    parts = conversation(recording, connection)
    numbers = list(dict.fromkeys(part.connection for part in parts))
    if not parts:
        raise ValueError("nothing was said in this recording: talk through the wire first, and don't clear it")
    if len(numbers) > 1:
        raise ValueError(f"the recording has {len(numbers)} connections: pass connection={numbers[0]}")
    spoken = [part for part in parts if isinstance(part.what, Http)]
    framed = [part for part in parts if isinstance(part.what, Frame)]
    hidden = framed[_FRAMES:]
    rows = {id(part): _rows(part.what) for part in spoken}

    tall = sum(_FLIGHT + 0.38 + (len(one) + 0.5) * _ROW for one in rows.values())
    tall += (0.55 if framed else 0) + (_FLIGHT + 0.62) * len(framed[:_FRAMES]) + (0.3 if hidden else 0)
    fig = figure(WIDTH, 1.25 + tall)
    paper = page(fig)
    title(paper, heading)
    top = fig.get_size_inches()[1] - 1.05
    for x, name, color in ((_LEFT, "client", CLIENT), (_RIGHT, "server", SERVER)):
        block(paper, x - 0.55, top, 1.1, 0.42, name, color=color, size=14)
        line(paper, (x, top), (x, 0.1), color=color, width=2.2, zorder=1)
    y = top - 0.3
    for part in spoken:
        y = _flight(paper, part, y, f"{len(part.what.raw)} bytes")
        y = _head(paper, rows[id(part)], y)
    if framed:
        y -= 0.1
        middle = (_LEFT + _RIGHT) / 2
        for start, end in ((_LEFT, middle - 1.15), (middle + 1.15, _RIGHT)):
            line(paper, (start, y), (end, y), color=INK, style=(0, (4, 3)), width=1.6)
        write(paper, middle, y, "from here on: frames", size=SMALL, bold=True)
        y -= 0.45
    for part in framed[:_FRAMES]:
        y = _flight(paper, part, y, _hex(part.what.raw), mono=True)
        y = _meaning(paper, part, y)
    if hidden:
        write(paper, (_LEFT + _RIGHT) / 2, y + 0.15, f"… {len(hidden)} more …", size=SMALL)
    return picture(fig, _alt(spoken, framed), colors=32)


def _rows(http: Http) -> list[tuple[str, bool]]:
    """The lines of a head, each with whether `\\r\\n` ends it."""
    head, end, _ = http.raw.partition(b"\r\n\r\n")
    rows = [(shown(row), True) for row in head.split(b"\r\n")]
    if len(rows) > _LINES:
        rows = [*rows[: _LINES - 3], (f"… {len(rows) - _LINES + 1} more lines …", False), *rows[-2:]]
    if not end:
        return [*rows[:-1], (rows[-1][0], False)]
    return [*rows, ("", True), *([(f"and a body of {len(http.body)} bytes", False)] if http.body else [])]


def _flight(paper: Axes, part: Part, y: float, words: str, *, mono: bool = False) -> float:
    """The arrow of a part, with words above it where it starts; returns the height at which it arrives."""
    color, start, end = (CLIENT, _LEFT, _RIGHT) if part.sender == "client" else (SERVER, _RIGHT, _LEFT)
    goal = y - _FLIGHT
    if part.received is None:
        middle = (start + end) / 2
        line(paper, (start, y), (middle, (y + goal) / 2), color=color, width=2, zorder=3)
        cross(paper, middle, (y + goal) / 2)
    else:
        arrow(paper, (start, y), (end, goal), color=color, width=2, head=16)
    side = 1 if part.sender == "client" else -1
    write(paper, start + side * 0.15, y + 0.02, words, size=SMALL, mono=mono, bold=mono, color=color if mono else INK,
          ha="left" if side > 0 else "right", va="bottom", room=6.5, halo=True)  # fmt: skip
    return goal


def _head(paper: Axes, rows: Sequence[tuple[str, bool]], y: float) -> float:
    """The lines of a head, in a grey box; returns the height below it."""
    y -= 0.08  # the arrow's head
    left, room = _LEFT + 0.35, _RIGHT - _LEFT - 0.7
    tall = (len(rows) + 0.5) * _ROW
    block(paper, left - 0.15, y - tall, room + 0.3, tall, color=WIRE, filled=False)
    mark = text_width(paper, "\\r\\n", size=SMALL, mono=True)
    for place, (words, ended) in enumerate(rows):
        height = y - (place + 0.75) * _ROW
        text = write(paper, left, height, words, size=SMALL, mono=True, bold=place == 0, ha="left", room=room - mark - 0.1)
        if ended:
            written = text_width(paper, text.get_text(), size=SMALL, mono=True, bold=place == 0) + 0.08 if words else 0
            write(paper, left + written, height, "\\r\\n", size=SMALL, mono=True, color=WIRE, ha="left")
    return y - tall - 0.3


def _meaning(paper: Axes, part: Part, y: float) -> float:
    """What a frame is, in words, where its arrow arrives."""
    from_client = part.sender == "client"
    x, ha = (_RIGHT - 0.25, "right") if from_client else (_LEFT + 0.25, "left")
    write(paper, x, y - 0.07, str(part.what), size=SMALL, ha=ha, va="top", room=6.5, halo=True)
    return y - 0.62


def _hex(data: bytes) -> str:
    return data[:_BYTES].hex(" ") + (" …" if len(data) > _BYTES else "")


def _alt(spoken: Sequence[Part], framed: Sequence[Part]) -> str:
    said = []
    if spoken:
        both = len({part.sender for part in spoken}) == 2
        said.append(f"HTTP{', a question and its answer,' if both else ''} line by line, with the two bytes that end each line")
    if framed:
        both = len({part.sender for part in framed}) == 2
        whose = "in both directions" if both else f"from the {framed[0].sender}"
        said.append(f"{'below a dashed line, ' if spoken else ''}frames {whose}, as bytes in hexadecimal and in words")
    return (
        "A sequence, time running down, the client in blue on the left and the server in green on the right: "
        f"{'; '.join(said)}."
    )
