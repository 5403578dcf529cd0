"""How a weight matrix spreads over the frequencies, and how sparse that is."""

import torch
from einops import einsum
from torch import Tensor

from modgrok.analysis.basis import Basis


def spectrum(matrix: Tensor, basis: Basis) -> Tensor:
    """The norm of each frequency, (‖μ_k‖² + ‖ν_k‖²)^½ with μ_k, ν_k its cos and sin coefficients.

    Each frequency is measured by itself, on the plane of its cos and sin. In the pullback of a many-to-one
    map these planes overlap, and the squares add up to more than the matrix.

    Args:
        matrix: (p, d) over the symbols.
        basis: the basis of the symbols.

    Returns:
        (⌊q/2⌋+1,) float64, the constant first.

    Example:
        >>> from modgrok.analysis import additive_clock, characters, spectrum
        >>> basis = characters(additive_clock(7))
        >>> [round(norm, 6) for norm in spectrum(3 * basis.rows[1:2].T.float(), basis).tolist()]
        [0.0, 3.0, 0.0, 0.0]
    """
    return wave_norms(matrix, basis).square().sum(dim=1).sqrt()


def wave_norms(matrix: Tensor, basis: Basis) -> Tensor:
    """‖μ_k‖ and ‖ν_k‖, the norms of the cos and the sin coefficients, as (⌊q/2⌋+1, 2) float64."""
    waves = einsum(basis.planes.to(matrix.device), matrix.double(), "k w p, p d -> k w d")
    return waves.square().sum(dim=2).sqrt()


def gini(norms: Tensor) -> float:
    """The Gini coefficient `Σ_ij |x_i − x_j| / (2 n Σ_i x_i)` of n norms: 0 all equal, 1 − 1/n a single one.

    The sparsity of a spectrum in Nanda et al. 2023, section 5.1 (Hurley and Rickard 2009). Norms that are all
    zero are all equal: 0. Of a spectrum take the frequencies without the constant: `gini(spectrum(…)[1:])`.

    Example:
        >>> import torch
        >>> from modgrok.analysis import gini
        >>> gini(torch.tensor([1.0, 1.0, 1.0, 1.0])), gini(torch.tensor([0.0, 0.0, 0.0, 1.0]))
        (0.0, 0.75)
    """
    x = norms.double().sort().values
    n, total = len(x), float(x.sum())
    if total == 0.0:
        return 0.0
    ranks = torch.arange(1, n + 1, dtype=torch.float64, device=x.device)
    return float((2 * ranks - n - 1) @ x) / (n * total)
