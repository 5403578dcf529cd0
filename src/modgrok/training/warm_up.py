"""What happens at which update."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable


class WarmUp:
    """The factor min(update / length, 1) of the learning rate; the first update of a warm-up has none."""

    def __init__(self, length: int) -> None:
        self.length = length

    def __call__(self, update: int) -> float:
        """Return the factor at update number `update`, counted from 0."""
        return min(update / self.length, 1.0) if self.length else 1.0


@runtime_checkable
class Timetable(Protocol):
    """A callback that has to look at certain updates."""

    def next_update(self, after: int) -> int | None:
        """Return the first update later than `after` at which the callback must be called, if there is one."""


def next_multiple(after: int, of: int) -> int:
    """Return the first multiple of `of` that is greater than `after`."""
    return (after // of + 1) * of


def next_due(after: int, timetables: Iterable[Timetable]) -> int | None:
    """Return the first update later than `after` at which one of the callbacks must be called."""
    return min((due for table in timetables if (due := table.next_update(after)) is not None), default=None)
