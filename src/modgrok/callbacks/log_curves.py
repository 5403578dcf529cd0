"""The training curves of a finished run, and its final scores."""

from __future__ import annotations

import math
from pathlib import Path

from lightning.pytorch import Callback, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from modgrok.callbacks.log_figure import log_figure
from modgrok.figures import curves_figure, render
from modgrok.training import GrokkingModule


class Curves(Callback):
    """Draws the training curves, for the loggers and as `curves.png`; logs hyperparameters beside final scores."""

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Log the hyperparameters, except to TensorBoard, which takes them once and with the scores."""
        for logger in trainer.loggers:
            if not isinstance(logger, TensorBoardLogger):
                logger.log_hyperparams(pl_module.hyperparameters())

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Draw the run."""
        history = pl_module.history
        data = pl_module.data
        title = f"{' | '.join(task.name for task in data.tasks)} mod {data.config['modulus']}"
        picture = render(curves_figure(history, title))
        picture.savefig(Path(trainer.log_dir or trainer.default_root_dir) / "curves.png", dpi=150)
        log_figure(trainer, "curves", picture)
        final = {f"final/{name.replace('/', '_')}": value for name, value in history.latest().items()}
        final |= {"final/grokked_at": math.nan if history.grokked_at is None else history.grokked_at}
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.log_hyperparams(pl_module.hyperparameters(), final, step=trainer.global_step)
            else:
                logger.log_metrics(final, step=trainer.global_step)
