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
    """Accumulates the scores of each task's pairs, on the device and without synchronizing it.

    Args:
        loss: of each pair.
        n_tasks: number of tasks.
    """

    full_state_update = False
    loss: Tensor
    correct: Tensor
    probability: Tensor
    count: Tensor

    def __init__(self, loss: Loss, n_tasks: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pair_loss = loss
        for name in ("loss", "correct", "probability", "count"):
            self.add_state(name, torch.zeros(n_tasks, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, examples: Examples) -> None:
        """Add the logits, (n, p), of n examples."""
        task, answers = examples.task_index, examples.answers
        losses = self.pair_loss(logits, answers)
        self.loss.index_add_(0, task, losses.double())
        self.correct.index_add_(0, task, (logits.argmax(-1) == answers).double())
        self.probability.index_add_(
            0, task, self.pair_loss.answer_probabilities(logits, answers, losses).double()
        )
        self.count.index_add_(0, task, torch.ones_like(task, dtype=torch.float64))

    def compute(self) -> tuple[Score, list[Score]]:
        """Return the score of all pairs, and of each task's.

        The loss of all is the sum of the tasks' mean losses, which is what is trained on; accuracy and probability are
        means over all pairs.
        """
        sums = torch.stack([self.loss, self.correct, self.probability, self.count])
        each = [Score(*means) for means in (sums[:3] / sums[3]).T.tolist()]
        shares = sums[1:3].sum(1) / sums[3].sum()
        return Score(sum(score.loss for score in each), *shares.tolist()), each
