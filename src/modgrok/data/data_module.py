"""The pairs of a run for a Trainer: on its device, in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from modgrok.data.examples import Chunks, Examples, TrainingBatches
from modgrok.data.modular_data import ModularData

CHUNK = 8192
"""Pairs evaluated at a time: enough to keep the device busy, few enough to keep memory flat."""


class ModularDataModule(ModularData, LightningDataModule):
    """The pairs of a run as a Trainer takes them, with the arguments of `TaskTables`."""

    updates_per_step = 1
    """Batches of a training step; the module that trains on them sets it."""

    before_step: Callable[[int], None] | None = None
    """Called before each training step with the number of its batches; the module that trains sets it."""

    def _on_device(self, examples: Examples) -> Examples:
        return examples.to(self.trainer.strategy.root_device) if self.trainer else examples

    def train_dataloader(self) -> TrainingBatches:
        """Return the batches of the training steps."""
        return TrainingBatches(
            self._on_device(self.training_pairs),
            self.batch_size,
            self.batch_seed,
            self.updates_per_step,
            lambda: self.trainer.global_step if self.trainer else 0,
        )

    def val_dataloader(self) -> list[Chunks]:
        """Return the held-out pairs, and the training pairs."""
        return [Chunks(self._on_device(pairs), CHUNK) for pairs in (self.heldout_pairs, self.training_pairs)]

    def test_dataloader(self) -> Chunks:
        """Return the held-out pairs."""
        return Chunks(self._on_device(self.heldout_pairs), CHUNK)

    def predict_dataloader(self) -> Chunks:
        """Return all pairs."""
        return Chunks(self._on_device(self.pairs), CHUNK)

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Announce a training step. This hook is the only one that comes before the callbacks of the step."""
        if self.before_step and self.trainer and self.trainer.training:
            self.before_step(len(batch))
        return batch

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return the batch, which is on the device already."""
        return batch
