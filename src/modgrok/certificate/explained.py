"""How many answers follow from the circuit that was found, and a bound on the rest of the logits."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis import TaskView
from modgrok.certificate.proof import SLAB
from modgrok.models import Network


@dataclass(frozen=True)
class ExplainedMargin:
    """The answers that follow from a function of the group element alone.

    The logits of a pair, centered over the answers, are F + R: F depends only on what separates the answer from the
    right one, s − c on a clock and a⁻¹cb⁻¹ in a group, and is the mean over all pairs and answers that have it.

    Attributes:
        margin: F at the right answer less its largest value elsewhere.
        rest: 2·max|R| over all pairs and answers: every answer follows from F if it is below the margin.
        share: the share of pairs whose own 2·max|R| is below the margin.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import task_views
        >>> from modgrok.certificate import explained_margin
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> (view,) = task_views(data)
        >>> 0 <= explained_margin(network, view).share <= 1
        True
    """

    margin: float
    rest: float
    share: float


@torch.no_grad()
def explained_margin(network: Network, view: TaskView) -> ExplainedMargin | None:
    """Compute the explained margin in float64.

    Returns:
        None where the task is no sum on its clock and no product in its group, or answers stand at several positions.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import task_views
        >>> from modgrok.certificate import explained_margin
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> (view,) = task_views(data)
        >>> 0 <= explained_margin(network, view).share <= 1
        True
    """
    classes = _classes(view)
    if classes is None:
        return None
    of_pairs, of_answers, table, right, chosen = classes
    exact = copy.deepcopy(network).double().eval()

    def parts() -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the centered logits of the pairs, (i, q), and what separates each answer from the right one."""
        for pairs in chosen.split(SLAB):
            logits = exact(view.tokens[pairs])[:, of_answers]
            yield logits - logits.mean(1, keepdim=True), table[of_pairs[pairs]]

    q = len(of_answers)
    sums, counts = torch.zeros(q, dtype=torch.float64), torch.zeros(q, dtype=torch.float64)
    for logits, separation in parts():
        sums.index_add_(0, separation.flatten(), logits.flatten())
        counts += torch.bincount(separation.flatten(), minlength=q)
    F = sums / counts.clamp(min=1)
    others = torch.arange(q) != right
    margin = float(F[right] - F[others].max())
    rest = torch.cat([2 * (logits - F[separation]).abs().amax(1) for logits, separation in parts()])
    return ExplainedMargin(margin, float(rest.max()), float((rest < margin).double().mean()))


def _classes(view: TaskView) -> tuple[Tensor, Tensor, Tensor, int, Tensor] | None:
    """What is needed to sort the logits of pairs by what separates an answer from the right one.

    Returns:
        (n,) the row of each pair; (q,) the answers in order; (rows, q) the separation of each answer, by row; the
        separation of the right answer; (i,) the pairs that have one.
    """
    group = view.group_pairs
    if group is not None:
        # row (a, b), answer c: a⁻¹·c·b⁻¹
        n = len(group.inverses)
        elements = torch.arange(n)
        left = group.table[group.inverses[:, None], elements]  # (a, c)
        table = group.table[left[:, None, :], group.inverses[None, :, None]].flatten(0, 1)  # (a·b, c)
        identity = int((group.table[0] == 0).nonzero()[0])
        return (
            group.first * n + group.second,
            group.answer_at,
            table,
            identity,
            torch.arange(len(group.first)),
        )
    pairs, q = view.clocked_pairs, view.clocked_pairs.clock.size
    order = pairs.answer_at
    if not pairs.separates or bool((order < 0).any()) or len(order.unique()) < q:
        return None
    positions = torch.arange(q)
    table = (positions[:, None] - positions) % q  # s − c
    on_clock = (pairs.answer_positions >= 0).nonzero().flatten()
    return pairs.answer_positions, order, table, 0, on_clock
