"""Progress measures: what the loss would be with the circuit alone, and without it."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from modgrok.analysis.logits import ClassLogits, LogitParts, clock_directions, logit_directions, logit_parts
from modgrok.models.losses import CROSS_ENTROPY, Loss


def cross_entropy(logits: Tensor, answers: Tensor, pairs: Tensor | None = None) -> float:
    """The mean of −log softmax(logits)[answer] in float64.

    Args:
        logits: (n, p).
        answers: (n,).
        pairs: (n,) bool or (i,) indices of the pairs that are meant; all unless given.

    Example:
        >>> import torch
        >>> from modgrok.analysis import cross_entropy
        >>> round(cross_entropy(torch.zeros(4, 7), torch.arange(4)), 6)  # ln 7
        1.94591
    """
    losses = [CROSS_ENTROPY(part, answers[chosen]) for chosen, part in logit_parts(logits, pairs)]
    return float(torch.cat(losses).mean())


def restricted_loss(classes: ClassLogits, frequencies: Sequence[int], loss: Loss = CROSS_ENTROPY) -> float:
    """The loss over all pairs with the key frequencies alone (Nanda et al. 2023, section 5.1).

    Every answer's logit, as a function of the pair, is projected on the span of cos(w_k s) and sin(w_k s) of
    the key frequencies over the pairs, and keeps its mean. Where the answer is off the clock
    (x·y = 0) the pairs have a mean of their own. What is left depends on s alone.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import cross_entropy, restricted_loss, sum_logits_by_class, task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> round(restricted_loss(classes, [2]) - cross_entropy(logits, pairs.answers), 6)
        0.0
    """
    means, waves = _projected(classes, frequencies)
    pairs = classes.clocked_pairs
    # the pairs off the clock are the last row; a class without pairs has no answer and no weight
    answers = torch.cat([pairs.answer_at, pairs.answer_at.new_tensor([pairs.answer_off_clock])]).clamp(min=0)
    losses = loss(means + waves, answers)
    return float((losses * classes.counts).sum() / classes.counts.sum())


def restricted_accuracy(classes: ClassLogits, frequencies: Sequence[int]) -> float:
    """The share of all pairs that the logits of `restricted_loss` get right: with the key frequencies alone.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import restricted_accuracy, sum_logits_by_class, task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> restricted_accuracy(classes, [2])
        1.0
    """
    means, waves = _projected(classes, frequencies)
    pairs = classes.clocked_pairs
    answered = (means + waves).argmax(dim=1)[pairs.answer_positions]  # −1, off the clock, is the last row
    return float((answered == pairs.answers).double().mean())


def excluded_loss(
    logits: Tensor,
    classes: ClassLogits,
    frequencies: Sequence[int],
    pairs: Tensor | None = None,
    loss: Loss = CROSS_ENTROPY,
) -> float:
    """The loss with these frequencies taken out of the logits (Nanda et al. 2023, section 5.1).

    The part that `restricted_loss` keeps, without the means, is subtracted from the logits.

    Args:
        logits: (n, p), those that `classes` sums.
        classes: the classes of all pairs: the projection is over them.
        frequencies: one, or several that are taken out together.
        pairs: (n,) bool or (i,) indices of the pairs whose loss is meant; all unless given. The paper takes
            the training pairs, which a memorizing network gets right without the key frequencies.
        loss: the loss of each pair.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import excluded_loss, sum_logits_by_class, task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> round(excluded_loss(logits, classes, [2]), 6)  # nothing is left but a guess, ln 7
        1.94591
    """
    return excluded_losses(logit_parts(logits, pairs), classes, [frequencies], loss)[0]


def excluded_losses(
    parts: LogitParts,
    classes: ClassLogits,
    sets: Sequence[Sequence[int]],
    loss: Loss = CROSS_ENTROPY,
) -> tuple[float, ...]:
    """`excluded_loss` for each set of frequencies, in one pass over the logits of the pairs that are meant."""
    waves = [_projected(classes, frequencies)[1] for frequencies in sets]
    totals = torch.zeros(len(sets), dtype=torch.float64, device=classes.sums.device)
    count = 0
    for pairs, logits in parts:
        # −1, off the clock, is the last row of the waves
        where, answers = classes.clocked_pairs.answer_positions[pairs], classes.clocked_pairs.answers[pairs]
        values = logits.double()
        totals += torch.stack([loss(values - wave[where], answers).sum() for wave in waves])
        count += len(pairs)
    return tuple((totals / count).tolist())


def trigonometric_loss(classes: ClassLogits, frequencies: Sequence[int], loss: Loss = CROSS_ENTROPY) -> float:
    """The loss of the logits Σ_k α_k cos(w_k(s − c)) alone, α by least squares (Nanda et al. 2023, section
    4.1).

    Over pairs and answers on the clock; with a map h of the answers, in the directions of `clock_directions`. Where h
    is one-to-one these logits depend on s − c alone, so every pair has the same loss, ln q without frequencies. Where
    several positions share an answer, the directions of two answers differ in length, which a network makes up for by
    the mean of each answer's logit: there the means are kept, as in the restricted loss.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import cross_entropy, sum_logits_by_class, task_views, trigonometric_loss
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> logits = 5 * torch.cos(2 * torch.pi * 2 * (pairs.answers[:, None] - torch.arange(7)) / 7)
        >>> classes = sum_logits_by_class(logits, pairs)
        >>> round(trigonometric_loss(classes, [2]) - cross_entropy(logits, pairs.answers), 6)
        0.0
    """
    pairs = classes.clocked_pairs
    waves, of_answers = clock_directions(classes)
    index = torch.tensor(frequencies, dtype=torch.int64, device=waves.device) - 1
    scaled = logit_directions(classes).coefficients[index, None, None] * waves[index]
    image, column = pairs.answer_at.unique(return_inverse=True)
    image, column = image[image >= 0], column - int(image[0] < 0)
    logits = scaled.flatten(0, 1).T @ of_answers[index].flatten(0, 1)[:, image]
    counts = classes.counts[: len(logits)]
    if len(image) < int((pairs.answer_at >= 0).sum()):
        logits = logits + classes.sums[:-1, image].sum(dim=0) / counts.sum()
    return float((loss(logits, column.clamp(min=0)) * counts).sum() / counts.sum())


def sum_of_squared_weights(weights: Iterable[Tensor]) -> float:
    """Σ w² over all weights, in float64 (Nanda et al. 2023, section 5.1).

    Example:
        >>> import torch
        >>> from modgrok.analysis import sum_of_squared_weights
        >>> sum_of_squared_weights([torch.ones(2, 3), torch.ones(4)])
        10.0
    """
    return float(sum(weight.detach().double().square().sum() for weight in weights))


def _projected(classes: ClassLogits, frequencies: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The mean of the logits, and their projection on the waves of these frequencies about it.

    Both are functions of the class and have shape (q + 1, p), the last row for pairs off the clock. The
    projection over pairs is one over classes, each weighted by its pairs, so no (n, p) array is needed.
    """
    q = classes.clocked_pairs.clock.size
    counts, sums = classes.counts[:q], classes.sums[:q]
    means = torch.cat(
        [
            (sums.sum(dim=0) / counts.sum().clamp(min=1)).expand(q, -1),
            classes.sums[q:] / classes.counts[q:].clamp(min=1),
        ]
    )
    index = torch.tensor(frequencies, dtype=torch.int64, device=sums.device)
    waves = classes.clocked_pairs.clock.waves(torch.arange(q, device=sums.device))[index].flatten(0, 1)
    waves = waves - (waves @ counts / counts.sum().clamp(min=1))[:, None]
    weighted = waves * counts.sqrt()
    gram = torch.linalg.pinv(weighted @ weighted.T, rtol=1e-10, hermitian=True)
    projection = waves.T @ (gram @ (waves @ sums))
    return means, torch.cat([projection, torch.zeros_like(projection[:1])])
