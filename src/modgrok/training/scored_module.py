"""Scoring a network on both sides of the split, through Lightning's validation and test."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from modgrok.data import Examples, ModularDataModule
from modgrok.errors import InputError
from modgrok.models import Network
from modgrok.models.losses import Loss
from modgrok.runs import Score
from modgrok.runs.scores import TaskScores
from modgrok.training.cpu_tuning import cpu_tuning
from modgrok.training.update_counter import log_at


class ScoredModule(LightningModule):
    """A network that validation and test score, and that predicts.

    Args:
        network: the network that is scored.
        loss: the loss of each pair.
    """

    def __init__(self, network: Network, loss: Loss) -> None:
        super().__init__()
        self.network = network
        self.loss = loss
        self.used_threads = torch.get_num_threads()
        self._prepared: dict[tuple[str, int], Any] = {}  # tokens that are scored again at each evaluation
        self._scores: dict[str, TaskScores] = {}

    @property
    def data(self) -> ModularDataModule:
        """The pairs of the run.

        Raises:
            InputError: if the trainer was given no ModularDataModule.
        """
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, ModularDataModule):
            raise InputError("the trainer needs a ModularDataModule: trainer.fit(module, datamodule)")
        return data

    @property
    def task_names(self) -> list[str]:
        """The names of the data's tasks."""
        return [task.name for task in self.data.tasks]

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits, (n, p), of tokens (n, t)."""
        logits: Tensor = self.network(tokens)
        return logits

    def record(self, found: dict[str, tuple[Score, list[Score]]]) -> dict[str, float]:
        """Take up the scores of both sides, of all pairs and of each task's; return what else is to be logged."""
        return {}

    def validation_step(self, examples: Examples, batch_index: int, dataloader_idx: int = 0) -> None:
        """Score a chunk of the held-out pairs or, from the second loader, of the training pairs."""
        self._score("train" if dataloader_idx else "heldout", examples, batch_index)

    def test_step(self, examples: Examples, batch_index: int) -> None:
        """Score a chunk of the held-out pairs."""
        self._score("heldout", examples, batch_index)

    def predict_step(self, examples: Examples, batch_index: int) -> Tensor:
        """Return the probability of every answer, (n, p)."""
        return self.loss.probabilities(self.network(examples.tokens))

    def teardown(self, stage: str) -> None:
        """Free what was kept for the next evaluation."""
        self._prepared, self._scores = {}, {}

    def _start_scores(self) -> None:
        for scores in self._scores.values():
            scores.reset()
        self._step_axis = log_at(self.trainer, self.global_step)

    def _score(self, side: str, examples: Examples, chunk: int) -> None:
        if side not in self._scores:
            self._scores[side] = TaskScores(
                self.loss, len(self.data.tasks), held_out=side == "heldout", device=self.device
            )
        if (side, chunk) not in self._prepared:
            self._prepared[side, chunk] = self.network.prepare(examples.tokens)
        with cpu_tuning(self.used_threads):
            self._scores[side].update(self.network(self._prepared[side, chunk]), examples)

    def _log_scores(self) -> None:
        if self.trainer.sanity_checking:
            return
        found, names = {side: scores.compute() for side, scores in self._scores.items()}, self.task_names
        scalars = {
            f"{side}/{name}": value
            for side, (both, _) in found.items()
            for name, value in both.measured().items()
        }
        for side, (_, each) in found.items() if len(names) > 1 else ():
            for task, score in zip(names, each, strict=True):
                scalars |= {f"{side}/{name}/{task}": value for name, value in score.measured().items()}
        if self.trainer.state.fn == TrainerFn.FITTING:
            scalars |= self.record(found)
        self.log_dict(scalars)

    def on_validation_end(self) -> None:
        """Return to the x axis of the training steps."""
        log_at(self.trainer, self._step_axis)

    on_validation_epoch_start = on_test_epoch_start = _start_scores
    on_validation_epoch_end = on_test_epoch_end = _log_scores
