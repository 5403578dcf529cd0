"""Birth dates as the published data draw them: a uniform day, its day of the month clipped to the 28th."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

FIRST = np.datetime64("1900-01-01")
DAYS_PER_MONTH = 28


def clip_days(days: NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the value number of each day counted from 1900-01-01: months of 28 days, one after another."""
    dates = FIRST + days.astype("timedelta64[D]")
    months = dates.astype("datetime64[M]")
    day_of_month = (dates - months.astype("datetime64[D]")).astype(np.int64)
    return (
        (months - FIRST.astype("datetime64[M]")).astype(np.int64) * DAYS_PER_MONTH
        + np.minimum(day_of_month, DAYS_PER_MONTH - 1)
    ).astype(np.int32)


@cache
def probabilities(days: int) -> NDArray[np.float64]:
    """Return the probability of every value when a day is drawn uniformly from the first `days` days."""
    return np.bincount(clip_days(np.arange(days))) / days


def as_dates(values: NDArray[np.integer]) -> NDArray[np.datetime64]:
    """Return value numbers as dates, datetime64[D]."""
    months = FIRST.astype("datetime64[M]") + (values // DAYS_PER_MONTH).astype("timedelta64[M]")
    return months.astype("datetime64[D]") + (values % DAYS_PER_MONTH).astype("timedelta64[D]")
