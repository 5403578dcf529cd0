"""Which frequency each neuron is tuned to, and the key frequencies that follow from it."""

from dataclasses import dataclass

import torch
from einops import einsum, rearrange
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs
from modgrok.analysis.logits import CHUNK
from modgrok.analysis.tuning_functions import TuningFunctions, tuning_functions

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

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.analysis import read_circuit, task_views
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> circuit = read_circuit(network, task_views(data)[0])
        >>> circuit.tuning.fractions.shape  # of 16 neurons
        torch.Size([16])
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
    """Sums what the tuning of m neurons needs, in float64, part by part: no (n, m) array is kept."""

    def __init__(self, functions: TuningFunctions, n_neurons: int) -> None:
        self.functions = functions
        self.sums = functions.counts.new_zeros(*functions.counts.shape, n_neurons)  # (u, q, m)
        self.squares = self.sums.new_zeros(n_neurons)
        self.shift: Tensor | None = None

    def add(self, pairs: Tensor, neurons: Tensor) -> None:
        """Add the activations, (i, m), of the pairs with indices (i,)."""
        on_clock = self.functions.on_clock[pairs]
        if not on_clock.all():
            pairs, neurons = pairs[on_clock], neurons[on_clock]
        if not len(pairs):
            return
        # one temporary, changed in place: mapping memory is slow
        values = neurons.to(torch.float64, copy=True)
        if self.shift is None:
            self.shift = values.mean(dim=0)  # near the mean, so that the variance keeps its digits
        values -= self.shift
        for sums, place in zip(self.sums, self.functions.sums(pairs), strict=True):
            sums.index_add_(0, place, values)
        self.squares += values.square_().sum(dim=0)

    def result(self) -> Tuning:
        """Return the tuning over all pairs on the clock."""
        functions = self.functions
        n = functions.counts[0].sum()
        mean = self.sums[0].sum(dim=0) / n  # (m,) about the shift
        centered = self.sums - einsum(functions.counts, mean, "u q, m -> u q m")
        inner = rearrange(
            einsum(functions.waves, centered, "k w q, u q m -> k u w m"), "k u w m -> k (u w) m"
        )
        explained = (inner * (functions.inverse_gram @ inner)).sum(dim=1)
        squares = self.squares - n * mean.square()
        active = squares > _OFF * squares.max().clamp(min=torch.finfo(torch.float64).tiny)
        fractions = torch.where(active, explained / squares, 0.0)
        return Tuning(fractions.clamp(0.0, 1.0), squares / n, active)


def tuning(neurons: Tensor, clocked_pairs: ClockedPairs) -> Tuning:
    """The fraction of each neuron's variance that each frequency explains (Nanda et al. 2023, section 4.3).

    Over the pairs with every operand on the clock, a neuron is projected by least squares on the products of
    1, cos(w_k f(x)), sin(w_k f(x)) with the same in g(y) (and in the third operand), without the constant:
    eight functions for two operands, 26 for three. The fraction is that of the variance about the mean. On
    the full grid these functions are orthogonal and the fraction is that of the 2D Fourier components; where
    pairs are missing, or f is many-to-one, it is still the exact least squares fit on the pairs there are.

    Args:
        neurons: (n, m) activations at the last position (`blocks.0.mlp.hook_post`).
        clocked_pairs: the same n pairs on their clock.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import task_views, tuning
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> neurons = torch.cos(2 * torch.pi * 3 * pairs.answers / 7)[:, None]
        >>> tuning(neurons, pairs).frequencies.tolist()
        [3]
    """
    sums = TuningSums(tuning_functions(clocked_pairs), neurons.shape[1])
    for pairs in torch.arange(len(neurons), device=neurons.device).split(CHUNK):
        sums.add(pairs, neurons[pairs])
    return sums.result()
