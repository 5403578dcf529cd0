"""What happens to the gradients between the backward pass and the optimizer."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from modgrok.errors import InputError


class GradientFilter(ABC):
    """Changes the gradients of an update. A filter that remembers something returns it as its state."""

    @abstractmethod
    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the gradients to descend, under the names and in the shapes of those given.

        Args:
            gradients: of the trained weights, by parameter name. They may be changed in place.
            weights: the same weights, detached.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return what the filter remembers, as plain data and tensors."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what the filter remembered: by default every entry as the attribute of its name."""
        vars(self).update(state)


class LpPenalty(GradientFilter):
    """Lp regularization: adds the gradient of strength · Σ |w|^power over all trained weights.

    Args:
        strength: at least 0.
        power: 1 for a lasso, 2 for a ridge; at least 1.

    Raises:
        InputError: if a number is out of its range.
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
