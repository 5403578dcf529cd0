"""Gradients of bounded length."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.training.rules.gradient_filter import GradientFilter


class GradientNorm(GradientFilter):
    """Clips the gradient: where its L2 norm over all trained weights is more than `largest`, it is scaled down to it
    (Pascanu et al. 2013, arXiv 1211.5063, section 3.2).

    Args:
        largest: the norm from which gradients are clipped, positive.

    Raises:
        InputError: if it is not positive.

    Example:
        >>> import torch
        >>> from modgrok.training import GradientNorm
        >>> weights, gradients = {"W": torch.zeros(2)}, {"W": torch.tensor([3.0, 4.0])}
        >>> GradientNorm(1.0)(gradients, weights)["W"].round(decimals=4)
        tensor([0.6000, 0.8000])
    """

    def __init__(self, largest: float) -> None:
        if not 0 < largest < math.inf:
            raise InputError(f"largest must be > 0, got {largest}")
        self.largest = largest

    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return gradient · min(1, largest / norm), without waiting for the device."""
        norm = torch.stack([gradient.norm() for gradient in gradients.values()]).norm()
        scale = self.largest / norm.clamp(min=self.largest)
        return {name: gradient * scale for name, gradient in gradients.items()}
