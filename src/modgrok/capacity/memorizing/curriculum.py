"""One-hop questions first."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer

from modgrok.errors import InputError


class Curriculum(Callback):
    """Ask one-hop questions only, until their loss is low.

    Args:
        below: The loss in bits per question; the published system has 1.44, which is 1 nat.

    Raises:
        InputError: if `below` is not positive.

    Example:
        >>> from modgrok.capacity import Curriculum
        >>> Curriculum(below=1.0).below
        1.0
    """

    def __init__(self, below: float = 1.44) -> None:
        if below <= 0:
            raise InputError(f"below must be a loss > 0, in bits per question; got {below}")
        self.below = below

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Check that there are questions of two facts to lead to.

        Raises:
            InputError: if there are none.
        """
        data = trainer.datamodule  # type: ignore[attr-defined]
        if not hasattr(data, "inferred"):
            raise InputError("Curriculum leads to two-hop questions, which only modgrok capacity fit asks")
        if data.inferred is None:
            raise InputError(
                "Curriculum leads to two-hop questions or comparisons: give data.hops: 2 or data.comparisons: true"
            )

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave questions of two facts out at first."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        if trainer.global_step == 0:
            data.mixed_from = None

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Ask both kinds from the update after the next one: the loader has made the next batch already."""
        data = trainer.datamodule  # type: ignore[attr-defined]
        if data.mixed_from is None and trainer.callback_metrics["one_hop/loss"] < self.below:
            data.mixed_from = trainer.global_step + 1
