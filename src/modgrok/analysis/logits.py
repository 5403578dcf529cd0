"""The logits by class of pair, and how much of them is cos(w_k(s − c))."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs

CHUNK = 1024
"""Pairs that are taken to float64 at a time: at p = 113 a chunk of 512 neurons is 4 MiB and stays in the caches."""

LogitParts = Iterable[tuple[Tensor, Tensor]]
"""Indices of pairs, (i,), and their logits, (i, a), part by part."""


def logit_parts(logits: Tensor, pairs: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut the logits, (n, a), of some pairs, a (n,) mask or (i,) indices, or of all, into parts."""
    if pairs is None:
        pairs = torch.arange(len(logits), device=logits.device)
    for part in (pairs.nonzero().flatten() if pairs.dtype == torch.bool else pairs).split(CHUNK):
        yield part, logits[part]


@dataclass(frozen=True, eq=False)
class ClassLogits:
    """The logits summed over the pairs of each class s, all that functions of s can see of them.

    Attributes:
        domain: of the pairs.
        sums: (q + 1, p) float64, the logits summed over the pairs with each s; the last row holds the pairs
            whose answer is off the clock.
        counts: (q + 1,) float64, the pairs of each class.
        square: the sum of squares of the logits that the clock can explain: over pairs and answers on the
            clock, each pair's logits centered over the answers, which the softmax cannot see.
    """

    domain: ClockedPairs
    sums: Tensor
    counts: Tensor
    square: float


class ClassSums:
    """Sums the logits by class of pair, in float64, part by part."""

    def __init__(self, domain: ClockedPairs, n_answers: int) -> None:
        q, device = domain.clock.size, domain.sums.device
        self.domain = domain
        self.classes = torch.where(domain.sums >= 0, domain.sums, q)
        self.on_clock = torch.zeros(n_answers, dtype=torch.float64, device=device)
        self.on_clock[domain.clock.residues.to(device)] = 1.0
        self.sums = torch.zeros(q + 1, n_answers, dtype=torch.float64, device=device)
        self.square = torch.zeros((), dtype=torch.float64, device=device)

    def add(self, pairs: Tensor, logits: Tensor) -> None:
        """Add the logits, (i, a) float64, of the pairs with indices (i,)."""
        self.sums.index_add_(0, self.classes[pairs], logits)
        centered = (
            logits.square() @ self.on_clock - (logits @ self.on_clock).square() / self.domain.clock.size
        )
        self.square += centered[self.domain.sums[pairs] >= 0].sum()

    def result(self) -> ClassLogits:
        """Return the sums over all pairs."""
        counts = torch.bincount(self.classes, minlength=len(self.sums)).double()
        return ClassLogits(self.domain, self.sums, counts, float(self.square))


def sum_logits_by_class(logits: Tensor, domain: ClockedPairs) -> ClassLogits:
    """Sum the logits, (n, a) at the last position, over the classes of the n pairs of `domain`."""
    sums = ClassSums(domain, logits.shape[1])
    for pairs, values in logit_parts(logits):
        sums.add(pairs, values.double())
    return sums.result()


@dataclass(frozen=True, eq=False)
class LogitDirections:
    """How much of the logits is α_k·cos(w_k(s − c)), for k = 1…⌊q/2⌋.

    Attributes:
        coefficients: (⌊q/2⌋,) float64, α_k by least squares.
        cosine_similarities: (⌊q/2⌋,) float64, between the logits and cos(w_k(s − c)).
        variance_explained: (⌊q/2⌋,) float64, the squares of these. The directions are orthogonal, so the
            fractions of several frequencies add up.
        residual: the fraction of variance that no frequency explains.
    """

    coefficients: Tensor
    cosine_similarities: Tensor
    variance_explained: Tensor
    residual: float


def logit_directions(classes: ClassLogits) -> LogitDirections:
    """Project the logits on cos(w_k(s − c)) over pairs and answers (Nanda et al. 2023, section 4.2).

    s is where the pair's answer stands on the clock, and c runs over the answers on it. As the cosine depends
    on s − c alone, ⟨logits, cos_k⟩ = Σ_δ A(δ)·cos(w_k δ) with A(δ) the logits summed over all s − c = δ: no
    p×p×p cube is built. The logits are centered over the answers of each pair, and the variance is about that
    centre.
    """
    clock = classes.domain.clock
    q = clock.size
    # not centered over the answers: a cosine over the whole clock is blind to that
    sums = classes.sums[:q][:, clock.residues.to(classes.sums.device)]
    s = torch.arange(q, device=sums.device)
    by_difference = sums.gather(1, (s[:, None] - s) % q).sum(dim=0)
    cosines = clock.waves(s)[1:, 0]
    inner = cosines @ by_difference
    squared_norms = cosines.square().sum(dim=1) * classes.counts[:q].sum()
    similarities = inner / (squared_norms * max(classes.square, torch.finfo(torch.float64).tiny)).sqrt()
    explained = similarities.square()
    return LogitDirections(inner / squared_norms, similarities, explained, 1.0 - float(explained.sum()))
