"""A rigorous margin of every pair of a task."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis import TaskView
from modgrok.certificate.balls import FLOAT32, FLOAT64, UNDERFLOW, Ball, gamma
from modgrok.certificate.proved_network import evaluation
from modgrok.models import Network

SLAB = 1024
"""Pairs that are evaluated at a time, so that memory stays flat."""


@dataclass(frozen=True)
class Proof:
    """What is proved of the answers to all pairs in one arithmetic.

    Attributes:
        proved: how many pairs are certainly answered right.
        refuted: how many are certainly answered wrong; of the others nothing is proved.
        margin: a lower bound, over all pairs, on the right answer's logit less the largest other one; positive only
            where every pair is proved.
        worst_pair: the operands of the pair with that bound.
        unproved: the operands of the pairs that are not proved.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import task_views
        >>> from modgrok.certificate import prove
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> (view,) = task_views(data)
        >>> proof = prove(network, view).float32
        >>> proof.proved + proof.refuted <= 121
        True
    """

    proved: int
    refuted: int
    margin: float
    worst_pair: tuple[int, ...]
    unproved: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Certificate:
    """What is proved of a network's answers to all pairs of a task.

    It assumes that an exponential is computed to within 4 units in the last place, and says nothing of TF32, of half
    precision, or of kernels that compute another formula.

    Attributes:
        pairs: how many there are.
        real: the proof for the function of the stored weights in exact arithmetic.
        float32: the proof for every evaluation in float32, sums taken in any order.
        seconds: the time that the proofs took.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import task_views
        >>> from modgrok.certificate import prove
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> (view,) = task_views(data)
        >>> certificate = prove(network, view)
        >>> certificate.real.proved >= certificate.float32.proved
        True
    """

    pairs: int
    real: Proof
    float32: Proof
    seconds: float

    def __str__(self) -> str:
        """Say it in a sentence."""
        if self.real.proved == self.float32.proved == self.pairs:
            return (
                f"All {self.pairs:,} pairs are answered right, proved for exact arithmetic with margin "
                f"{_shown(self.real.margin)} and for every float32 evaluation with {_shown(self.float32.margin)}."
            )
        return (
            f"{self.real.proved:,} of {self.pairs:,} pairs are proved to be answered right in exact arithmetic, "
            f"{self.float32.proved:,} in every float32 evaluation; {self.float32.refuted:,} are proved to be answered "
            f"wrong. The worst pair is {self.real.worst_pair}."
        )


def prove(network: Network, view: TaskView) -> Certificate:
    """Prove what a network answers to every pair of a task.

    Args:
        network: a Transformer of one block or an MLP, with ReLU and without normalization.
        view: the task.

    Raises:
        InputError: if the network is something else.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import task_views
        >>> from modgrok.certificate import prove
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> (view,) = task_views(data)
        >>> prove(network, view).pairs
        121
    """
    start = time.perf_counter()
    network_in_balls = evaluation(network, (0.0, FLOAT32))
    answers, operands = view.clocked_pairs.answers.cpu(), view.clocked_pairs.operands.cpu()
    low, high = torch.empty(2, 2, len(answers), dtype=torch.float64)
    for pairs in answers.argsort(stable=True).split(SLAB):  # so that a slab has few answers
        last = network_in_balls.last(view.tokens[pairs].cpu())
        low[:, pairs], high[:, pairs] = margins(
            last, network_in_balls.unembedding, network_in_balls.bias, answers[pairs]
        )
    real, float32 = (_proof(low[i], high[i], operands) for i in range(2))
    return Certificate(len(answers), real, float32, time.perf_counter() - start)


def margins(last: Ball, W_U: Tensor, b_U: Tensor | None, answers: Tensor) -> tuple[Tensor, Tensor]:
    """Bound the margin of each pair from below and above.

    What the unembedding reads is the same for all logits of a pair, so that it moves the difference of two logits by no
    more than its radius times the difference of their weights. Each logit's own rounding comes on top.

    Args:
        last: the input of the unembedding, (n, d).
        W_U: (d, p).
        b_U: (p,), or None.
        answers: (n,), the right ones.

    Returns:
        Two tensors, (a, n), for each arithmetic.
    """
    d, p = W_U.shape
    W = W_U.double()
    b = torch.zeros(p, dtype=torch.float64) if b_U is None else b_U.double()
    low, high = torch.empty(2, *last.radius.shape[:2], dtype=torch.float64)
    for answer in answers.unique():
        chosen = (answers == answer).nonzero().flatten()
        x, others = last[chosen], torch.arange(p) != answer
        differences = W[:, others] - W[:, [answer]]
        of_midpoints = gamma(d + 4, FLOAT64) * (
            x.mid.abs() @ differences.abs() + (b[others] - b[answer]).abs()
        )
        # (i, p − 1): by how much the others are above it
        behind = x.mid @ differences + (b[others] - b[answer])
        sizes = x.size @ W.abs() + b.abs()
        own = x.errors(d + 1) * (sizes[..., others] + sizes[..., [answer]])
        spread = (x.radius @ differences.abs() + own + of_midpoints) * (1 + 8 * gamma(d + 4, FLOAT64))
        spread = spread + 4 * d * UNDERFLOW
        low[:, chosen] = (-behind - spread).amin(2)
        high[:, chosen] = (-behind + spread).amin(2)
    return low, high


def _proof(low: Tensor, high: Tensor, operands: Tensor) -> Proof:
    low, high = low - low.abs() * 8 * FLOAT64, high + high.abs() * 8 * FLOAT64  # of the last subtraction
    worst = int(low.argmin())
    return Proof(
        proved=int((low > 0).sum()),
        refuted=int((high < 0).sum()),
        margin=float(low[worst]),
        worst_pair=tuple(operands[worst].tolist()),
        unproved=tuple(map(tuple, operands[low <= 0].tolist())),
    )


def _shown(margin: float) -> str:
    """Write a lower bound with three decimals at most, rounded down."""
    return f"{math.floor(margin * 1000) / 1000:g}" if margin >= 0.001 else f"{margin:.2g}"
