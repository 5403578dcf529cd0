"""Capacity: where the memorized bits level off, and how they grow with the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np


@dataclass(frozen=True)
class Slope:
    """Bits per parameter, as a line through the origin; the interval is None for fewer than two networks."""

    bits_per_parameter: float
    interval: tuple[float, float] | None


def fit_slope(capacity: Mapping[int, float]) -> Slope:
    """Fit capacity = slope · parameters by least squares, with a 95% interval of Student's t.

    Args:
        capacity: The most bits that networks have memorized, by their number of parameters.
    """
    p, bits = np.array(list(capacity), float), np.array(list(capacity.values()))
    slope = float(p @ bits / (p @ p))
    freedom = len(p) - 1
    if freedom < 1:
        return Slope(slope, None)
    error = sqrt(float(((bits - slope * p) ** 2).sum()) / freedom / float(p @ p))
    from scipy.stats import t

    half = float(t.ppf(0.975, freedom)) * error
    return Slope(slope, (slope - half, slope + half))
