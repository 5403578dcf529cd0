"""The pairs of a run for a Trainer: on its device, in batches."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from modgrok.data.examples import Chunks, Examples, TrainingBatches
from modgrok.data.modular_data import ModularData


class ModularDataModule(ModularData, LightningDataModule):
    """The pairs of a run as a Trainer takes them, with the arguments of `TaskTables`.

    Example:
        >>> from modgrok import ModularDataModule
        >>> data = ModularDataModule("x + y", modulus=11, train_fraction=0.3)
        >>> data.network_shape
        {'vocabulary_size': 12, 'n_answers': 11, 'context_length': 3}
    """

    evaluate_every: int | None = None
    """Updates between two evaluations, which are an epoch of training; the module that trains on the pairs sets it.

    Without one, an epoch shows every training pair once.
    """

    updates_per_step = 1
    """Batches of a training step; the module that trains on them sets it."""

    batches_before = 0
    """Batches of the first epoch that a run had before it was resumed; the module that trains on them sets it."""

    def _on_device(self, examples: Examples) -> Examples:
        return examples.to(self.trainer.strategy.root_device) if self.trainer else examples

    def train_dataloader(self) -> TrainingBatches:
        """Return the batches of the training steps: `accumulate_grad_batches` of them for each update."""
        trainer = self.trainer
        per_update = trainer.accumulate_grad_batches if trainer else 1
        batches = TrainingBatches(
            self._on_device(self.training_pairs),
            self.batch_size,
            self.batch_seed,
            self.evaluate_every and self.evaluate_every * per_update,
            self.updates_per_step,
            lambda: (trainer.current_epoch if trainer else 0) * batches.period + self.batches_before,
        )
        return batches

    def val_dataloader(self) -> list[Chunks]:
        """Return the held-out pairs, and the training pairs."""
        return [Chunks(self._on_device(pairs)) for pairs in (self.heldout_pairs, self.training_pairs)]

    def test_dataloader(self) -> Chunks:
        """Return the held-out pairs."""
        return Chunks(self._on_device(self.heldout_pairs))

    def predict_dataloader(self) -> Chunks:
        """Return all pairs."""
        return Chunks(self._on_device(self.pairs))

    def __getstate__(self) -> dict[str, Any]:
        """Leave the trainer out of a copy, as a LightningModule does."""
        return {**vars(self), "trainer": None}

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return the batch, which is on the device already."""
        return batch
