"""The layers of one real exchange, cut where each of them is cut: pieces, frames, records, calls (notebook 22)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from ..frames import Event, Frame, sent_by
from ..frames.conversation import events_of
from .style import (
    CLIENT,
    INK,
    PAPER,
    SERVER,
    SMALL,
    WIRE,
    Picture,
    block,
    drawing,
    figure,
    fit,
    line,
    page,
    picture,
    title,
    write,
)

MOST = 500  # bytes in a row
_END = b"\x1e"
_LEFT, _RIGHT = 1.55, 0.25  # inches beside the bytes: the names of the layers on the left
_ROW, _STEP, _SIDE, _TOP = 0.4, 0.48, 0.55, 0.45
_NAMES = ("calls", "records", "frames", "TCP")
_GAP = 0.03  # between two neighbours


@dataclass(frozen=True)
class _Part:
    """From where to where something goes in the stream of its side, in bytes, and what it says."""

    start: int
    end: int
    says: str = ""


@drawing
def cake(recording: object, *, connection: int | None = None) -> Picture:
    """What each side said, four times, one layer on the other: pieces of TCP, frames, records, calls.

    `recording`: a `Wire` or its events, from after the handshake on (`wire.clear()`), with text frames of the hub protocol. The
    bytes of a side run from left to right, and all four layers stand over the same bytes, so borders that lie above each
    other are the same border. Dark beginnings of frames are their heads. A narrow white line inside a record is its 0x1E.

        pictures.cake(wire)

    ValueError when there is no frame, for more than 500 bytes of a side, and for several connections when none is named.
    """
    events = [event for event in events_of(recording) if event.data]
    numbers = list(dict.fromkeys(event.connection for event in events))
    if connection is None and len(numbers) > 1:
        raise ValueError(f"the recording has {len(numbers)} connections: pass connection={numbers[0]}")
    events = [event for event in events if connection in (None, event.connection)]
    sides = []
    for sender, color in (("client", CLIENT), ("server", SERVER)):
        frames = [frame for frame in sent_by(events, sender) if frame.opcode < 8]
        if frames:
            sides.append((sender, color, _layers(events, frames, sender)))
    if not sides:
        raise ValueError("there is no frame in this recording: talk through the wire first")
    longest = max(part.end for *_, layers in sides for parts in layers for part in parts)
    if longest > MOST:
        raise ValueError(f"a row shows at most {MOST} bytes, and this one has {longest}: clear the wire before you talk")

    fig = figure(height=_TOP + len(sides) * (_SIDE + 4 * _STEP) + 0.1)
    paper = page(fig)
    width, height = fig.get_size_inches()
    title(paper, "The same bytes, cut by four layers")
    block(paper, 5.35, height - 0.38, 0.16, 0.22, color=INK, round_by=0.02)
    write(paper, 5.6, height - 0.27, "the head of a frame · numbers: bytes", size=SMALL, ha="left")
    scale = (width - _LEFT - _RIGHT) / longest
    top = height - _TOP
    for sender, color, layers in sides:
        top -= _SIDE
        who = "client → server" if sender == "client" else "server → client"
        write(paper, 0.2, top + 0.2, who, size=14, color=color, bold=True, ha="left")
        for name, parts in zip(_NAMES, layers, strict=True):
            top -= _STEP
            said = "answers" if name == "calls" and sender == "server" else name
            write(paper, _LEFT - 0.15, top + _ROW / 2 - 0.01, said, ha="right", bold=True)
            _row(paper, top, name, parts, scale, color)
    who = " and ".join(f"the {sender} in {name}" for sender, name in (("client", "blue"), ("server", "green")) if sender in [one for one, *_ in sides])
    return picture(
        fig,
        f"Four rows over the same bytes, for {who}: at the bottom the pieces of TCP, then the frames of WebSocket with their "
        "heads, then the records, each with its 1E at the end, and at the top the calls and answers. Where two borders stand above "
        "each other, two layers have cut in the same place.",
    )


def _layers(events: Sequence[Event], frames: Sequence[Frame], sender: str) -> tuple[list[_Part], ...]:
    """The parts of each layer, the top one first; places are bytes of the stream, the first of them 0."""
    first, last = frames[0].start, frames[-1].start + len(frames[-1].raw)
    places = []  # of each byte of a payload
    cut = []
    for frame in frames:
        begin = frame.start - first
        cut.append(_Part(begin, begin + len(frame.raw), str(len(frame.raw) - len(frame.payload))))
        places += range(begin + len(frame.raw) - len(frame.payload), begin + len(frame.raw))
    payload = b"".join(frame.data for frame in frames)
    records, calls, at = [], [], 0
    for record in payload.split(_END):
        if record:
            end = min(at + len(record) + 1, len(places))
            part = _Part(places[at], places[end - 1] + 1, "" if payload[end - 1 : end] == _END else "…")
            records.append(part)
            calls.append(_Part(part.start, part.end, _call(record)))
        at += len(record) + 1
    return calls, records, cut, list(_pieces(events, sender, first, last))


def _pieces(events: Sequence[Event], sender: str, first: int, last: int) -> Iterator[_Part]:
    at = 0
    for event in events:
        if event.kind == "passed" and event.sender == sender:
            start, at = at, at + len(event.data)
            if at > first and start < last:
                yield _Part(max(start, first) - first, min(at, last) - first)


def _call(record: bytes) -> str:
    """What a record means, as short as a block is wide."""
    try:
        said = json.loads(record)
        kind, number = said.get("type"), said.get("invocationId")
        mark = f"#{number} " if number is not None else ""
        match kind:
            case 1 | 4:
                return f"{mark}{said['target']}({', '.join(json.dumps(one) for one in said['arguments'])})"
            case 2:
                return f"{mark}item {json.dumps(said['item'])}"
            case 3:
                return mark + (f"error {said['error']}" if "error" in said else f"→ {json.dumps(said.get('result'))}")
            case 5:
                return f"{mark}cancel"
            case 6:
                return "ping"
            case 7:
                return "close"
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    return "?"


def _row(paper: Axes, y: float, name: str, parts: Sequence[_Part], scale: float, color: str) -> None:
    for part in parts:
        x, wide = _LEFT + part.start * scale, (part.end - part.start) * scale - _GAP
        wide = max(wide, 0.02)
        if name == "TCP":
            block(paper, x, y, wide, _ROW, color=WIRE, round_by=0.02)
            _label(paper, x, y, wide, f"{part.end - part.start}", PAPER)
        elif name == "frames":
            head = min(int(part.says) * scale, wide)
            block(paper, x, y, wide, _ROW, color=color, filled=False, round_by=0.02)
            block(paper, x, y, head, _ROW, color=INK, round_by=0.02)
            _label(paper, x + head, y, wide - head, f"{part.end - part.start}", INK)
        elif name == "records":
            block(paper, x, y, wide, _ROW, color=color, round_by=0.02)
            if not part.says:
                line(paper, (x + wide - 0.06, y), (x + wide - 0.06, y + _ROW), color=PAPER, width=1.6, zorder=3)
            _label(paper, x, y, wide - 0.08, f"{{…}} 1E{part.says}", PAPER)
        else:
            block(paper, x, y, wide, _ROW, color=color, filled=False, round_by=0.12)
            _label(paper, x, y, wide, part.says, INK)


def _label(paper: Axes, x: float, y: float, room: float, words: str, ink: str) -> None:
    if words and (said := fit(paper, words, room - 0.1, size=SMALL, bold=True)) and len(said) >= min(3, len(words)):
        write(paper, x + room / 2, y + _ROW / 2 - 0.01, said, size=SMALL, color=ink, bold=True)
