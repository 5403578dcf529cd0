"""Layers that more than one network has. Shapes are written as in `transformer`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from modgrok.errors import InputError
from modgrok.models.hooks import HookPoint
from modgrok.models.shared_rows import IndexedTokens, SharedRows, map_rows

ACTIVATIONS = {"relu": torch.relu, "gelu": F.gelu, "square": torch.square}


def check_sizes(**sizes: int | None) -> None:
    """Check that sizes are positive; None leaves a size to the network.

    Raises:
        InputError: if one is not, by its name.
    """
    for name, size in sizes.items():
        if size is not None and size < 1:
            raise InputError(f"{name} must be a positive integer, got {size}")


def empty_parameter(*shape: int) -> nn.Parameter:
    """Return a parameter to be filled by the initialization."""
    return nn.Parameter(torch.empty(shape))


def optional_bias(wanted: bool, *shape: int) -> nn.Parameter | None:
    """Return a bias that starts at zero, or None if biases are off."""
    return nn.Parameter(torch.zeros(shape)) if wanted else None


def check_dropout(rate: float) -> None:
    """Check that a share of activations can be dropped.

    Raises:
        InputError: if it is not from 0 to below 1.
    """
    if not 0 <= rate < 1:
        raise InputError(f"dropout must be ≥ 0 and below 1, got {rate}")


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014, JMLR 15), of each pair by itself: rows that pairs share are expanded first.

    Args:
        rate: the share of the activations that is set to 0 while training; the others grow by 1 / (1 − rate).
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: list[SharedRows]) -> list[SharedRows]:
        """Drop activations of each position, each (r, …), and return a row for each pair; in evaluation, drop none."""
        if not self.rate or not self.training:
            return x
        return [SharedRows(nn.functional.dropout(rows.each(), self.rate)) for rows in x]


def add_bias(value: Tensor, b: nn.Parameter | None) -> Tensor:
    """Add a bias where there is one."""
    return value if b is None else value + b


class Embed(nn.Module):
    """Token embedding."""

    def __init__(self, v: int, d: int) -> None:
        super().__init__()
        self.W_E = empty_parameter(v, d)

    @property
    def table(self) -> Tensor:
        """The vector of each token, (v, d)."""
        return self.W_E

    def forward(self, tokens: IndexedTokens, point: HookPoint) -> list[SharedRows]:
        """Return the embedding at each position, each (r, d)."""
        embedded = [
            SharedRows(F.embedding(distinct, self.W_E), index)
            for distinct, index in zip(tokens.distinct, tokens.indices, strict=True)
        ]
        return point("hook_embed", embedded)  # (n, t, d)


class OneHot(nn.Module):
    """Tokens as one-hot vectors."""

    def __init__(self, v: int) -> None:
        super().__init__()
        self.vectors: Tensor
        self.register_buffer("vectors", torch.eye(v), persistent=False)

    @property
    def table(self) -> Tensor:
        """The vector of each token, (v, v)."""
        return self.vectors

    def forward(self, tokens: IndexedTokens, point: HookPoint) -> list[SharedRows]:
        """Return the vectors at each position, each (r, v)."""
        embedded = [
            SharedRows(self.vectors[distinct], index)
            for distinct, index in zip(tokens.distinct, tokens.indices, strict=True)
        ]
        return point("hook_embed", embedded)  # (n, t, v)


class Unembed(nn.Module):
    """Linear map to the logits of the answers."""

    def __init__(self, d: int, p: int, biases: bool) -> None:
        super().__init__()
        self.W_U, self.b_U = empty_parameter(d, p), optional_bias(biases, p)

    def forward(self, x: SharedRows) -> Tensor:
        """Return the logits, (n, p), of x, (r, d)."""
        return map_rows(lambda x: add_bias(x @ self.W_U, self.b_U), x).expand()
