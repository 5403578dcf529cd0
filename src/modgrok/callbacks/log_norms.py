"""The size of the weights over a run."""

from __future__ import annotations

import math

import torch
from lightning.pytorch import Callback, Trainer

from modgrok.training import GrokkingModule


class LogNorms(Callback):
    """Logs norms at every evaluation: L2 as `norm/<parameter>`, L1 as `norm_l1/<parameter>`, of all as `…/total`.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok.callbacks import LogNorms
        >>> trainer = Trainer(callbacks=[LogNorms()])
    """

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: GrokkingModule) -> None:  # type: ignore[override]
        """Log the norms to the loggers, as LearningRateMonitor does: `self.log` takes longer for them than scoring."""
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        norms = weight_norms(pl_module)
        for logger in trainer.loggers:
            logger.log_metrics(norms, step=trainer.global_step)
        trainer.callback_metrics.update({name: torch.tensor(norm) for name, norm in norms.items()})


@torch.no_grad()
def weight_norms(module: GrokkingModule) -> dict[str, float]:
    """Return the L2 and L1 norms of the network's parameters by the name they are logged by."""
    names, parameters = zip(*module.network.named_parameters(), strict=True)
    norms = [torch.linalg.vector_norm(parameter, order) for order in (2, 1) for parameter in parameters]
    values = torch.stack(norms).tolist()  # the one synchronization with the device
    l2, l1 = values[: len(names)], values[len(names) :]
    scalars = {"norm/total": math.hypot(*l2), "norm_l1/total": sum(l1)}
    for name, two, one in zip(names, l2, l1, strict=True):
        scalars |= {f"norm/{name}": two, f"norm_l1/{name}": one}
    return scalars
