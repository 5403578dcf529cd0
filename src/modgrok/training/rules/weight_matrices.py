"""Weights of three dimensions as the matrices of their linear maps."""

from __future__ import annotations

from einops import rearrange
from torch import Size, Tensor


def as_matrix(name: str, weight: Tensor) -> Tensor:
    """Return a weight of two or three dimensions as the matrix of its linear map.

    TransformerLens keeps a matrix for each head: W_Q, W_K and W_V as (h, d, k), and W_O as (h, k, d). The maps of all
    heads together are (d, h·k), a head's columns side by side, and (h·k, d), a head's rows one below the other. The
    W_in of a layer that sees t positions side by side is kept as (t, d, m), and maps as (t·d, m).
    """
    if weight.ndim == 2:
        return weight
    if name.endswith("W_O"):
        return rearrange(weight, "h k d -> (h k) d")
    if name.endswith("W_in"):
        return rearrange(weight, "t d m -> (t d) m")
    return rearrange(weight, "h d k -> d (h k)")


def from_matrix(name: str, matrix: Tensor, shape: Size) -> Tensor:
    """Return the matrix that `as_matrix` made of a weight in the weight's own shape."""
    if len(shape) == 2:
        return matrix
    if name.endswith("W_O"):
        return rearrange(matrix, "(h k) d -> h k d", h=shape[0])
    if name.endswith("W_in"):
        return rearrange(matrix, "(t d) m -> t d m", t=shape[0])
    return rearrange(matrix, "d (h k) -> h d k", h=shape[0])
