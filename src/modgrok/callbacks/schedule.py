"""Which evaluations a callback acts at."""

from __future__ import annotations

from modgrok.runs import History


def is_due(history: History, every: int | None) -> bool:
    """Whether the last evaluation is the first one since a multiple of `every` updates; never where that is None."""
    if every is None:
        return False
    before = history.update[-2] if len(history.update) > 1 else 0
    return history.update[-1] // every > before // every
