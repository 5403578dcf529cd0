"""When a run has seen enough."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, Trainer

from modgrok.runs.history import THRESHOLD
from modgrok.training import GrokkingModule


class StopAfterGrokking(Callback):
    """Stops the run some time after grokking, or at a low held-out loss. Without arguments it never does.

    Args:
        grokked_for: updates over which the held-out accuracy must have stayed at `threshold` or above.
        threshold: of that accuracy.
        heldout_loss: stop when the held-out loss is below this.
    """

    def __init__(
        self, grokked_for: int | None = None, threshold: float = THRESHOLD, heldout_loss: float | None = None
    ) -> None:
        self.grokked_for = grokked_for
        self.threshold = threshold
        self.heldout_loss = heldout_loss

    def on_train_batch_end(self, trainer: Trainer, pl_module: GrokkingModule, *args: Any) -> None:  # type: ignore[override]
        """Stop if it is time."""
        history = pl_module.history
        if history.update[-1] != trainer.global_step:
            return
        if self.heldout_loss is not None and history.heldout_loss[-1] < self.heldout_loss:
            trainer.should_stop = True
        if self.grokked_for is not None:
            learned = history.learned("heldout", self.threshold)
            below = [update for update, yes in zip(history.update, learned, strict=True) if not yes]
            since = next((update for update in history.update if not below or update > below[-1]), None)
            if since is not None and trainer.global_step - since >= self.grokked_for:
                trainer.should_stop = True
