"""Who said what, in order: client and server as lanes, a slanted line for each message (notebooks 09, 10, 14)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from .messages import Message, messages
from .style import (
    CLIENT,
    FAINT,
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
    line,
    page,
    picture,
    spoken,
    text_width,
    title,
    write,
)

_ROW = 0.29  # inches from one moment to the next
_MOST = 16  # messages in one picture; of more, the first and the last are drawn
_ENDINGS = {1000: "returned", 1011: "raised"}  # what a handler did when its server was the first to say goodbye


@dataclass
class _Line:
    """A message on the page: the rows at which it leaves and comes."""

    message: Message
    leaves: float = 0.0
    comes: float = 0.0


@dataclass
class _Story:
    """A recording laid out in rows: each thing that happened has a row of its own, in order, but for goodbyes: they leave when all
    before them has come."""

    lines: list[_Line]
    bands: dict[int, tuple[float, float]]  # connection: first and last row of its HTTP
    gap: tuple[float, int] | None  # row, how many messages aren't drawn
    rows: float


@drawing
def rally(recording: object, *, connection: int | None = None, heading: str | None = None) -> Picture:
    """One connection as a sequence: time runs down, the client is on the left, the server on the right.

    `recording`: a `Wire`, its `.events`, or a list of tuples (time sent, time received or None if never, sender,
    text). The rows show the order of what happened, not how long it took; for that see `rallies`. A message that
    never came ends in a ×.

        pictures.rally(wire)
        pictures.rally([(0.0, 0.1, "client", "hello"), (0.1, 0.2, "server", "Echo: hello")], heading="One echo")

    ValueError when there is no message, and when the recording holds several connections and `connection` names none.
    """
    found = messages(recording, connection)
    numbers = _connections(found)
    if len(numbers) > 1:
        raise ValueError(
            f"the recording has {len(numbers)} connections: pass connection={numbers[0]}, or use handler_life(…)"
        )
    story = _story(found)
    fig = figure(height=1.4 + story.rows * _ROW)
    paper = page(fig)
    title(paper, heading or ("HTTP once, then messages" if story.bands else "Who says what?"))
    top = fig.get_size_inches()[1] - 1.15
    _lanes(paper, story, top, {numbers[0]: (2.0, 7.0)}, {numbers[0]: "client"}, server="server")
    return picture(
        fig,
        "A sequence of messages, time running down, the client in blue on the left and the server in green on the "
        f"right: {_said(found)}.",
    )


@drawing
def handler_life(
    recording: object,
    *,
    unsent: Sequence[str] | Mapping[str, Sequence[str]] = (),
    heading: str = "HTTP once, then messages",
) -> Picture:
    """The life of the handlers: a green bar for each connection, from its handshake to its handler's end.

    `recording`: one recording as for `rally`, with one client or two; or a dict of titles and recordings, drawn side
    by side.
    `unsent`: texts that the (last) client wanted to send after the goodbye, when `send` raised: each runs
    into a ×. With a dict of recordings, a dict of the same titles.

        pictures.handler_life(wire)
        pictures.handler_life({"with a loop": wire, "without": other_wire}, unsent={"without": ["again"]})

    A bar that ends with "returned → 1000" or "raised → 1011" belongs to a handler that was done before its client.
    ValueError when there is no message, more than two clients in a recording or more than three in all.
    """
    recordings = dict(recording) if isinstance(recording, Mapping) else {"": recording}
    if isinstance(recording, Mapping) and not (isinstance(unsent, Mapping) or not unsent):
        raise ValueError("unsent: with a dict of recordings pass a dict too, such as {'without a loop': ['again']}")
    if not 1 <= len(recordings) <= 3:
        raise ValueError(f"pass one to three recordings, not {len(recordings)}")
    too_late = dict(unsent) if isinstance(unsent, Mapping) else dict.fromkeys(recordings, unsent)
    if unknown := set(too_late) - set(recordings):
        raise ValueError(f"unsent: there is no recording with the title {sorted(map(str, unknown))[0]!r}")
    panels = []
    for name, one in recordings.items():
        found = messages(one)
        numbers = _connections(found)
        if len(numbers) > 2:
            raise ValueError(
                f"there is room for two clients, the recording has {len(numbers)}: use rally(wire, connection=…)"
            )
        panels.append((name, found, numbers, _story(found, [str(text) for text in too_late.get(name, ())])))

    sides = [len(numbers) for _, _, numbers, _ in panels]
    if sum(sides) > 3:
        raise ValueError(f"there is room for three clients in one picture, these are {sum(sides)}: draw fewer at once")
    extra = 0.4 if any(recordings) else 0.0  # for the panels' titles
    fig = figure(WIDTH, 1.4 + extra + max(story.rows for *_, story in panels) * _ROW)
    paper = page(fig)
    title(paper, heading)
    top = fig.get_size_inches()[1] - 1.15 - extra
    left = 0.1
    for name, _, numbers, story in panels:
        room = (WIDTH - 0.2) * (4 if len(numbers) == 1 else 7) / sum(4 if clients == 1 else 7 for clients in sides)
        if name:
            write(paper, left + 0.1, top + 0.82, name, size=14, bold=True, ha="left", room=room - 0.2)
        middle = left + room / 2
        reach = min(room / 2 - 0.68, 3.6)
        if len(numbers) == 1:
            lanes = {numbers[0]: (middle - reach, middle + reach)}
            names = {numbers[0]: "client"}
        else:
            lanes = {numbers[0]: (middle - reach, middle - 0.3), numbers[1]: (middle + reach, middle + 0.3)}
            names = {numbers[0]: "client 1", numbers[1]: "client 2"}
        _lanes(paper, story, top, lanes, names, server="server", bars=True)
        if left > 0.2:
            line(paper, (left, 0.3), (left, top + 0.9), color=FAINT)
        left += room
    said = "; ".join(f"{spoken(name)}: {_said(found)}".removeprefix(": ") for name, found, _, _ in panels)
    return picture(
        fig,
        "Sequences of messages, time running down, clients in blue, the server in green, and a green bar for each "
        f"client that shows how long its handler lives: {said}.",
    )


def _connections(found: Sequence[Message]) -> list[int]:
    if not found:
        raise ValueError("there is no message in this recording: talk through the wire first, and don't clear it")
    return list(dict.fromkeys(message.connection for message in found))


def _said(found: Sequence[Message]) -> str:
    """The story for the alt text."""
    parts = ["an HTTP request and its answer, once for each client"] if any(m.kind == "http" for m in found) else []
    if len(_connections(found)) == 1 and parts:
        parts = ["one HTTP request and its answer"]
    data = [message for message in found if message.kind not in ("http", "close")]
    if data:
        whose = "in both directions" if len({m.sender for m in data}) == 2 else f"from the {data[0].sender}"
        parts.append(f"then messages {whose}" if parts else f"messages {whose}")
    endings = [_goodbye(found, number) for number in _connections(found)]
    parts += [
        f"a handler that {ending[1].replace(' →', ', so the goodbye is')}"
        for ending in endings
        if ending and "→" in ending[1]
    ]
    return ", ".join(parts) or "a few messages"


def _goodbye(found: Sequence[Message], connection: int) -> tuple[Message, str] | None:
    """The first close message of a connection, and what to write beside it."""
    closes = [message for message in found if message.connection == connection and message.kind == "close"]
    if not closes:
        return None
    first = min(closes, key=lambda message: message.sent)
    code = int(first.text.split()[1]) if len(first.text.split()) > 1 else 1005
    if first.sender == "server" and code in _ENDINGS:
        return first, f"{_ENDINGS[code]} → {code}"
    return first, first.text


def _story(found: Sequence[Message], unsent: Sequence[str] = ()) -> _Story:
    hidden = len(found) - _MOST
    drawn = list(found) if hidden <= 0 else [*found[: _MOST - 6], *found[-6:]]
    first_hidden = found[_MOST - 6].sent if hidden > 0 else None
    lines = [_Line(message) for message in drawn]
    moments = []
    for place, one in enumerate(lines):
        moments.append((one.message.sent, 2 * place, one, "leaves"))
        if one.message.received is not None:
            moments.append((one.message.received, 2 * place + 1, one, "comes"))
    moments.sort(key=lambda moment: moment[:2])
    for goodbye in [moment for moment in moments if moment[2].message.kind == "close" and moment[3] == "leaves"]:
        _after_what_it_follows(moments, goodbye)

    row, bands, gap = 1.0, {}, None
    for time, _, one, what in moments:
        number = one.message.connection
        if first_hidden is not None and gap is None and time >= first_hidden:
            gap = (row, hidden)
            row += 1.4
        if one.message.kind == "http" and number not in bands:
            bands[number] = (row - 0.75, row)
            row += 0.9  # a line of its own for "HTTP, once"
        setattr(one, what, row)
        if one.message.kind == "http":
            bands[number] = (bands[number][0], row + 0.25)
            if one.message.sender == "server" and what == "comes":
                row += 0.5
        if what == "leaves" and one.message.received is None:
            one.comes = row + 1
            row += 1
        row += 1 if what == "leaves" else 1.05  # what is written next keeps clear of this arrow's head
    for text in unsent:
        late = Message(found[-1].sent, None, "client", text, "unsent", found[-1].connection)
        lines.append(_Line(late, row, row + 0.8))
        row += 1.6
    return _Story(lines, bands, gap, row)


def _after_what_it_follows(moments: list[tuple[float, int, _Line, str]], goodbye: tuple[float, int, _Line, str]) -> None:
    """Move what its side said before, and is still on its way, in front of a goodbye: the words beside it would lie on that line."""
    message, place = goodbye[2].message, moments.index(goodbye)
    for moment in moments[place + 1 :]:
        other = moment[2].message
        if moment[3] == "comes" and (other.sender, other.connection) == (message.sender, message.connection) and other is not message:
            moments.remove(moment)
            moments.insert(place, moment)
            place += 1


def _lanes(
    paper: Axes,
    story: _Story,
    top: float,
    lanes: Mapping[int, tuple[float, float]],
    names: Mapping[int, str],
    *,
    server: str,
    bars: bool = False,
) -> None:
    """Draw a story. `lanes`: for each connection the x of its client and of its server; `top`: the y of row 0."""

    def height(row: float) -> float:
        return top - row * _ROW

    bottom = height(story.rows - 0.3)
    servers = sorted(here for _, here in lanes.values())
    block(paper, servers[0] - 0.5, top + 0.05, servers[-1] - servers[0] + 1.0, 0.42, server, color=SERVER, size=14)
    for place, (number, (there, here)) in enumerate(lanes.items()):
        second = place == 1
        block(
            paper,
            there - 0.5,
            top + 0.05,
            1.0,
            0.42,
            names[number],
            color=CLIENT,
            size=14,
            filled=not second,
            dashed=second,
        )
        line(
            paper,
            (there, top + 0.05),
            (there, bottom),
            color=CLIENT,
            width=2.2,
            style="--" if second else "-",
            zorder=1,
        )
        line(
            paper,
            (here, top + 0.05),
            (here, bottom),
            color=SERVER,
            width=2.2 if not bars else 1.2,
            style="-" if not bars else ":",
            zorder=1,
        )
        inward = 1 if here > there else -1
        room = abs(here - there)
        if number in story.bands:
            first, last = story.bands[number]
            band(paper, min(there, here), height(last), room, (last - first) * _ROW)
            write(paper, (there + here) / 2, height(first + 0.5), "HTTP, once", size=SMALL, bold=True)
        own = [one for one in story.lines if one.message.connection == number]
        if bars:
            _bar(paper, own, here, height, story.rows)
        goodbye = _goodbye([one.message for one in own], number)
        for one in own:
            words = goodbye[1] if goodbye and one.message is goodbye[0] else one.message.text
            _message(
                paper, one, words, there, here, inward, room, height, "--" if second else "-", 0.1 if bars else 0.0
            )
    if story.gap is not None:
        row, hidden = story.gap
        middle = sum(x for lane in lanes.values() for x in lane) / (2 * len(lanes))
        write(paper, middle, height(row), "… more messages …", size=SMALL, halo=True)


def _bar(paper: Axes, own: Sequence[_Line], x: float, height, rows: float) -> None:
    """The handler's life: from the answer to the handshake to whoever's goodbye ends it."""
    answers = [one.leaves for one in own if one.message.kind == "http" and one.message.sender == "server"]
    start = answers[0] if answers else min(one.comes if one.message.sender == "client" else one.leaves for one in own)
    closes = [one for one in own if one.message.kind == "close"]
    if closes:
        first = min(closes, key=lambda one: one.leaves)
        end = first.leaves if first.message.sender == "server" else first.comes
    else:
        end = rows - 0.3
    paper.add_patch(
        Rectangle(
            (x - 0.1, height(end)),
            0.2,
            (end - start) * _ROW,
            facecolor=SERVER,
            edgecolor="white",
            linewidth=1,
            zorder=4,
        )
    )


def _message(
    paper: Axes,
    one: _Line,
    words: str,
    there: float,
    here: float,
    inward: int,
    room: float,
    height,
    style: str,
    bar: float,
) -> None:
    message = one.message
    from_client = message.sender == "client"
    here -= inward * bar
    start, end = (there, here) if from_client else (here, there)
    color = CLIENT if from_client else SERVER
    protocol = message.kind in ("http", "close", "ping", "pong")
    room -= 0.25
    if message.kind == "http" and text_width(paper, words, size=SMALL) > room:
        words = words.removeprefix("HTTP/1.1 ")
        if text_width(paper, words, size=SMALL) > room:
            words = " ".join(words.split()[:2]) + " …"
    y, goal = height(one.leaves), height(one.comes)
    if message.received is None:
        half = (start + end) / 2
        line(paper, (start, y), (half, goal), color=color, style=style, width=2, zorder=3)
        cross(paper, half, goal)
    else:
        arrow(paper, (start, y), (end, goal), color=color, style=style, width=1.4 if protocol else 2.0, head=15)
    toward = inward if from_client else -inward
    write(
        paper,
        start + toward * 0.1,
        y + 0.03,
        words,
        size=SMALL if protocol else 13,
        color=color if not protocol else INK,
        mono=not protocol,
        bold=not protocol,
        ha="left" if toward > 0 else "right",
        va="bottom",
        room=room,
        halo=message.kind != "http",
    )
