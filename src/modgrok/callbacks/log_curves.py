"""The training curves of a finished run, and its final scores."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch import Callback, Trainer

from modgrok.callbacks.log_figure import log_figure
from modgrok.callbacks.observing import observing
from modgrok.figures import curves_figure, render
from modgrok.runs.whole_files import whole_file
from modgrok.training import GrokkingModule


class LogCurves(Callback):
    """Draws the training curves, for the loggers and as `curves.png`.

    Args:
        draw: false leaves them out, as in the cells of a sweep, whose page draws them.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import LogCurves
        >>> trainer = Trainer(callbacks=[LogCurves(draw=False)])
    """

    def __init__(self, draw: bool = True) -> None:
        super().__init__()
        self.draw = draw

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Draw the run."""
        if not self.draw or trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        with observing(self):
            figure = curves_figure(pl_module.history, pl_module.data.title)
            with whole_file(Path(trainer.log_dir or trainer.default_root_dir) / "curves.png") as file:
                render(figure).savefig(file, format="png", dpi=150)
            log_figure(trainer, "curves", figure)
