"""The optimizer of the grokking papers."""

from __future__ import annotations

from typing import Any

from torch.optim import AdamW


class GrokkingAdamW(AdamW):
    """`torch.optim.AdamW`, fused, with the settings of Power et al. 2022 and Nanda et al. 2023 as its defaults.

    Args:
        params: the weights, or groups of them.
        lr: learning rate.
        betas: coefficients for the running averages.
        eps: added to the denominator.
        weight_decay: decoupled.

    Example:
        >>> import torch
        >>> from modgrok.training import GrokkingAdamW
        >>> GrokkingAdamW([torch.nn.Parameter(torch.ones(2))]).defaults["betas"]
        (0.9, 0.98)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.98),
        eps: float = 1e-8,
        weight_decay: float = 1.0,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, fused=True)
