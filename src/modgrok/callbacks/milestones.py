"""Memorised at, grokked at, and the delay between."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from modgrok.errors import InputError
from modgrok.runs import History
from modgrok.runs.directory import PHASES
from modgrok.runs.history import THRESHOLD
from modgrok.training import GrokkingModule

SIDES = {"training": "train/accuracy", "held-out": "heldout/accuracy"}


class Milestones(Callback):
    """Notes when the training pairs are memorised and when the network groks, in the log and in `phases.json`.

    Both are the first evaluated update at which an accuracy reaches the threshold; of a mixture, that of every
    formula, and each formula's own beside it.

    Args:
        threshold: of the accuracy.

    Raises:
        InputError: if the threshold is not between 0 and 1.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        if not 0 < threshold <= 1:
            raise InputError(f"threshold: {threshold} is not an accuracy between 0 and 1")
        self.threshold = threshold

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Give the run its threshold."""
        for history in (pl_module.history, *pl_module.history.of_task.values()):
            history.threshold = self.threshold

    def find(self, history: History) -> dict[str, int | None]:
        """Return the updates of the phases seen so far."""
        memorised, grokked = history.memorised_at, history.grokked_at
        delay = grokked - memorised if grokked is not None and memorised is not None else None
        return {"memorised_at": memorised, "grokked_at": grokked, "delay": delay}

    def summary(self, module: GrokkingModule) -> str:
        """Return in words what the run showed, of a mixture also of each formula."""
        history = module.history
        latest = history.latest()
        memorised, grokked = self._words(history)
        every = f"evaluated every {module.evaluate_every}"
        lines = [f"{memorised} ({every})" if history.memorised_at is not None else memorised]
        lines.append(grokked)
        lines += [f"  {task}: {'; '.join(self._words(own))}" for task, own in history.of_task.items()]
        lines.append(
            f"after {history.update[-1]:,} updates: held-out accuracy {latest['heldout/accuracy']:.4f}, "
            f"held-out loss {latest['heldout/loss']:.3g}, training loss {latest['train/loss']:.3g}"
        )
        return "\n".join(lines)

    def _words(self, history: History) -> tuple[str, str]:
        found, latest = self.find(history), history.latest()

        def say(begin: str, begun: str, side: str) -> str:
            if (at := found[f"{begun}_at"]) is not None:
                return f"{'every formula ' if history.of_task else ''}{begun} at update {at:,}"
            none = f"not every formula {begun}" if history.of_task else f"did not {begin}"
            return f"{none} within {history.update[-1]:,} updates: {side} accuracy {latest[SIDES[side]]:.4f}"

        memorised, grokked = say("memorise", "memorised", "training"), say("grok", "grokked", "held-out")
        return memorised, grokked + (
            f", {found['delay']:,} updates later" if found["delay"] is not None else ""
        )

    def on_train_batch_end(self, trainer: Trainer, pl_module: GrokkingModule, *args: Any) -> None:  # type: ignore[override]
        """Log a phase at the update at which it begins."""
        update, history = trainer.global_step, pl_module.history
        histories = {"": history, **{f"/{task}": own for task, own in history.of_task.items()}}
        begun = {
            f"phases/{name}{of_task}": float(update)
            for of_task, each in histories.items()
            for name, at in self.find(each).items()
            if name != "delay" and at == update
        }
        for logger in trainer.loggers if begun else ():
            logger.log_metrics(begun, step=update)

    def on_train_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Write `phases.json`."""
        history = pl_module.history
        found = {"update": trainer.global_step, "threshold": self.threshold, **self._scores(history)}
        if history.of_task:
            found["tasks"] = {task: self._scores(own) for task, own in history.of_task.items()}
        file = Path(trainer.log_dir or trainer.default_root_dir) / PHASES
        file.write_text(json.dumps(found, indent=2) + "\n")

    def _scores(self, history: History) -> dict[str, Any]:
        return {**self.find(history), **history.latest()}
