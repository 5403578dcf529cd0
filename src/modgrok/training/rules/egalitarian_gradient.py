"""Egalitarian gradient descent: gradients whose singular values are all one."""

from __future__ import annotations

import torch
from torch import Tensor

from modgrok.training.rules.gradient_filter import GradientFilter
from modgrok.training.rules.weight_matrices import as_matrix, from_matrix

RANK_TOLERANCE = 1e-6
"""Singular values below this share of the largest count as zero: their directions are rounding errors."""


class EgalitarianGradient(GradientFilter):
    """Moves equally fast along all principal directions (Pasand & Dohmatob 2025, arXiv 2510.04930).

    The gradient G = U S Vᵀ of each matrix becomes (G Gᵀ)^(−1/2) G = U Vᵀ, with the pseudo-inverse where G has no full
    rank. The weights of attention heads are the matrices of all heads side by side; vectors stay as they are. Meant
    for SGD: Adam scales what it is given.

    Example:
        >>> import torch
        >>> from modgrok.training import EgalitarianGradient
        >>> weights, gradients = {"W": torch.tensor([[3.0, 4.0]])}, {"W": torch.tensor([[1.0, 0.0]])}
        >>> EgalitarianGradient()(gradients, weights)["W"].round(decimals=4)
        tensor([[1., 0.]])
    """

    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return U Vᵀ of every matrix."""
        return {name: _equalized(name, gradient) for name, gradient in gradients.items()}


def _equalized(name: str, gradient: Tensor) -> Tensor:
    if gradient.ndim < 2:
        return gradient
    U, S, Vh = torch.linalg.svd(as_matrix(name, gradient), full_matrices=False)
    kept = (RANK_TOLERANCE * S[0] < S).to(S.dtype)
    return from_matrix(name, (U * kept) @ Vh, gradient.shape)
