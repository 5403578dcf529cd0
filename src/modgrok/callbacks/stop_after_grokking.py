"""When a run has seen enough."""

from __future__ import annotations

from lightning.pytorch import Callback, Trainer

from modgrok.errors import InputError
from modgrok.training import GrokkingModule


class StopAfterGrokking(Callback):
    """Stops the run some time after grokking; without an argument it never does.

    For other conditions there is Lightning's EarlyStopping, such as
    `EarlyStopping("heldout/loss", stopping_threshold=1e-3, patience=10**9)`.

    Args:
        grokked_for: updates over which the held-out accuracy, and that over the new held-out pairs, must have stayed at
            the module's threshold.

    Raises:
        InputError: if it is negative.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import StopAfterGrokking
        >>> trainer = Trainer(callbacks=[StopAfterGrokking(grokked_for=10)])
    """

    def __init__(self, grokked_for: int | None = None) -> None:
        if grokked_for is not None and grokked_for < 0:
            raise InputError(f"grokked_for must be ≥ 0, got {grokked_for}")
        self.grokked_for = grokked_for

    @property
    def ends_run(self) -> bool:
        """Whether it stops a run that has no other end."""
        return self.grokked_for is not None

    def on_validation_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Stop if it is time."""
        if self.is_due(pl_module.history.grokked_since, trainer.global_step):
            trainer.should_stop = True

    def is_due(self, grokked_since: int | None, update: int) -> bool:
        """Whether a run that has grokked since an update, or has not, ends at a later one."""
        return None not in (self.grokked_for, grokked_since) and update - grokked_since >= self.grokked_for  # type: ignore[operator]
