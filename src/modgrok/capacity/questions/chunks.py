"""The rows of a scored set, some at a time, so that the logits of a chunk fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from modgrok.capacity.questions.codes import Rows

LOGITS_AT_ONCE = 1 << 21
"""Logits of a chunk: what is computed on the way to more of them is memory that the system maps and clears each time,
which takes as long as the scoring."""


class Chunks:
    """Rows made from numbers when they are needed.

    Args:
        ask: Makes the rows of some numbers.
        numbers: The numbers of the rows.
        of: How many rows the set has of which these are a random sample, or all.
        logits_per_row: The most logits that scoring a row takes.
    """

    def __init__(self, ask: Callable[[Tensor], Rows], numbers: Tensor, of: int, logits_per_row: int) -> None:
        self.ask, self.numbers, self.of = ask, numbers, of
        self.size = max(1, LOGITS_AT_ONCE // logits_per_row)

    @property
    def share(self) -> float:
        """The share of the set that these rows are."""
        return len(self.numbers) / self.of

    def __len__(self) -> int:
        return -(-len(self.numbers) // self.size)

    def __iter__(self) -> Iterator[Rows]:
        return (self.ask(numbers.long()) for numbers in self.numbers.split(self.size))
