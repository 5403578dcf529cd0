"""What a network does over the pairs of a group, summed: all that the measures of its circuit need."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis.group_pairs import GroupPairs


@dataclass(frozen=True, eq=False)
class GroupActivations:
    """Means over the pairs (a, b) of a group of order n, logits L[a, b, c] centered over the answers c.

    Attributes:
        pairs: the pairs in their group.
        two_sided: (n,) float64, F(g), the mean of the logits with a⁻¹·c·b⁻¹ = g: the part that stays when a and c are
            multiplied from the left by the same element, and b and c from the right.
        by_trace: (n,) float64, the mean of the logits with a·b·c⁻¹ = g.
        square: Σ L² over all a, b and c.
        neurons: (3, n, m) float64, the mean activation about its mean over all pairs, at each a, each b and each a·b.
        neuron_squares: (m,) float64, the sum of squares of each neuron's activation about its mean.
        inputs: (2, n, m) float64, the mean input of each neuron at each a and at each b; None where the network does
            not say what its neurons' inputs are.
    """

    pairs: GroupPairs
    two_sided: Tensor
    by_trace: Tensor
    square: float
    neurons: Tensor
    neuron_squares: Tensor
    inputs: Tensor | None


class GroupSums:
    """Sums logits and neurons over the pairs of a group, in float64, part by part."""

    def __init__(self, pairs: GroupPairs, n_neurons: int, with_inputs: bool) -> None:
        n, zeros = pairs.group.order, pairs.bases.new_zeros
        self.pairs = pairs
        self.two_sided, self.by_trace, self.square = zeros(n), zeros(n), zeros(())
        self.neurons, self.squares = zeros(3, n, n_neurons), zeros(n_neurons)
        self.inputs = zeros(2, n, n_neurons) if with_inputs else None

    def add(self, part: Tensor, logits: Tensor, neurons: Tensor, inputs: Tensor | None) -> None:
        """Add the logits, (i, a) float64, and the neurons, (i, m), of the pairs with indices (i,)."""
        pairs, n = self.pairs, self.pairs.group.order
        a, b, product = pairs.first[part], pairs.second[part], pairs.products[part]
        centered = logits[:, pairs.answer_at]  # (i, n), at c
        centered = centered - centered.mean(dim=1, keepdim=True)
        flat = centered.flatten()
        two_sided = pairs.table[pairs.table[pairs.inverses[a]], pairs.inverses[b][:, None]]  # a⁻¹·c·b⁻¹
        by_trace = pairs.table[product][:, pairs.inverses]  # a·b·c⁻¹
        self.two_sided += torch.bincount(two_sided.flatten(), flat, n)
        self.by_trace += torch.bincount(by_trace.flatten(), flat, n)
        self.square += flat.square().sum()
        values = neurons.double()
        for sums, place in zip(self.neurons, (a, b, product), strict=True):
            sums.index_add_(0, place, values)
        self.squares += values.square().sum(dim=0)
        if self.inputs is not None and inputs is not None:
            for sums, place in zip(self.inputs, (a, b), strict=True):
                sums.index_add_(0, place, inputs.double())

    def result(self) -> GroupActivations:
        """Return the means over all pairs."""
        n = self.pairs.group.order
        means = self.neurons[0].sum(dim=0) / n**2
        return GroupActivations(
            pairs=self.pairs,
            two_sided=self.two_sided / n**2,
            by_trace=self.by_trace / n**2,
            square=float(self.square),
            neurons=self.neurons / n - means,
            neuron_squares=(self.squares - n**2 * means.square()).clamp(min=0.0),
            inputs=None if self.inputs is None else self.inputs / n,
        )
