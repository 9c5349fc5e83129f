"""How much waits in a program's own memory, against how much was handed over to be sent (notebook 08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.ticker import MaxNLocator

from .style import INK, SERVER, SMALL, TROUBLE, WIRE, Picture, cross, drawing, figure, page, picture, spoken, title, write

_COLORS = (TROUBLE, SERVER)
_SIGNS = ("x", "o")  # never the colour alone
_MIB = 2**20


@drawing
def levels(levels: Mapping[str, Sequence[tuple[int, int]]], *, mark: int | None = None, heading: str = "What waits in this program?") -> Picture:
    """A line for each run: to the right the bytes handed over so far, upwards those that wait in the program's memory.

    `levels`: one or two runs by name, each with its pairs (handed over, waiting) in bytes. The first run is the one that goes
    wrong, in vermilion with a ×; the second is green and dotted. `mark`: a level, in bytes, drawn as a dashed line with
    the words "high-water mark".

        pictures.levels({"write": [(65536, 0), (131072, 40000)], "write, then drain": [(65536, 0)]}, mark=65536)

    ValueError when there is nothing to draw, and for more than two runs.
    """
    runs = {str(name): [(int(x), int(y)) for x, y in run] for name, run in levels.items()}
    if not 1 <= len(runs) <= len(_COLORS) or not all(runs.values()):
        raise ValueError("levels: pass one or two runs, each with pairs such as [(65536, 0), (131072, 40000)]")
    fig = figure(height=4.4)
    title(page(fig), heading)
    axes = fig.add_axes((0.1, 0.16, 0.58, 0.66))
    right = max(x for run in runs.values() for x, _ in run) / _MIB
    top = max([y for run in runs.values() for _, y in run] + [mark or 0, 1]) / _MIB
    axes.set_xlim(0, right * 1.02)
    axes.set_ylim(-top * 0.04, top * 1.08)
    axes.set_xticks(_ticks(right))
    axes.set_yticks(_ticks(top))
    axes.set_xlabel("MiB handed to write so far")
    axes.set_ylabel("MiB that wait")
    if mark is not None:
        axes.axhline(mark / _MIB, color=WIRE, linestyle=(0, (4, 3)), linewidth=1.5, zorder=1)
    beside = fig.add_axes((0.7, 0.16, 0.3, 0.66))
    beside.set_axis_off()
    beside.set_xlim(0, 1)
    beside.set_ylim(0, 1)
    height = 0.92
    for color, sign, (name, run) in zip(_COLORS, _SIGNS, runs.items(), strict=False):
        xs, ys = zip(*((x / _MIB, y / _MIB) for x, y in run), strict=True)
        axes.plot(xs, ys, color=color, linestyle="-" if sign == "x" else ":", zorder=3)
        if sign == "x":
            cross(axes, xs[-1], ys[-1])
            cross(beside, 0.06, height)
        else:
            for where, x, y in ((axes, xs[-1], ys[-1]), (beside, 0.06, height)):
                where.plot([x], [y], marker="o", color=color, markersize=10, linestyle="none", zorder=5, clip_on=False)
        write(beside, 0.13, height, name, size=SMALL, bold=True, ha="left", room=2.3)
        height -= 0.16
    if mark is not None:
        beside.plot([0.0, 0.11], [height, height], color=WIRE, linestyle=(0, (4, 3)), linewidth=1.5)
        write(beside, 0.13, height, "high-water mark", size=SMALL, color=INK, ha="left")
    return picture(
        fig,
        "To the right the bytes that were handed to write, upwards those of them that wait in the program's own memory: "
        + ("a vermilion line with a cross at its end for " if len(runs) == 1 else "a vermilion line that ends in a cross and a green dotted one that ends in a disc, for ")
        + spoken(*runs)
        + ("; dashed, the high-water mark." if mark is not None else "."),
    )


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 to `most`."""
    return [float(tick) for tick in MaxNLocator(nbins=5).tick_values(0, most) if 0 <= tick <= most]
