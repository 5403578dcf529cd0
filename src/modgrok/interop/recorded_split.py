"""Pairs whose split was drawn elsewhere and recorded as the numbers of the training pairs."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from modgrok.data import ModularData
from modgrok.errors import InputError
from modgrok.tasks.residues import Integers


class RecordedSplit(ModularData):
    """The pairs of one task with a recorded split.

    Args:
        training: (n,) int64, the numbers of the training pairs, row-major.
        config: the arguments of `ModularData`; the share of the training pairs follows from the record.

    Raises:
        InputError: if a number is repeated or out of range, or one side is left empty.
    """

    def __init__(self, training: Tensor, config: dict[str, Any]) -> None:
        size = ModularData(**config).pairs.size
        if not 0 < len(training) < size:
            raise InputError(
                f"train_indices: {len(training):,} of {size:,} pairs leave one side of the split empty"
            )
        low, high = int(training.min()), int(training.max())
        if low < 0 or high >= size:
            raise InputError(
                f"train_indices: {low if low < 0 else high} is not the number of a pair, 0 to {size - 1:,}"
            )
        if len(training.unique()) < len(training):
            raise InputError("train_indices: a pair is repeated")
        self._recorded = training.numpy()
        super().__init__(**{**config, "train_fraction": len(training) / size})

    def draw(self) -> list[Integers]:
        """Return the recorded numbers."""
        return [self._recorded]
