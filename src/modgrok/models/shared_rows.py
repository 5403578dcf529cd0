"""Activations stored once per distinct row instead of once per pair.

Before attention mixes positions, an activation depends only on the position and the token there: on x + y mod 113
the 3,830 training pairs share 113 rows at each operand's position and a single one at "=". Everything that can be
computed on those rows is, and is looked up for the pairs only where two positions meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Index(NamedTuple):
    """Which of r rows each of n pairs uses, in both directions."""

    row: Tensor  # (n,) the row of each pair
    order: Tensor  # (n,) the pairs, sorted by their row
    starts: Tensor  # (r,) where each row's pairs start in `order`


class _Lookup(torch.autograd.Function):
    """`values[index.row]`, whose gradient sums each row's pairs in a fixed order.

    PyTorch's own gradient of indexing adds pair by pair, with atomics on CUDA; summing over sorted pairs is several
    times faster on both devices and gives the same bits every time.
    """

    @staticmethod
    def forward(values: Tensor, row: Tensor, order: Tensor, starts: Tensor) -> Tensor:
        return values.index_select(0, row)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        _, _, order, starts = inputs
        ctx.save_for_backward(order, starts)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        order, starts = ctx.saved_tensors
        (gradient,) = gradients
        summed = F.embedding_bag(order, gradient.reshape(len(order), -1), starts, mode="sum")
        return summed.view(-1, *gradient.shape[1:]), None, None, None


@dataclass(frozen=True, eq=False)
class SharedRows:
    """One position's activation, (r, ...): by `index` for the pairs or, where that is None, a row for each pair."""

    values: Tensor
    index: Index | None = None

    @property
    def constant(self) -> bool:
        """Whether all pairs share one row."""
        return self.index is not None and len(self.values) == 1

    def expand(self) -> Tensor:
        """Return one row for each pair, (n, ...); a constant stays (1, ...) and broadcasts."""
        return self.values if self.constant else self.each()

    def each(self) -> Tensor:
        """Return one row for each pair, (n, ...)."""
        return self.values if self.index is None else _Lookup.apply(self.values, *self.index)


def map_rows(function: Callable[..., Tensor], *arguments: SharedRows) -> SharedRows:
    """Apply a function that acts on each row by itself.

    If all arguments but the constants share one index, the result keeps that index; otherwise they are expanded first,
    to one row for each pair.
    """
    varying = [rows.index for rows in arguments if not rows.constant]
    index = varying[0] if varying else arguments[0].index
    if all(other is index for other in varying):
        return SharedRows(function(*(rows.values for rows in arguments)), index)
    return SharedRows(function(*(rows.expand() for rows in arguments)))


class IndexedTokens(NamedTuple):
    """n examples of t tokens, with the distinct tokens of each position found once.

    Example:
        >>> import torch
        >>> from modgrok.models import index_tokens
        >>> [len(tokens) for tokens in index_tokens(torch.tensor([[0, 1, 11], [1, 1, 11]])).distinct]
        [2, 1, 1]
    """

    distinct: Sequence[Tensor]  # per position: (r,) the distinct tokens
    indices: Sequence[
        Index | None
    ]  # per position: which of them each example has; None: one row for each example

    @property
    def n_examples(self) -> int:
        """Number of examples, n."""
        return len(self.distinct[0]) if self.indices[0] is None else len(self.indices[0].row)


def index_tokens(tokens: Tensor, like: IndexedTokens | None = None) -> IndexedTokens:
    """Find the distinct tokens at each position of `tokens`, (n, t).

    Args:
        tokens: the tokens of the examples.
        like: the distinct tokens of other examples. Positions whose tokens are all among them get the same rows, so
            that batches of one size are indexed in one shape.

    Example:
        >>> import torch
        >>> from modgrok.models import index_tokens
        >>> index_tokens(torch.tensor([[0, 1, 11], [1, 1, 11]])).n_examples
        2
    """
    among = like.distinct if like else [None] * tokens.shape[1]
    distinct, indices = [], []
    for column, known in zip(tokens.unbind(1), among, strict=True):
        values, row = _find(column, known)
        order = row.argsort(stable=True)
        starts = torch.searchsorted(row[order], torch.arange(len(values), device=row.device))
        distinct.append(values)
        indices.append(Index(row, order, starts))
    return IndexedTokens(distinct, indices)


def _find(tokens: Tensor, known: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the distinct tokens, ascending, or the known ones if they include all; and the row of each token there."""
    if known is not None:
        row = torch.searchsorted(known, tokens.contiguous()).clamp_(max=len(known) - 1)
        if torch.equal(known[row], tokens):
            return known, row
    values, row = torch.unique(tokens, return_inverse=True)
    return values, row


def unshared(tokens: Tensor) -> IndexedTokens:
    """`tokens`, (n, t), with nothing shared: every activation has a row for each pair, as hooks want to see it."""
    columns = list(tokens.unbind(1))
    return IndexedTokens(columns, [None] * len(columns))
