"""Checkpoints on a schedule made for grokking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.trainer.states import TrainerFn

from modgrok.callbacks.schedule import is_due
from modgrok.errors import InputError, RunStoppedError
from modgrok.runs import RunDirectory
from modgrok.runs.directory import CHECKPOINTS, checkpoint_name
from modgrok.runs.whole_files import remove_partial_files
from modgrok.training import GrokkingModule


class Checkpoints(Checkpoint):
    """Keeps the initial weights, then a checkpoint every so many updates, the one at grokking, and always the last.

    Args:
        every: updates between checkpoints, each at the first evaluation from then on.
        keep: if given, thin the checkpoints evenly to this many; the first, the last and the one at grokking stay.

    Raises:
        InputError: if a number is out of its range.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import Checkpoints
        >>> trainer = Trainer(callbacks=[Checkpoints(every=10)])
    """

    def __init__(self, every: int = 1000, keep: int | None = None) -> None:
        super().__init__()
        if every < 1:
            raise InputError(f"every must be a positive integer, got {every}")
        if keep is not None and keep < 3:
            raise InputError(
                f"keep must be at least 3 (the first, the last and the one at grokking), got {keep}"
            )
        self.every = every
        self.keep = keep
        self.last_saved: Path | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find the run's directory."""
        self._run = RunDirectory(Path(trainer.log_dir or trainer.default_root_dir))

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Clear away what a killed process left half-written."""
        for directory in (self._run.path, self._run.path / CHECKPOINTS):
            remove_partial_files(directory)

    def on_validation_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Keep the weights if it is time, or if the network has just grokked."""
        history = pl_module.history
        if trainer.sanity_checking or trainer.state.fn != TrainerFn.FITTING or not history.update:
            return
        update = history.update[-1]
        if update == 0 or update == history.grokked_at or is_due(history, self.every):
            self._save(trainer)
            self._thin(history.grokked_at)

    def on_train_batch_end(self, trainer: Trainer, pl_module: GrokkingModule, *arguments: Any) -> None:  # type: ignore[override]
        """Keep the weights where a signal ends the run, before other callbacks take that for the end of an epoch."""
        if pl_module.interrupted:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Keep the last weights, before a callback that averages them puts the average in their place."""
        if pl_module.is_ending:
            self._save(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Keep the weights of a run that ends before its first update."""
        self._save(trainer)

    @property
    def best_model_path(self) -> str:
        """The last checkpoint, for `trainer.test(ckpt_path="best")`: no score chooses among a run's networks."""
        return str(self.last_saved or "")

    def _save(self, trainer: Trainer) -> None:
        path = self._run.path / CHECKPOINTS / checkpoint_name(trainer.global_step)
        if path == self.last_saved or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        try:
            for logger in trainer.loggers:
                if isinstance(logger, TensorBoardLogger):
                    logger.experiment.flush()  # a resumed run continues from here without a gap in its curves
            trainer.save_checkpoint(path, weights_only=False)
        except RunStoppedError:
            raise
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
        """Delete checkpoints of this callback that stand closest to their neighbors until `keep` are left.

        Those of other callbacks, such as a ModelCheckpoint, are theirs.
        """
        directory = self._run.path / CHECKPOINTS
        files = {update: directory / checkpoint_name(update) for update in self._run.updates}
        checkpoints = {update: file for update, file in files.items() if file.is_file()}
        while self.keep is not None and len(checkpoints) > self.keep:
            updates = list(checkpoints)
            inner = [i for i in range(1, len(updates) - 1) if updates[i] != grokked_at]
            if not inner:
                return
            closest = min(inner, key=lambda i: updates[i + 1] - updates[i - 1])
            checkpoints.pop(updates[closest]).unlink()
