"""Examples as the network sees them, resident on one device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import NamedTuple

import torch
from torch import Tensor


class Examples(NamedTuple):
    """n examples of t tokens."""

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
    """All examples once, in order, at most `size` at a time: a loader without workers or copies."""

    def __init__(self, examples: Examples, size: int) -> None:
        self.examples = examples
        self.size = size

    def __len__(self) -> int:
        return -(-self.examples.size // self.size)

    def __iter__(self) -> Iterator[Examples]:
        for start in range(0, self.examples.size, self.size):
            yield self.examples.select(slice(start, start + self.size))


class TrainingBatches:
    """For each training step the batches of its updates, without end.

    A batch is all training examples, or `batch_size` of them in an order that is shuffled anew every epoch. It is a
    function of the update's number alone, so that a resumed run sees what it would have seen.

    Args:
        examples: all training examples.
        batch_size: examples per update; all of them unless given.
        seed: of the shuffling.
        updates_per_step: batches per training step.
        start: returns the number of the update that comes first, counted from 0.
    """

    def __init__(
        self,
        examples: Examples,
        batch_size: int | None = None,
        seed: int = 0,
        updates_per_step: int = 1,
        start: Callable[[], int] = lambda: 0,
    ) -> None:
        self.examples = examples
        self.batch_size = batch_size
        self.seed = seed
        self.updates_per_step = updates_per_step
        self.start = start
        self._shuffled: tuple[int, Tensor] | None = None  # the epoch, and its order

    def batch_at(self, update: int) -> Examples:
        """Return the batch of update number `update`, counted from 0."""
        if self.batch_size is None:
            return self.examples
        epoch, place = divmod(update, -(-self.examples.size // self.batch_size))
        if self._shuffled is None or self._shuffled[0] != epoch:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = torch.randperm(self.examples.size, generator=generator)
            self._shuffled = epoch, order.to(self.examples.answers.device)
        start = place * self.batch_size
        return self.examples.select(self._shuffled[1][start : start + self.batch_size])

    def __iter__(self) -> Iterator[list[Examples]]:
        """Yield the batches of one step after the other; steps end at multiples of `updates_per_step`."""
        first, per_step = self.start(), self.updates_per_step
        for step in count(first // per_step):
            updates = range(max(step * per_step, first), (step + 1) * per_step)
            yield [self.batch_at(update) for update in updates]
