"""The circles of an embedding one at a time: what a network answers when it sees the symbols on one of them alone.

Zhong et al. 2023 (arXiv 2306.17844) isolate circles to tell by which formula each of them is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis.embedding import PrincipalComponents, principal_components
from modgrok.analysis.task_view import TaskView
from modgrok.analysis.without import tokens_as
from modgrok.models import EditedNetwork, SharedRowsNetwork, index_tokens

FORMULAS = ("clock", "pizza", "accompanying")
"""The formulas that the logits of one circle are compared with; see `IsolatedCircle`."""

MOST_PAIRS = 4_000
"""Of more pairs so many are drawn; a correlation r is then off by (1 − r²)/63 at most, as a standard error."""

_LEAST_VARIANCE = 1e-6
"""A principal component with a smaller share of the embedding's variance is rounding, and part of no circle."""


@dataclass(frozen=True)
class IsolatedCircle:
    """How well three formulas explain the logits that one circle gives, each as 2r − 1 with r their correlation.

    With w = 2πk/q and positions a, b and c of the operands and the answer on the clock; 1 where the logits are an
    increasing linear function of the formula, −1 where they have nothing to do with it. Published as the fraction of
    variance explained, which is r² elsewhere.

    Attributes:
        frequency: k.
        clock: cos w(a + b − c).
        pizza: `|cos(w(a − b)/2)|·cos w(a + b − c)`.
        accompanying: −cos w(2a − c) − cos w(2b − c), the "accompanied pizza".

    Example:
        >>> from modgrok.analysis import IsolatedCircle
        >>> circle = IsolatedCircle(frequency=17, clock=0.754, pizza=0.992, accompanying=-1.924)  # of "Model A" there
        >>> circle.pizza > circle.clock
        True
    """

    frequency: int
    clock: float
    pizza: float
    accompanying: float


@torch.no_grad()
def isolated_circles(
    network: SharedRowsNetwork,
    view: TaskView,
    by_position: Tensor,
    answer_at: Tensor,
    frequencies: Sequence[int],
) -> tuple[IsolatedCircle, ...]:
    """Keep two principal components of the embedding, run the network, and compare its logits with three formulas.

    A circle is the plane of the first two principal components whose strongest frequency is the circle's. Pairs off
    the clock are left out, and of more than `MOST_PAIRS` some are drawn.

    Args:
        network: a network with an embedding that both operands share.
        view: the task, with two operands.
        by_position: (q, d), the embedding of the symbol at each position of the clock.
        answer_at: (q,), the answer at each position of the clock.
        frequencies: the frequencies whose circles are isolated.

    Returns:
        The circles of those frequencies that have one.
    """
    components = principal_components(by_position)
    strongest = torch.fft.rfft(components.scores, dim=0)[1:].abs().argmax(0) + 1
    there = components.variance_explained > _LEAST_VARIANCE
    pairs, found = _pairs(view), []
    tokens = index_tokens(view.tokens[pairs])
    for k in frequencies:
        plane = (there & (strongest == k)).nonzero()[:2, 0]
        # the last frequency of an even clock has a cosine alone
        if len(plane) == 2 and 2 * k != view.clocked_pairs.clock.size:
            isolated = _on_plane(network, view, components, plane)
            found.append(_explained(isolated(tokens)[:, answer_at].double(), view, pairs, k))
    return tuple(circle for circle in found if circle is not None)


def _on_plane(
    network: SharedRowsNetwork, view: TaskView, components: PrincipalComponents, plane: Tensor
) -> EditedNetwork:
    """The network with the operands' symbols on the plane of two principal components."""
    assert network.readout_paths is not None
    assert network.readout_paths.embedding is not None
    name, table = network.readout_paths.embedding
    s, directions = view.task.n_symbols, components.directions[:, plane]
    offsets = (table[:s].double() - components.center) @ directions
    symbols = components.center + offsets @ directions.T
    vectors = torch.cat([symbols.to(table.dtype), table[s:]])
    return EditedNetwork(
        network, {name: tokens_as({view.words.index(one): vectors for one in view.operands})}
    )


def _pairs(view: TaskView) -> Tensor:
    """The indices of the pairs on the clock, or of some of them."""
    pairs = (view.clocked_pairs.operand_positions >= 0).all(1).nonzero()[:, 0]
    drawn = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:MOST_PAIRS]
    return pairs if len(pairs) <= MOST_PAIRS else pairs[drawn.to(pairs.device)]


def _explained(logits: Tensor, view: TaskView, pairs: Tensor, frequency: int) -> IsolatedCircle | None:
    """Compare the logits of some pairs, (i, q), with the formulas of a frequency; None where they do not vary."""
    clock = view.clocked_pairs.clock
    cosines, sines = clock.waves(torch.arange(clock.size, device=logits.device))[frequency]
    on_circle = torch.complex(cosines, sines)
    # each formula is Re(u·exp(−iwc)) with a u of the pair: its sum over c is 0, and that of its square q|u|²/2
    a, b = on_circle[view.clocked_pairs.operand_positions[pairs]].T
    of_pairs = torch.stack([a * b, (a + b).abs() / 2 * a * b, -(a * a + b * b)])
    read = torch.complex(logits @ cosines, -(logits @ sines))
    products = (of_pairs * read).real.sum(1)
    norms = (of_pairs.abs().square().sum(1) * clock.size / 2).sqrt() * (logits - logits.mean()).norm()
    if not bool((norms > 0).all()):
        return None
    return IsolatedCircle(frequency, *(2 * products / norms - 1).tolist())
