"""What every picture shares: colours, type sizes, the page, blocks, arrows, the ×, and the `Picture` itself.

A new kind of picture is one module with one function:

    from .style import CLIENT, block, drawing, figure, page, picture

    @drawing
    def hello(words: str) -> Picture:
        fig = figure(9, 2)
        paper = page(fig)                       # x and y in inches, (0, 0) is the lower left corner
        block(paper, 1, 0.5, 3, 1, words, color=CLIENT)
        return picture(fig, "A blue block with a word in it.")

Nothing here uses pyplot: no window, no global figure, no switched backend, no thread.
"""

from __future__ import annotations

import base64
import html
import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, wraps
from pathlib import Path
from typing import ParamSpec

import matplotlib
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.text import Text
from PIL import Image

# The colours of the whole course (Okabe and Ito's, which colour-blind readers can tell apart). Never colour alone.
CLIENT = "#0072B2"  # blue: whoever called
SERVER = "#009E73"  # green: whoever answers
WIRE = "#767676"  # grey: what lies between
TROUBLE = "#D55E00"  # vermilion: always with a ×
INK = "#1F1F1F"  # text and outlines
FAINT = "#E4E4E4"  # grids, bands, what stands behind
PAPER = "#FFFFFF"  # the background: opaque, so that it reads on a dark theme too

# Type sizes in points; the smallest can be read from the back row of a classroom.
TITLE, LABEL, SMALL = 16, 13, 12

WIDTH = 9.0  # inches: the usual width of a picture
DPI = 200  # twice the 100 dots an inch at which a picture is shown: crisp on a good screen
SHOWN_DPI = 100

_SANS, _MONO = "DejaVu Sans", "DejaVu Sans Mono"

# matplotlib's own defaults first, so that a picture looks the same whatever style a notebook has chosen.
SHEET = {
    name: value
    for name, value in matplotlib.rcParamsDefault.items()
    if not name.startswith(("backend", "interactive", "toolbar", "timezone", "webagg", "figure.max_open", "docstring"))
} | {
    "axes.edgecolor": INK,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": LABEL,
    "axes.linewidth": 1.2,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": TITLE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.facecolor": PAPER,
    "font.family": [_SANS],
    "font.size": LABEL,
    "grid.color": FAINT,
    "hatch.linewidth": 1.5,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "text.parse_math": False,  # a `$` in somebody's message is a dollar
    "text.usetex": False,
    "xtick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.color": INK,
    "ytick.labelsize": SMALL,
}

_Input = ParamSpec("_Input")


@dataclass(frozen=True)
class Picture:
    """A finished picture: PNG bytes and the sentence that says what is seen.

    As the value of a cell it shows itself. JupyterLab ignores alt text on `image/png`, so the picture
    travels as HTML as well, which has it.
    """

    png: bytes = field(repr=False)
    alt: str
    width: int  # pixels on the screen; the PNG holds twice as many

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        data = base64.b64encode(self.png).decode("ascii")
        return {
            "text/html": (
                f'<img alt="{html.escape(self.alt)}" width="{self.width}" '
                f'style="max-width: 100%; height: auto" src="data:image/png;base64,{data}">'
            ),
            "image/png": data,
            "text/plain": self.alt,
        }

    def save(self, path: str | Path) -> Path:
        """Write the PNG to `path` (it must end in `.png`: ValueError) and return the path."""
        path = Path(path)
        if path.suffix.lower() != ".png":
            raise ValueError(f"a picture is saved as PNG: pass a name that ends in .png, not {path.name!r}")
        path.write_bytes(self.png)
        return path


def drawing(function: Callable[_Input, Picture]) -> Callable[_Input, Picture]:
    """Decorator of every function that draws: it works under the course's style, whatever the notebook has set."""

    @wraps(function)
    def draw(*args: _Input.args, **kwargs: _Input.kwargs) -> Picture:
        with matplotlib.rc_context(SHEET):
            return function(*args, **kwargs)

    return draw


def figure(width: float = WIDTH, height: float = 4.0) -> Figure:
    """An empty white figure, `width` by `height` inches, that belongs to nobody else.

    ValueError unless both are between 0 and 40.
    """
    if not (0 < width <= 40 and 0 < height <= 40):
        raise ValueError(f"a figure's sides are inches between 0 and 40, not {width} by {height}")
    fig = Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER)
    FigureCanvasAgg(fig)
    return fig


def page(fig: Figure) -> Axes:
    """The whole figure as one sheet without axes: x and y are inches, (0, 0) is the lower left corner."""
    paper = fig.add_axes((0, 0, 1, 1))
    paper.set_axis_off()
    width, height = fig.get_size_inches()
    paper.set_xlim(0, width)
    paper.set_ylim(0, height)
    return paper


def picture(fig: Figure, alt: str, *, colors: int = 256) -> Picture:
    """Finish a figure: the same figure gives the same bytes.

    `colors`: how many the file may have; a page full of text needs no more than 32, and is a fifth smaller with them.
    `alt` is a sentence or two that say what is seen, without measured values, ports or times: the same on every run.
    ValueError when it is empty.
    """
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("a picture needs alt text: one sentence that says what is seen")
    file = io.BytesIO()
    with matplotlib.rc_context(SHEET):
        fig.canvas.draw()
    # few colours, half the size; no date and no version in the file, so that equal pictures are equal bytes
    _with_few_colors(np.asarray(fig.canvas.buffer_rgba()), colors).save(file, "png", compress_level=6)
    width = round(fig.get_size_inches()[0] * SHOWN_DPI)
    for part in (*fig.axes, fig):  # a figure is full of circles: broken like this, what it drew is free at once
        vars(part).clear()
    return Picture(png=file.getvalue(), alt=" ".join(alt.split()), width=width)


_SAMPLE = 20_000  # pixels: how many stand for a picture when its palette is chosen


def _with_few_colors(rgba: np.ndarray, colors: int) -> Image.Image:
    """An opaque picture (height × width × 4 bytes) in at most `colors` (to 256) colours, the nearest ones, undithered.

    It is what `Image.quantize` makes of it, five times as fast, as that looks at each of a million pixels: what we draw
    is runs of a few hundred colours.
    """
    height, width, _ = rgba.shape
    pixels = rgba.reshape(-1, 4).view("<u4").ravel()
    starts = np.flatnonzero(np.concatenate(([True], pixels[1:] != pixels[:-1])))
    lengths = np.diff(starts, append=pixels.size)
    found, which = np.unique(pixels[starts], return_inverse=True)
    # one row of pixels: every colour at least once, and as often as it is seen
    often = 1 + (np.bincount(which, lengths) * _SAMPLE / pixels.size).astype(int)
    row = np.repeat(found, often).view(np.uint8).reshape(1, -1, 4)
    few = Image.fromarray(row).convert("RGB").quantize(colors, dither=Image.Dither.NONE)
    numbers = np.asarray(few)[0, np.cumsum(often) - 1]
    result = Image.frombytes("P", (width, height), np.repeat(numbers[which], lengths).tobytes())
    result.putpalette(few.getpalette())
    return result


# Words


@cache
def _glyphs() -> dict[bool, frozenset[int]]:
    """The characters that both the normal and the bold font can draw: [False] Sans, [True] Sans Mono.

    It opens all four fonts, which matplotlib then keeps open: the first picture opens files, later ones don't.
    """
    return {
        mono: frozenset.intersection(
            *(
                frozenset(get_font(findfont(FontProperties(family=family, weight=weight))).get_charmap())
                for weight in ("normal", "bold")
            )
        )
        for mono, family in ((False, _SANS), (True, _MONO))
    }


def drawable(words: str, *, mono: bool = False) -> str:
    """`words`, but what can't be drawn (control characters, most emoji) escaped as in Python; line breaks stay."""
    glyphs = _glyphs()[mono]

    def can_be_drawn(c: str) -> bool:
        return c == "\n" or (ord(c) in glyphs and c.isprintable() and not unicodedata.combining(c))

    return words.translate({ord(c): _escaped(c) for c in set(words) if not can_be_drawn(c)})


# a backslash, and the bytes that are no UTF-8 as "surrogateescape" decodes them
_NOT_TEXT = {ord("\\"): "\\\\"} | {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}


def shown(data: bytes | str) -> str:
    """Somebody's data on one line, as Python writes it, without the quotes; bytes that are UTF-8 as their text."""
    if isinstance(data, (bytes, bytearray, memoryview)):
        words = bytes(data).decode("utf-8", "surrogateescape").translate(_NOT_TEXT)
    else:
        words = str(data).replace("\\", "\\\\")
    return drawable(words.replace("\n", "\\n"))


def _one_line(words: str, mono: bool) -> str:
    # no page is wide enough for 500 characters, and a megabyte takes minutes to measure
    return shorten(drawable(shorten(words, 500), mono=mono).replace("\n", "\\n"), 500)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def shorten(words: str, most: int) -> str:
    """`words` in at most `most` characters (1 or more), an ellipsis in the middle for what is left out."""
    if len(words) <= most:
        return words
    left = most // 2
    return words[:left] + "…" + words[len(words) - (most - 1 - left) :] if most > 1 else "…"


def spoken(*names: str) -> str:
    """Names that somebody gave, for the alt text: on one line, shortened, the first six of them."""
    short = [shorten(drawable(" ".join(str(name).split())), 40) for name in names]
    return ", ".join(short[:6]) + (", and more" if len(short) > 6 else "")


def text_width(paper: Axes, words: str, *, size: float = LABEL, bold: bool = False, mono: bool = False) -> float:
    """How wide `words` (one line) will be, in inches."""
    font = FontProperties(family=_MONO if mono else _SANS, size=size, weight="bold" if bold else "normal")
    renderer = paper.figure.canvas.get_renderer()
    words = _one_line(words, mono)
    return renderer.get_text_width_height_descent(words, font, False)[0] / paper.figure.dpi


def fit(paper: Axes, words: str, room: float, *, size: float = LABEL, bold: bool = False, mono: bool = False) -> str:
    """`words` shortened in the middle until they fit into `room` inches; "" when not even one character does."""
    words = _one_line(words, mono)
    low, high = 0, len(words)
    if text_width(paper, words, size=size, bold=bold, mono=mono) <= room:
        return words
    while low < high:
        middle = (low + high + 1) // 2
        if text_width(paper, shorten(words, middle), size=size, bold=bold, mono=mono) <= room:
            low = middle
        else:
            high = middle - 1
    return shorten(words, low) if low > 1 else ""


def write(
    paper: Axes,
    x: float,
    y: float,
    words: str,
    *,
    size: float = LABEL,
    color: str = INK,
    bold: bool = False,
    mono: bool = False,
    ha: str = "center",
    va: str = "center",
    room: float | None = None,
    halo: bool = False,
    **more: object,
) -> Text:
    """Words at (x, y). `room`: inches they may take, longer ones are shortened. `halo`: a white rim, to lie on a line.

    What the font can't draw is escaped, `$` and backslashes are themselves.
    """
    words = drawable(words, mono=mono) if room is None else fit(paper, words, room, size=size, bold=bold, mono=mono)
    text = paper.text(
        x,
        y,
        words,
        size=size,
        color=color,
        weight="bold" if bold else "normal",
        family=_MONO if mono else _SANS,
        ha=ha,
        va=va,
        parse_math=False,
        zorder=5,
        **more,
    )
    if halo:
        text.set_path_effects([patheffects.withStroke(linewidth=3, foreground=PAPER)])
    return text


def title(paper: Axes, words: str, *, left: float = 0.2) -> Text:
    """The picture's title, at the upper left corner of a page."""
    width, height = paper.figure.get_size_inches()
    return write(paper, left, height - 0.15, words, size=TITLE, bold=True, ha="left", va="top", room=width - left - 0.1)


# Shapes


def block(
    paper: Axes,
    x: float,
    y: float,
    width: float,
    height: float,
    words: str = "",
    *,
    color: str = INK,
    filled: bool = True,
    hatch: str | None = None,
    dashed: bool = False,
    round_by: float = 0.05,
    size: float = LABEL,
    bold: bool = True,
    mono: bool = False,
) -> FancyBboxPatch:
    """A box with its lower left corner at (x, y), in data units of `paper` (inches on a page), words in its middle.

    Filled: white words on the colour. Not filled: an outline, words in ink. `hatch`, such as "///": stripes in the
    colour. Words that are too wide for it are shortened.
    """
    box = FancyBboxPatch(
        (x, y),
        width,
        height,
        boxstyle=f"round,pad=0,rounding_size={min(round_by, width / 2, height / 2)}",
        facecolor=color if filled and not hatch else PAPER,
        edgecolor=color,
        linewidth=1.8 if hatch or not filled else 0,
        linestyle="--" if dashed else "-",
        hatch=hatch,
        zorder=2,
    )
    paper.add_artist(box)
    if words:
        ink = PAPER if filled and not hatch else INK
        write(
            paper, x + width / 2, y + height / 2, words, size=size, color=ink, bold=bold, mono=mono, room=width - 0.08
        )
    return box


def band(paper: Axes, x: float, y: float, width: float, height: float, *, color: str = FAINT) -> Rectangle:
    """A pale area behind everything else."""
    area = Rectangle((x, y), width, height, facecolor=color, edgecolor="none", zorder=0)
    paper.add_artist(area)
    return area


def line(
    paper: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    color: str = INK,
    style: str | tuple[float, tuple[float, ...]] = "-",
    width: float = 1.8,
    zorder: float = 1.5,
) -> None:
    """A straight line; `style` is matplotlib's: "-", "--", ":", or (0, (dash, gap)) in points."""
    paper.add_artist(
        Line2D([start[0], end[0]], [start[1], end[1]], color=color, linestyle=style, linewidth=width, zorder=zorder)
    )


def arrow(
    paper: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    color: str = INK,
    style: str | tuple[float, tuple[float, ...]] = "-",
    width: float = 1.8,
    both: bool = False,
    head: float = 14,
    curve: float = 0.0,
) -> None:
    """An arrow from `start` to `end`; `both`: a head at each end; `curve`: how far it bends (0: straight)."""
    paper.add_artist(
        FancyArrowPatch(
            start,
            end,
            arrowstyle="<|-|>" if both else "-|>",
            connectionstyle=f"arc3,rad={curve}",
            mutation_scale=head,
            shrinkA=0,
            shrinkB=0,
            color=color,
            linewidth=width,
            linestyle=style,
            zorder=3,
        )
    )


def cross(paper: Axes, x: float, y: float, *, size: float = 11, color: str = TROUBLE) -> None:
    """The × that says trouble; the colour never says it alone. `size` in points. A white rim sets it off."""
    for rim, ink in ((4, PAPER), (0, color)):
        look = {"markersize": size + rim / 2, "markeredgewidth": 3.2 + rim, "color": ink}
        paper.add_artist(Line2D([x], [y], marker="x", linestyle="none", zorder=6, clip_on=False, **look))


def pause(paper: Axes, x: float, y: float, *, height: float = 0.2, color: str = INK) -> None:
    """Two upright bars with (x, y) in their middle: paused. (The fonts have no such character.)"""
    bar = height * 0.28
    for shift in (-0.9 * bar - bar / 2, 0.9 * bar - bar / 2):
        paper.add_artist(
            Rectangle((x + shift, y - height / 2), bar, height, facecolor=color, edgecolor="none", zorder=4)
        )


def numbered(paper: Axes, x: float, y: float, number: int, *, color: str = INK) -> None:
    """A number in a disc: the steps of a story."""
    look = {"markersize": 19, "color": color, "markeredgecolor": PAPER, "markeredgewidth": 1.5}
    paper.add_artist(Line2D([x], [y], marker="o", linestyle="none", zorder=6, **look))
    write(paper, x, y - 0.005, str(number), size=LABEL, color=PAPER, bold=True).set_zorder(7)
