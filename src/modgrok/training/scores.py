"""Loss and accuracy over pairs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from modgrok.data import Examples
from modgrok.models import Network
from modgrok.runs import Score
from modgrok.training.losses import pair_losses


class TaskScores(Metric):
    """Accumulates the scores of each task's pairs, on the device and without synchronizing it."""

    full_state_update = False
    loss: Tensor
    correct: Tensor
    probability: Tensor
    count: Tensor

    def __init__(self, n_tasks: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("loss", "correct", "probability", "count"):
            self.add_state(name, torch.zeros(n_tasks, dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, logits: Tensor, examples: Examples) -> None:
        """Add the logits, (n, p), of n examples."""
        task = examples.task.to(self.count.device)
        correct = logits.argmax(-1) == examples.answers
        losses = pair_losses(logits, examples.answers).to(task.device)
        self.loss.index_add_(0, task, losses)
        self.correct.index_add_(0, task, correct.to(self.correct))
        self.probability.index_add_(0, task, (-losses).exp())
        self.count.index_add_(0, task, torch.ones_like(task, dtype=torch.float64))

    def compute(self) -> Tensor:
        """Return the sums of losses, of right answers and of their probabilities, and the pairs, (4, tasks)."""
        return torch.stack([self.loss, self.correct, self.probability, self.count])

    def read(self) -> tuple[Score, list[Score]]:
        """Return the score of all pairs, and of each task's. The loss of all is the sum of the tasks' mean losses."""
        sums = self.compute()
        each = [Score(*means) for means in (sums[:3] / sums[3]).T.tolist()]
        shares = sums[1:3].sum(1) / sums[3].sum()
        return Score(sum(score.loss for score in each), *shares.tolist()), each


@torch.no_grad()
def score(network: Network, chunks: Iterable[Examples], n_tasks: int) -> tuple[Score, list[Score]]:
    """Return the network's score over the chunks' pairs, and over those of each task."""
    scores = TaskScores(n_tasks).to(network.device)
    for examples in chunks:
        scores.update(network(examples.tokens), examples)
    return scores.read()
