"""The learning-rate schedule of the published runs."""

from __future__ import annotations

from math import cos, pi

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from modgrok.errors import InputError


class WarmUpCosine(LambdaLR):
    """A linear warm-up, times a cosine from 1 down to `final_rate`.

    With updates u counted from 0, the learning rate of an update is its peak times
    min(1, (u + 1) / warmup) · (f + (1 − f) · (1 + cos(π · min(1, u / updates))) / 2), where f is `final_rate`.

    Args:
        optimizer: The optimizer whose learning rate it is.
        warmup: The number of updates over which the learning rate rises; 0 for none.
        final_rate: The last learning rate relative to the peak; 1 keeps the rate constant after the warm-up.
        updates: The length of the cosine, where `final_rate` is less than 1; mostly `max_steps`.

    Raises:
        InputError: if a number is out of range, or the cosine has no length.

    Example:
        >>> import torch
        >>> from modgrok.capacity import WarmUpCosine
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        >>> schedule = WarmUpCosine(optimizer, warmup=4)
        >>> optimizer.param_groups[0]["lr"]
        0.25
    """

    def __init__(
        self, optimizer: Optimizer, warmup: int = 1000, final_rate: float = 1.0, updates: int | None = None
    ) -> None:
        if warmup < 0:
            raise InputError(f"warmup must be ≥ 0, got {warmup}")
        if not 0 <= final_rate <= 1:
            raise InputError(f"final_rate must be in [0, 1], relative to the peak; got {final_rate}")
        if final_rate < 1 and (updates is None or updates < 1):
            raise InputError(
                f"updates must be the length of the cosine, ≥ 1, where final_rate < 1; got {updates}"
            )
        if final_rate == 1 and updates is not None:
            raise InputError(f"updates: a final_rate of 1 has no cosine; leave its length out, got {updates}")
        self.warmup, self.final_rate, self.updates = warmup, final_rate, updates

        def rate(update: int) -> float:
            progress = min(1.0, update / updates) if updates else 0.0
            cosine = final_rate + (1 - final_rate) * (1 + cos(pi * progress)) / 2
            return cosine * min(1.0, (update + 1) / max(1, warmup))

        super().__init__(optimizer, rate)
