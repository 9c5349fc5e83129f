"""The pictures: what is on them, what they are made of, and what they leave behind."""

from __future__ import annotations

import base64
import gc
import html
import io
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from conftest import open_files
from drawn import Look, faults, looked_at
from PIL import Image
from websockets.frames import Frame, Opcode
from websockets.sync.client import connect

from helpers import EchoServer, TCPEchoServer, WebSocketServer, Wire, frames, pictures
from helpers.attempts import Attempt
from helpers.costs import Cost
from helpers.customers import Visit
from helpers.deliveries import Delivery
from helpers.pictures import Message, Picture, style
from helpers.pictures.rallies import _closest, _in_the_air
from helpers.pictures.sequence import _story
from helpers.recording import Event
from helpers.states import Change

def events(*said: tuple[str, bytes], lost: bool = False) -> list[Event]:
    """A recording of what was said, part by part; with `lost`, the last part never reached the other side."""
    found = []
    for i, (sender, data) in enumerate(said):
        found.append(Event(i, 1, sender, "received", data))
        if not lost or i < len(said) - 1:
            found.append(Event(i + 0.5, 1, sender, "passed", data))
    return found


ASKED = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n\r\n"
AGREED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

ODD = "$x_1$ \\alpha \x00\r\n\t\u200b🦜😀 汉字 e\u0301 \ud800 %s {}"  # mathtext, control characters, missing glyphs, a lone surrogate
LONG = "a very long text " * 20
DONE = StopIteration()


def talk(count: int, *, delay: float = 0.1, text: str = "ball {}") -> list[tuple[float, float, str, str]]:
    """A rally: each message leaves when the one before has come."""
    return [
        (i * delay, (i + 1) * delay, "client" if i % 2 == 0 else "server", text.replace("{}", str(i)))
        for i in range(count)
    ]


def both(count: int, *, every: float = 0.01, delay: float = 0.05) -> list[tuple[float, float, str, str]]:
    """Both sides serve."""
    return [
        (i * every, i * every + delay, sender, f"{sender[0]}{i}")
        for i in range(count)
        for sender in ("client", "server")
    ]


def connection(number: int, start: float = 0.0, closes: str = "client", code: int = 1000) -> list[Message]:
    """A whole WebSocket connection: handshake, one echo, goodbye."""
    other = "server" if closes == "client" else "client"
    parts = [
        ("client", "GET / HTTP/1.1", "http"),
        ("server", "HTTP/1.1 101 Switching Protocols", "http"),
        ("client", "hello", "text"),
        ("server", "Echo: hello", "text"),
        (closes, f"close {code}", "close"),
        (other, f"close {code}", "close"),
    ]
    return [
        Message(start + i, start + i + 0.5, sender, text, kind, number) for i, (sender, text, kind) in enumerate(parts)
    ]


def lanes(count: int, *, blocked: float = 1.0, name: str = "task {}") -> dict[str, list[tuple[str, float, float]]]:
    spans = [
        ("runs", 0.0, 0.01),
        ("waits", 0.01, 1.0),
        ("ready", 1.0, 1.0 + blocked),
        ("runs", 1.0 + blocked, 1.1 + blocked),
    ]
    return {name.replace("{}", str(i)): spans for i in range(count)}


POURED = [(65536 * n, 65536 * max(0, n - 3)) for n in range(1, 33)]  # three writes fit into the line itself

WAYS = {
    "one at a time": {"lines": 8, "memory": "one caller only", "silent": "× others wait"},
    "a thread each": {"lines": 8, "memory": "19.3 KiB", "silent": "others go on"},
}


def visited(count: int, *, every: float = 0.0) -> list[Visit]:
    """Each is served for 20 ms; `every`: seconds until the next one is."""
    return [Visit(i, 0.0, i * every, i * every + 0.02, 2, "goodbye") for i in range(1, count + 1)]


def unserved(count: int) -> list[Visit]:
    return [Visit(i, i * 1e-3, None, 0.5, 0, "cut off" if i % 2 else "gave up") for i in range(1, count + 1)]


def tried(*ends: str, each: float = 0.1) -> list[Attempt]:
    """An attempt for each end, one after the other."""
    return [Attempt(f"way {i}", i * each, (i + 1) * each, end) for i, end in enumerate(ends)]


def spent(much: float, *, grows: float = 3) -> list[Cost]:
    return [Cost(10 ** (i + 1), int(much * grows**i * 2**24), much * grows**i * 1e-5) for i in range(3)]


def ends(code: int | None = 1000, *, why: str = "sent close {}") -> list[Change]:
    """A connection's changes at both ends; code None: the line was cut."""
    return [
        Change(side, before, after, reason, code)
        for side, opened in (("client", "received 101"), ("server", "sent 101"))
        for before, after, reason in (
            [("", "CONNECTING", "calls"), ("CONNECTING", "OPEN", opened)]
            + ([("OPEN", "CLOSING", why.format(code)), ("CLOSING", "CLOSED", "line ended")] if code else [("OPEN", "CLOSED", "line ended")])
        )
    ]


def delivered(count: int, *, late: float = 0.02, client: int = 400, server: int = 900) -> Delivery:
    """`count` events, one every tenth of a second, and so many bytes of each side."""
    said = [Event(0, 1, "client", "received", b"c" * client), Event(0, 1, "server", "received", b"s" * server)]
    return Delivery([(i / 10, i / 10 + late) for i in range(count)], said)


STEPS = [
    ("A", None),
    ("B", "sleep 0.1"),
    ("C", ("read", 3)),
    ("A", None),
    ("B", DONE),
    ("C", ValueError("x")),
    ("A", DONE),
]
TRAYS = [{"ready": ["A", "B"], "asleep": ["C"], "listening": []} for _ in STEPS]

def frame(text: str, *, masked: bool = False) -> bytes:
    data = text.encode()
    length = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
    return b"\x81" + (bytes([length[0] | 0x80]) + length[1:] + bytes(4) if masked else length) + data


RECORD = '{"type":1,"target":"Add","arguments":[2,3],"invocationId":"1"}\x1e'
COMPLETED = '{"type":3,"invocationId":"1","result":5}\x1e'

DRAWINGS: dict[str, Callable[[], Picture]] = {
    "bit_grid": lambda: pictures.bit_grid(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
    "bit_grid: one byte": lambda: pictures.bit_grid(b"\x81", heading=LONG),
    "bit_grid: half a length": lambda: pictures.bit_grid(b"\x82\xfe\x01"),
    "bit_grid: two bytes of length": lambda: pictures.bit_grid(b"\x82\xfe\x01\x00" + bytes(260)),
    "bit_grid: eight bytes of length": lambda: pictures.bit_grid(b"\x82\xff" + bytes(5) + b"\x01" + bytes(6) + b"$\\'\xff"),
    "bit_grid: goodbye": lambda: pictures.bit_grid(b"\x88\x16\x03\xe8" + "gèäß🎾 and more".encode()),
    "bit_grid: trouble": lambda: pictures.bit_grid(b"\xbf\x7f\xff" + bytes(7)),
    "bit_grid: compressed": lambda: pictures.bit_grid(frames.decode(b"\xc1\x07\xca\x48\xcd\xc9\xc9\x07\x00", "server", "permessage-deflate")[0]),
    "bit_grid: trouble further on": lambda: pictures.bit_grid(b"\x81\x14" + b"a" * 18 + b"\xff\xff"),
    "cake": lambda: pictures.cake(
        events(("client", frame((RECORD * 3)[:-20], masked=True)), ("server", frame(COMPLETED * 2)), ("client", frame(RECORD[-20:], masked=True)), ("server", frame(COMPLETED)))
    ),
    "cake: one side": lambda: pictures.cake(events(("server", frame('{"type":6}\x1e')), ("server", frame('{"type":7}\x1e')))),
    "cake: odd": lambda: pictures.cake(
        events(
            ("client", frame("\x1e" + RECORD.replace("Add", LONG[:80]) + "no JSON\x1e[]\x1e{\"type\":9}\x1e", masked=True)),
            *(("server", frame('{"type":2,"item":"' + ODD.encode("utf-8", "replace").decode()[:3] + '"}')) for _ in range(9)),
            ("server", frame("")),
        )
    ),
    "cake: crowded": lambda: pictures.cake([*events(*(("server", frame("\x1e")) for _ in range(150)))]),
    "cuts": lambda: pictures.cuts(sent=[b"one", b"two", b"three"], read=[1024, 4, 1]),
    "cuts: odd bytes": lambda: pictures.cuts(
        [ODD.encode("utf-8", "replace"), b"\xff\x00$a$"], {ODD: [b"$x_1$"], LONG: [], "all": 7}
    ),
    "cuts: one byte": lambda: pictures.cuts([b"x"], [1]),
    "cuts: thousands": lambda: pictures.cuts([b"x" * 7] * 3000, [1024, 100_000, [b"x"] * 200]),
    "cuts: a megabyte": lambda: pictures.cuts([b"x" * 400_000] * 3, [[b"x" * 65536] * 16]),
    "cuts: twenty rows": lambda: pictures.cuts([b"one", b"two"], list(range(1, 21))),
    "levels": lambda: pictures.levels({"write alone": POURED, "write, then drain": POURED[:5]}, mark=2**16),
    "levels: one run": lambda: pictures.levels({LONG: [(1, 0)]}),
    "levels: a gigabyte": lambda: pictures.levels({ODD: [(2**20, 0), (2**30, 2**30)], LONG: [(2**20, 5)]}, mark=2**16),
    "places": pictures.places,
    "roads": pictures.roads,
    "rally": lambda: pictures.rally(talk(4)),
    "rally: HTTP": lambda: pictures.rally(connection(1)),
    "rally: both serve": lambda: pictures.rally(both(6)),
    "rally: odd texts": lambda: pictures.rally(
        [(i, i + 2, s, ODD + LONG) for i in range(4) for s in ("client", "server")]
    ),
    "rally: lost": lambda: pictures.rally(
        [(0, 1, "client", "a"), (1, None, "server", "b"), (1, None, "client", "c")], heading=LONG
    ),
    "rally: hundreds": lambda: pictures.rally(talk(400, text="message {}")),
    "rally: hundreds, both": lambda: pictures.rally(both(400)),
    "rally: one": lambda: pictures.rally([(5, 5, "server", "")]),
    "handler_life": lambda: pictures.handler_life([*connection(1), *connection(2, 2.25)]),
    "handler_life: panels": lambda: pictures.handler_life(
        {"with a loop": [*connection(1), *connection(2, 2.25)], "without": connection(1, closes="server")},
        unsent={"without": ["again"]},
    ),
    "handler_life: three panels": lambda: pictures.handler_life(
        {LONG: connection(2), ODD: connection(3), "": connection(1, closes="server", code=1011)},
        unsent={"": [ODD, LONG]},
    ),
    "handler_life: one title": lambda: pictures.handler_life({ODD: connection(1)}),
    "handler_life: still open": lambda: pictures.handler_life(connection(7)[:4], unsent=["one", "two"]),
    "rallies": lambda: pictures.rallies({"a rally": talk(20), "both serve": both(10), "ten balls": both(10, every=0)}),
    "rallies: one": lambda: pictures.rallies({"one": talk(2)}),
    "rallies: four": lambda: pictures.rallies(
        {LONG: both(10), ODD: talk(3, text=LONG), "c": [(0, None, "client", ODD)], "d": both(200)}
    ),
    "rallies: at once": lambda: pictures.rallies({"a": [(3, 3, "client", "x")], "b": [(0, None, "server", "y")]}),
    "rallies: microseconds": lambda: pictures.rallies({"a": talk(10, delay=1e-5), "b": talk(3, delay=3e-6)}),
    "rallies: hours": lambda: pictures.rallies({"a": talk(10, delay=1234.5)}),
    "table": lambda: pictures.table(WAYS),
    "table: one cell": lambda: pictures.table({"x": {"y": 1}}, heading=LONG),
    "table: odd texts": lambda: pictures.table({ODD: {ODD: LONG, LONG: ODD}, LONG: {ODD: f"× {ODD}", LONG: None}}),
    "table: full": lambda: pictures.table({f"row {n}": {f"column {m}": LONG for m in range(6)} for n in range(12)}),
    "timeline": lambda: pictures.timeline(
        {"await after await": lanes(2), "two tasks": lanes(2, blocked=0.1), "time.sleep": lanes(2)}
    ),
    "timeline: odd": lambda: pictures.timeline({LONG: lanes(3, name=LONG + "{}"), ODD: lanes(2, name="{} " + ODD)}),
    "timeline: many": lambda: pictures.timeline({f"panel {i}": lanes(4, blocked=12345.6) for i in range(6)}),
    "timeline: nothing yet": lambda: pictures.timeline({"a": {"A": [("runs", 0, 0)], "B": []}}),
    "states": lambda: pictures.states({"a goodbye": ends(), "a cut": ends(None)}),
    "states: one": lambda: pictures.states(ends()),
    "states: one end": lambda: pictures.states(ends(None)[:3]),
    "states: refused": lambda: pictures.states([Change("client", "CONNECTING", "CLOSED", "line ended")]),
    "states: odd": lambda: pictures.states({LONG: ends(why=LONG), ODD: ends(why="{}" + LONG), "c": ends(None)}),
    "strips": lambda: pictures.strips([b"one", b""], {"delimiter": [b"one\n", b"\n"], "length": [b"\x03one", b"\x00"]}),
    "strips: odd bytes": lambda: pictures.strips([ODD.encode("utf-8", "replace")[-10:], b"$a$\xff\x00"], {ODD: [b" " + ODD.encode("utf-8", "replace")[-10:], b"$a$\xff\x00\r"], LONG: [ODD.encode("utf-8", "replace")[-10:], b"$a$\xff\x00\\"]}),
    "strips: one byte": lambda: pictures.strips([b"x"], {"a": [b"x"]}),
    "strips: only borders": lambda: pictures.strips([b""] * 20, {f"way {i}": [b"\n"] * 20 for i in range(8)}),
    "bars": lambda: pictures.bars("Messages a second, ours = 1", {"ours": 1, "theirs": 2.5}),
    "bars: odd": lambda: pictures.bars(ODD, {ODD: 1e-9, LONG: 123_456.7, "": 99_999}),
    "bars: eight": lambda: pictures.bars(LONG, {f"way {i}": i + 0.55 for i in range(8)}),
    "queues": lambda: pictures.queues({"by hand": ["ran"] * 9, "nested": ["ran", "failed"] + ["lost"] * 7}),
    "queues: odd": lambda: pictures.queues({ODD: ["lost"], LONG: ["failed"] * 12, "": ["ran"]}),
    "queues: many": lambda: pictures.queues({f"queue {i}": ["ran", "lost"] * 6 for i in range(6)}),
    "turns": lambda: pictures.turns(STEPS),
    "turns: trays": lambda: pictures.turns(STEPS, TRAYS),
    "turns: odd": lambda: pictures.turns([(ODD, ODD), (LONG, LONG), ("C", b"\x00$")], [{"ready": [LONG, ODD]}] * 3),
    "turns: many": lambda: pictures.turns(
        [(f"coroutine {i % 8}", "a request") for i in range(30)], [{"ready": list("ABC")}] * 30
    ),
    "turns: one": lambda: pictures.turns([("A", DONE)]),
    "deliveries": lambda: pictures.deliveries({"polling": delivered(24, late=0.2), "WebSocket": delivered(24)}),
    "deliveries: bars alone": lambda: pictures.deliveries({"polling": delivered(0), "WebSocket": delivered(0, client=0, server=0)}),
    "deliveries: odd": lambda: pictures.deliveries({ODD: delivered(100, late=9), LONG: delivered(1, server=10**8), "": delivered(0)}, heading=LONG),
    "deliveries: odd bars": lambda: pictures.deliveries({ODD: delivered(0, client=0, server=0), LONG: delivered(0, client=0, server=0)}, heading=ODD),
    "deliveries: six": lambda: pictures.deliveries({f"way {i}": delivered(9, late=i * 1e-4) for i in range(6)}),
    "layers": pictures.layers,
    "duplex": lambda: pictures.duplex([*connection(1), *[Message(m[0] + 4, m[1] + 4, m[2], m[3]) for m in both(20)]]),
    "duplex: odd": lambda: pictures.duplex([(0, None, "client", ODD), (1, 2, "server", LONG), (9, 9, "client", LONG)]),
    "duplex: at once": lambda: pictures.duplex([(0, 0, "client", "x")]),
    "handshake": lambda: pictures.handshake(
        events(("client", ASKED), ("server", AGREED), ("client", b"\x81\x85\0\0\0\0hello"), ("server", b"\x81\x05hello"))
    ),
    "handshake: refused": lambda: pictures.handshake(events(("client", ASKED), ("server", b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno"))),
    "handshake: lost": lambda: pictures.handshake(events(("client", ASKED[:40]), lost=True), heading=LONG),
    "handshake: frames alone": lambda: pictures.handshake(events(("server", b"\x81\x7e\xff\xff" + b"x" * 65_535))),
    "handshake: odd": lambda: pictures.handshake(
        events(
            ("client", ASKED[:-2] + b"".join(b"X-%d: " % i + ODD.encode("utf-8", "replace").replace(b"\r\n", b"") + b"\r\n" for i in range(30)) + b"\r\n"),
            ("server", AGREED[:-2] + b"".join(b"X-%d: %s\r\n" % (i, b"\xff$a$") for i in range(30)) + b"\r\n"),
            *(("server", bytes((0x81, len(message))) + message) for message in [ODD.encode("utf-8", "replace")[:12]] * 20),
        )
    ),
    "crowd": lambda: pictures.crowd([m for i in range(1, 20) for m in connection(i, i / 4)], names={1: "the first"}),
    "crowd: thousand": lambda: pictures.crowd([m for i in range(1000) for m in connection(i, i / 1000)]),
    "crowd: one": lambda: pictures.crowd([(5, 5, "client", "")]),
    "crowd: all have odd names": lambda: pictures.crowd(
        [m for i in range(4) for m in connection(i, i * 1e-4)], names={0: ODD, 1: LONG, 2: "", 3: "d"}
    ),
    "crowd: still open": lambda: pictures.crowd([*connection(1)[:4], *connection(2, 1e-3)], names={1: "it stays"}),
    "visits": lambda: pictures.visits({"one at a time": visited(50, every=0.02), "a thread each": visited(50)}),
    "visits: nobody is served": lambda: pictures.visits({ODD: unserved(10), LONG: visited(1), "": unserved(200)}),
    "visits: at once": lambda: pictures.visits({"one": [Visit(1, 0, 0, 0, 1, "goodbye")]}, heading=LONG),
    "visits: six": lambda: pictures.visits({f"way {i}": visited(2, every=i) for i in range(6)}),
    "attempts": lambda: pictures.attempts({"all is well": tried("connected"), "rain": tried("refused: 503", "connected", each=0.004)}),
    "attempts: none connects": lambda: pictures.attempts({ODD: tried("no answer", LONG), LONG: [Attempt(ODD, 0, 3.5, ODD)]}),
    "attempts: at once": lambda: pictures.attempts({"": [Attempt(LONG, 0, 0, "connected")]}, heading=LONG),
    "attempts: many": lambda: pictures.attempts({f"start {i}": tried(*["no answer"] * 5) for i in range(5)}),
    "costs": lambda: pictures.costs({f"way {i}": spent(2.0**i) for i in range(4)}),
    "costs: all alike": lambda: pictures.costs({"one": spent(1, grows=1), ODD[:9]: spent(1, grows=1)}),
    "costs: one size": lambda: pictures.costs({"one": spent(1)[:1]}),
    "costs: steep": lambda: pictures.costs({"one": spent(1, grows=30)}),
    "costs: a clock too coarse": lambda: pictures.costs({"one": [Cost(10, 2**24, 0.0), Cost(100, 2**24, 0.0)]}),
}


@cache
def seen(name: str) -> Look:
    """A look at one of DRAWINGS, drawn once for all the tests that judge it."""
    return looked_at(DRAWINGS[name])


@pytest.fixture(scope="class", params=DRAWINGS)
def look(request: pytest.FixtureRequest) -> Look:
    return seen(request.param)


class TestEveryPicture:
    def test_its_words_can_be_read(self, look: Look) -> None:
        """None too small, none beyond the edge, none on another, every character in the font; and the file is modest."""
        assert faults(look) == []

    def test_it_is_a_bundle_with_alt_text(self, look: Look) -> None:
        bundle = look.picture._repr_mimebundle_()
        assert list(bundle) == ["text/html", "image/png", "text/plain"]
        assert bundle["text/plain"] == look.picture.alt
        pattern = r'<img alt="([^"<>]*)" width="\d+" style="[^"<>]*" src="data:image/png;base64,([^"<>]*)">'
        found = re.fullmatch(pattern, bundle["text/html"])
        assert found
        assert html.unescape(found[1]) == look.picture.alt
        assert found[2] == bundle["image/png"]
        assert base64.b64decode(found[2]) == look.picture.png

    def test_its_alt_text_is_a_short_paragraph(self, look: Look) -> None:
        alt = look.picture.alt
        assert alt.endswith(".") and "\n" not in alt
        assert alt.encode()  # no half of a character: a notebook file is UTF-8
        assert len(alt) < 800


def test_a_look_finds_words_on_words() -> None:
    @style.drawing
    def two(distance: float) -> Picture:
        paper = style.page(fig := style.figure(4, 2))
        style.write(paper, 1, 1, "below")
        style.write(paper, 1 + distance, 1, "above")
        return style.picture(fig, "Two words.")

    assert faults(looked_at(lambda: two(0.2))) == ["'below' lies on 'above'"]
    assert faults(looked_at(lambda: two(1))) == []


@pytest.mark.parametrize("name", [name for name in DRAWINGS if ":" not in name])
def test_the_same_input_gives_the_same_bytes_whatever_style_is_set(name: str) -> None:
    before = seen(name).picture.png
    with matplotlib.rc_context(
        {"font.size": 30, "lines.linewidth": 9, "figure.facecolor": "black", "text.color": "red"}
    ):
        assert DRAWINGS[name]().png == before


@pytest.mark.parametrize("name", ["cuts", "rallies", "timeline"])
def test_it_is_opaque_and_white(name: str) -> None:
    picture = seen(name).picture
    image = Image.open(io.BytesIO(picture.png))
    assert image.width == 2 * picture.width
    assert image.info.keys().isdisjoint({"Software", "transparency", "Creation Time", "date"})
    assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


@pytest.mark.parametrize("colors", [32, 256])
def test_few_colors_are_the_nearest_ones(colors: int) -> None:
    height, width = 300, 400
    drawn = np.full((height, width, 4), 255, np.uint8)
    drawn[50:150, 50:350, 0] = np.arange(300) % 256  # more colours than it may keep
    drawn[100:200, 100:101, :3] = 0  # a thin line
    few = style._with_few_colors(drawn, colors)
    kept = np.asarray(few.convert("RGB")).astype(int)
    assert len(few.getcolors(256)) <= colors and kept.shape == (height, width, 3)
    assert abs(kept - drawn[..., :3]).max() <= 256 / colors + 1
    assert (kept[0] == 255).all() and (kept[160, 100] == 0).all()


def test_it_leaves_nothing_behind() -> None:
    pictures.layers()  # the first picture opens the fonts, which matplotlib keeps
    gc.collect()
    threads, files = set(threading.enumerate()), open_files()
    for name in ("cuts", "places", "rally", "timeline", "turns"):
        DRAWINGS[name]()
    assert set(threading.enumerate()) <= threads
    assert open_files() <= files


def test_importing_starts_nothing_and_chooses_no_backend() -> None:
    script = (
        "import sys, threading, helpers\n"
        "assert 'matplotlib' not in sys.modules\n"
        "from helpers import pictures\n"
        "pictures.layers()\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "import matplotlib\n"
        "print(matplotlib.get_backend(auto_select=False))\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr, done.returncode) == ("None\n", "", 0)


def test_it_can_be_saved(tmp_path: Path) -> None:
    picture = pictures.layers()
    assert picture.save(tmp_path / "layers.png").read_bytes() == picture.png
    with pytest.raises(ValueError, match="PNG"):
        picture.save(tmp_path / "layers.svg")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda: pictures.rally(talk(6)), lambda: pictures.rally(talk(6, delay=0.237))),
        (lambda: pictures.rallies({"a": talk(6)}), lambda: pictures.rallies({"a": talk(6, delay=0.237)})),
        (lambda: pictures.duplex(both(6)), lambda: pictures.duplex(both(6, delay=0.5))),
        (lambda: pictures.handler_life(connection(1)), lambda: pictures.handler_life(connection(1, start=77.7))),
        (lambda: pictures.timeline({"a": lanes(2)}), lambda: pictures.timeline({"a": lanes(2, blocked=2.5)})),
        (lambda: pictures.levels({"a": POURED}), lambda: pictures.levels({"a": POURED[:9]})),
        (lambda: pictures.table({"a": {"b": 1}}), lambda: pictures.table({"a": {"b": 2.5}})),
        (lambda: pictures.queues({"a": ["ran", "lost"]}), lambda: pictures.queues({"a": ["ran", "ran"]})),
        (lambda: pictures.deliveries({"a": delivered(5)}), lambda: pictures.deliveries({"a": delivered(9, late=0.5, client=7)})),
    ],
    ids=["rally", "rallies", "duplex", "handler_life", "timeline", "levels", "table", "queues", "deliveries"],
)
def test_alt_text_holds_no_measured_value(one: Callable[[], Picture], other: Callable[[], Picture]) -> None:
    assert one().alt == other().alt


def test_alt_text_is_escaped() -> None:
    picture = pictures.cuts([b"x"], {'"><script>&': [b"x"]})
    assert '"><script>&' in picture.alt
    assert "&quot;&gt;&lt;script&gt;&amp;" in picture._repr_mimebundle_()["text/html"]


# What is on them


def test_cuts_marks_the_borders_that_no_cut_meets() -> None:
    look = seen("cuts")
    assert look.crosses == 4  # two for recv(1024), two for recv(4), none for recv(1)
    assert {"sent", "recv(1024)", "recv(4)", "recv(1)", "Same bytes. Who decides the cuts?"} <= set(look.texts)
    met = looked_at(lambda: pictures.cuts([b"one", b"two"], [[b"one", b"two"]]))
    assert met.crosses == 0 and "cross" not in met.picture.alt and "cross" in look.picture.alt


def test_deliveries_say_how_many_bytes_it_took() -> None:
    assert {"polling", "1.3 kB"} <= set(looked_at(lambda: pictures.deliveries({"polling": delivered(3)})).texts)
    assert "0 B" in seen("deliveries: bars alone").texts


def test_deliveries_refuse_what_they_have_no_room_for() -> None:
    for ways in ({}, {str(n): delivered(1) for n in range(7)}, {"a": delivered(101)}):
        with pytest.raises(ValueError):
            pictures.deliveries(ways)


def test_cuts_says_what_was_not_read() -> None:
    look = looked_at(lambda: pictures.cuts([b"one", b"two"], [[b"on"]]))
    assert "not read" in look.texts
    assert look.crosses == 0  # the reader hasn't come to the border yet


def test_rally_shows_every_text_and_where_one_was_lost() -> None:
    look = looked_at(
        lambda: pictures.rally(
            [(0, 1, "client", "hello"), (1, 2, "server", "Echo: hello"), (3, None, "client", "lost")]
        )
    )
    assert {"client", "server", "hello", "Echo: hello", "lost"} <= set(look.texts)
    assert look.crosses == 1
    assert "HTTP, once" not in look.texts


@pytest.mark.parametrize(("code", "words"), [(1000, "returned → 1000"), (1011, "raised → 1011"), (1001, "close 1001")])
def test_handler_life_says_how_the_handler_ended(code: int, words: str) -> None:
    look = looked_at(lambda: pictures.handler_life(connection(1, closes="server", code=code), unsent=["again"]))
    assert words in look.texts
    assert "again" in look.texts and look.crosses == 1
    assert "returned → 1000" not in looked_at(lambda: pictures.handler_life(connection(1))).texts


def test_handler_life_gives_each_client_its_own_http() -> None:
    look = looked_at(lambda: pictures.handler_life([*connection(1), *connection(2, 2.25)]))
    assert look.texts.count("HTTP, once") == 2
    assert {"client 1", "client 2", "server"} <= set(look.texts)


def test_handshake_shows_each_line_and_each_byte() -> None:
    look = seen("handshake")
    assert {"GET / HTTP/1.1", "Upgrade: websocket", "HTTP/1.1 101 Switching Protocols", "from here on: frames"} <= set(look.texts)
    assert look.texts.count("\\r\\n") == 4 + 3  # the empty line that ends each head has one, too
    assert {"81 85 00 00 00 00 68 65 6c 6c 6f", "text, masked, 5 bytes: 'hello'", f"{len(ASKED)} bytes"} <= set(look.texts)
    refused = seen("handshake: refused")
    assert "and a body of 2 bytes" in refused.texts and "from here on: frames" not in refused.texts
    assert seen("handshake: lost").crosses == 1


def test_crowd_counts_who_is_connected_at_once() -> None:
    """Three come one after the other, each before the one before has gone, and one comes when they are gone."""
    found = [m for i in range(3) for m in connection(i, float(i))] + connection(3, 10.0)
    look = looked_at(lambda: pictures.crowd(found, names={0: "the first"}))
    assert "3" in look.texts and "4" not in look.texts and "the first" in look.texts


def test_visits_counts_the_served_and_crosses_the_others_out() -> None:
    look = looked_at(lambda: pictures.visits({"good": visited(3), "bad": unserved(4)}))
    assert {"3 of 3 served", "0 of 4 served", "left before the end"} <= set(look.texts)
    assert look.crosses == 4 + 1, "and one that says what they mean"


def test_attempts_crosses_out_what_failed() -> None:
    look = looked_at(lambda: pictures.attempts({"rain": tried("refused: 503", "no answer", "connected"), "sun": tried("connected")}))
    assert look.crosses == 2 + 1, "and one that says what they mean"
    assert {"refused: 503", "no answer"} <= set(look.texts) and look.texts.count("connected") == 2 + 1
    assert "rain (way 0 refused: 503, way 1 no answer, way 2 connected); sun (way 0 connected)" in look.picture.alt


def test_costs_names_every_way_once() -> None:
    look = looked_at(lambda: pictures.costs({"threads": spent(1), "selector": spent(2)}))
    assert look.texts.count("threads") == look.texts.count("selector") == 1
    assert {"10", "100", "1,000"} <= set(look.texts)


def test_rallies_counts_the_balls_in_the_air() -> None:
    assert "10" in looked_at(lambda: pictures.rallies({"ten": both(5, every=0)})).texts
    assert {"0", "1"} <= set(looked_at(lambda: pictures.rallies({"one": talk(10, text="x")})).texts)


def test_rallies_counts_one_by_one_and_leaves_out_what_is_too_short_to_be_seen() -> None:
    volley = [(i * 0.005, i * 0.005 + 0.05, "client", str(i)) for i in range(10)]
    echoes = [(i * 0.005 + 0.0503, i * 0.005 + 0.1, "server", str(i)) for i in range(10)]
    a_second = 1.0  # of a rally beside them
    counts = [count for _, count in _in_the_air(pictures.messages([*volley, *echoes]), a_second)]
    assert counts == [*range(11), *range(9, -1, -1), 0]
    back_and_forth = pictures.messages([(0, 0.05, "client", "x"), (0.0503, 0.1, "server", "x"), (0.1004, 0.15, "client", "y")])
    assert [count for _, count in _in_the_air(back_and_forth, a_second)] == [0, 1, 0, 0]


def test_rallies_knows_how_close_the_balls_of_one_side_are() -> None:
    second, crowd = talk(10), both(10, every=0.008)
    assert _closest(pictures.messages(second)) == pytest.approx(0.2) and _closest(pictures.messages(crowd)) == pytest.approx(0.008)
    assert _closest(pictures.messages(second[:1])) == float("inf")


def test_rallies_reads_its_scale_in_seconds_and_below() -> None:
    assert {"0", "0.5", "1", "s"} <= set(looked_at(lambda: pictures.rallies({"slow": talk(10, delay=0.25)})).texts)
    assert {"0", "20", "100", "ms"} <= set(looked_at(lambda: pictures.rallies({"quick": talk(10, delay=0.011)})).texts)


def test_rallies_names_a_heap_by_its_first_and_last() -> None:
    heap = [(0, 1, "client", str(i)) for i in range(10)]
    assert "0…9" in looked_at(lambda: pictures.rallies({"ten": heap})).texts


def test_queues_mark_and_count_what_is_gone() -> None:
    look = looked_at(lambda: pictures.queues({"a": ["ran", "failed", "lost", "lost"]}))
    assert look.crosses == 2 + 1  # the key has one
    assert {"1", "2", "1 of 4"} <= set(look.texts)
    assert not {"3", "4"} & set(look.texts)


def test_timeline_marks_who_was_kept_out() -> None:
    key = 1  # in the legend
    assert looked_at(lambda: pictures.timeline({"a": lanes(2)})).crosses == 2 + key
    assert looked_at(lambda: pictures.timeline({"a": lanes(2, blocked=0.01)})).crosses == key  # the clock's own slack
    assert "2.1 naps" in looked_at(lambda: pictures.timeline({"a": lanes(2)})).texts


def test_states_marks_the_end_that_nobody_announced() -> None:
    look = seen("states")
    assert look.crosses == 2  # both ends of the cut
    assert look.texts.count("sent close 1000") == 2 and look.texts.count("line ended, no close frame: 1006") == 2
    assert looked_at(lambda: pictures.states(ends())).crosses == 0
    assert not any("no close frame" in words for words in seen("states: refused").texts)


@pytest.mark.parametrize("nothing", [[], "CLOSED", 7, [("client", "OPEN")], {}, dict.fromkeys("abcd", ends())])
def test_states_wants_changes(nothing: object) -> None:
    with pytest.raises(ValueError):
        pictures.states(nothing)


def test_strips_shows_each_byte_as_a_character_and_in_hex() -> None:
    look = seen("strips")
    assert [look.texts.count(words) for words in ("o", "6f", "\\n", "0a", "03", "00")] == [2, 2, 2, 2, 1, 1]
    assert {"delimiter", "5 bytes"} <= set(look.texts)


def test_levels_marks_the_run_that_goes_wrong() -> None:
    look = seen("levels")
    key = 1  # in the legend
    assert look.crosses == 1 + key
    assert {"write alone", "write, then drain", "high-water mark", "MiB that wait"} <= set(look.texts)
    assert "high-water mark" not in seen("levels: one run").texts


def test_table_holds_every_value() -> None:
    look = seen("table")
    values = {str(value) for row in WAYS.values() for value in row.values()}
    assert set(WAYS) | set(WAYS["one at a time"]) | values <= set(look.texts)


def test_turns_shows_requests_and_returns() -> None:
    look = seen("turns: trays")
    assert {"sleep 0.1", "read 3", "returned", "loop", "ready", "asleep", "listening", "A, B"} <= set(look.texts)
    assert look.crosses == 1  # C raised


def test_an_odd_text_is_written_as_python_would() -> None:
    assert style.shown(b"caf\xc3\xa9 \xff\x00\r\n\\") == "café \\xff\\x00\\r\\n\\\\"
    assert style.shown("a\nb🦜") == "a\\nb\\U0001f99c"
    assert style.drawable("two\nlines\x07") == "two\nlines\\x07"
    assert style.shorten("abcdefgh", 5) == "ab…gh"
    assert style.shorten("abcdefgh", 1) == "…"


def test_a_frame_bit_by_bit() -> None:
    look = seen("bit_grid")
    assert {"FIN", "RSV1 2 3", "opcode 1: text", "MASK", "length 5", "masking key", "payload 'Hello'"} <= set(look.texts)
    assert "7f → 48 'H'" in look.texts
    bits = "".join(words.text for words in look.words if words.text in "01")
    assert len(bits) == 8 * 11 and look.crosses == 0
    assert "masking key, payload" in look.picture.alt
    assert {"byte 8", "payload, compressed"} <= set(seen("bit_grid: compressed").texts)
    trouble = seen("bit_grid: trouble")
    assert trouble.crosses == 2
    assert "byte 0: RSV2 and RSV3 must be 0: no extension gives them a meaning" in trouble.texts
    assert "     RFC 6455, section 5.2" in trouble.texts
    assert "breaks a rule" in trouble.picture.alt


def test_a_goodbye_leaves_when_what_it_follows_has_come() -> None:
    """Else the words beside it lie on the line before."""
    said = [
        Message(0.0, 0.1, "client", "first", "text", 1),
        Message(0.2, 0.5, "server", "Echo: first", "text", 1),
        Message(0.3, 0.6, "server", "close 1000", "close", 1),
        Message(0.4, 0.7, "client", "second", "text", 1),
    ]
    first, echo, goodbye, second = _story(said).lines
    assert first.comes < echo.leaves < echo.comes < goodbye.leaves < second.leaves < goodbye.comes < second.comes


# Messages out of a recording


@pytest.fixture
def recorded() -> Iterator[Wire]:
    with (
        EchoServer() as server,
        Wire(server) as wire,
        connect(wire.uri, proxy=None, compression=None, ping_interval=None) as ws,
    ):
        for text in ("hello", "x" * 200, "y" * 70_000):
            ws.send(text)
            ws.recv(timeout=10)
        ws.send(b"\x00\x01")
        ws.recv(timeout=10)
        ws.send(["in ", "three ", "parts"])
        ws.recv(timeout=10)
        ws.close()
        yield wire


def test_messages_of_a_websocket(recorded: Wire) -> None:
    found = pictures.messages(recorded)
    assert [(m.sender, m.text) for m in found if m.kind == "http"] == [
        ("client", "GET / HTTP/1.1"),
        ("server", "HTTP/1.1 101 Switching Protocols"),
    ]
    assert [m.text for m in found if m.kind == "text" and m.sender == "client"] == [
        "hello",
        "x" * 200,
        "y" * 70_000,
        "in three parts",
    ]
    assert [m.text for m in found if m.kind == "text" and m.sender == "server"][-1] == "Echo: in three parts"
    assert [m.text for m in found if m.kind == "binary"] == ["\\x00\\x01"] * 2
    assert [(m.sender, m.text) for m in found if m.kind == "close"] == [
        ("client", "close 1000"),
        ("server", "close 1000"),
    ]
    assert all(m.received is not None and m.sent <= m.received for m in found)
    assert pictures.messages(recorded.events) == found == pictures.messages(found)
    assert pictures.messages(recorded, connection=2) == []


def test_messages_of_bare_sockets_are_chunks() -> None:
    import socket

    with TCPEchoServer() as server, Wire(server) as wire, socket.create_connection(wire.address, timeout=10) as line:
        line.sendall(b"caf\xc3\xa9\r\n")
        assert line.recv(1024)
        found = pictures.messages(wire)
    assert [(m.sender, m.text, m.kind) for m in found] == [
        ("client", "café\\r\\n", "bytes"),
        ("server", "café\\r\\n", "bytes"),
    ]


def test_messages_from_the_middle_of_a_connection_and_in_pieces() -> None:
    frame = Frame(Opcode.TEXT, b"hello").serialize(mask=True)
    ping, rest = (
        Frame(Opcode.PING, b"!").serialize(mask=True),
        Frame(Opcode.TEXT, b"unfinished").serialize(mask=True)[:-1],
    )
    stream = frame + ping + rest
    events = [Event(i, 1, "client", "received", stream[i : i + 1]) for i in range(len(stream))]
    events += [Event(i + 0.5, 1, "client", "passed", stream[i : i + 1]) for i in range(len(frame))]
    assert pictures.messages(events) == [
        Message(0, len(frame) - 0.5, "client", "hello", "text", 1),
        Message(len(frame), None, "client", "ping !", "ping", 1),
    ]


def test_messages_that_are_compressed_are_inflated() -> None:
    frame = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"  # "Hello", RFC 7692, section 7.2.3.1
    http = [
        Event(0, 1, "client", "received", b"GET / HTTP/1.1\r\n\r\n"),
        Event(
            1,
            1,
            "server",
            "received",
            b"HTTP/1.1 101 OK\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n" + frame,
        ),
    ]
    assert [m.text for m in pictures.messages(http)][-1] == "Hello"
    # a recording that begins after the handshake doesn't say how to inflate it
    later = [Event(0, 1, "server", "received", b"\x81\x02hi"), Event(1, 1, "server", "received", frame)]
    assert [m.text for m in pictures.messages(later)] == ["hi", "7 bytes, compressed"]


def test_messages_of_a_refused_handshake() -> None:
    answer = b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\n\x81\x85"
    events = [Event(0, 1, "client", "received", b"GET / HTTP/1.1\r\n\r\n"), Event(1, 1, "server", "received", answer)]
    assert [m.text for m in pictures.messages(events)] == ["GET / HTTP/1.1", "HTTP/1.1 426 Upgrade Required"]


def test_a_handler_that_returns_is_drawn_from_its_own_bytes() -> None:
    async def once(ws) -> None:
        await ws.send(await ws.recv())

    with WebSocketServer(once) as server, Wire(server) as wire, connect(wire.uri, proxy=None, compression=None) as ws:
        ws.send("hello")
        assert ws.recv(timeout=10) == "hello"
        with pytest.raises(Exception, match="1000"):
            ws.recv(timeout=10)
        look = looked_at(lambda: pictures.handler_life(wire, unsent=["again"]))
    assert {"HTTP, once", "hello", "returned → 1000", "again"} <= set(look.texts)
    assert "handler that returned" in look.picture.alt


# Bad input


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda: pictures.cuts([], [1]), "at least one piece"),
        (lambda: pictures.cuts([b""], [1]), "at least one piece"),
        (lambda: pictures.cuts(b"one", [1]), "list of bytes"),
        (lambda: pictures.cuts(["one"], [1]), "bytes"),
        (lambda: pictures.cuts([b"one"], []), "at least one way"),
        (lambda: pictures.cuts([b"one"], 4), "a list"),
        (lambda: pictures.cuts([b"one"], [0]), "at least 1"),
        (lambda: pictures.cuts([b"one"], [[b"two"]]), "not the bytes that were sent"),
        (lambda: pictures.cuts([b"one"], [1] * 21), "too many"),
        (lambda: pictures.rally([]), "no message"),
        (lambda: pictures.rally("hello"), "a list of messages"),
        (lambda: pictures.rally(7), "a list of messages"),
        (lambda: pictures.rally([("hello",)]), "a message is a tuple"),
        (lambda: pictures.rally([(0, 1, "me", "hello")]), '"client" or "server"'),
        (lambda: pictures.rally([(2, 1, "client", "hello")]), "before it was sent"),
        (lambda: pictures.rally([*connection(1), *connection(2)]), "connection=1"),
        (lambda: pictures.handler_life([*connection(1), *connection(2), *connection(3)]), "two clients"),
        (lambda: pictures.handler_life(dict.fromkeys("ab", [*connection(1), *connection(2)])), "three clients"),
        (lambda: pictures.handler_life({}), "one to three"),
        (lambda: pictures.handler_life({"a": connection(1)}, unsent=["x"]), "dict"),
        (lambda: pictures.handler_life({"a": connection(1)}, unsent={"b": ["x"]}), "title 'b'"),
        (lambda: pictures.rallies(talk(3)), "dict"),
        (lambda: pictures.rallies({}), "dict"),
        (lambda: pictures.rallies({"a": connection(1)[:2]}), "no message"),
        (lambda: pictures.rallies({"a": [*connection(1), *connection(2)]}), "several connections"),
        (lambda: pictures.timeline({}), "lanes.panels"),
        (lambda: pictures.timeline({"a": {}}), "nothing was recorded"),
        (lambda: pictures.timeline({"a": {"A": [("sleeps", 0, 1)]}}), "a span is"),
        (lambda: pictures.timeline({"a": {"A": [("runs", 2, 1)]}}), "after its start"),
        (lambda: pictures.timeline({"a": lanes(25)}), "24"),
        (lambda: pictures.bit_grid(b""), "its bytes"),
        (lambda: pictures.bit_grid("hi"), "its bytes"),
        (lambda: pictures.bars("none", {}), "1 to 8 values"),
        (lambda: pictures.bars("nothing", {"a": 0}), "a number above 0"),
        (lambda: pictures.bars("no end", {"a": float("inf")}), "a number above 0"),
        (lambda: pictures.queues({}), "at least one row"),
        (lambda: pictures.queues({"a": []}), "at least one cell"),
        (lambda: pictures.queues({"a": ["gone"]}), "not 'gone'"),
        (lambda: pictures.queues({"a": ["ran"] * 13}), "12 cells"),
        (lambda: pictures.queues({str(i): ["ran"] for i in range(7)}), "6 rows"),
        (lambda: pictures.strips([], {"a": []}), "a list of bytes"),
        (lambda: pictures.strips(["one"], {"a": [b"one"]}), "every piece is bytes"),
        (lambda: pictures.strips([b"one"], {}), "1 to 8 ways"),
        (lambda: pictures.strips([b"one"], {"a": []}), "a list of bytes"),
        (lambda: pictures.strips([b"one"], {"a": [b"one", b"two"]}), "2 frames for 1 messages"),
        (lambda: pictures.strips([b"one"], {"a": [b"two"]}), "doesn't contain"),
        (lambda: pictures.strips([b"x" * 21], {"a": [b"x" * 21]}), "has 21"),
        (lambda: pictures.strips([b""], {"a": [b""]}), "has 0"),
        (lambda: pictures.turns([]), "a list with one"),
        (lambda: pictures.turns(["A"]), "pair"),
        (lambda: pictures.turns([("A", None)] * 31), "30"),
        (lambda: pictures.turns([(str(i), None) for i in range(9)]), "8"),
        (lambda: pictures.turns([("A", None)], [{"sleeping": []}]), "ready, asleep, listening"),
        (lambda: pictures.turns([("A", None)], []), "one dict for each"),
        (lambda: pictures.duplex([]), "no message"),
        (lambda: pictures.duplex([*connection(1), *connection(2)]), "connection=1"),
        (lambda: pictures.handshake([]), "nothing was said"),
        (lambda: pictures.handshake([*events(("client", ASKED)), Event(9, 2, "client", "received", ASKED)]), "connection=1"),
        (lambda: pictures.handshake("hello"), "a Wire or its events"),
        (lambda: pictures.crowd([]), "no message"),
        (lambda: pictures.crowd(connection(1), names={2: "b"}), "no connection 2"),
        (lambda: pictures.crowd([m for i in range(5) for m in connection(i)], names=dict.fromkeys(range(5), "x")), "four"),
        (lambda: pictures.crowd([Message(0, 1, "client", "x", "text", i) for i in range(1001)]), "1,000"),
        (lambda: pictures.visits({}), "1 to 6 panels"),
        (lambda: pictures.visits({"a": []}), "1 to 200 customers, not 0"),
        (lambda: pictures.visits({"a": visited(201)}), "not 201"),
        (lambda: pictures.attempts({}), "1 to 5 panels"),
        (lambda: pictures.attempts({"a": []}), "1 to 5 attempts, not 0"),
        (lambda: pictures.attempts({"a": tried(*["x"] * 6)}), "not 6"),
        (lambda: pictures.costs({}), "1 to 4 ways"),
        (lambda: pictures.costs({"a": []}), "1 to 4 ways"),
        (lambda: pictures.costs({str(i): spent(1) for i in range(5)}), "1 to 4 ways"),
        (lambda: style.figure(0, 3), "inches"),
        (lambda: style.picture(style.figure(), "  "), "alt text"),
        (lambda: pictures.cake([]), "there is no frame"),
        (lambda: pictures.cake([*events(("server", frame(RECORD))), Event(9, 2, "client", "received", b"x")]), "2 connections"),
        (lambda: pictures.cake(events(("server", frame(RECORD * 9)))), "at most 500 bytes"),
        (lambda: pictures.levels({}), "one or two runs"),
        (lambda: pictures.levels({"a": []}), "one or two runs"),
        (lambda: pictures.levels({"a": [(1, 1)], "b": [(1, 1)], "c": [(1, 1)]}), "one or two runs"),
        (lambda: pictures.table({}), "1 to 12 rows"),
        (lambda: pictures.table({"a": {}}), "1 to 12 rows of 1 to 6 columns"),
        (lambda: pictures.table({"a": {"x": 1}, "b": {"y": 1}}), "'b' has the columns ['y']"),
    ],
)
def test_bad_input_says_what_to_pass(draw: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        draw()


# The examples in the docstrings


EXAMPLES = (
    "attempts bit_grid cake costs crowd cuts duplex handler_life handshake layers messages places "
    "queues rallies rally roads states strips timeline turns visits"
).split()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_in_its_docstring_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lanes:
        panels = {"one": lanes(2)}

    monkeypatch.chdir(tmp_path)
    wires = dict.fromkeys(("wire", "other_wire", "slow", "pipelined", "duplex"), connection(1))
    if name == "handshake":  # it needs the bytes
        wires["wire"] = events(("client", ASKED), ("server", AGREED))
    if name == "cake":
        wires["wire"] = events(("client", frame(RECORD, masked=True)), ("server", frame(COMPLETED)))
    recorded = SimpleNamespace(sent_by=lambda wire, sender: frames.decode(b"\x81\x82\x00\x00\x00\x00hi", sender))
    names = {"pictures": pictures, "lanes": Lanes, "frames": recorded} | wires
    names |= {"measure": lambda serve: spent(1), "thread_each": None, "one_selector": None}
    names |= {"log": ends(), "other_log": ends(None)}
    names |= {"tries": SimpleNamespace(made=tried("connected"))}
    names |= {"visits": lambda address: visited(2), "server": SimpleNamespace(address=None)}
    examples = re.findall(r"^ *((?:\[.*)?pictures\..*)$", getattr(pictures, name).__doc__, re.MULTILINE)
    assert examples, "show how it is called"
    for example in examples:
        assert eval(example, names) is not None
