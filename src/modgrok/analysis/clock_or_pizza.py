"""The measures of Zhong et al. 2023 (arXiv 2306.17844) for how a network adds on a clock, and the phase relation.

No measure here says "pizza" or "clock" by a threshold: beside each stands its distribution over published networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs
from modgrok.analysis.embedding import principal_components
from modgrok.analysis.isolated_circles import FORMULAS, IsolatedCircle, isolated_circles
from modgrok.analysis.phase_relation import MOMENTS, PhaseRelation, covers_grid
from modgrok.analysis.task_view import TaskView
from modgrok.models import ReadoutPaths, SharedRowsNetwork

TRIPLES = 1000
"""Triples of a pair and an answer that gradient symmetricity is the mean of, unless told otherwise."""

NOT_YET = {
    "circles": "no key frequency has a circle in the embedding",
    "distance_irrelevance": "the right answers' logits are all equal",
    "phases": "no neuron is live",
}
"""Reasons for which a measure is undefined that training may end; every other one lies in the task or the network."""

PUBLISHED_SYMMETRICITY = {
    "below 0.1": 0.994,
    "0.3 to 0.5": 0.993,
    "0.5 to 0.7": 0.836,
    "0.7 to 0.9": 0.585,
    "0.9 and above": 0.451,
}
"""Median gradient symmetricity by attention rate, over 817 circular one-layer networks, computed from the table that
Zhong et al. 2023 publish with their code."""


@dataclass(frozen=True)
class Symmetricity:
    """The mean of a sample, with its standard error and the size of the sample."""

    mean: float
    error: float
    size: int


@dataclass(frozen=True)
class ClockOrPizza:
    """How a network adds, each None where it is undefined.

    Attributes:
        gradient_symmetricity: mean cosine between the gradients of a logit by the two operands' embeddings; 1 for every
            function of their sum.
        gradient_symmetricity_error: its standard error.
        distance_irrelevance: how much the right answer's logit varies among pairs of one distance a − b, as a share of
            how much it varies at all.
        circularity: how well one frequency explains each of the embedding's first four principal components.
        circle_clock: how well the clock's formula explains the logits when the network sees one circle of its embedding
            alone, averaged over `circles`; see `IsolatedCircle`, as the next two.
        circle_pizza: likewise the pizza's formula.
        circle_accompanying: likewise that of the accompanied pizza.
        equal_phases: see `PhaseRelation`, as the others.
        phase_sum: likewise.
        phase_moments: likewise, one for each of `MOMENTS`.
        circles: one for each key frequency that has a circle.
        undefined: why a measure is None, by its name.

    Example:
        >>> from modgrok import MLP, ModularDataModule
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> (view,) = task_views(data)
        >>> circuit = read_circuit(MLP(**data.network_shape, d_model=8, d_mlp=16), view)
        >>> round(circuit.clock_or_pizza().gradient_symmetricity, 4)  # of a function of the embeddings' sum
        1.0
    """

    gradient_symmetricity: float | None
    gradient_symmetricity_error: float | None
    distance_irrelevance: float | None
    circularity: float | None
    circle_clock: float | None
    circle_pizza: float | None
    circle_accompanying: float | None
    equal_phases: float | None
    phase_sum: float | None
    phase_moments: tuple[float | None, ...]
    circles: tuple[IsolatedCircle, ...]
    undefined: dict[str, str]

    def why_undefined(self, name: str) -> str | None:
        """Why one of `scalars` is None; None where it is a number, or none of them."""
        several = {"phase_moment": "phase_moments", "circle": "circles"}
        of = next((all_of for start, all_of in several.items() if name.startswith(start)), name)
        return self.undefined.get(of.removesuffix("_error"))

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of `scalars`; a moment ends in its order."""
        several = ("phase_moments", "circles", "undefined")
        plain = [field.name for field in fields(cls) if field.name not in several]
        return (*plain, *(f"phase_moment_{order}" for order in MOMENTS))

    def scalars(self) -> dict[str, float | None]:
        """One name and number for each; that of one circle ends in its frequency (`circle_pizza_17`)."""
        moments = {f"phase_moment_{q}": one for q, one in zip(MOMENTS, self.phase_moments, strict=True)}
        each = {
            f"circle_{formula}_{circle.frequency}": getattr(circle, formula)
            for circle in self.circles
            for formula in FORMULAS
        }
        return {name: (vars(self) | moments)[name] for name in self.names()} | each


def clock_or_pizza(
    network: SharedRowsNetwork,
    view: TaskView,
    right_logits: Tensor,
    phases: PhaseRelation | None,
    answer_at: Tensor | None,
    keys: Sequence[int],
    n_triples: int = TRIPLES,
) -> ClockOrPizza:
    """Measure how a network adds.

    Args:
        network: a network with readout paths.
        view: the task on its clock.
        right_logits: (n,), the right answer's logit of each pair.
        phases: the phases of its neurons; None where they are undefined.
        answer_at: (q,), the answer at each position of the clock; None where there is not another one at each.
        keys: the key frequencies, whose circles are isolated.
        n_triples: how many triples to draw for the gradient symmetricity.
    """
    pairs, paths = view.clocked_pairs, network.readout_paths
    undefined: dict[str, str] = {}
    symmetricity = distance = circular = None
    circles: tuple[IsolatedCircle, ...] = ()
    by_position = _on_clock(view, None if paths is None else paths.W_E)
    if by_position is None:
        undefined["circularity"] = "the clock does not have one symbol for each position"
    else:
        circular = circularity(by_position)
    if pairs.operands.shape[1] != 2:
        for name in ("gradient_symmetricity", "distance_irrelevance", "circles"):
            undefined[name] = "the task does not have two operands"
    else:
        distance = distance_irrelevance(right_logits, pairs)
        if distance is None:
            undefined["distance_irrelevance"] = NOT_YET["distance_irrelevance"]
        if paths is None or paths.embedding is None or paths.embedding[1] is not paths.W_E:
            undefined["gradient_symmetricity"] = undefined["circles"] = (
                "the network has no embedding that both operands share"
            )
        else:
            drawn = draw_triples(view, n_triples)
            symmetricity = gradient_symmetricity(network, view, *drawn)
            if by_position is None or answer_at is None:
                undefined["circles"] = "the clock does not have one symbol and one answer for each position"
            else:
                circles = isolated_circles(network, view, by_position, answer_at, keys)
                if not circles:
                    undefined["circles"] = NOT_YET["circles"]
    if phases is None:
        for name in ("equal_phases", "phase_sum", "phase_moments"):
            undefined[name] = _why_without_phases(paths, pairs, answer_at)
    return ClockOrPizza(
        gradient_symmetricity=symmetricity.mean if symmetricity else None,
        gradient_symmetricity_error=symmetricity.error if symmetricity else None,
        distance_irrelevance=distance,
        circularity=circular,
        **{f"circle_{formula}": _mean_of(circles, formula) for formula in FORMULAS},
        equal_phases=phases.equal_phases if phases else None,
        phase_sum=phases.phase_sum if phases else None,
        phase_moments=phases.moments if phases else (None,) * len(MOMENTS),
        circles=circles,
        undefined=undefined,
    )


def _why_without_phases(paths: ReadoutPaths | None, pairs: ClockedPairs, answer_at: Tensor | None) -> str:
    if paths is None or paths.inputs is None:
        return "the inputs of the neurons are not known"
    if answer_at is None or not covers_grid(pairs):
        return "the pairs do not fill a clock with one answer at each position"
    return NOT_YET["phases"]


def _mean_of(circles: Sequence[IsolatedCircle], formula: str) -> float | None:
    return sum(getattr(circle, formula) for circle in circles) / len(circles) if circles else None


def draw_triples(view: TaskView, n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw n pairs, (n,) indices, and for each an answer, (n,), right or wrong."""
    generator = torch.Generator().manual_seed(seed)
    pairs = torch.randint(len(view.tokens), (n,), generator=generator)
    answers = torch.randint(view.task.n_answers, (n,), generator=generator)
    return pairs.to(view.tokens.device), answers.to(view.tokens.device)


def gradient_symmetricity(
    network: SharedRowsNetwork, view: TaskView, pairs: Tensor, answers: Tensor
) -> Symmetricity:
    """The mean over triples (a, b, c) of cos(∂L[a,b,c]/∂E_a, ∂L[a,b,c]/∂E_b) (Zhong et al. 2023, section 4.2).

    L is the logit of c, and the gradients are by the vectors of the tokens where a and b stand. Where a gradient is
    zero the cosine is taken as 0.

    Args:
        network: a network with an embedding that both operands share.
        view: the task, with two operands that stand at one position each.
        pairs: (n,) indices of pairs.
        answers: (n,), the answer c of each triple.

    Example:
        >>> import torch
        >>> from modgrok import MLP, ModularDataModule
        >>> from modgrok.analysis import gradient_symmetricity, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = MLP(**data.network_shape, d_model=8, d_mlp=16)
        >>> found = gradient_symmetricity(network, task_views(data)[0], torch.tensor([0, 5]), torch.tensor([1, 2]))
        >>> round(found.mean, 4), found.size
        (1.0, 2)
    """
    places = [view.words.index(operand) for operand in view.operands]
    paths = network.readout_paths
    assert paths is not None
    assert paths.embedding is not None
    name = paths.embedding[0]
    with torch.enable_grad():
        # a leaf in its place, which has a gradient where the embedding is frozen too
        hooks = {name: lambda vectors: vectors.detach().requires_grad_()}
        logits, cache = network.run_with_cache(view.tokens[pairs], hooks)
        chosen = logits.gather(1, answers[:, None]).sum()
        (gradient,) = torch.autograd.grad(chosen, cache[name])
    first, second = (gradient[:, place].double() for place in places)
    norms = first.norm(dim=1) * second.norm(dim=1)
    cosines = (first * second).sum(1) / norms.clamp(min=torch.finfo(torch.float64).tiny)
    n = len(cosines)
    return Symmetricity(float(cosines.mean()), float(cosines.std()) / n**0.5 if n > 1 else 0.0, n)


def distance_irrelevance(right_logits: Tensor, pairs: ClockedPairs) -> float | None:
    """The mean over d of std(Q | a − b = d) / std(Q) (Zhong et al. 2023, section 4.2).

    Q is the right answer's logit; a and b are the operands' positions on the clock; standard deviations are those of a
    population. Pairs off the clock are left out. The code published with the paper takes the best *wrong* logit.

    Args:
        right_logits: (n,).
        pairs: the n pairs, of two operands.

    Returns:
        None where Q does not vary.
    """
    positions = pairs.operand_positions
    on_clock = (positions >= 0).all(1)
    distance = (positions[on_clock, 0] - positions[on_clock, 1]) % pairs.clock.size
    values = right_logits[on_clock].double()
    whole = float(values.std(correction=0)) if len(values) else 0.0
    if whole == 0.0:
        return None
    values = values - values.mean()
    zeros = values.new_zeros(pairs.clock.size)
    counts = zeros.index_add(0, distance, torch.ones_like(values))
    means = zeros.index_add(0, distance, values) / counts.clamp(min=1)
    squares = zeros.index_add(0, distance, (values - means[distance]).square()) / counts.clamp(min=1)
    return float(squares.sqrt()[counts > 0].mean()) / whole


def circularity(by_position: Tensor, components: int = 4) -> float:
    """The mean over the first principal components v of max_k min(1, (2/q)·|Σ_t v_t e^{2πikt/q}|²) (Zhong et al. 2023).

    Args:
        by_position: (q, d), the embedding of the symbol at each position of the clock.
        components: how many are looked at, at most q.
    """
    scores = principal_components(by_position).scores[:, :components]
    units = scores / scores.norm(dim=0).clamp(min=torch.finfo(torch.float64).tiny)
    power = torch.fft.fft(units, dim=0)[1:].abs().square() * 2 / len(units)
    return float(power.amax(0).clamp(max=1).mean())


def _on_clock(view: TaskView, W_E: Tensor | None) -> Tensor | None:
    """The embedding of the symbol that stands at each position as the first operand; None if there is not one each."""
    pairs, q = view.clocked_pairs, view.clocked_pairs.clock.size
    if W_E is None:
        return None
    places = torch.stack([pairs.operands[:, 0], pairs.operand_positions[:, 0]], 1).unique(dim=0)
    places = places[places[:, 1] >= 0]
    if len(places) != q or len(places[:, 1].unique()) != q:
        return None
    return W_E.detach()[places[places[:, 1].argsort(), 0]]
