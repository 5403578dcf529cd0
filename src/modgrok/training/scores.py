"""Loss and accuracy over pairs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from modgrok.data import Examples
from modgrok.models.losses import Loss
from modgrok.runs import Score


class TaskScores(Metric):
    """Accumulates the scores of each task's pairs, new and known ones apart, without synchronizing the device.

    Args:
        loss: of each pair.
        n_tasks: number of tasks, T.
        held_out: whether the pairs are held out. Of these the accuracies of new and of known pairs are returned, of
            training pairs the share whose loss is exactly zero.
    """

    full_state_update = False
    loss: Tensor
    correct: Tensor
    probability: Tensor
    zero_losses: Tensor
    count: Tensor

    def __init__(self, loss: Loss, n_tasks: int, held_out: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pair_loss, self.held_out = loss, held_out
        for name in ("loss", "correct", "probability", "zero_losses", "count"):
            self.add_state(name, torch.zeros(2 * n_tasks, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, examples: Examples) -> None:
        """Add the logits, (n, p), of n examples."""
        answers, place = examples.answers, 2 * examples.task_index + examples.known
        losses = self.pair_loss(logits, answers)
        self.loss.index_add_(0, place, losses.double())
        self.correct.index_add_(0, place, (logits.argmax(-1) == answers).double())
        self.probability.index_add_(
            0, place, self.pair_loss.answer_probabilities(logits, answers, losses).double()
        )
        self.zero_losses.index_add_(0, place, (losses == 0).double())
        self.count.index_add_(0, place, torch.ones_like(place, dtype=torch.float64))

    def compute(self) -> tuple[Score, list[Score]]:
        """Return the score of all pairs, and of each task's.

        The loss of all is the sum of the tasks' mean losses, which is what is trained on; accuracy and probability are
        means over all pairs.
        """
        sums = torch.stack([self.loss, self.correct, self.probability, self.zero_losses, self.count])
        of_task = sums.view(5, -1, 2).cpu()  # (5, T, 2), new and known
        each = [self._score(of_one) for of_one in of_task.unbind(1)]
        return self._score(of_task.sum(1))._replace(loss=sum(score.loss for score in each)), each

    def _score(self, sums: Tensor) -> Score:
        """Return the means of sums over new and over known pairs, (5, 2)."""
        loss, accuracy, probability, zero_losses = (sums[:4].sum(1) / sums[4].sum()).tolist()
        if not self.held_out:
            return Score(loss, accuracy, probability, zero_losses=zero_losses)
        counts = sums[4].tolist()
        parts = [share if n else None for share, n in zip((sums[1] / sums[4]).tolist(), counts, strict=True)]
        return Score(loss, accuracy, probability, *parts)
