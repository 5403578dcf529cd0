"""Loss and accuracy over pairs."""

from __future__ import annotations

import torch
from torch import Tensor

from modgrok.data import Chunks, Examples
from modgrok.models.losses import Loss
from modgrok.runs.history import Score
from modgrok.runs.snapshot import Snapshot


class TaskScores:
    """Accumulates the scores of each task's pairs, new and known ones apart, without synchronizing the device.

    Args:
        loss: the loss of each pair.
        n_tasks: number of tasks, T.
        held_out: whether the pairs are held out. Of these the accuracies of new and of known pairs are returned, of
            training pairs the share whose loss is exactly zero.
        device: the device on which the logits are; the CPU unless given.
    """

    def __init__(
        self, loss: Loss, n_tasks: int, *, held_out: bool, device: torch.device | None = None
    ) -> None:
        self.pair_loss, self.held_out = loss, held_out
        # (5, 2T) sums of losses, right answers, their probabilities, losses of zero, and pairs: for each task of new
        # pairs and of known ones
        self._sums = torch.zeros(5, 2 * n_tasks, dtype=torch.float64, device=device)

    def reset(self) -> None:
        """Forget all pairs."""
        self._sums.zero_()

    def update(self, logits: Tensor, examples: Examples) -> None:
        """Add the logits, (n, p), of n examples."""
        answers, place = examples.answers, 2 * examples.task_index + examples.known
        losses = self.pair_loss(logits, answers)
        of_pairs = (
            losses,
            logits.argmax(-1) == answers,
            self.pair_loss.answer_probabilities(logits, answers, losses),
            losses == 0,
            torch.ones_like(losses),
        )
        for sums, values in zip(self._sums, of_pairs, strict=True):
            sums.index_add_(0, place, values.double())

    def compute(self) -> tuple[Score, list[Score]]:
        """Return the score of all pairs, and of each task's.

        The loss of all is the sum of the tasks' mean losses, which is what is trained on; accuracy and probability are
        means over all pairs.
        """
        of_task = self._sums.view(5, -1, 2).cpu()  # (5, T, 2), new and known
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


@torch.inference_mode()
def score_heldout(snapshot: Snapshot) -> Score:
    """Score the network of a snapshot on the held-out pairs."""
    scores = TaskScores(snapshot.loss, len(snapshot.data.tasks), held_out=True)
    for examples in Chunks(snapshot.data.heldout_pairs):
        scores.update(snapshot.network(examples.tokens), examples)
    return scores.compute()[0]


@torch.inference_mode()
def predict_all(snapshot: Snapshot) -> tuple[Tensor, Tensor]:
    """Return the most probable answer to each of the n pairs, (n,), and its probability, (n,)."""
    best = [
        snapshot.loss.probabilities(snapshot.network(examples.tokens)).max(-1)
        for examples in Chunks(snapshot.data.pairs)
    ]
    return torch.cat([each.indices for each in best]), torch.cat([each.values for each in best])
