"""One set of messages, byte for byte, under several ways of marking where each of them ends (notebook 02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from .style import (
    CLIENT,
    INK,
    PAPER,
    SMALL,
    WIRE,
    Picture,
    block,
    drawing,
    figure,
    page,
    picture,
    spoken,
    title,
    write,
)

MOST = 20  # bytes in a row: each has room for its character and its two hexadecimal digits
ROWS = 8

_LEFT, _RIGHT = 1.9, 0.3  # inches beside the bytes: the names of the rows on the left
_ROW, _STEP, _TOP, _BOTTOM = 0.5, 1.12, 1.35, 0.45
_WIDEST = 0.5  # a byte
_GAP = 0.1  # between two frames


@drawing
def strips(messages: Sequence[bytes], framed: Mapping[str, Sequence[bytes]]) -> Picture:
    """A row for each way of framing: its stream, every byte with its character and, below, its two hexadecimal digits.

    `messages`: what is to be told apart. `framed`: the name of each way, and one frame for each message: the message with
    what was put before it, behind it or around it. Bytes of a message are filled, those that were added are
    outlined. In front of each row stand its name and its length.

        pictures.strips([b"one", b""], {"delimiter": [b"one\\n", b"\\n"], "length first": [b"\\x03one", b"\\x00"]})

    ValueError when there is nothing to draw, when a row has not one frame for each message or a frame doesn't
    contain its message, for more than 8 rows, and for a stream of more than 20 bytes.
    """
    messages = _bytes(messages, "messages")
    if not isinstance(framed, Mapping) or not 1 <= len(framed) <= ROWS:
        raise ValueError(f"framed: pass 1 to {ROWS} ways, such as {{'delimiter': [b'one\\n', b'two\\n']}}")
    rows = {str(name): _split(messages, _bytes(frames, str(name)), str(name)) for name, frames in framed.items()}
    longest = max(sum(len(part) for frame in frames for part in frame) for frames in rows.values())
    if not 1 <= longest <= MOST:
        raise ValueError(f"a row shows 1 to {MOST} bytes, one by one; this one has {longest}")

    fig = figure(height=_TOP + len(rows) * _STEP - (_STEP - _ROW) + _BOTTOM)
    paper = page(fig)
    width, height = fig.get_size_inches()
    title(paper, "The same messages. Where does one end?")
    _legend(paper, height - 0.78)
    gaps = max(len(messages) - 1, 0) * _GAP
    scale = min(_WIDEST, (width - _LEFT - _RIGHT - gaps) / longest)
    y = height - _TOP - _ROW
    for name, frames in rows.items():
        count = sum(len(part) for frame in frames for part in frame)
        write(paper, 0.25, y + _ROW / 2 + 0.11, name, bold=True, ha="left", room=_LEFT - 0.35)
        write(paper, 0.25, y + _ROW / 2 - 0.15, f"{count} byte{'s' * (count != 1)}", size=SMALL, color=WIRE, ha="left")
        _strip(paper, y, frames, scale)
        y -= _STEP
    return picture(
        fig,
        f"The bytes of the same messages in {len(rows)} rows, marked by {spoken(*rows)}. Bytes of a message are filled blue "
        "blocks, bytes that mark its border are outlined; below each byte stand its two hexadecimal digits.",
    )


def _bytes(pieces: object, where: str) -> list[bytes]:
    if isinstance(pieces, (bytes, bytearray, str)) or not isinstance(pieces, Sequence) or not pieces:
        raise ValueError(f"{where}: pass a list of bytes, such as [b'one', b'two']")
    for piece in pieces:
        if not isinstance(piece, (bytes, bytearray)):
            raise ValueError(f"{where}: every piece is bytes, such as b'one', not {type(piece).__name__}")
    return [bytes(piece) for piece in pieces]


def _split(messages: list[bytes], frames: list[bytes], name: str) -> list[tuple[bytes, bytes, bytes]]:
    """Each frame as what stands before its message, the message, and what stands behind it."""
    if len(frames) != len(messages):
        raise ValueError(f"{name}: {len(frames)} frames for {len(messages)} messages")
    parts = []
    for message, frame in zip(messages, frames, strict=True):
        # a message of one byte may look like its own length: what stands at the end comes first
        start = len(frame) - len(message) if frame.endswith(message) else frame.find(message)
        if start < 0:
            raise ValueError(f"{name}: the frame {frame!r} doesn't contain its message {message!r}")
        parts.append((frame[:start], message, frame[start + len(message) :]))
    return parts


def _legend(paper: Axes, y: float) -> None:
    x = 0.25
    for words, filled in (("a byte of a message", True), ("a byte that marks a border", False)):
        block(paper, x, y - 0.1, 0.28, 0.24, color=CLIENT if filled else INK, filled=filled)
        write(paper, x + 0.4, y + 0.01, words, size=SMALL, ha="left")
        x += 2.7


def _strip(paper: Axes, y: float, frames: list[tuple[bytes, bytes, bytes]], scale: float) -> None:
    x = _LEFT
    for before, message, after in frames:
        for part, filled in ((before, False), (message, True), (after, False)):
            for byte in part:
                block(paper, x + 0.015, y, scale - 0.03, _ROW, color=CLIENT if filled else INK, filled=filled)
                ink = PAPER if filled else INK
                write(paper, x + scale / 2, y + _ROW / 2, _character(byte), size=14, color=ink, bold=True, mono=True)
                write(paper, x + scale / 2, y - 0.2, f"{byte:02x}", size=SMALL, mono=True)
                x += scale
        x += _GAP


def _character(byte: int) -> str:
    """A byte as the character it may be meant as; "" for one that is none."""
    if byte == 0x20:
        return "␣"
    if byte == 0x0A:
        return "\\n"
    return chr(byte) if 0x20 < byte < 0x7F else ""
