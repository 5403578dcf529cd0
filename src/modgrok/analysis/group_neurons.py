"""Which irrep of a group each neuron is tuned to, and how: rank one, and constant on cosets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from modgrok.analysis.cosets import Cosets, find_cosets
from modgrok.analysis.group_sums import GroupActivations

# A neuron whose variance is this small beside the most active neuron's is off: what remains is rounding.
_OFF = 1e-10


@dataclass(frozen=True, eq=False)
class GroupNeurons:
    """What m neurons take from each of the two operands, X(a) and Y(b), by irrep.

    Attributes:
        activations: the activations of the network.
        active: (m,) bool, whether the neuron's activation varies over the pairs.
        irreps: (m,) int64, the number of the irrep that has the largest part of X and Y together; −1 for a neuron
            that is off, or whose inputs are constant.
        purity: (m,) float64, that part, of what X and Y have outside of the trivial irrep.
        rank_one: (m,) float64, how much of the matrices Σ X(g)·ρ(g) and Σ Y(g)·ρ(g) is of rank one, s₁²/Σs² with
            their singular values s (Wu et al. 2024, arXiv 2410.07476); of rank e where e matrices commute with ρ,
            whose singular values come in groups of e.
    """

    activations: GroupActivations
    active: Tensor
    irreps: Tensor
    purity: Tensor
    rank_one: Tensor

    @property
    def counts(self) -> dict[str, int]:
        """How many neurons each irrep has, by its name."""
        names = [irrep.name for irrep in self.activations.pairs.irreps]
        counts = Counter(self.irreps[self.irreps >= 0].tolist())
        return {names[number]: counts[number] for number in sorted(counts)}

    def median(self, values: Tensor) -> float | None:
        """The median of some values over the neurons that have an irrep; None where none has."""
        chosen = values[self.irreps >= 0]
        return float(chosen.median()) if len(chosen) else None

    @cached_property
    def cosets(self) -> list[Cosets | None]:
        """For each neuron the largest subgroup on whose cosets X is constant; None for one without an irrep."""
        inputs = self.activations.inputs
        assert inputs is not None
        chosen = (self.irreps >= 0).nonzero().flatten()
        found: list[Cosets | None] = [None] * len(self.irreps)
        for neuron, cosets in zip(
            chosen.tolist(), find_cosets(inputs[0][:, chosen], self.activations.pairs), strict=True
        ):
            found[neuron] = cosets
        return found


def group_neurons(activations: GroupActivations) -> GroupNeurons | None:
    """Sort neurons by the irreps that their inputs lie in; None where the network does not say what its inputs are."""
    inputs, pairs = activations.inputs, activations.pairs
    if inputs is None:
        return None
    squares = activations.neuron_squares
    active = squares > _OFF * squares.max().clamp(min=torch.finfo(torch.float64).tiny)
    parts = pairs.parts(inputs.movedim(0, 1)).sum(dim=1)  # (i, m)
    parts[pairs.trivial] = 0.0
    total = parts.sum(dim=0)
    best = torch.where(active & (total > 0), parts.argmax(dim=0), -1)
    purity = torch.where(best >= 0, parts.amax(dim=0) / total.clamp(min=torch.finfo(torch.float64).tiny), 0.0)
    rank_one = torch.zeros_like(purity)
    for number in best[best >= 0].unique().tolist():
        irrep, chosen = pairs.irreps[number], (best == number).nonzero().flatten()
        rho = torch.from_numpy(irrep.matrices).to(inputs.device)
        matrices = torch.einsum("ogm,gij->omij", inputs[..., chosen], rho)
        singular = torch.linalg.svdvals(matrices).square()  # (2, m, D)
        top = singular[..., : irrep.commutant].sum(dim=(0, 2))
        rank_one[chosen] = top / singular.sum(dim=(0, 2)).clamp(min=torch.finfo(torch.float64).tiny)
    return GroupNeurons(activations, active, best, purity, rank_one)
