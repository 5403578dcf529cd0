"""Which frequency each neuron is tuned to, and the key frequencies that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from einops import einsum, rearrange
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs
from modgrok.analysis.logits import CHUNK

# Nanda et al. 2023, section 4.3: a neuron belongs to a frequency that explains at least this much of its
# variance.
TUNED = 0.85

# A cluster of neurons makes its frequency a key frequency from this share of the active neurons upwards, and
# from two neurons upwards: a single neuron can be tuned by chance, a frequency the network computes with is
# not carried by one.
KEY_SHARE = 0.01

# A neuron whose variance is this small beside the most active neuron's is off: what remains is rounding.
_OFF = 1e-10


@dataclass(frozen=True, eq=False)
class Tuning:
    """How well each frequency explains each neuron.

    Attributes:
        explained: (⌊q/2⌋, m) float64, the fraction of each neuron's variance that frequencies 1…⌊q/2⌋
            explain, each by itself; 0 for a neuron that is off.
        variance: (m,) float64, of each neuron's activation over the pairs on the clock.
        active: (m,) bool, whether the neuron's activation varies over the pairs.
    """

    explained: Tensor
    variance: Tensor
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
    def tuned_fraction(self) -> float:
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


class TuningSums:
    """Sums what the tuning of m neurons needs, in float64, part by part.

    The products of 1, cos(w_k f(x)), sin(w_k f(x)) with the same in the other operands span the same functions as the
    waves of the operands' positions and of their sums and differences: f(x), g(y), f(x) + g(y), f(x) − g(y). So each
    neuron is summed over the pairs that share such a position, and no (n, m) array is kept.
    """

    def __init__(self, domain: ClockedPairs, n_neurons: int) -> None:
        q, positions = domain.clock.size, domain.operand_positions
        self.clock = domain.clock
        self.on = (positions >= 0).all(dim=1)
        signs = [sign for sign in product((0, 1, -1), repeat=positions.shape[1]) if _leads(sign)]
        self.places = (torch.tensor(signs, device=positions.device) @ positions.T) % q  # (u, n)
        self.sums = positions.new_zeros(len(signs), q, n_neurons, dtype=torch.float64)
        self.squares = self.sums.new_zeros(n_neurons)
        self.shift: Tensor | None = None

    def add(self, pairs: Tensor, neurons: Tensor) -> None:
        """Add the activations, (i, m), of the pairs with indices (i,)."""
        on = self.on[pairs]
        values = neurons.double() if bool(on.all()) else neurons[on].double()
        pairs = pairs[on]
        if self.shift is None and len(values):
            self.shift = values.mean(dim=0)  # near the mean, so that the variance keeps its digits
        if self.shift is not None:
            values = values - self.shift
        for sums, place in zip(self.sums, self.places, strict=True):
            sums.index_add_(0, place[pairs], values)
        self.squares += values.square().sum(dim=0)

    def result(self) -> Tuning:
        """Return the tuning over all pairs on the clock."""
        q, device = self.clock.size, self.sums.device
        places = self.places[:, self.on]
        n = places.shape[1]
        mean = self.sums[0].sum(dim=0) / n  # (m,) about the shift
        counts = torch.stack([torch.bincount(place, minlength=q) for place in places]).double()
        waves = self.clock.waves(torch.arange(q, device=device))[1:]  # (k, 2, q)
        centered = self.sums - einsum(counts, mean, "u q, m -> u q m")
        inner = rearrange(einsum(waves, centered, "k w q, u q m -> k u w m"), "k u w m -> k (u w) m")
        functions = self._gram(waves, places, counts)
        inverse = torch.linalg.pinv(functions, rtol=1e-10, hermitian=True)
        explained = (inner * (inverse @ inner)).sum(dim=1)
        squares = self.squares - n * mean.square()
        active = squares > _OFF * squares.max().clamp(min=torch.finfo(torch.float64).tiny)
        fractions = torch.where(active, explained / squares, 0.0)
        return Tuning(fractions.clamp(0.0, 1.0), squares / n, active)

    def _gram(self, waves: Tensor, places: Tensor, counts: Tensor) -> Tensor:
        """(k, 2u, 2u): the inner products over the pairs of the waves about their means."""
        q, n = self.clock.size, places.shape[1]
        joint = torch.stack(
            [torch.bincount(a * q + b, minlength=q * q) for a in places for b in places]
        ).double()
        joint = rearrange(joint, "(u v) (a b) -> u v a b", u=len(places), a=q)
        gram = torch.empty(
            len(waves), len(places), 2, len(places), 2, dtype=torch.float64, device=waves.device
        )
        for u, row in enumerate(joint):
            for v, together in enumerate(row):
                gram[:, u, :, v, :] = (waves @ together) @ waves.mT
        means = rearrange(einsum(waves, counts, "k w q, u q -> k u w"), "k u w -> k (u w)") / n
        return rearrange(gram, "k u w v x -> k (u w) (v x)") - n * means[:, :, None] * means[:, None, :]


def _leads(signs: Sequence[int]) -> bool:
    """Whether the first of the signs that is not 0 is +: of a combination and its negative only one is needed."""
    return next((sign for sign in signs if sign), 0) == 1


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
    sums = TuningSums(domain, neurons.shape[1])
    for pairs in torch.arange(len(neurons), device=neurons.device).split(CHUNK):
        sums.add(pairs, neurons[pairs])
    return sums.result()
