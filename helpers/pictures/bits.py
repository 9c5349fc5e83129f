"""A frame bit by bit: each bit a cell, each field in a colour and with its name, each byte in hexadecimal below (notebook 15)."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from ..frames import Frame, decode
from ..frames.frame import Field
from .style import (
    CLIENT,
    FAINT,
    INK,
    PAPER,
    SERVER,
    SMALL,
    TROUBLE,
    WIRE,
    Picture,
    cross,
    drawing,
    figure,
    fit,
    page,
    picture,
    shown,
    title,
    write,
)

MOST = 14  # bytes that are drawn; of a long header all, and two bytes of payload

_COLORS = {  # none of the four that mean a side, the wire or trouble; what belongs together has one colour
    "FIN": "#BFE3F7",
    "RSV": FAINT,
    "opcode": "#F7EE8E",
    "MASK": "#EBC7DA",
    "masking key": "#EBC7DA",
    "length": "#F6CE84",
    "extended length": "#F6CE84",
}
_LEFT, _CELL, _HIGH, _STEP, _TOP = 0.85, 0.5, 0.42, 1.06, 1.1  # inches


@drawing
def bit_grid(frame: Frame | bytes, *, heading: str | None = None) -> Picture:
    """A frame as a grid: two bytes a row, a cell for each bit, a name over each field, two hexadecimal digits below each byte.

    `frame`: from `helpers.frames`, or bytes that begin with one; the mask bit says then which side it is from. Bytes
    of a payload are filled, and beside their digits stands what they are once unmasked, where that is a character. Of a
    long payload the beginning is drawn. A byte that breaks a rule has a ×, and the rule stands at the bottom.

        pictures.bit_grid(b"\\x81\\x02hi")
        pictures.bit_grid(frames.sent_by(wire, "client")[0], heading="The first frame")

    ValueError when there is no byte.
    """
    frame = _frame(frame)
    count = min(len(frame.raw), max(MOST, len(frame.header) + 2))
    notes = _notes(frame, count)
    rows = (count + 1) // 2
    fig = figure(height=_TOP + rows * _STEP - 0.2 + 0.32 * len(notes) + 0.1)
    paper = page(fig)
    _, height = fig.get_size_inches()
    title(paper, heading or _heading(frame))
    top = height - _TOP
    fields = frame.fields
    for field in fields:
        _field(paper, field, frame, count, top)
    for place in range(len(frame.raw[:count])):
        _below(paper, place, frame, top)
    covered = sum(field.size for field in fields)
    for place in range(covered // 8, count):  # of a length or a key that is cut off
        for bit in range(8):
            _cell(paper, 8 * place + bit, frame.raw[place] >> (7 - bit) & 1, PAPER, INK, top)
    if frame.problem and frame.problem.at - frame.start < count:
        _trouble(paper, frame.problem.at - frame.start, top)
    y = 0.22 + 0.32 * (len(notes) - 1)
    for words, trouble in notes:
        if trouble:
            cross(paper, 0.3, y)
        write(paper, 0.5 if trouble else 0.2, y, words, ha="left", room=8.4, bold=trouble, size=SMALL if trouble else 13)
        y -= 0.32
    return picture(fig, _alt(frame, fields))


def _frame(frame: object) -> Frame:
    if isinstance(frame, (bytes, bytearray)) and frame:
        return decode(bytes(frame), "client" if frame[1:2] >= b"\x80" else "server")[0]
    if isinstance(frame, Frame):
        return frame
    raise ValueError('pass a frame from helpers.frames, or its bytes, such as b"\\x81\\x02hi"')


def _heading(frame: Frame) -> str:
    return f"{frame.name[0].upper()}{frame.name[1:]} frame, {len(frame.raw)} byte{'s' * (len(frame.raw) != 1)}"


def _notes(frame: Frame, count: int) -> list[tuple[str, bool]]:
    notes = []
    if len(frame.raw) > count:
        more = len(frame.raw) - count
        notes.append((f"… and {more:,} more byte{'s' * (more != 1)} of payload", False))
    if frame.problem:
        notes.append((f"byte {frame.problem.at - frame.start}: {frame.problem.says}", True))
        notes.append((f"     {frame.problem.where}", False))
    return notes


def _place(bit: int, top: float) -> tuple[float, float]:
    """The lower left corner of a bit's cell."""
    row, column = divmod(bit, 16)
    return _LEFT + column * _CELL, top - row * _STEP - _HIGH


def _cell(paper: Axes, bit: int, value: int, color: str, ink: str, top: float) -> None:
    x, y = _place(bit, top)
    paper.add_patch(Rectangle((x, y), _CELL, _HIGH, facecolor=color, edgecolor=PAPER if ink == PAPER else WIRE, linewidth=0.8, zorder=2))
    write(paper, x + _CELL / 2, y + _HIGH / 2, str(value), size=15, color=ink, bold=True, mono=True)


def _field(paper: Axes, field: Field, frame: Frame, count: int, top: float) -> None:
    payload = field.name == "payload"
    color = (CLIENT if frame.sender == "client" else SERVER) if payload else _COLORS[field.name]
    end = min(field.start + field.size, 8 * count)
    for bit in range(field.start, end):
        _cell(paper, bit, frame.raw[bit // 8] >> (7 - bit % 8) & 1, color, PAPER if payload else INK, top)
    start = field.start
    named = False
    while start < end:  # an outline, and once a name, for its part in each row
        stop = min(end, start - start % 16 + 16)
        x, y = _place(start, top)
        width = (stop - start) * _CELL
        paper.add_patch(Rectangle((x, y), width, _HIGH, facecolor="none", edgecolor=INK, linewidth=2, zorder=3))
        if not named:
            full = field.name if field.size == 1 else _named(field, frame)
            bold = field.size > 1  # one cell is narrow
            words = full if fit(paper, full, width, size=SMALL, bold=bold) == full else field.name
            if fit(paper, words, width, size=SMALL, bold=bold) == words:
                write(paper, x + 0.04 * bold, y + _HIGH + 0.15, words, size=SMALL, bold=bold, ha="left")
                named = True
        start = stop


def _named(field: Field, frame: Frame) -> str:
    if field.name == "RSV":
        return "RSV1 2 3"
    if field.name == "length" and field.size == 7 and frame.raw[1] & 0x7F > 125:
        return f"length {frame.raw[1] & 0x7F}: see below"
    if field.name == "masking key":
        return field.name
    if field.name == "payload" and frame.compressed:
        return "payload, compressed"
    value = field.value.partition(", ")[2] if field.name == "opcode" and ", " in field.value else field.value
    return f"{field.name} {value}" if field.name != "opcode" else f"opcode {frame.opcode}: {value}"


def _below(paper: Axes, place: int, frame: Frame, top: float) -> None:
    x, y = _place(8 * place, top)
    words = f"{frame.raw[place]:02x}"
    inside = place - len(frame.header)
    if 0 <= inside < len(frame.payload):
        octet = frame.payload[inside]
        letter = chr(octet) if 0x20 <= octet < 0x7F else ""
        if frame.masked:
            words += f" → {octet:02x}"
        if letter and not frame.compressed and not (frame.opcode == 0x8 and inside < 2):
            words += f" {shown(letter)!r}" if letter != "\\" else " '\\'"
    write(paper, x + 4 * _CELL, y - 0.16, words, size=14, mono=True)
    if place % 2 == 0:
        write(paper, _LEFT - 0.12, y + _HIGH / 2, f"byte {place}", size=SMALL, color=WIRE, ha="right")


def _trouble(paper: Axes, place: int, top: float) -> None:
    x, y = _place(8 * place, top)
    paper.add_patch(Rectangle((x, y), 8 * _CELL, _HIGH, facecolor="none", edgecolor=TROUBLE, linewidth=4, zorder=4))
    cross(paper, x + 8 * _CELL - 0.02, y, size=14)


def _alt(frame: Frame, fields: list[Field]) -> str:
    names = ", ".join(field.name for field in fields)
    words = (
        f"The bits of {'an' if frame.name[0] in 'aeiou' else 'a'} {frame.name} frame in a grid of cells, two bytes in each row, "
        f"each field in a colour of its own and with its name: {names}. Below each byte stand its two hexadecimal digits."
    )
    return words + (" A cross marks the byte that breaks a rule, which is written below." if frame.problem else "")
