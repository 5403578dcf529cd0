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
    """Cut the logits, (n, a), of some pairs, a (n,) mask or (i,) indices, or of all, into parts.

    Example:
        >>> import torch
        >>> from modgrok.analysis import logit_parts
        >>> [(len(index), logits.shape) for index, logits in logit_parts(torch.zeros(49, 7))]
        [(49, torch.Size([49, 7]))]
    """
    if pairs is None:
        pairs = torch.arange(len(logits), device=logits.device)
    for part in (pairs.nonzero().flatten() if pairs.dtype == torch.bool else pairs).split(CHUNK):
        yield part, logits[part]


@dataclass(frozen=True, eq=False)
class ClassLogits:
    """The logits summed over the pairs of each class s, all that functions of s can see of them.

    Attributes:
        clocked_pairs: the pairs on their clock.
        sums: (q + 1, p) float64, the logits summed over the pairs with each s; the last row holds the pairs
            whose answer is off the clock.
        counts: (q + 1,) float64, the pairs of each class.
        square: the sum of squares of the logits that the clock can explain: over pairs and answers on the
            clock, each pair's logits centered over the answers, which the softmax cannot see.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import sum_logits_by_class, task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> classes.sums.shape, classes.counts.tolist()
        (torch.Size([8, 7]), [7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 0.0])
    """

    clocked_pairs: ClockedPairs
    sums: Tensor
    counts: Tensor
    square: float


class ClassSums:
    """Sums the logits by class of pair, in float64, part by part."""

    def __init__(self, clocked_pairs: ClockedPairs, n_answers: int) -> None:
        q, device = clocked_pairs.clock.size, clocked_pairs.answer_positions.device
        self.clocked_pairs = clocked_pairs
        self.classes = torch.where(clocked_pairs.answer_positions >= 0, clocked_pairs.answer_positions, q)
        self.on_clock = torch.zeros(n_answers, dtype=torch.float64, device=device)
        self.on_clock[clocked_pairs.answer_at[clocked_pairs.answer_at >= 0]] = 1.0
        self.sums = torch.zeros(q + 1, n_answers, dtype=torch.float64, device=device)
        self.square = torch.zeros((), dtype=torch.float64, device=device)

    def add(self, pairs: Tensor, logits: Tensor) -> None:
        """Add the logits, (i, a) float64, of the pairs with indices (i,)."""
        self.sums.index_add_(0, self.classes[pairs], logits)
        centered = logits.square() @ self.on_clock - (logits @ self.on_clock).square() / self.on_clock.sum()
        self.square += centered[self.clocked_pairs.answer_positions[pairs] >= 0].sum()

    def result(self) -> ClassLogits:
        """Return the sums over all pairs."""
        counts = torch.bincount(self.classes, minlength=len(self.sums)).double()
        return ClassLogits(self.clocked_pairs, self.sums, counts, float(self.square))


def sum_logits_by_class(logits: Tensor, clocked_pairs: ClockedPairs) -> ClassLogits:
    """Sum the logits, (n, a) at the last position, over the classes of the n pairs.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import sum_logits_by_class, task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> classes.sums.shape
        torch.Size([8, 7])
    """
    sums = ClassSums(clocked_pairs, logits.shape[1])
    for pairs, values in logit_parts(logits):
        sums.add(pairs, values.double())
    return sums.result()


def clock_directions(classes: ClassLogits) -> tuple[Tensor, Tensor]:
    """Return the waves of s and of the answers, whose products are the directions of the clock.

    Direction k at class s and answer a is the mean of cos(w_k(s − c)) over the positions c that a stands at; on a clock
    of the answers themselves there is one, c = a. It is cos(w_k s)·C_k(a) + sin(w_k s)·S_k(a) with the means C and S of
    cosines and sines.

    Returns:
        (⌊q/2⌋, 2, q) float64, the waves of s, and (⌊q/2⌋, 2, p), C and S, centered over the answers on the clock, which
        the softmax cannot see, and 0 for the others.
    """
    pairs = classes.clocked_pairs
    waves = pairs.clock.waves(torch.arange(pairs.clock.size, device=classes.sums.device))[1:]
    reached = pairs.answer_at >= 0
    at = pairs.answer_at[reached]
    of_answers = waves.new_zeros(*waves.shape[:2], classes.sums.shape[1])
    of_answers.index_add_(2, at, waves[..., reached])
    image, positions = at.unique(return_counts=True)
    of_answers[..., image] /= positions
    of_answers[..., image] -= of_answers[..., image].mean(-1, keepdim=True)
    return waves, of_answers


@dataclass(frozen=True, eq=False)
class LogitDirections:
    """How much of the logits is α_k·cos(w_k(s − c)), for k = 1…⌊q/2⌋; see `clock_directions`.

    Attributes:
        coefficients: (⌊q/2⌋,) float64, α_k by least squares.
        cosine_similarities: (⌊q/2⌋,) float64, between the logits and direction k.
        variance_explained: (⌊q/2⌋,) float64, the squares of these. The directions are orthogonal, so the
            fractions of several frequencies add up; with a map h of the answers they are so where every s has as many
            pairs.
        residual: the fraction of variance that no frequency explains.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import logit_directions, sum_logits_by_class, task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> [round(float(share), 6) for share in logit_directions(classes).variance_explained]
        [0.0, 1.0, 0.0]
    """

    coefficients: Tensor
    cosine_similarities: Tensor
    variance_explained: Tensor
    residual: float


def logit_directions(classes: ClassLogits) -> LogitDirections:
    """Project the logits on cos(w_k(s − c)) over pairs and answers (Nanda et al. 2023, section 4.2).

    s is where the pair's answer stands on the clock, and c runs over where the answers on it stand. As a direction is a
    product of waves of s and of the answer, the logits summed over the pairs of each s are enough: no p×p×p cube is
    built. The logits are centered over the answers of each pair, and the variance is about that centre.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import logit_directions, sum_logits_by_class, task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> [round(float(similarity), 6) for similarity in logit_directions(classes).cosine_similarities]
        [0.0, 1.0, 0.0]
    """
    waves, of_answers = clock_directions(classes)
    q = waves.shape[2]
    sums, counts = classes.sums[:q], classes.counts[:q]
    inner = ((waves @ sums) * of_answers).sum(dim=(1, 2))
    over_pairs = torch.einsum("kis,kjs,s->kij", waves, waves, counts)
    over_answers = of_answers @ of_answers.mT
    squared_norms = (over_pairs * over_answers).sum(dim=(1, 2))
    tiny = torch.finfo(torch.float64).tiny
    similarities = inner / (squared_norms * max(classes.square, tiny)).clamp(min=tiny).sqrt()
    explained = similarities.square()
    return LogitDirections(
        inner / squared_norms.clamp(min=tiny), similarities, explained, 1.0 - float(explained.sum())
    )
