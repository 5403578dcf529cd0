"""An estimate and its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95% interval; None where the data do not reach that far."""

    estimate: float | None
    low: float | None
    high: float | None
