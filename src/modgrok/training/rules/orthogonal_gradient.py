"""⊥Grad: gradients without the direction of the weights."""

from __future__ import annotations

from torch import Tensor

from modgrok.training.rules.gradient_filter import GradientFilter

TINY = 1e-30
"""Added to norms that are divided by, as in the authors' code."""


class OrthogonalGradient(GradientFilter):
    """Takes the direction of the weights out of the gradient (Prieto et al. 2025, arXiv 2501.04697, section 5.2).

    For each parameter w: g⊥ = g − (w·g / w·w) w, rescaled to the norm of g. Moving along w only scales the logits of a
    network that has memorized (naive loss minimization, section 5.1).

    Example:
        >>> import torch
        >>> from modgrok.training import OrthogonalGradient
        >>> weights, gradients = {"W": torch.tensor([[3.0, 4.0]])}, {"W": torch.tensor([[1.0, 0.0]])}
        >>> filtered = OrthogonalGradient()(gradients, weights)["W"]
        >>> round(float((filtered * weights["W"]).sum()), 5) + 0
        0.0
    """

    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the rescaled g⊥ of every parameter."""
        return {name: _orthogonal(gradient, weights[name]) for name, gradient in gradients.items()}


def _orthogonal(gradient: Tensor, weight: Tensor) -> Tensor:
    along = (weight * gradient).sum() / (weight.square().sum() + TINY)
    orthogonal = gradient - along * weight
    return orthogonal * (gradient.norm() / (orthogonal.norm() + TINY))
