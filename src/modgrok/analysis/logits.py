"""The logits by class of pair, and how much of them is cos(w_k(s − c))."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis.clocked_pairs import ClockedPairs

# Pairs taken to float64 at a time: at p = 113 a chunk of logits is 3.5 MiB.
_CHUNK = 4096


def chunks(count: int, pairs: Tensor | None = None) -> Iterator[slice | Tensor]:
    """Cover 0…count − 1 with slices, or some pairs, a (n,) mask or (i,) indices, with indices."""
    if pairs is None:
        return (slice(start, start + _CHUNK) for start in range(0, count, _CHUNK))
    return iter((pairs.nonzero().flatten() if pairs.dtype == torch.bool else pairs).split(_CHUNK))


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


def sum_logits_by_class(logits: Tensor, domain: ClockedPairs) -> ClassLogits:
    """Sum the logits over the classes of pairs, in one pass and in float64.

    Args:
        logits: (n, p) at the last position.
        domain: of the same n pairs.
    """
    q = domain.clock.size
    classes = torch.where(domain.sums >= 0, domain.sums, q)
    answers = domain.clock.residues.to(logits.device)
    sums = torch.zeros(q + 1, logits.shape[1], dtype=torch.float64, device=logits.device)
    square = torch.zeros((), dtype=torch.float64, device=logits.device)
    for chunk in chunks(len(logits)):
        values = logits[chunk].double()
        sums.index_add_(0, classes[chunk], values)
        seen = values[domain.sums[chunk] >= 0][:, answers]
        square += seen.square().sum() - seen.sum(dim=1).square().sum() / q
    return ClassLogits(domain, sums, torch.bincount(classes, minlength=q + 1).double(), float(square))


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
