"""Fourier Frequency Density and Fourier Coefficient Ratio of Furuta et al. 2024 (arXiv 2402.16726)."""

import torch
from torch import Tensor

from modgrok.analysis.basis import Basis
from modgrok.analysis.spectra import wave_norms


def fourier_frequency_density(matrix: Tensor, basis: Basis, threshold: float = 0.5) -> float:
    """FFD: the share of cos and sin components that stand out (Furuta et al. 2024).

    FFD = ½ · mean over k of (1[‖μ_k‖ > η·max_i ‖μ_i‖] + 1[‖ν_k‖ > η·max_i ‖ν_i‖]), with μ_k, ν_k the cos and
    sin coefficients of frequency k ≥ 1. Low is sparse. A wave that vanishes for every symbol (the sine of
    q/2) is no component and is not counted; 0 for a matrix of zeros.

    Args:
        matrix: (p, d) over the symbols.
        basis: the basis of the symbols.
        threshold: η.

    Example:
        >>> from modgrok.analysis import additive_clock, characters, fourier_frequency_density
        >>> basis = characters(additive_clock(7))
        >>> round(fourier_frequency_density(basis.rows[1:3].T.float(), basis), 6)
        0.333333
    """
    norms = _norms(matrix, basis)
    exists = _exists(basis).to(norms.device)
    return float((norms > threshold * norms.amax(dim=0))[exists].double().mean())


def fourier_coefficient_ratio(matrix: Tensor, basis: Basis) -> float:
    """FCR: how evenly cos and sin share each frequency (Furuta et al. 2024).

    FCR = mean over k of min(‖μ_k‖/‖ν_k‖, ‖ν_k‖/‖μ_k‖): 1 where they are equal, 0 where one is missing. Only
    frequencies k ≥ 1 that have both waves count (not q/2, whose sine vanishes). A frequency that the matrix
    lacks counts as 0, and so does a basis without such frequencies.

    Args:
        matrix: (p, d) over the symbols.
        basis: the basis of the symbols.

    Example:
        >>> from modgrok.analysis import additive_clock, characters, fourier_coefficient_ratio
        >>> basis = characters(additive_clock(7))
        >>> round(fourier_coefficient_ratio(basis.rows[1:3].T.float(), basis), 6)
        0.77559
    """
    norms = _norms(matrix, basis)
    low, high = norms[_exists(basis).all(dim=1).to(norms.device)].aminmax(dim=1)
    ratios = torch.where(high > 0, low / high, 0.0)
    return float(ratios.mean()) if len(ratios) else 0.0


def _norms(matrix: Tensor, basis: Basis) -> Tensor:
    """(⌊q/2⌋, 2): ‖μ_k‖ and ‖ν_k‖ for k ≥ 1, with what is only rounding set to 0."""
    norms = wave_norms(matrix, basis)
    return torch.where(norms > 1e-12 * norms.max(), norms, 0.0)[1:]


def _exists(basis: Basis) -> Tensor:
    """(⌊q/2⌋, 2) bool: which waves do not vanish."""
    return basis.planes[1:].square().sum(dim=2) > 0.5
