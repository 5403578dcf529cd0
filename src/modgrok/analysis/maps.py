"""Values of pairs laid out over the operands, and their 2D transform."""

import torch
from torch import Tensor

from modgrok.analysis.basis import Basis


def operand_maps(values: Tensor, pairs: Tensor, n_symbols: int) -> Tensor:
    """Lay values of pairs out as maps over the operands, NaN where the domain has no such pair.

    Args:
        values: (n, …): neurons (n, m), the pattern of the last position (n, h, t), losses (n,).
        pairs: (n, o) int64.
        n_symbols: s.

    Returns:
        (…, s, s) float64 for two operands, (…, s, s, s) for three; x is the first map axis, y the second.

    Example:
        >>> import torch
        >>> from modgrok.analysis import operand_maps
        >>> operand_maps(torch.tensor([[5.0], [6.0]]), torch.tensor([[0, 1], [1, 0]]), 2)
        tensor([[[nan, 5.],
                 [6., nan]]], dtype=torch.float64)
    """
    operands = pairs.shape[1]
    maps = torch.full(
        (n_symbols,) * operands + values.shape[1:], torch.nan, dtype=torch.float64, device=values.device
    )
    maps[tuple(pairs.T)] = values.double()
    return maps.movedim(tuple(range(operands)), tuple(range(-operands, 0)))


def transform_2d(maps: Tensor, x_basis: Basis, y_basis: Basis) -> Tensor:
    """The coefficients of maps in the products of two bases: R_x · map · R_yᵀ.

    Nanda et al. 2023, section 4.1. A pair that the domain lacks (NaN) adds nothing: the coefficients are
    inner products over the pairs there are.

    Args:
        maps: (…, p, p).
        x_basis: the basis of the first axis, of dimension r.
        y_basis: the basis of the second axis, of dimension u.

    Returns:
        (…, r, u) float64.

    Example:
        >>> import torch
        >>> from modgrok.analysis import additive_clock, characters, transform_2d
        >>> basis = characters(additive_clock(7))
        >>> transform_2d(torch.ones(1, 7, 7), basis, basis)[0, 0, 0].round(decimals=6)  # a constant map
        tensor(7., dtype=torch.float64)
    """
    present = maps.double().nan_to_num(nan=0.0)
    return x_basis.rows.to(maps.device) @ present @ y_basis.rows.to(maps.device).T
