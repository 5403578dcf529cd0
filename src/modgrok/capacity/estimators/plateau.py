"""Capacity: where the memorized bits level off, and how they grow with the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gamma, pi, sqrt

import numpy as np


@dataclass(frozen=True)
class Slope:
    """Bits per parameter, as a line through the origin; the interval is None for fewer than two networks."""

    bits_per_parameter: float
    interval: tuple[float, float] | None


def fit_slope(capacity: Mapping[int, float]) -> Slope:
    """Fit capacity = slope · parameters by least squares, with a 95% interval of Student's t.

    Args:
        capacity: the most bits that a network of each number of parameters has memorized.
    """
    p, bits = np.array(list(capacity), float), np.array(list(capacity.values()))
    slope = float(p @ bits / (p @ p))
    freedom = len(p) - 1
    if freedom < 1:
        return Slope(slope, None)
    error = sqrt(float(((bits - slope * p) ** 2).sum()) / freedom / float(p @ p))
    half = t_quantile(freedom) * error
    return Slope(slope, (slope - half, slope + half))


def t_quantile(freedom: int) -> float:
    """Return the 97.5% quantile of Student's t distribution."""
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    t = np.linspace(0, 20, 200_001)  # t is 12.7 with one degree of freedom
    density = scale * (1 + t**2 / freedom) ** (-(freedom + 1) / 2)
    area = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)]) * (t[1] - t[0])
    return float(np.interp(0.475, area, t))
