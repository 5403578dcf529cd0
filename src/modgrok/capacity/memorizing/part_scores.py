"""Losses and accuracies of the parts of rows, summed exactly over chunks."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor
from torch.nn import functional as F

from modgrok.capacity.questions.codes import NAME, SUBJECT, UNSCORED, Rows

LN2 = log(2)


class Scores:
    """Sums over rows, for every part: a name or the answer about a subject.

    Args:
        n_subjects: S.
    """

    def __init__(self, n_subjects: int) -> None:
        self.n_parts = SUBJECT + n_subjects
        self.bits, self.answers, self.right = torch.zeros(3, self.n_parts, dtype=torch.float64)
        self._row_bits: list[Tensor] = []

    @torch.no_grad()
    def add(self, logits: Tensor, rows: Rows) -> None:
        """Add a chunk of rows (n, t), given the logits of the next token at every position, (n, t, v)."""
        targets, parts = rows.tokens[:, 1:], rows.parts[:, 1:]
        losses = F.cross_entropy(logits[:, :-1].transpose(1, 2).float(), targets, reduction="none")
        wrong = logits[:, :-1].argmax(-1) != targets
        part_of_row = torch.arange(len(targets), device=parts.device)[:, None] * self.n_parts + parts
        size = len(targets) * self.n_parts
        there = part_of_row.flatten().bincount(minlength=size).view(-1, self.n_parts) > 0
        mistakes = part_of_row.flatten().bincount(wrong.double().flatten(), size).view(-1, self.n_parts)
        self.bits += parts.flatten().bincount(losses.double().flatten() / LN2, self.n_parts).cpu()
        self._row_bits.append(losses.masked_fill(parts == UNSCORED, 0).double().sum(1).cpu() / LN2)
        self.answers += there.sum(0).cpu()
        self.right += (there & (mistakes == 0)).sum(0).cpu()

    @property
    def row_bits(self) -> Tensor:
        """The loss of every row by itself, bits."""
        return torch.cat(self._row_bits)

    @property
    def name_loss(self) -> float | None:
        """Mean bits of a name, None if names are not scored."""
        return float(self.bits[NAME] / self.answers[NAME]) if self.answers[NAME] else None

    @property
    def losses(self) -> list[float | None]:
        """Mean bits of the answers about every subject, None where there are none."""
        pairs = zip(self.bits[SUBJECT:].tolist(), self.answers[SUBJECT:].tolist(), strict=True)
        return [bits / answers if answers else None for bits, answers in pairs]

    @property
    def loss(self) -> float:
        """Mean bits of an answer."""
        return float(self.bits[SUBJECT:].sum() / self.answers[SUBJECT:].sum())

    @property
    def accuracy(self) -> float:
        """Share of the answers all of whose tokens are the most probable ones."""
        return float(self.right[SUBJECT:].sum() / self.answers[SUBJECT:].sum())


def token_loss(network: torch.nn.Module, tokens: Tensor, parts: Tensor, scored: int) -> Tensor:
    """Return the mean loss of the scored tokens of rows (n, t), nats per token.

    Args:
        network: gives the logits of the next token.
        tokens: (n, t).
        parts: (n, t), the part of each token.
        scored: the most tokens that are scored in a row; logits are computed for no more.
    """
    targets = torch.where(parts[:, 1:] == UNSCORED, -100, tokens[:, 1:])
    positions = None
    if scored < targets.shape[1]:
        positions = (targets >= 0).byte().argsort(dim=1, descending=True, stable=True)[:, :scored]
        targets = targets.gather(1, positions)
    logits = network(tokens[:, :-1], positions).flatten(0, 1).float()
    return F.cross_entropy(logits, targets.flatten(), ignore_index=-100)
