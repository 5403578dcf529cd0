"""An endless order of numbers: every number once an epoch, each epoch in a new order."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modgrok.capacity.people.streams import Stream, generator


class Shuffled:
    """Numbers in random order, where the seed and the position alone decide what comes.

    Args:
        numbers: The numbers that are shuffled, or how many numbers from 0.
        seed: Decides the orders of all epochs.
        stream: Tells orders of one seed apart.
    """

    def __init__(self, numbers: NDArray[np.int32] | int, seed: int, stream: Stream) -> None:
        self.numbers = numbers
        self.seed, self.stream = seed, stream
        self.epoch = -1
        self.order: NDArray[np.int32] = np.empty(0, np.int32)

    def __len__(self) -> int:
        return self.numbers if isinstance(self.numbers, int) else len(self.numbers)

    def take(self, start: int, count: int) -> Tensor:
        """Return the `count` numbers from position `start` on, int64."""
        taken = []
        while count:
            epoch, offset = divmod(start, len(self))
            if epoch != self.epoch:
                self.epoch = epoch
                self.order = generator(self.seed, self.stream, epoch).permutation(self.numbers)
            taken.append(self.order[offset : offset + count])
            start, count = start + len(taken[-1]), count - len(taken[-1])
        return torch.from_numpy(np.concatenate(taken)).long()
