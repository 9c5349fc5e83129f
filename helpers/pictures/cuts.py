"""One stream of bytes, sent in some pieces and read in others (notebooks 01 and 02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from matplotlib.axes import Axes

from .style import (
    CLIENT,
    PAPER,
    SERVER,
    SMALL,
    WIRE,
    Picture,
    block,
    cross,
    drawing,
    figure,
    line,
    page,
    picture,
    shown,
    spoken,
    text_width,
    title,
    write,
)

_LEFT, _RIGHT = 1.75, 0.35  # inches beside the blocks: the names of the rows on the left
_ROW, _GAP, _FIRST_GAP = 0.52, 0.26, 0.5

Reading = int | Sequence[bytes]


@drawing
def cuts(sent: Sequence[bytes], read: Sequence[Reading] | Mapping[str, Sequence[bytes]]) -> Picture:
    """The blocks that were sent, and below them a row for each way of reading the same bytes.

    `sent`: the pieces, in order. `read`: one entry for each row, either the chunks that were really received,
    or a size n, drawn as what `recv(n)` gives of bytes that are all there; or a dict of the row's name and its chunks.
    A dotted line falls from each border that the sender made; a × shows where no cut of the reader meets it.

        pictures.cuts(sent=[b"one", b"two", b"three"], read=[1024, 4, 1])
        pictures.cuts(sent=[b"one", b"two"], read={"recv_exactly": [b"one", b"two"], "recv(1024)": [b"onetwo"]})

    ValueError when nothing was sent, when a size is not at least 1, and when the chunks of a row are no beginning of
    the bytes that were sent.
    """
    pieces = _pieces(sent, "sent")
    stream = b"".join(pieces)
    if not stream:
        raise ValueError("sent: pass at least one piece with a byte in it, such as sent=[b'one', b'two']")
    rows = _rows(stream, read)

    height = 0.75 + _ROW + _FIRST_GAP + len(rows) * (_ROW + _GAP) + 0.3
    fig = figure(height=height)
    paper = page(fig)
    title(paper, "Same bytes. Who decides the cuts?")
    width, _ = fig.get_size_inches()
    scale = (width - _LEFT - _RIGHT) / len(stream)
    widest = max(text_width(paper, shown(bytes([byte])), size=14, bold=True, mono=True) for byte in set(stream))
    by_byte = widest < scale - 0.2  # room for every byte's own text, and for a × between two of them

    borders = _apart(sorted(set(accumulate(len(piece) for piece in pieces)) - {0, len(stream)}), 0.35 / scale)
    top = height - 0.75 - _ROW
    bottom = top - _FIRST_GAP - len(rows) * (_ROW + _GAP) + _GAP - 0.12
    for border in borders:
        x = _LEFT + border * scale
        line(paper, (x, top - 0.04), (x, bottom), style=":", width=2, zorder=3 if by_byte else 1)
    _row(paper, top, "sent", pieces, CLIENT, scale, by_byte)
    y = top - _FIRST_GAP - _ROW
    missed = False
    for name, chunks in rows:
        _row(paper, y, name, chunks, SERVER, scale, by_byte)
        met = set(accumulate(len(chunk) for chunk in chunks))
        was_read = sum(len(chunk) for chunk in chunks)
        if was_read < len(stream):
            rest = (len(stream) - was_read) * scale
            block(
                paper,
                _LEFT + was_read * scale + 0.03,
                y,
                rest - 0.06,
                _ROW,
                "not read",
                color=WIRE,
                filled=False,
                dashed=True,
                bold=False,
            )
        for border in borders:
            if border < was_read and border not in met:
                missed = True
                cross(paper, _LEFT + border * scale, y + (_ROW / 2 if by_byte else _ROW))
        y -= _ROW + _GAP
    _ruler(paper, bottom - 0.14, [0, *borders, len(stream)], scale)

    return picture(fig, _alt(len(pieces), [name for name, _ in rows], missed))


def _pieces(chunks: object, where: str) -> list[bytes]:
    if isinstance(chunks, (bytes, bytearray, str)) or not isinstance(chunks, Sequence):
        raise ValueError(f"{where}: pass a list of bytes, such as [b'one', b'two'], not {type(chunks).__name__}")
    for chunk in chunks:
        if not isinstance(chunk, (bytes, bytearray)):
            raise ValueError(f"{where}: every piece is bytes, such as b'one', not {type(chunk).__name__}")
    return [bytes(chunk) for chunk in chunks]


def _rows(stream: bytes, read: object) -> list[tuple[str, list[bytes]]]:
    if isinstance(read, Mapping):
        entries = list(read.items())
    elif isinstance(read, Sequence) and not isinstance(read, (bytes, bytearray, str)):
        entries = [(None, entry) for entry in read]
    else:
        raise ValueError("read: pass a list with an entry for each row: a size such as 4, or the chunks received")
    if not entries:
        raise ValueError("read: pass at least one way of reading, such as read=[1024, 4, 1]")
    if len(entries) > 20:
        raise ValueError(f"read: {len(entries)} rows are too many to look at, 20 are the most")
    rows = []
    for name, entry in entries:
        if isinstance(entry, int) and not isinstance(entry, bool):
            if entry < 1:
                raise ValueError(f"read: recv takes a size of at least 1, not {entry}")
            chunks = [stream[i : i + entry] for i in range(0, len(stream), entry)]
            rows.append((name or f"recv({entry})", chunks))
        else:
            chunks = [chunk for chunk in _pieces(entry, "read") if chunk]
            if not stream.startswith(b"".join(chunks)):
                raise ValueError(f"read: these chunks are not the bytes that were sent: {b''.join(chunks)[:40]!r}")
            rows.append((name or "received", chunks))
    return rows


def _apart(places: list[int], room: float) -> list[int]:
    """Those places that stand at least `room` from the one before: a thousand sends would be a thousand lines."""
    kept: list[int] = []
    for place in places:
        if not kept or place - kept[-1] >= room:
            kept.append(place)
    return kept


def _row(paper: Axes, y: float, name: str, chunks: list[bytes], color: str, scale: float, by_byte: bool) -> None:
    write(
        paper,
        _LEFT - 0.2,
        y + _ROW / 2,
        name,
        ha="right",
        mono=name.endswith(")"),
        bold=True,
        color=color,
        room=_LEFT - 0.3,
    )
    if len(chunks) > 300:  # too thin for words and for round corners, and too many for one shape each
        ends = [_LEFT + end * scale for end in accumulate(len(chunk) for chunk in chunks)]
        starts = [_LEFT, *ends[:-1]]
        spans = [(start, (end - start) * 0.88) for start, end in zip(starts, ends, strict=True)]
        paper.broken_barh(spans, (y, _ROW), facecolor=color, edgecolor="none", zorder=2)
        return
    x = _LEFT
    for chunk in chunks:
        width = len(chunk) * scale
        space = min(0.07, width * 0.12)
        block(
            paper,
            x + space / 2,
            y,
            width - space,
            _ROW,
            "" if by_byte else shown(chunk),
            color=color,
            mono=True,
            size=14,
        )
        if by_byte:
            for place, byte in enumerate(chunk):
                middle = x + (place + 0.5) * scale
                write(paper, middle, y + _ROW / 2, shown(bytes([byte])), size=14, color=PAPER, bold=True, mono=True)
        x += width


def _ruler(paper: Axes, y: float, places: list[int], scale: float) -> None:
    """The numbers of the bytes at the sender's borders, as many as have room."""
    write(paper, _LEFT - 0.2, y, "byte", size=SMALL, color=WIRE, ha="right")
    right = paper.get_xlim()[1] - 0.1
    taken: list[tuple[float, float]] = []
    for place in [places[0], places[-1], *places[1:-1]]:
        half = text_width(paper, str(place), size=SMALL) / 2
        x = min(_LEFT + place * scale, right - half)
        if all(abs(x - other) > half + other_half + 0.15 for other, other_half in taken):
            write(paper, x, y, str(place), size=SMALL, color=WIRE)
            taken.append((x, half))


def _alt(sent: int, rows: list[str], missed: bool) -> str:
    green = "a green row shows" if len(rows) == 1 else f"{len(rows)} green rows show"
    return (
        f"A row of {sent} blue blocks shows the bytes as they were sent. Below it {green} the same "
        f"bytes as they were read by {spoken(*rows)}; dotted lines fall from the borders of the blocks"
        f"{', with a cross where no cut meets them' if missed else ''}."
    )
