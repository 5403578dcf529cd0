"""The analytic solution of modular addition by one hidden layer of quadratic neurons."""

from __future__ import annotations

import math

import torch
from torch import Tensor


@torch.no_grad()
def gromov(W_in: Tensor, W_U: Tensor) -> None:
    """Fill the weights with the solution of x + y mod p (Gromov 2023, arXiv 2301.02679, section 3).

    Neuron k sees cos(2πσ_k x/p + φ_k) + cos(2πσ_k y/p + ψ_k) and adds its square times cos(2πσ_k c/p + φ_k + ψ_k) to
    the logit of c. The squares hold cos(2πσ_k (x + y)/p + φ_k + ψ_k); the other terms cancel over many neurons with
    random phases. The frequencies σ are spread evenly over 1 … (p − 1)/2, the phases come from PyTorch's global
    generator.

    Args:
        W_in: (t, v, m), of two-hot input with the operands at positions 0 and 1; tokens beyond the p symbols and other
            positions get zeros.
        W_U: (m, p).
    """
    m, p = W_U.shape
    half = max(1, (p - 1) // 2)
    sigma = 1 + torch.div(torch.arange(m, dtype=torch.float64) * half, m, rounding_mode="floor")
    phases = 2 * math.pi * torch.rand(2, m, dtype=torch.float64)
    angles = 2 * math.pi / p * torch.arange(p, dtype=torch.float64)[:, None] * sigma
    W_in.zero_()
    W_in[0, :p], W_in[1, :p] = (angles + phases[0]).cos(), (angles + phases[1]).cos()
    W_U.copy_((angles + phases.sum(0)).cos().T)
