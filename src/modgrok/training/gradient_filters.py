"""Penalties on the weights besides AdamW's decay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.errors import InputError


@dataclass(frozen=True)
class Lp:
    """Lp regularization: strength · Σ |w|^power over all trained weights, added to the loss that is descended.

    Args:
        power: 1 for a lasso, 2 for a ridge; at least 1.
        strength: of the penalty, at least 0.

    Raises:
        InputError: if a number is out of its range.
    """

    power: float
    strength: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 1 <= self.power < float("inf"):
            raise InputError(f"lp_power: {self.power} is not a number from 1 up")
        if not 0 <= self.strength < float("inf"):
            raise InputError(f"lp_strength: {self.strength} is not a number from 0 up")

    def penalty(self, weights: Iterable[Tensor]) -> Tensor:
        """Return the penalty of the weights, a scalar."""
        return self.strength * torch.stack([weight.abs().pow(self.power).sum() for weight in weights]).sum()


NO_LP = Lp(power=1.0, strength=0.0)
