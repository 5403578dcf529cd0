"""Grokfast: amplifies what varies slowly in the gradients (Lee et al. 2024, arXiv 2405.20233)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.training.rules.gradient_filter import GradientFilter


class GrokfastEMA(GradientFilter):
    """Adds an exponential moving average of the gradients (Lee et al. 2024, arXiv 2405.20233, algorithm 2).

    μ ← alpha · μ + (1 − alpha) · g and g ← g + strength · μ. As in the authors' code, μ starts at the first gradient.

    Args:
        alpha: momentum of the average, in [0, 1).
        strength: the factor of the average in the gradient, λ in the paper; at least 0.

    Raises:
        InputError: if a number is out of its range.

    Example:
        >>> import torch
        >>> from modgrok.training import GrokfastEMA
        >>> weights, gradients = {"W": torch.tensor([[3.0, 4.0]])}, {"W": torch.tensor([[1.0, 0.0]])}
        >>> GrokfastEMA(alpha=0.98, strength=2.0)(gradients, weights)["W"]
        tensor([[3., 0.]])
    """

    def __init__(self, alpha: float = 0.98, strength: float = 2.0) -> None:
        if not 0 <= alpha < 1:
            raise InputError(f"alpha must be in [0, 1), got {alpha}")
        if not 0 <= strength < math.inf:
            raise InputError(f"strength must be ≥ 0, got {strength}")
        self.alpha, self.strength = alpha, strength
        self.average: dict[str, Tensor] = {}

    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return g + strength · μ."""
        for name, gradient in gradients.items():
            average = self.average.setdefault(name, gradient.clone())
            average.lerp_(gradient, 1 - self.alpha)
        return {name: g.add(self.average[name], alpha=self.strength) for name, g in gradients.items()}

    def state_dict(self) -> dict[str, dict[str, Tensor]]:
        """Return the averages."""
        return {"average": self.average}


class GrokfastMA(GradientFilter):
    """Adds the mean of the last gradients (Lee et al. 2024, arXiv 2405.20233, algorithm 1).

    g ← g + strength · (mean of the last `window` gradients), from the first update that has so many. They are kept,
    and so are as many copies of the weights, in memory and in every checkpoint.

    Args:
        window: number of gradients in the mean.
        strength: the factor of the mean in the gradient, λ in the paper; at least 0.

    Raises:
        InputError: if a number is out of its range.

    Example:
        >>> import torch
        >>> from modgrok.training import GrokfastMA
        >>> weights, gradients = {"W": torch.tensor([[3.0, 4.0]])}, {"W": torch.tensor([[1.0, 0.0]])}
        >>> GrokfastMA(window=2, strength=5.0)(gradients, weights)["W"].shape
        torch.Size([1, 2])
    """

    def __init__(self, window: int = 100, strength: float = 5.0) -> None:
        if window < 1:
            raise InputError(f"window must be a positive integer, got {window}")
        if not 0 <= strength < math.inf:
            raise InputError(f"strength must be ≥ 0, got {strength}")
        self.window, self.strength = window, strength
        self.past = torch.empty(0)  # (≤ window, weights) in a ring
        self.seen = 0

    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return g + strength · mean."""
        flat = torch.cat([gradient.flatten() for gradient in gradients.values()])
        if not self.seen:
            self.past = flat.new_zeros(self.window, len(flat))
        self.past[self.seen % self.window] = flat
        self.seen += 1
        if self.seen >= self.window:
            flat = flat.add(self.past.mean(0), alpha=self.strength)
        parts = flat.split([gradient.numel() for gradient in gradients.values()])
        return {name: part.view_as(g) for part, (name, g) in zip(parts, gradients.items(), strict=True)}

    def state_dict(self) -> dict[str, Tensor | int]:
        """Return the past gradients and how many there were."""
        return {"past": self.past, "seen": self.seen}
