"""What connections cost: the memory of a server, and its time for a message, against how many are open (notebooks 03 and 08)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..costs import Cost
from .style import INK, LABEL, SMALL, TITLE, WIRE, Picture, drawing, figure, picture, spoken

WAYS = 4

# All of them are servers, so none has the colour of one; the marks and strokes tell them apart without any colour.
_LOOKS = ((INK, "o", "-"), ("#CC79A7", "s", "--"), ("#B87A00", "^", ":"), (WIRE, "D", "-."))
_MEGABYTE, _MICRO = 2.0**20, 1e-6


@drawing
def costs(ways: Mapping[str, Sequence[Cost]], *, heading: str = "What does a connection cost?") -> Picture:
    """Two panels, both axes logarithmic: the memory of the server's process, and its processor time for each message.

    `ways`: for each way of serving its name and what `helpers.costs.measure` returned. The first way has circles, the second squares,
    the third triangles, the fourth diamonds.

        pictures.costs({"a thread each": measure(thread_each), "one selector": measure(one_selector)})

    ValueError when there is nothing to draw, and for more than four ways.
    """
    if not isinstance(ways, Mapping) or not 1 <= len(ways) <= WAYS or not all(ways.values()):
        raise ValueError(f"pass 1 to {WAYS} ways with their costs, such as {{'a thread each': measure(thread_each)}}")
    fig = figure(height=4.7)
    fig.text(0.2 / 9, 1 - 0.15 / 4.7, heading, size=TITLE, weight="bold", va="top")
    memory, time = fig.add_axes((0.085, 0.14, 0.39, 0.58)), fig.add_axes((0.595, 0.14, 0.39, 0.58))
    for axes, name in ((memory, "memory of the server, MiB"), (time, "processor time a message, µs")):
        axes.set_title(name, size=LABEL, weight="normal", loc="left")
        axes.set_xlabel("connections open", size=LABEL)
    for (color, mark, stroke), (name, of_way) in zip(_LOOKS, ways.items()):
        look = {"color": color, "marker": mark, "linestyle": stroke, "markersize": 8, "label": str(name)}
        count = [cost.connections for cost in of_way]
        memory.plot(count, [cost.memory / _MEGABYTE for cost in of_way], **look)
        time.plot(count, [max(cost.message / _MICRO, 0.1) for cost in of_way], **look)
    for axes in (memory, time):
        _logarithmic(axes)
    handles, names = memory.get_legend_handles_labels()
    fig.legend(handles, names, loc="upper left", bbox_to_anchor=(0.005, 0.9), ncols=len(names), fontsize=SMALL, handlelength=3)
    return picture(
        fig,
        "Two panels with logarithmic axes, against the number of open connections: on the left the memory of the server, on the "
        f"right its processor time for each message. A line with marks of its own for each way: {spoken(*ways)}.",
    )


def _logarithmic(axes: Axes) -> None:
    """Round numbers at the ticks; a range of at least a factor of four upwards, so that noise looks like noise."""
    for least, (lower, upper), place in ((1.2, axes.dataLim.intervalx, axes.set_xlim), (4.0, axes.dataLim.intervaly, axes.set_ylim)):
        widen = max(1.0, least / (upper / lower)) ** 0.5 * (upper / lower) ** 0.05 * 1.05
        place(lower / widen, upper * widen)
    axes.set(xscale="log", yscale="log")  # not before: where all is alike, matplotlib complains about its own limits
    for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        axis.set_major_locator(FixedLocator(_round_numbers(low, high)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        axis.set_minor_locator(NullLocator())


def _round_numbers(low: float, high: float) -> list[float]:
    """Two to six round numbers from `low` to `high`: powers of ten, with 2 and 5, or with 1 to 9, where those are too few."""
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for digits in ((1,), (1, 2, 5), range(1, 10), [n / 10 for n in range(10, 100)]):
        found = [digit * 10.0**power for power in powers for digit in digits if low <= digit * 10.0**power <= high]
        if len(found) > 1:
            break
    return found[:: ceil(len(found) / 6)]
