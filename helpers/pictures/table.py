"""A table whose cells hold what was measured, so that it can be shown without being printed (notebook 08)."""

from __future__ import annotations

from collections.abc import Mapping

from .style import FAINT, INK, LABEL, SMALL, TROUBLE, WIDTH, WIRE, Picture, band, drawing, figure, line, page, picture, spoken, text_width, title, write

_NAMES, _LONG_NAMES = 1.95, 2.6  # inches for the names of the rows, at least and at most
_ROW, _HEAD, _FOOT = 0.46, 1.2, 0.15
_ROWS, _COLUMNS = 12, 6
TROUBLED = "×"
"""A cell that begins with this sign and a space is trouble: it is drawn in vermilion."""


@drawing
def table(rows: Mapping[str, Mapping[str, object]], *, heading: str = "Side by side") -> Picture:
    """A row for each name, with the same columns in each.

    `rows`: {"threads": {"lines": 12, "silent client": "others go on"}, ...}; values are shown as their text. One that begins
    with "× " is drawn in vermilion: trouble. The alt text names rows and columns and no values.

        pictures.table({"one at a time": {"lines": 9, "silent client": "× all wait"}, "threads": {"lines": 12, "silent client": "fine"}})

    ValueError when there are no rows or more than 12, no columns or more than 6, or when two rows differ in their columns.
    """
    grid = {str(name): {str(column): str(value) for column, value in row.items()} for name, row in rows.items()}
    columns = list(next(iter(grid.values()), {}))
    if not 1 <= len(grid) <= _ROWS or not 1 <= len(columns) <= _COLUMNS:
        raise ValueError(f"rows: 1 to {_ROWS} rows of 1 to {_COLUMNS} columns, such as {{'threads': {{'lines': 12}}}}")
    for name, row in grid.items():
        if list(row) != columns:
            raise ValueError(f"{name!r} has the columns {list(row)}, and the first row has {columns}")

    fig = figure(height=_HEAD + _ROW * len(grid) + _FOOT)
    paper = page(fig)
    title(paper, heading)
    _, height = fig.get_size_inches()
    longest = max(text_width(paper, name, bold=True) for name in grid)
    names = min(max(_NAMES, longest + 0.45), _LONG_NAMES)
    places = _places(paper, columns, grid, names)
    for column, (x, room) in zip(columns, places, strict=True):
        write(paper, x, height - 0.85, column, size=SMALL, color=WIRE, bold=True, ha="left", room=room)
    y = height - _HEAD
    line(paper, (0.2, y + 0.1), (WIDTH - 0.2, y + 0.1), color=INK, width=1.2)
    for number, (name, row) in enumerate(grid.items()):
        if number % 2:
            band(paper, 0.2, y - _ROW + 0.04, WIDTH - 0.4, _ROW, color=FAINT)
        write(paper, 0.3, y - _ROW / 2 + 0.04, name, size=LABEL, bold=True, ha="left", room=names - 0.4)
        for value, (x, room) in zip(row.values(), places, strict=True):
            bad = value.startswith(f"{TROUBLED} ")
            write(paper, x, y - _ROW / 2 + 0.04, value, size=LABEL, color=TROUBLE if bad else INK, bold=bad, ha="left", room=room)
        y -= _ROW
    return picture(fig, f"A table with the rows {spoken(*grid)} and the columns {spoken(*columns)}.")


def _places(paper: object, columns: list[str], grid: dict[str, dict[str, str]], names: float) -> list[tuple[float, float]]:
    """Where each column begins, and how wide it is: in proportion to what stands in it. `names`: inches in front of them."""
    wanted = [
        max([text_width(paper, column, size=SMALL, bold=True)] + [text_width(paper, row[column], bold=True) for row in grid.values()]) + 0.25
        for column in columns
    ]
    scale = (WIDTH - names - 0.3) / sum(wanted)
    places, x = [], names
    for want in wanted:
        places.append((x, want * scale - 0.1))
        x += want * scale
    return places
