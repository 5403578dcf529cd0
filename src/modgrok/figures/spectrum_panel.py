"""Bars over the frequencies, the key frequencies in their colors."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from modgrok.analysis import Basis
from modgrok.analysis.spectra import wave_norms
from modgrok.figures.figure import Axis, Bars, Panel, Shape, key_color


def frequency_bars(values: Tensor, keys: Sequence[int], name: str = "", opacity: float = 1.0) -> Bars:
    """A bar for each of the frequencies 1…⌊q/2⌋, from values (⌊q/2⌋,)."""
    frequencies = range(1, len(values) + 1)
    return Bars(frequencies, values, [key_color(k, keys) for k in frequencies], name, opacity)


def spectrum_panel(
    matrix: Tensor, basis: Basis, keys: Sequence[int], title: str, shape: Shape = "wide"
) -> Panel:
    """The norms of the cos and sin coefficients of a matrix (s, d), frequency by frequency."""
    norms = wave_norms(matrix, basis)[1:]
    bars = [frequency_bars(norms[:, 0], keys, "cos"), frequency_bars(norms[:, 1], keys, "sin", 0.55)]
    return Panel(title, bars, Axis("frequency"), Axis("norm", from_zero=True), shape)
