"""The size of the weights over a run."""

from __future__ import annotations

import math
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer

from modgrok.training import GrokkingModule


class Norms(Callback):
    """Logs norms at every evaluation: L2 as `norm/<parameter>`, L1 as `norm_l1/<parameter>`, of all as `…/total`."""

    def on_train_start(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Log the initial norms."""
        if trainer.global_step == 0:
            self._log(trainer, pl_module)

    def on_train_batch_end(self, trainer: Trainer, pl_module: GrokkingModule, *args: Any) -> None:  # type: ignore[override]
        """Log the norms if there was an evaluation."""
        if pl_module.history.update[-1] == trainer.global_step:
            self._log(trainer, pl_module)

    def _log(self, trainer: Trainer, module: GrokkingModule) -> None:
        names, parameters = zip(*module.network.named_parameters(), strict=True)
        norms = [torch.linalg.vector_norm(p.detach(), order) for order in (1, 2) for p in parameters]
        values = torch.stack(norms).tolist()  # the one synchronization with the device
        l1, l2 = values[: len(names)], values[len(names) :]
        scalars = {"norm/total": math.hypot(*l2), "norm_l1/total": sum(l1)}
        for name, one, two in zip(names, l1, l2, strict=True):
            scalars |= {f"norm/{name}": two, f"norm_l1/{name}": one}
        for logger in trainer.loggers:
            logger.log_metrics(scalars, step=trainer.global_step)
