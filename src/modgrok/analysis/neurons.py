"""Which frequency each neuron is tuned to, and the key frequencies that follow from it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs

# Nanda et al. 2023, section 4.3: a neuron belongs to a frequency that explains at least this much of its
# variance.
TUNED = 0.85

# A cluster of neurons makes its frequency a key frequency from this share of the active neurons upwards, and
# from two neurons upwards: a single neuron can be tuned by chance, a frequency the network computes with is
# not carried by one.
KEY_SHARE = 0.01

# A neuron whose variance is this small beside the most active neuron's is off: what remains is rounding.
_OFF = 1e-10

# The most float64 numbers that one intermediate result holds (8 MiB: small enough to stay in the caches).
_BUDGET = 2**20


@dataclass(frozen=True, eq=False)
class Tuning:
    """How well each frequency explains each neuron.

    Attributes:
        explained: (⌊q/2⌋, m) float64, the fraction of each neuron's variance that frequencies 1…⌊q/2⌋
            explain, each by itself; 0 for a neuron that is off.
        active: (m,) bool, whether the neuron's activation varies over the pairs.
    """

    explained: Tensor
    active: Tensor

    @property
    def frequencies(self) -> Tensor:
        """(m,) int64: each neuron's best frequency."""
        return self.explained.argmax(dim=0) + 1

    @property
    def fractions(self) -> Tensor:
        """(m,) float64: the fraction of its variance that its best frequency explains."""
        return self.explained.amax(dim=0)

    @property
    def clusters(self) -> Tensor:
        """(m,) int64: the frequency that the neuron is tuned to (at least 0.85 explained), −1 for none."""
        return torch.where(self.fractions >= TUNED, self.frequencies, -1)

    @property
    def tuned(self) -> float:
        """The share of the active neurons that are tuned to one frequency; 0 where none is active."""
        return int((self.clusters > 0).sum()) / max(1, int(self.active.sum()))

    @property
    def key_frequencies(self) -> tuple[int, ...]:
        """The frequencies to which at least 1% of the active neurons, and at least two, are tuned; ascending.

        A network that has only been initialized has none: its neurons' variance is spread over all
        frequencies. Below p = 7 or so the rule says little, since few frequencies share all functions between
        them.
        """
        counts = torch.bincount(self.clusters[self.clusters > 0], minlength=len(self.explained) + 1)
        least = max(2.0, KEY_SHARE * int(self.active.sum()))
        return tuple((counts >= least).nonzero().flatten().tolist())


def tuning(neurons: Tensor, domain: ClockedPairs) -> Tuning:
    """The fraction of each neuron's variance that each frequency explains (Nanda et al. 2023, section 4.3).

    Over the pairs with every operand on the clock, a neuron is projected by least squares on the products of
    1, cos(w_k f(x)), sin(w_k f(x)) with the same in g(y) (and in the third operand), without the constant:
    eight functions for two operands, 26 for three. The fraction is that of the variance about the mean. On
    the full grid these functions are orthogonal and the fraction is that of the 2D Fourier components; where
    pairs are missing, or f is many-to-one, it is still the exact least squares fit on the pairs there are.

    Args:
        neurons: (n, m) activations at the last position (`blocks.0.mlp.hook_post`).
        domain: of the same n pairs.
    """
    q, operands = domain.clock.size, domain.pairs.shape[1]
    on = (domain.operand_positions >= 0).all(dim=1)
    cell = torch.zeros_like(domain.sums[on])
    for positions in domain.operand_positions[on].T:
        cell = cell * q + positions
    grid = [q] * operands
    waves = domain.clock.waves(torch.arange(q, device=neurons.device))[1:]
    factors = torch.cat([torch.ones_like(waves[:, :1]), waves], dim=1)  # (k, 3, q)

    # Gram matrices over the pairs: products of two factors, summed against the counts of the cells
    products = (factors[:, :, None] * factors[:, None, :]).flatten(1, 2)  # (k, 9, q)
    counts = torch.bincount(cell, minlength=q**operands).double().reshape(*grid, 1)
    gram = _contract(counts, products).reshape(-1, *[3, 3] * operands)
    order = [0, *range(1, 2 * operands, 2), *range(2, 2 * operands + 1, 2)]
    gram = gram.permute(order).reshape(-1, 3**operands, 3**operands)
    inverse = torch.linalg.pinv(gram, rtol=1e-10, hermitian=True)

    present = neurons[on]
    explained, variances = [], []
    width = max(1, _BUDGET // (3 * len(factors) * q ** (operands - 1)))
    for first in range(0, neurons.shape[1], width):
        values = present[:, first : first + width].double()
        values -= values.mean(dim=0)  # so the constant, one of the functions, explains nothing
        cells = values.new_zeros(q**operands, values.shape[1]).index_add_(0, cell, values)
        inner = _contract(cells.reshape(*grid, -1), factors).flatten(1, operands)  # (k, 3^o, m)
        explained.append((inner * (inverse @ inner)).sum(dim=1))
        variances.append(values.square().sum(dim=0))
    variance = torch.cat(variances)
    active = variance > _OFF * variance.max().clamp(min=torch.finfo(torch.float64).tiny)
    fractions = torch.where(active, torch.cat(explained, dim=1) / variance, 0.0)
    return Tuning(fractions.clamp(0.0, 1.0), active)


def _contract(cells: Tensor, factors: Tensor) -> Tensor:
    """Sum cells (q, …, q, m) against factors (k, r, q) in every operand: (k, r, …, r, m), k by k."""
    frequencies, rank, q = factors.shape
    operands = cells.dim() - 1
    result = factors @ cells.reshape(q, -1)  # (k, r, q^(o−1)·m)
    for done in range(1, operands):
        result = result.reshape(frequencies * rank**done, q, -1)
        each = factors.repeat_interleave(rank**done, dim=0)
        result = each @ result
    return result.reshape(frequencies, *[rank] * operands, -1)
