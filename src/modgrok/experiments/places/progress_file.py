"""How far a run is, in a file that other processes read."""

from __future__ import annotations

import json
import time
from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer

from modgrok.runs.whole_files import write_whole

INTERVAL_SECONDS = 0.5


class ProgressFile(Callback):
    """Writes the update, the limit and the held-out accuracy to a small JSON file after an evaluation.

    Args:
        file: where; it is replaced as a whole, at most twice a second.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self._next = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write where the run starts."""
        self._write(trainer)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write where the run is."""
        if time.monotonic() >= self._next:
            self._write(trainer)

    def _write(self, trainer: Trainer) -> None:
        accuracy = trainer.callback_metrics.get("heldout/accuracy")
        progress = {
            "update": trainer.global_step,
            "max_updates": trainer.max_steps,
            "heldout_accuracy": None if accuracy is None else float(accuracy),
        }
        write_whole(self.file, json.dumps(progress))
        self._next = time.monotonic() + INTERVAL_SECONDS
