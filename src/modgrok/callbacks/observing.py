"""Looking at a run without costing it anything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lightning.pytorch import Callback
from lightning_utilities.core.rank_zero import rank_zero_warn


@contextmanager
def observing(callback: Callback) -> Iterator[None]:
    """Turn an error of a callback that only looks into a warning: the weights and the findings are worth more."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        rank_zero_warn(
            f"{type(callback).__name__} failed and was left out: {type(error).__name__}: {reason}; the run goes on"
        )
