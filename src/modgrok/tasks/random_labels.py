"""Random labels: a task that can only be memorised."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modgrok.tasks.operation import Operation
from modgrok.tasks.residues import Integers


@dataclass(frozen=True)
class RandomLabels(Operation):
    """A fixed table of answers, each drawn uniformly from the residues.

    Attributes:
        seed: the seed of the table, 0 … 2³² − 1. The same seed and modulus give the same table.
    """

    seed: int = 0

    def __str__(self) -> str:
        return "a fixed random table"

    @property
    def unstructured(self) -> str:
        """That there is nothing to find."""
        return "they are drawn at random, and only the table itself gives them"

    def evaluate(self, operands: Sequence[Integers], modulus: int) -> tuple[Integers, NDArray[np.bool_]]:
        """Look every pair up in the table."""
        # RandomState's stream is the same in every version of numpy, a Generator's is not, and a checkpoint
        # opened with a later numpy must find the labels it was trained on.
        table = np.random.RandomState(self.seed).randint(modulus, size=(modulus, modulus), dtype=np.int64)
        x, y = operands
        return table[x, y], np.ones((1, 1), dtype=np.bool_)
