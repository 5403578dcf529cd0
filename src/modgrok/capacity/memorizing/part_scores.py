"""Losses and accuracies of the parts of rows, summed over chunks."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor
from torch.nn import functional as F

from modgrok.capacity.people.source_entropy import LN2
from modgrok.capacity.questions.codes import NAME, SUBJECT, UNSCORED, Rows

IGNORED = -100


class Scores:
    """Sums over rows, for every part: a name, the answer about a subject, or the answer of no hop.

    Args:
        n_subjects: The number of subjects, S.
        share: The share of all rows that are scored; 1 for exact scores.
    """

    def __init__(self, n_subjects: int, share: float = 1.0) -> None:
        self.n_parts, self.share = SUBJECT + n_subjects + 1, share
        self.bits, self.squares, self.answers, self.right = torch.zeros(4, self.n_parts, dtype=torch.float64)
        self._row_bits: list[Tensor] = []
        self._row_right: list[Tensor] = []

    @torch.no_grad()
    def add(self, network: torch.nn.Module, rows: Rows, scored: int) -> None:
        """Add a chunk of rows.

        Args:
            network: Gives the logits of the next token.
            rows: The rows, (n, t).
            scored: The most tokens that are scored in a row; logits are computed for no more.
        """
        positions, targets = scored_targets(rows.tokens, rows.parts, scored)
        parts = rows.parts[:, 1:] if positions is None else rows.parts[:, 1:].gather(1, positions)
        logits = network(rows.tokens[:, :-1], positions).float()  # (n, s, v)
        losses = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none", ignore_index=IGNORED)
        wrong = (logits.argmax(-1) != targets) & (parts != UNSCORED)
        bits = losses.double() / LN2

        def by_part(values: Tensor) -> Tensor:
            """Sum values (n, s) over the tokens of each part, (n, parts)."""
            return torch.zeros(
                len(values), self.n_parts, dtype=torch.float64, device=values.device
            ).scatter_add(1, parts, values.double())

        there, part_bits = by_part(torch.ones_like(bits)) > 0, by_part(bits)
        self.bits += part_bits.sum(0).cpu()
        self.squares += part_bits.square().sum(0).cpu()
        self.answers += there.sum(0).cpu()
        self.right += (there & (by_part(wrong) == 0)).sum(0).cpu()
        self._row_bits.append(part_bits[:, UNSCORED + 1 :].sum(1).cpu())
        self._row_right.append(~wrong.masked_fill(parts == NAME, False).any(1).cpu())

    @property
    def row_bits(self) -> Tensor:
        """The loss of every row by itself, bits, its name included where it is scored."""
        return torch.cat(self._row_bits)

    @property
    def row_right(self) -> Tensor:
        """Whether all tokens of a row's answers are the most probable ones."""
        return torch.cat(self._row_right)

    @property
    def name_loss(self) -> float | None:
        """Mean bits of a name, None if names are not scored."""
        return float(self.bits[NAME] / self.answers[NAME]) if self.answers[NAME] else None

    @property
    def losses(self) -> list[float | None]:
        """Mean bits of the answers about every subject, None where there are none."""
        pairs = zip(self.bits[SUBJECT:-1].tolist(), self.answers[SUBJECT:-1].tolist(), strict=True)
        return [bits / answers if answers else None for bits, answers in pairs]

    @property
    def _asked(self) -> slice:
        """The parts that are answers: those about subjects, or the names where there is nothing else."""
        return slice(SUBJECT if self.answers[SUBJECT:].any() else NAME, None)

    @property
    def loss(self) -> float:
        """Mean bits of an answer."""
        return float(self.bits[self._asked].sum() / self.answers[self._asked].sum())

    @property
    def accuracy(self) -> float:
        """Share of the answers all of whose tokens are the most probable ones."""
        return float(self.right[self._asked].sum() / self.answers[self._asked].sum())

    @property
    def standard_error(self) -> float:
        """Standard error of `loss` where the rows are a random sample of all rows, bits per answer; 0 where exact."""
        n = float(self.answers[self._asked].sum())
        variance = float(self.squares[self._asked].sum()) / n - self.loss**2
        return sqrt(max(0.0, variance) * (1 - self.share) / n)

    @property
    def error_of_all(self) -> float:
        """Standard error of the loss of all rows together, bits: what a sample leaves open of the memorized bits."""
        there = self.answers > 0
        n, bits, squares = self.answers[there], self.bits[there], self.squares[there]
        variance = (squares / n - (bits / n).square()).clamp(min=0) * (1 - self.share) / n
        return float((variance * (n / self.share).square()).sum().sqrt())


def scored_targets(tokens: Tensor, parts: Tensor, scored: int) -> tuple[Tensor | None, Tensor]:
    """Return where something is scored, and the token that should come next there.

    Args:
        tokens: (n, t).
        parts: (n, t), the part of each token.
        scored: The most tokens that are scored in a row, s.

    Returns:
        Positions (n, s), None for all, and targets (n, s) or (n, t − 1), `IGNORED` where nothing is scored.
    """
    targets = torch.where(parts[:, 1:] == UNSCORED, IGNORED, tokens[:, 1:])
    if scored >= targets.shape[1]:
        return None, targets
    positions = (targets >= 0).byte().argsort(dim=1, descending=True, stable=True)[:, :scored]
    return positions, targets.gather(1, positions)


def token_loss(network: torch.nn.Module, tokens: Tensor, parts: Tensor, scored: int) -> Tensor:
    """Return the mean loss of the scored tokens of rows (n, t), nats per token; arguments as in `scored_targets`."""
    positions, targets = scored_targets(tokens, parts, scored)
    logits = network(tokens[:, :-1], positions).flatten(0, 1).float()
    return F.cross_entropy(logits, targets.flatten(), ignore_index=IGNORED)
