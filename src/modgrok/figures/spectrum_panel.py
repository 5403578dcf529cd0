"""Bars over the frequencies, the key frequencies in their colors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from modgrok.analysis import Basis
from modgrok.analysis.spectra import wave_norms
from modgrok.figures.figure import Panel, axis, bars, key_color


def frequency_bars(values: Tensor, keys: Sequence[int], name: str, **more: Any) -> dict[str, Any]:
    """A bar for each of the frequencies 1…⌊q/2⌋, of values (⌊q/2⌋,)."""
    frequencies = range(1, len(values) + 1)
    return bars(frequencies, values, [key_color(k, keys) for k in frequencies], name, **more)


def spectrum_panel(matrix: Tensor, basis: Basis, keys: Sequence[int], title: str) -> Panel:
    """The norms of the cos and sin coefficients of a matrix (s, d), frequency by frequency."""
    norms = wave_norms(matrix, basis)[1:]
    traces = [
        frequency_bars(norms[:, 0], keys, "cos"),
        frequency_bars(norms[:, 1], keys, "sin", opacity=0.55),
    ]
    layout = {
        "barmode": "group",
        "bargap": 0.25,
        "xaxis": axis("frequency"),
        "yaxis": axis("norm", rangemode="tozero"),
    }
    return Panel(title, traces, layout, "wide")
