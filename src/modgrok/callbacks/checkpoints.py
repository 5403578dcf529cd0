"""Checkpoints on a schedule made for grokking."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import TensorBoardLogger

from modgrok.errors import InputError, RunStoppedError
from modgrok.runs.checkpoint import PARTIAL, DataCheckpointIO
from modgrok.runs.directory import CHECKPOINTS, Run, checkpoint_name
from modgrok.training import GrokkingModule
from modgrok.training.warm_up import next_multiple


class Checkpoints(Checkpoint):
    """Keeps the initial weights, then a checkpoint every so many updates, the one at grokking, and always the last.

    Args:
        every: updates between checkpoints.
        early_ratio: if given, also at updates 1, r, r², … up to `every`: the first updates change the most.
        keep: if given, thin the checkpoints evenly to this many; the first, the last and the one at grokking stay.

    Raises:
        InputError: if a number is out of its range.
    """

    def __init__(self, every: int = 1000, early_ratio: float | None = None, keep: int | None = None) -> None:
        super().__init__()
        if every < 1:
            raise InputError(f"every: {every} is not a positive number of updates")
        if early_ratio is not None and not early_ratio > 1:
            raise InputError(f"early_ratio: {early_ratio} is not greater than 1")
        if keep is not None and keep < 3:
            raise InputError(f"keep: {keep} is less than 3: the first, the last and the one at grokking")
        self.every = every
        self.keep = keep
        self.early_ratio = early_ratio
        self.last_saved: Path | None = None

    def next_update(self, after: int) -> int | None:
        """Return the first update later than `after` at which there is a checkpoint."""
        due = next_multiple(after, self.every)
        if self.early_ratio is None or after >= self.every:
            return due
        power = 1.0
        while math.ceil(power) <= after:
            power *= self.early_ratio
        return min(due, math.ceil(power))

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the run's directory; from here on the trainer's checkpoints are data, and whole or not there."""
        trainer.strategy.checkpoint_io = DataCheckpointIO()
        self._directory = Path(trainer.log_dir or trainer.default_root_dir) / CHECKPOINTS

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Clear away what a killed process left half-written; keep the initial weights."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for partial in self._directory.glob(f"*{PARTIAL}"):
            partial.unlink()
        if trainer.global_step == 0:
            self._save(trainer)

    def on_train_batch_end(self, trainer: Trainer, pl_module: GrokkingModule, *args: Any) -> None:  # type: ignore[override]
        """Keep the weights if it is time, or if the network has just grokked."""
        update = trainer.global_step
        if update in (self.next_update(update - 1), pl_module.history.grokked_at):
            self._save(trainer)
            self._thin(pl_module.history.grokked_at)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the last weights."""
        self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        path = self._directory / checkpoint_name(trainer.global_step)
        if path == self.last_saved:
            return
        try:
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    logger.experiment.flush()  # a resumed run goes on from here without a gap in its curves
            trainer.save_checkpoint(path)
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error).splitlines()[0]
            kept = (
                f"the last good checkpoint is {self.last_saved}"
                if self.last_saved
                else "there is no earlier one"
            )
            raise RunStoppedError(f"{path} cannot be written: {reason}; {kept}") from error
        self.last_saved = path

    def _thin(self, grokked_at: int | None) -> None:
        """Delete the checkpoints that stand closest to their neighbors until `keep` are left."""
        updates = Run(self._directory.parent).updates
        while self.keep is not None and len(updates) > self.keep:
            inner = [i for i in range(1, len(updates) - 1) if updates[i] != grokked_at]
            if not inner:
                return
            closest = min(inner, key=lambda i: updates[i + 1] - updates[i - 1])
            (self._directory / checkpoint_name(updates.pop(closest))).unlink()
