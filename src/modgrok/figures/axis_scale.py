"""From values to places along an axis of a drawing, and the ticks on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from modgrok.figures.figure import Axis, AxisName, Bars, Heatmap, Panel, axis_values
from modgrok.figures.numbers import number, power_of_ten

SIDE = 1000
"""Width and height of a drawing in its own units."""

Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Scale:
    """From values to places 0…SIDE, from left to right or from the bottom up.

    Attributes:
        axis: what it shows.
        low: the value at 0.
        high: the value at SIDE.
        labels: the labels of the categories 0, 1, …, where these are the values.
        upwards: whether places count from the bottom, as those of y do.
    """

    axis: Axis
    low: float
    high: float
    labels: Sequence[str] = ()
    upwards: bool = False

    def __call__(self, values: Array | float) -> Array:
        """Return the places of values."""
        share = (self._inside(np.asarray(values, dtype=float)) - self._inside(np.asarray(self.low))) / (
            self._inside(np.asarray(self.high)) - self._inside(np.asarray(self.low))
        )
        return SIDE * (1 - share if self.upwards != self.axis.reversed else share)

    def _inside(self, values: Array) -> Array:
        if not self.axis.log:
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(values)

    def ticks(self) -> list[tuple[float, str]]:
        """Values and their labels."""
        most = self.axis.ticks or 6
        if self.labels:
            step = math.ceil(len(self.labels) / (self.axis.ticks or 24))
            return [(place, self.labels[place]) for place in range(0, len(self.labels), step)]
        if self.axis.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last - first < 2:  # powers of ten alone would be one or two
                ends = (10.0**e for e in range(first - 1, last + 1))
                inside = [n * end for end in ends for n in (1, 2, 5) if self.low <= n * end <= self.high]
                return [(value, number(value)) for value in inside]
            step = max(1, math.ceil((last - first + 1) / most))
            return [(10.0**e, power_of_ten(e)) for e in range(first, last + 1, step)]
        apart = _round_step((self.high - self.low) / most)
        numbers = range(math.ceil(self.low / apart - 1e-9), math.floor(self.high / apart + 1e-9) + 1)
        return [(n * apart, _short(n * apart, apart)) for n in numbers]

    def plain(self) -> dict[str, object]:
        """What the page's script needs to turn places into values."""
        flipped = self.upwards != self.axis.reversed
        return {"low": self.low, "high": self.high, "log": self.axis.log, "flipped": flipped} | (
            {"labels": list(self.labels)} if self.labels else {}
        )


def scale_of(panel: Panel, which: AxisName) -> Scale:
    """The scale of an axis, fitted to the traces where the axis does not say its ends."""
    axis: Axis = getattr(panel, which)
    upwards = which == "y"
    labels = panel.categories(which)
    maps = [trace for trace in panel.traces if isinstance(trace, Heatmap)]
    if maps:
        count = maps[0].z.shape[1 if which == "x" else 0]
        first = 0 if labels else (maps[0].x0 if which == "x" else maps[0].y0)
        return Scale(axis, first - 0.5, first + count - 0.5, labels, upwards)
    if labels:
        return Scale(axis, -0.5, len(labels) - 0.5, labels, upwards)
    if axis.range:
        return Scale(axis, *axis.range, upwards=upwards)
    low, high = _extent(panel, which)
    if axis.from_zero:
        low = min(0.0, low)
        high = high if high > low else low + 1
    if axis.log:
        return Scale(axis, low / 1.3, high * 1.3, upwards=upwards)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    room = (high - low) / 40
    bottom = low if axis.from_zero and low == 0 else low - room
    return Scale(axis, bottom, high + room, upwards=upwards)


def _extent(panel: Panel, which: AxisName) -> tuple[float, float]:
    found = []
    for trace in panel.traces:
        values = axis_values(getattr(trace, which))
        if isinstance(trace, Bars):
            if which == "x":
                half = bar_width(values) / 0.8 / 2
                values = np.concatenate([values - half, values + half])
            else:
                values = np.concatenate([_stacked_tops(panel) if panel.stacked else values, [0.0]])
        found.append(values[np.isfinite(values)])
    values = np.concatenate(found) if found else np.zeros(1)
    if getattr(panel, which).log:
        values = values[values > 0]
    return (float(values.min()), float(values.max())) if len(values) else (1.0, 10.0)


def of_one_length(x: Scale, y: Scale) -> tuple[Scale, Scale]:
    """The same scales widened about their middles until a unit is as long on both."""
    half = max(x.high - x.low, y.high - y.low) / 2

    def widened(scale: Scale) -> Scale:
        middle = (scale.low + scale.high) / 2
        return Scale(scale.axis, middle - half, middle + half, upwards=scale.upwards)

    return widened(x), widened(y)


def bar_width(positions: Array) -> float:
    """The width of a bar, or of a group of them."""
    apart = np.diff(np.unique(positions))
    return 0.8 * (float(apart.min()) if len(apart) else 1.0)


def _stacked_tops(panel: Panel) -> Array:
    """Return the heights of bars that stand on each other, summed over the traces."""
    return np.sum([axis_values(trace.y) for trace in panel.traces if isinstance(trace, Bars)], axis=0)


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten: the smallest such step that is not smaller."""
    unit = 10.0 ** math.floor(math.log10(least)) if least > 0 else 1.0
    return next(step * unit for step in (1, 2, 5, 10) if step * unit >= least * (1 - 1e-9))


def _short(value: float, step: float) -> str:
    """A tick's label, with the digits that its step has."""
    if value == 0:
        return "0"
    if abs(step) >= 1e-4 and abs(value) < 1e6:
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return f"{value:,.{digits}f}".replace("-", "−")
    return number(value)
