"""Memorised at, grokked at, and what else the run found."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch import Callback, Trainer

from modgrok.callbacks.graceful_interrupt import was_interrupted
from modgrok.training import GrokkingModule


class Milestones(Callback):
    """Logs when the training pairs are memorised and when the network groks; writes `findings.json`.

    Each is the first evaluation at which accuracy reaches the module's threshold; `grokked_new_at` is that of the
    held-out pairs that are new. For mixtures every formula must reach it; each formula's own milestones are logged too.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import Milestones
        >>> trainer = Trainer(callbacks=[Milestones()])
    """

    def on_validation_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Log a milestone at the update at which it is reached."""
        history = pl_module.history
        if trainer.sanity_checking or not history.update:
            return
        update = history.update[-1]
        histories = {"": history, **{f"/{task}": own for task, own in history.of_task.items()}}
        reached = {
            f"milestones/{name}{of_task}": float(update)
            for of_task, each in histories.items()
            for name in ("memorised_at", "grokked_at", "grokked_new_at")
            if getattr(each, name) == update
        }
        for logger in trainer.loggers if reached else ():
            logger.log_metrics(reached, step=update)

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Write `findings.json`."""
        if trainer.fast_dev_run:  # type: ignore[attr-defined]
            return
        directory = Path(trainer.log_dir or trainer.default_root_dir)
        directory.mkdir(parents=True, exist_ok=True)
        pl_module.findings(finished=not was_interrupted(trainer)).write(directory)
