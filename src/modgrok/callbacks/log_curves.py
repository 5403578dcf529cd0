"""The training curves of a finished run, and its final scores."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch import Callback, Trainer

from modgrok.callbacks.log_figure import log_figure
from modgrok.figures import curves_figure, render
from modgrok.training import GrokkingModule


class LogCurves(Callback):
    """Draws the training curves, for the loggers and as `curves.png`."""

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Draw the run."""
        picture = render(curves_figure(pl_module.history, pl_module.data.title))
        picture.savefig(Path(trainer.log_dir or trainer.default_root_dir) / "curves.png", dpi=150)
        log_figure(trainer, "curves", picture)
