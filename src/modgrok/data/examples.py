"""Examples as the network sees them, resident on one device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

CHUNK = 8192
"""Pairs evaluated at a time: enough to keep the device busy, few enough to keep memory flat."""


class Examples(NamedTuple):
    """n examples of t tokens.

    Example:
        >>> from modgrok.data import ModularData
        >>> pairs = ModularData("x + y", 11).training_pairs
        >>> pairs.tokens.shape, pairs.answers.shape
        (torch.Size([36, 3]), torch.Size([36]))
    """

    tokens: Tensor  # (n, t)
    answers: Tensor  # (n,)
    task_index: Tensor  # (n,) the task of each
    known: Tensor  # (n,) whether its class has a training pair, so that symmetry gives the answer

    def to(self, device: torch.device) -> Examples:
        """Return the examples on `device`."""
        return Examples(*(tensor.to(device) for tensor in self))

    def select(self, index: Tensor | slice) -> Examples:
        """Return some of the examples."""
        return Examples(*(tensor[index] for tensor in self))

    @property
    def size(self) -> int:
        """Number of examples, n."""
        return len(self.answers)


class Chunks:
    """All examples once, in order, at most `size` at a time: a loader without workers or copies.

    Example:
        >>> from modgrok.data import Chunks, ModularData
        >>> data = ModularData("x + y", 11)
        >>> [chunk.size for chunk in Chunks(data.heldout_pairs, 50)]
        [50, 35]
    """

    def __init__(self, examples: Examples, size: int = CHUNK) -> None:
        self.examples = examples
        self.size = size

    def __len__(self) -> int:
        return -(-self.examples.size // self.size)

    def __iter__(self) -> Iterator[Examples]:
        for start in range(0, self.examples.size, self.size):
            yield self.examples.select(slice(start, start + self.size))


class TrainingBatches:
    """The batches of one evaluation period after the other: each iteration yields what is left of a period.

    A batch is all training examples, or `batch_size` of them in an order that is shuffled anew every time that all have
    been seen. It is a function of its number alone, so that a resumed run sees what it would have seen.

    Args:
        examples: all training examples.
        batch_size: examples per batch; all of them unless given.
        seed: the seed of the shuffling.
        period: batches of an evaluation period; as many as show every example once unless given.
        per_step: batches per training step; lists of them unless it is 1.
        start: returns the number of the batch that comes first, counted from 0.

    Example:
        >>> from modgrok.data import ModularData, TrainingBatches
        >>> batches = TrainingBatches(ModularData("x + y", 11).training_pairs, batch_size=12, seed=0)
        >>> batches.batch_at(0).size
        12
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int | None = None,
        seed: int = 0,
        period: int | None = None,
        per_step: int = 1,
        start: Callable[[], int] = lambda: 0,
    ) -> None:
        self.examples = examples
        self.batch_size = batch_size
        self.seed = seed
        # batches that show every example once
        self.all_seen = -(-examples.size // (batch_size or examples.size))
        self.period = period or self.all_seen
        self.per_step = per_step
        self.start = start
        self._shuffled: tuple[int, Tensor] | None = None  # how often all were seen, and the order since

    def batch_at(self, number: int) -> Examples:
        """Return the batch of that number, counted from 0."""
        if self.batch_size is None:
            return self.examples
        times, place = divmod(number, self.all_seen)
        if self._shuffled is None or self._shuffled[0] != times:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + times)
            order = torch.randperm(self.examples.size, generator=generator)
            self._shuffled = times, order.to(self.examples.answers.device)
        start = place * self.batch_size
        return self.examples.select(self._shuffled[1][start : start + self.batch_size])

    def of_each_size(self) -> list[Examples]:
        """Return a batch of each size that there is: the last before a new order can be smaller."""
        return [self.batch_at(0), self.batch_at(self.all_seen - 1)][: self.all_seen]

    def __len__(self) -> int:
        """Return the training steps of a whole period."""
        return self.period // self.per_step

    def __iter__(self) -> Iterator[Examples | list[Examples]]:
        """Yield the batches of the steps up to the end of the period; steps end at multiples of `per_step`."""
        first = self.start()
        end = (first // self.period + 1) * self.period
        while first < end:
            after = (first // self.per_step + 1) * self.per_step
            batches = [self.batch_at(number) for number in range(first, after)]
            yield batches if self.per_step > 1 else batches[0]
            first = after
