"""Figures as matplotlib's, for TensorBoard, files and notebooks.

Axes are placed by hand: matplotlib's layout engines draw a figure several times to find the same places.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure as MatplotlibFigure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullLocator

from modgrok.figures.axis_scale import bar_width
from modgrok.figures.figure import (
    Bars,
    Figure,
    Heatmap,
    Intervals,
    Line,
    Panel,
    Points,
    as_array,
    axis_values,
)
from modgrok.figures.palette import LIGHT

WIDTH = 8.0
"""Inches; as are all lengths here."""

TITLE, ROW = 0.35, 2.5
LEFT, RIGHT, BOTTOM, TOP = 0.62, 0.2, 0.48, 0.3
BARE = 0.06
LETTER = 0.062
LEGEND_ROW, LEGEND_SIZE, LEGEND_MARK = 0.17, 7, 0.47
EVENT_ROW = 0.15
COLORBAR = 0.4
TITLE_SIZE, LINE = 8.5, 0.14

_SYMBOLS = {"circle": "o", "x": "x", "cross": "+", "star": "*", "diamond": "D", "square": "s"}


class Picture(MatplotlibFigure):
    """A matplotlib figure that a notebook displays by itself, without pyplot.

    Example:
        >>> from modgrok.figures import Figure, Line, Panel, render
        >>> picture = render(Figure("training", [Panel("loss", [Line([0, 100], [4.6, 0.1], "train")])]))
        >>> picture.savefig("loss.png")
    """

    def _repr_png_(self) -> bytes:
        file = BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def render(figure: Figure, width: float = WIDTH) -> Picture:
    """Draw a figure in the light palette, as high as its rows of panels need.

    Args:
        figure: the figure.
        width: the width in inches. Letters keep their size, so that on less width they are larger beside the curves.

    Example:
        >>> from modgrok.figures import Figure, Line, Panel, render
        >>> picture = render(Figure("training", [Panel("loss", [Line([0, 100], [4.6, 0.1], "train")])]))
        >>> float(picture.get_figwidth())  # inches
        8.0
    """
    rows = list(_rows(figure.panels, round(5 * width / WIDTH)))
    heights = [_height(row, width) for row in rows]
    picture = Picture(figsize=(width, TITLE + sum(heights)), dpi=90, facecolor="white")
    picture.suptitle(figure.title, y=1 - 0.08 / picture.get_figheight(), va="top", fontsize=10)
    top = TITLE
    for (panels, columns), height in zip(rows, heights, strict=True):
        for place, panel in enumerate(panels):
            _draw(panel, picture, place * width / columns, top, width / columns, height)
        top += height
    return picture


def _rows(panels: Sequence[Panel], most: int) -> Sequence[tuple[list[Panel], int]]:
    """Rows of neighbors of one shape, each with the number of columns: 1 wide, 2 half, `most` squares."""
    rows = []
    for shape, group in groupby(panels, key=lambda panel: panel.shape):
        alike = list(group)
        squares = math.ceil(len(alike) / math.ceil(len(alike) / most))
        columns = {"wide": 1, "half": 2, "square": squares}[shape]
        rows += [(alike[start : start + columns], columns) for start in range(0, len(alike), columns)]
    return rows


def _height(row: tuple[list[Panel], int], width: float) -> float:
    panels, columns = row
    plot = ROW * width / WIDTH if panels[0].shape != "square" else min(3.2, width / columns)
    return plot + max(
        _above(panel, width / columns) + _below_first_line(panel, width / columns) for panel in panels
    )


def _above(panel: Panel, width: float) -> float:
    """What a panel has between its title and its axes: the legend, and what happened, each in a row."""
    return LEGEND_ROW * _legend_rows(panel, width) + EVENT_ROW * len(panel.events)


def _title(panel: Panel, width: float) -> str:
    """The panel's title in lines that are no wider than its axes."""
    letters = int((width - LEFT) / (0.55 * TITLE_SIZE / 72))
    return panel.title if panel.bare else textwrap.fill(panel.title, letters)


def _below_first_line(panel: Panel, width: float) -> float:
    """What a title of several lines takes besides its first; of a bare panel it is part of the square."""
    return 0.0 if panel.bare else LINE * _title(panel, width).count("\n")


def _legend_rows(panel: Panel, width: float) -> int:
    return math.ceil(len(panel.legend) / _legend_columns(panel, width))


def _legend_columns(panel: Panel, width: float) -> int:
    """At most 4 columns in a full row and 2 in less, and no more than the longest name leaves room for."""
    longest = max((len(name) for name, _ in panel.legend), default=0)
    fitting = int((width - LEFT) / (LEGEND_MARK + 0.55 * LEGEND_SIZE / 72 * longest))
    return max(1, min(fitting, 4 if panel.shape == "wide" else 2))


def _draw(panel: Panel, picture: Picture, left: float, top: float, width: float, height: float) -> None:
    """Draw a panel into the rectangle whose upper left corner is at (left, top)."""
    colorbar = any(isinstance(trace, Heatmap) and trace.colorbar for trace in panel.traces)
    margin, right, bottom = (BARE, BARE, BARE) if panel.bare else (LEFT, RIGHT, BOTTOM)
    right += COLORBAR if colorbar else 0.0
    if not panel.bare:
        longest = max(map(len, panel.categories("y")), default=0)
        margin = min(width / 2, max(margin, LETTER * (longest + 2)))
    title = _title(panel, width)
    above = TOP + _above(panel, width) + (0.1 if panel.bare else LINE) * title.count("\n")
    plot_width, plot_height = width - margin - right, height - bottom - above
    whole = picture.get_figheight()

    def place(x: float, wide: float) -> tuple[float, float, float, float]:
        across = picture.get_figwidth()
        return x / across, 1 - (top + above + plot_height) / whole, wide / across, plot_height / whole

    axes = picture.add_axes(place(left + margin, plot_width))
    _frame(axes, panel, title, width, plot_height)
    for trace in panel.traces:
        if isinstance(trace, Line):
            _line(axes, trace)
        elif isinstance(trace, Points):
            _points(axes, trace)
        elif isinstance(trace, Intervals):
            _intervals(axes, trace)
        elif isinstance(trace, Heatmap):
            image = _heatmap(axes, trace, panel)
            if trace.colorbar:
                beside = picture.add_axes(place(left + margin + plot_width + 0.06, 0.09))
                picture.colorbar(image, cax=beside).outline.set_visible(False)
                beside.tick_params(labelsize=7)
    _bars(axes, [trace for trace in panel.traces if isinstance(trace, Bars)], panel.stacked)
    for axis, own, labels in (
        (axes.xaxis, panel.x, panel.categories("x")),
        (axes.yaxis, panel.y, panel.categories("y")),
    ):
        if labels:
            step = math.ceil(len(labels) / (own.ticks or 40))
            axis.set_ticks(range(0, len(labels), step), labels=labels[::step])
        elif not own.log:
            axis.set_major_locator(MaxNLocator(own.ticks or 6))
            if own is panel.x and own.title == "update":
                axis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    if panel.equal and not axes.images:
        axes.set_aspect("equal", "datalim")
    if panel.x.from_zero:
        axes.set_xlim(left=0 if axes.dataLim.x0 >= 0 else None)
    if panel.y.from_zero:
        axes.set_ylim(bottom=0)
    if panel.y.reversed and not axes.images:
        axes.invert_yaxis()
    axes.set(
        **({"xlim": panel.x.range} if panel.x.range else {}),
        **({"ylim": panel.y.range} if panel.y.range else {}),
    )


def _frame(axes: Axes, panel: Panel, title: str, width: float, plot_height: float) -> None:
    """Draw what is around and behind the traces: title, legend, axes, bands and events."""
    axes.set_title(
        title,
        loc="center" if panel.shape == "square" else "left",
        fontsize=6.5 if panel.bare else TITLE_SIZE,
        pad=3 + 72 * _above(panel, width),
        y=1,  # given, matplotlib does not measure every tick label to find it
    )
    if panel.bare:
        axes.set_axis_off()
    axes.tick_params(labelsize=7)
    axes.yaxis.get_offset_text().set_fontsize(6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.margins(x=0.01)
    axes.set_xlabel(panel.x.title, fontsize=8)
    axes.set_ylabel(panel.y.title, fontsize=8)
    if panel.y.log:
        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
    if panel.x.log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    left = panel.x.range[0] if panel.x.range else -math.inf
    for band in panel.bands:
        axes.axvspan(max(band.start, left), max(band.end, left), color=LIGHT[band.color], linewidth=0)
    for row, (text, x) in enumerate(reversed(panel.events)):
        axes.axvline(max(x, left), color=LIGHT["muted"], linewidth=1, linestyle=":")
        late = panel.x.range is not None and x > panel.x.range[1] * (0.3 if panel.x.log else 0.6)
        axes.annotate(
            f"{text} ↓" if late else f"↓ {text}",
            (max(x, left), 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(3 if late else -3, 2 + 72 * EVENT_ROW * row),
            textcoords="offset points",
            horizontalalignment="right" if late else "left",
            fontsize=7,
            color=LIGHT["muted"],
        )
    if panel.legend:
        bands = panel.legend[len(panel.named_traces) :]
        axes.legend(
            handles=[
                *map(_handle, panel.named_traces),
                *(Patch(color=LIGHT[color], label=name) for name, color in bands),
            ],
            ncols=_legend_columns(panel, width),
            loc="lower left",
            bbox_to_anchor=(0, 1 + EVENT_ROW * len(panel.events) / plot_height),
            borderaxespad=0.1,
            fontsize=LEGEND_SIZE,
            frameon=False,
        )


def _handle(trace: Line | Bars | Points | Intervals) -> Line2D | Patch:
    color = LIGHT[str(trace.color)]
    if isinstance(trace, Line):
        return Line2D([], [], color=color, linestyle=":" if trace.dotted else "-", label=trace.name)
    if isinstance(trace, Points):
        return Line2D([], [], color=color, linestyle="", marker=_SYMBOLS[trace.symbol], label=trace.name)
    opacity = trace.opacity if isinstance(trace, Bars) else 1.0
    return Patch(color=color, alpha=opacity, label=trace.name)


def _line(axes: Axes, trace: Line) -> None:
    axes.plot(
        axis_values(trace.x),
        as_array(trace.y),
        color=LIGHT[trace.color],
        linestyle=":" if trace.dotted else "-",
        linewidth=1.4,
        marker="." if trace.markers else "",
    )


def _bars(axes: Axes, traces: Sequence[Bars], stacked: bool) -> None:
    """Draw the bars of each trace as one collection, ten times as fast as one patch a bar."""
    floor = np.zeros(1)
    for number, trace in enumerate(traces):
        x, y = axis_values(trace.x), as_array(trace.y)
        room = bar_width(x)
        width = room if stacked else room / len(traces)
        left = x - room / 2 + (0.0 if stacked else number * width)
        bottom, top, right = np.broadcast_to(floor, y.shape), floor + y, left + width
        corners = np.stack([left, bottom, left, top, right, top, right, bottom], axis=1).reshape(-1, 4, 2)
        colors = [trace.color] if isinstance(trace.color, str) else trace.color
        faces = [LIGHT[color] for color in colors]
        bars = PolyCollection(list(corners), facecolors=faces, alpha=trace.opacity, linewidths=0)
        bars.sticky_edges.y[:] = [0.0]
        axes.add_collection(bars)
        if stacked:
            floor = top
    if traces:
        axes.autoscale_view()


def _points(axes: Axes, trace: Points) -> None:
    x, y = as_array(trace.x), as_array(trace.y)
    if trace.joined:
        axes.plot(x, y, color=LIGHT["line"], linewidth=0.4)
    axes.scatter(
        x,
        y,
        12 if trace.symbol == "circle" else 36,
        c=range(len(x)) if trace.color is None else LIGHT[trace.color],
        cmap=_colormap("cycle") if trace.color is None else None,
        marker=_SYMBOLS[trace.symbol],
        linewidths=0 if trace.symbol == "circle" else 1,
        zorder=2,
    )


def _intervals(axes: Axes, trace: Intervals) -> None:
    colors = [trace.color] * len(trace.y) if isinstance(trace.color, str) else trace.color
    for row, (low, estimate, high, color) in enumerate(
        zip(trace.low, trace.estimate, trace.high, colors, strict=True)
    ):
        axes.plot([low, high], [row, row], color=LIGHT[color], linewidth=2)
        axes.plot([estimate], [row], color=LIGHT[color], marker="o")


def _heatmap(axes: Axes, trace: Heatmap, panel: Panel) -> AxesImage:
    z = as_array(trace.z)
    (rows, columns), left, low = z.shape, trace.x0 - 0.5, trace.y0 - 0.5
    limit = trace.limit if trace.scale == "signed" else None
    vertical = (low + rows, low) if panel.y.reversed else (low, low + rows)
    return axes.imshow(
        z,
        _colormap(trace.scale),
        aspect="equal" if panel.equal else "auto",
        interpolation="nearest",
        vmin=None if limit is None else -limit,
        vmax=limit,
        origin="upper" if panel.y.reversed else "lower",
        extent=(left, left + columns, *vertical),
    )


@cache
def _colormap(scale: str) -> LinearSegmentedColormap:
    return LinearSegmentedColormap.from_list(scale, LIGHT[scale], N=9 if scale == "signed" else 64)
