"""The pairs of a run for a Trainer: on its device, in batches."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from modgrok.data.examples import Chunks, Examples, TrainingBatches
from modgrok.data.modular_data import ModularData

CHUNK = 8192
"""Pairs evaluated at a time: enough to keep the device busy, few enough to keep memory flat."""


class ModularDataModule(ModularData, LightningDataModule):
    """The pairs of a run as a Trainer takes them. It has the arguments and the attributes of `ModularData`."""

    def _on_device(self, examples: Examples) -> Examples:
        return examples.to(self.trainer.strategy.root_device) if self.trainer else examples

    def train_dataloader(self) -> TrainingBatches:
        """Return the batches of the training steps."""
        per_step = getattr(self.trainer and self.trainer.lightning_module, "used_updates_per_step", 1)
        return TrainingBatches(
            self._on_device(self.training_pairs),
            self.batch_size,
            self.batch_seed,
            per_step,
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
        """Let Lightning file what the coming training step logs under the number of the step's last update.

        This hook is the only one that comes before the callbacks of the step.
        """
        if self.trainer and self.trainer.training:
            last, most = self.trainer.global_step + len(batch), self.trainer.max_steps
            last = min(last, most) if most > 0 else last
            self.trainer.fit_loop.epoch_loop._batches_that_stepped = last - 1
        return batch

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return the batch, which is on the device already."""
        return batch
