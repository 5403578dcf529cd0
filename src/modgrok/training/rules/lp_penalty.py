"""Lp regularization."""

from __future__ import annotations

import math

from torch import Tensor

from modgrok.errors import InputError
from modgrok.training.rules.gradient_filter import GradientFilter


class LpPenalty(GradientFilter):
    """Lp regularization: adds the gradient of `strength · Σ |w|^power` over all trained weights.

    Args:
        strength: the factor of the penalty, at least 0.
        power: 1 for a lasso, 2 for a ridge; at least 1.

    Raises:
        InputError: if a number is out of its range.

    Example:
        >>> import torch
        >>> from modgrok.training import LpPenalty
        >>> weights, gradients = {"W": torch.tensor([[3.0, 4.0]])}, {"W": torch.tensor([[1.0, 0.0]])}
        >>> LpPenalty(strength=0.5, power=2)(gradients, weights)["W"]
        tensor([[4., 4.]])
    """

    def __init__(self, strength: float, power: float = 1.0) -> None:
        if not 0 <= strength < math.inf:
            raise InputError(f"strength must be ≥ 0, got {strength}")
        if not 1 <= power < math.inf:
            raise InputError(f"power must be ≥ 1, got {power}")
        self.strength, self.power = strength, power

    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return gradient + strength · power · |w|^(power − 1) · sign(w)."""
        scale = self.strength * self.power
        return {
            name: gradient + scale * weights[name].abs().pow(self.power - 1) * weights[name].sign()
            for name, gradient in gradients.items()
        }
