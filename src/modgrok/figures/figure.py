"""What a figure is: panels of traces, as plain data that a renderer draws.

Colors and color scales are names of the palette, such as "train" or "key0". All text is plain text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

Values = Tensor | np.ndarray | Sequence[float]
Shape = Literal["wide", "half", "square"]
Symbol = Literal["circle", "x", "cross", "star", "diamond", "square"]
AxisName = Literal["x", "y"]
SYMBOLS: tuple[Symbol, ...] = get_args(Symbol)


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points (x, y).

    Attributes:
        x: n numbers or categories.
        y: n numbers.
        color: the color of the line.
        name: the name in the legend.
        dotted: whether the line is thin and dotted.
        markers: whether its points are marked.

    Example:
        >>> from modgrok.figures import Line
        >>> Line([0, 100], [4.6, 0.1], "train", name="loss").name
        'loss'
    """

    x: Sequence[float] | Sequence[str]
    y: Values
    color: str
    name: str = ""
    dotted: bool = False
    markers: bool = False


@dataclass(frozen=True, eq=False)
class Bars:
    """A bar of height y at each x.

    Attributes:
        x: n numbers or categories.
        y: n numbers.
        color: one color, or n.
        name: the name in the legend.
        opacity: the opacity of the bars.

    Example:
        >>> from modgrok.figures import Bars
        >>> Bars(["1", "2"], [0.2, 0.8], "train").y
        [0.2, 0.8]
    """

    x: Sequence[float] | Sequence[str]
    y: Values
    color: str | Sequence[str]
    name: str = ""
    opacity: float = 1.0


@dataclass(frozen=True, eq=False)
class Heatmap:
    """A map of values: z[i, j] at row i and column j.

    Attributes:
        z: (rows, columns).
        value: the name of the quantity z, such as "activation".
        x: a label per column; None numbers the columns from `x0`.
        y: a label per row; None numbers the rows from `y0`.
        x0: the number of the first column.
        y0: the number of the first row.
        scale: "sequential" from the smallest value to the largest, or "signed", symmetric about 0.
        colorbar: whether the scale is drawn beside the map.

    Example:
        >>> import torch
        >>> from modgrok.figures import Heatmap
        >>> Heatmap(torch.zeros(3, 4), "accuracy").scale
        'sequential'
    """

    z: Tensor
    value: str
    x: Sequence[str] | None = None
    y: Sequence[str] | None = None
    x0: int = 0
    y0: int = 0
    scale: Literal["sequential", "signed"] = "sequential"
    colorbar: bool = True

    @property
    def limit(self) -> float:
        """The largest absolute value, 1 if all are zero: the end of a signed scale."""
        return float(self.z.abs().max()) or 1.0


@dataclass(frozen=True, eq=False)
class Points:
    """Marks at (x, y).

    Attributes:
        x: n numbers.
        y: n numbers.
        color: one color; None colors the points along the cycle of colors, in their order.
        name: the name in the legend.
        labels: a text for each point.
        symbol: the mark.
        joined: whether a thin line joins the points in their order.

    Example:
        >>> from modgrok.figures import Points
        >>> Points([0.0, 1.0], [1.0, 0.0]).symbol
        'circle'
    """

    x: Values
    y: Values
    color: str | None = None
    name: str = ""
    labels: Sequence[str] = ()
    symbol: Symbol = "circle"
    joined: bool = False


@dataclass(frozen=True, eq=False)
class Intervals:
    """A row for each interval: a line from its low end to its high end, and a mark at the estimate.

    Attributes:
        y: a name for each of the n rows.
        low: n numbers; NaN where there is no interval, −inf where it has no end.
        estimate: n numbers; NaN where there is none.
        high: n numbers, likewise.
        color: one color, or n.
        name: the name in the legend.

    Example:
        >>> from modgrok.figures import Intervals
        >>> Intervals(["ours", "theirs"], [0.9, 0.95], [0.92, 0.96], [0.94, 0.97], "train").estimate
        [0.92, 0.96]
    """

    y: Sequence[str]
    low: Sequence[float]
    estimate: Sequence[float]
    high: Sequence[float]
    color: str | Sequence[str]
    name: str = ""

    @property
    def x(self) -> list[float]:
        """All ends and estimates that are numbers."""
        return [value for value in (*self.low, *self.estimate, *self.high) if math.isfinite(value)]


Trace = Line | Bars | Heatmap | Points | Intervals


@dataclass(frozen=True)
class Axis:
    """An axis.

    Attributes:
        title: the title of the axis.
        log: whether it is logarithmic.
        range: the ends; None fits them to the traces.
        from_zero: whether it begins at 0 when `range` is None.
        reversed: whether it runs downwards.
        ticks: how many ticks at most; None leaves it to the renderer.

    Example:
        >>> from modgrok.figures import Axis
        >>> Axis("update", log=True).title
        'update'
    """

    title: str = ""
    log: bool = False
    range: tuple[float, float] | None = None
    from_zero: bool = False
    reversed: bool = False
    ticks: int | None = None


@dataclass(frozen=True)
class Band:
    """A colored stretch of the x axis behind the traces.

    Example:
        >>> from modgrok.figures import Band
        >>> Band("cleanup", 9400, 14000, "band0").end
        14000
    """

    name: str
    start: float
    end: float
    color: str


@dataclass(frozen=True, eq=False)
class Panel:
    """One plot of a figure.

    Attributes:
        title: the title of the panel.
        traces: the traces, back to front.
        x: the horizontal axis.
        y: the vertical axis.
        shape: a full row, half of one, or a square among several in a row.
        equal: whether both axes have the same scale.
        stacked: whether bars of several traces stand on each other instead of side by side.
        bare: whether the axes are left out.
        bands: stretches of the x axis.
        events: texts and the x at which a dotted line marks them.

    Example:
        >>> from modgrok.figures import Axis, Line, Panel
        >>> Panel("loss", [Line([0, 100], [4.6, 0.1], "train")], x=Axis("update")).shape
        'half'
    """

    title: str
    traces: Sequence[Trace]
    x: Axis = field(default_factory=Axis)
    y: Axis = field(default_factory=Axis)
    shape: Shape = "half"
    equal: bool = False
    stacked: bool = False
    bare: bool = False
    bands: Sequence[Band] = ()
    events: Sequence[tuple[str, float]] = ()

    @property
    def named_traces(self) -> list[Line | Bars | Points | Intervals]:
        """The traces that the legend names: those with a name and a color, if there is more than one."""
        named = [t for t in self.traces if not isinstance(t, Heatmap) and t.name and isinstance(t.color, str)]
        return named if len(named) > 1 else []

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Names and colors; a wide panel also names its bands."""
        traces = [(trace.name, trace.color) for trace in self.named_traces if isinstance(trace.color, str)]
        return traces + [(band.name, band.color) for band in self.bands if self.shape == "wide"]

    def categories(self, which: AxisName) -> Sequence[str]:
        """The labels along an axis of categories; none along one of numbers."""
        for trace in self.traces:
            labels = getattr(trace, which)
            if isinstance(labels, list | tuple) and labels and isinstance(labels[0], str):
                return labels
        return ()


@dataclass(frozen=True, eq=False)
class Figure:
    """Panels under one title.

    Attributes:
        title: the title of the figure.
        panels: the panels in the order of reading.
        look_for: a text that says what to look for.

    Example:
        >>> from modgrok.figures import Figure, Line, Panel
        >>> Figure("training", [Panel("loss", [Line([0, 100], [4.6, 0.1], "train")])]).title
        'training'
    """

    title: str
    panels: Sequence[Panel]
    look_for: str = ""


def as_array(values: Values) -> np.ndarray:
    """Convert numbers on any device to a contiguous float32 array on the CPU."""
    return torch.as_tensor(values).detach().cpu().float().contiguous().numpy()


def axis_values(given: object) -> np.ndarray:
    """Where values stand on their axis: categories at 0, 1, 2, …"""
    if isinstance(given, list | tuple) and given and isinstance(given[0], str):
        return np.arange(len(given), dtype=float)
    if isinstance(given, range | list | tuple):
        return np.asarray([np.nan if each is None else each for each in given], dtype=float)
    return as_array(given).astype(float)  # type: ignore[arg-type]


def key_color(frequency: int, key_frequencies: Sequence[int]) -> str:
    """The color of a frequency, the same in every figure: its own for a key frequency, muted for others."""
    return f"key{key_frequencies.index(frequency) % 8}" if frequency in key_frequencies else "quiet"


def first_of(key_frequencies: Sequence[int], most: int) -> str:
    """A sentence that says so where a figure shows only the first of the key frequencies."""
    count = len(key_frequencies)
    return f" Shown are the first {most} of {count} key frequencies." if count > most else ""
