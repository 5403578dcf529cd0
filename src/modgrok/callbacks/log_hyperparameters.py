"""What was chosen for a run, beside what came of it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.tensorboard.summary import hparams

from modgrok.training import GrokkingModule

FIRST = ("task", "modulus", "optimizer.lr", "optimizer.weight_decay", "seed")
"""What tells most runs apart, logged first, and to TensorBoard with numbers before the names."""


class LogHyperparameters(Callback):
    """Logs the hyperparameters, and the final scores beside them.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import LogHyperparameters
        >>> trainer = Trainer(callbacks=[LogHyperparameters()])
    """

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Log the hyperparameters, except to TensorBoard, which takes them once and with the scores."""
        for logger in trainer.loggers:
            if not isinstance(logger, TensorBoardLogger):
                logger.log_hyperparams(_scalars(pl_module))

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Log the final scores."""
        history = pl_module.history
        final = {f"final/{name.replace('/', '_')}": value for name, value in history.latest().items()}
        for name in ("grokked_at", "grokked_new_at"):
            at = getattr(history, name)
            final[f"final/{name}"] = math.nan if at is None else at
        for logger in trainer.loggers:
            logger.log_metrics(final, step=trainer.global_step)
            if isinstance(logger, TensorBoardLogger):
                _add_session(logger, _scalars(pl_module), trainer.global_step)


def _add_session(
    logger: TensorBoardLogger, chosen: Mapping[str, bool | int | float | str], step: int
) -> None:
    """Write the hyperparameters such that TensorBoard shows those of `FIRST` first, and in their order.

    TensorBoard (2.21, `plugins/hparams/backend_context.py`) sorts hyperparameters by whether they differ between
    the runs and then by name, and ticks the first five. What differs it finds out only where no run has a summary
    of the whole experiment; of several such summaries it reads one, and shows no parameter that only others have.
    """
    numbers = {name: f"{number} {name}" for number, name in enumerate(FIRST, 1)}
    _, start, end = hparams({numbers.get(name, name): value for name, value in chosen.items()}, {})
    writer = logger.experiment._get_file_writer()
    writer.add_summary(start, step)
    writer.add_summary(end, step)


def _scalars(module: GrokkingModule) -> dict[str, bool | int | float | str]:
    """Return what tells the run from others, as values that every logger takes."""
    chosen = {
        **module.hyperparameters(),
        "engine": module.used_engine,
        "pretrained": module.pretrained_from,
        "seed": os.environ.get("PL_GLOBAL_SEED"),  # where Lightning's seed_everything leaves it
    }
    first = [name for name in FIRST if name in chosen]
    return {
        name: chosen[name] if isinstance(chosen[name], bool | int | float) else str(chosen[name])
        for name in dict.fromkeys([*first, *chosen])
    }
