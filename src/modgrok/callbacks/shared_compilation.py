"""What one compilation is worth to a process that makes many runs."""

from __future__ import annotations

from lightning.pytorch import Callback, LightningModule, Trainer


class SharedCompilation(Callback):
    """Lets a run compile where it would not pay for it alone: its process makes others of its shape.

    Args:
        runs: how many runs share what compiling costs.
    """

    def __init__(self, runs: int) -> None:
        super().__init__()
        self.runs = runs

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Tell the module, before it chooses its engine."""
        pl_module.runs_of_one_compilation = self.runs  # type: ignore[assignment]
