"""The learning rate's first updates."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from modgrok.errors import InputError


class WarmUp(LRScheduler):
    """Raises the learning rate linearly from 0: by the factor min(update / updates, 1), updates counted from 0.

    Args:
        optimizer: the optimizer whose learning rate it is.
        updates: length of the warm-up; 0 for none.

    Raises:
        InputError: if the length is negative.

    Example:
        >>> import torch
        >>> from modgrok.training import GrokkingAdamW, WarmUp
        >>> optimizer = GrokkingAdamW([torch.nn.Parameter(torch.ones(2))], lr=1e-3)
        >>> WarmUp(optimizer, updates=10).get_last_lr()
        [0.0]
    """

    def __init__(self, optimizer: Optimizer, updates: int = 10) -> None:
        if updates < 0:
            raise InputError(f"updates must be ≥ 0, got {updates}")
        self.updates = updates
        super().__init__(optimizer)

    def get_lr(self) -> list[float]:  # type: ignore[override]
        """Return the learning rate of each parameter group for the next update."""
        factor = min(self.last_epoch / self.updates, 1.0) if self.updates else 1.0
        return [float(rate) * factor for rate in self.base_lrs]
