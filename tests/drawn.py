"""A look at a picture while it is drawn: where its words stand, how large they are, which marks there are.

words, marks = looked_at(lambda: pictures.layers()).words, ...
assert not faults(looked_at(lambda: pictures.layers()))
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from unittest import mock

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from helpers.pictures import Picture
from helpers.pictures.style import SMALL, TROUBLE


@dataclass(frozen=True)
class Words:
    text: str
    size: float  # points
    place: Bbox  # pixels


@dataclass
class Look:
    """What was seen of one picture."""

    picture: Picture
    width: float  # pixels
    height: float
    words: list[Words] = field(default_factory=list)
    crosses: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return [words.text for words in self.words]


def looked_at(draw: Callable[[], Picture]) -> Look:
    """Draw a picture and say what was on it."""
    looks: list[Look] = []
    real_draw = FigureCanvasAgg.draw

    def seen_draw(canvas: FigureCanvasAgg) -> None:
        real_draw(canvas)
        figure, renderer = canvas.figure, canvas.get_renderer()
        look = Look(None, figure.bbox.width, figure.bbox.height)  # type: ignore[arg-type]
        for text in figure.findobj(Text):
            if text.get_visible() and text.get_text().strip():
                look.words.append(Words(text.get_text(), text.get_fontsize(), text.get_window_extent(renderer)))
        look.crosses = sum(
            line.get_marker() == "x" and line.get_color() == TROUBLE
            for line in figure.findobj(Line2D)
            if line.get_visible()
        )
        looks.append(look)

    with mock.patch.object(FigureCanvasAgg, "draw", seen_draw), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        picture = draw()
    assert len(looks) == 1, "a picture is drawn once"
    looks[0].picture = picture
    looks[0].warnings = [str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)]
    return looks[0]


def faults(look: Look) -> list[str]:
    """What a reader would complain about; an empty list when there is nothing."""
    found = [f"warning: {warning}" for warning in look.warnings]
    for words in look.words:
        if words.size < SMALL:
            found.append(f"{words.text!r} is too small: {words.size} points")
        if words.place.x0 < 0 or words.place.y0 < 0 or words.place.x1 > look.width or words.place.y1 > look.height:
            found.append(f"{words.text!r} is cut off by the edge")
    found += [f"{one.text!r} lies on {other.text!r}" for one, other in _overlaps(look.words)]
    if len(look.picture.png) >= 120_000:
        found.append(f"{len(look.picture.png)} bytes are too many")
    return found


def _overlaps(words: list[Words]) -> list[tuple[Words, Words]]:
    """The pairs that share more than a pixel in both directions."""
    places = np.array([each.place.extents for each in words]).reshape(-1, 4)
    lower = np.maximum(places[:, None, :2], places[None, :, :2])
    upper = np.minimum(places[:, None, 2:], places[None, :, 2:])
    meet = np.triu((upper - lower > 1).all(axis=2), k=1)
    return [(words[one], words[other]) for one, other in np.argwhere(meet)]
