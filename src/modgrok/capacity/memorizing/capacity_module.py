"""Training, and scoring every fact, as a LightningModule."""

from __future__ import annotations

from math import cos, pi
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from modgrok.capacity.memorizing.bits import memorized_bits
from modgrok.capacity.memorizing.part_scores import Scores, token_loss
from modgrok.capacity.questions.codes import Rows
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.errors import InputError

RECORD = "modgrok.capacity"
"""The key of a checkpoint under which the network, the data and the history are recorded as plain data."""


def published_optimizer(parameters: Any) -> torch.optim.Optimizer:
    """Return AdamW with the published rates."""
    return torch.optim.AdamW(parameters, lr=1e-3, betas=(0.99, 0.999), weight_decay=0.1, fused=True)


class CapacityModule(LightningModule):
    """A language model that is trained on questions, and weighed.

    Args:
        network: a `Llama`, or what has its `forward`, with its arguments in `config`.
        optimizer: makes the optimizer of the parameters.
        warmup: updates over which the learning rate rises.
        final_rate: what a cosine over `max_steps` takes the learning rate down to, relative to its peak; 1 keeps it.
        compile: whether the loss is compiled: takes seconds at first, and halves the time of an update on a CPU.

    Raises:
        InputError: if a rate is out of range.
    """

    interruptible = False  # an update is soon over

    def __init__(
        self,
        network: nn.Module,
        optimizer: OptimizerCallable = published_optimizer,
        warmup: int = 1000,
        final_rate: float = 1.0,
        compile: bool = False,
    ) -> None:
        super().__init__()
        if warmup < 0:
            raise InputError(f"warmup: 0 or more updates, not {warmup}")
        if not 0 <= final_rate <= 1:
            raise InputError(f"final_rate: from 0 to 1, relative to the peak, not {final_rate}")
        self.network = network
        self.optimizer = optimizer
        self.warmup, self.final_rate = warmup, final_rate
        self.loss = torch.compile(token_loss, dynamic=False) if compile else token_loss
        self.history: list[dict[str, float]] = []
        self.seconds = 0.0
        """Wall time of the training so far."""
        self._scores: dict[str, Scores] = {}

    @property
    def data(self) -> ProfilesDataModule:
        """The data that the trainer trains on."""
        return self.trainer.datamodule  # type: ignore[attr-defined]

    def configure_optimizers(self) -> Any:
        """Make the optimizer and the schedule of its rate."""
        updates = self.trainer.max_steps
        if self.final_rate < 1 and updates < 1:
            raise InputError("final_rate: a cosine needs an end; give --trainer.max_steps")

        def rate(update: int) -> float:
            progress = min(1.0, update / updates)
            cosine = self.final_rate + (1 - self.final_rate) * (1 + cos(pi * progress)) / 2
            return cosine * min(1.0, (update + 1) / max(1, self.warmup))

        optimizer = self.optimizer(self.network.parameters())
        return [optimizer], [{"scheduler": LambdaLR(optimizer, rate), "interval": "step"}]

    def training_step(self, rows: Rows, batch_index: int) -> Tensor:
        """Return the mean loss of the scored tokens, nats per token."""
        loss = self.loss(self.network, rows.tokens, rows.parts, self.data.questions.scored_tokens)
        # only where Lightning writes it: at every update it would take a fifth of a small network's time
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if every and (self.global_step + 1) % every == 0:
            self.log("train/loss", loss)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Begin new sums."""
        n_subjects = len(self.data.people.subjects)
        self._scores = {name: Scores(n_subjects) for name in self.data.scored_sets}

    def validation_step(self, rows: Rows, batch_index: int, dataloader_idx: int = 0) -> None:
        """Score a chunk of a set."""
        self._scores[self.data.scored_sets[dataloader_idx]].add(self.network(rows.tokens), rows)

    def on_validation_epoch_end(self) -> None:
        """Log losses and accuracies of every set, bits memorized, and exposures."""
        data, update = self.data, self.global_step
        bits = memorized_bits(data.people, data.notation.dictionaries, self._scores["one_hop"])
        found = {
            "bits/total": bits.total,
            "bits/per_parameter": bits.total / sum(weight.numel() for weight in self.network.parameters()),
            "exposures": data.exposures(update),
            **{f"bits/{part}": value for part, value in bits.parts.items()},
        }
        for name, scores in self._scores.items():
            found |= {f"{name}/loss": scores.loss, f"{name}/accuracy": scores.accuracy}
        self.log_dict(found, logger=False)
        for logger in self.loggers:  # Lightning's own axis is one update behind
            logger.log_metrics(found, step=update)
        if not self.trainer.sanity_checking:
            self.history.append({"update": update, **found})

    test_step = validation_step
    on_test_epoch_start = on_validation_epoch_start
    on_test_epoch_end = on_validation_epoch_end

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Record what the network and the data are, as plain data."""
        checkpoint[RECORD] = {
            "network": type(self.network).__name__,
            "network_config": self.network.config,
            "data": self.data.config,
            "update": self.global_step,
            "history": self.history,
            "seconds": self.seconds,
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the history and the time."""
        self.history, self.seconds = checkpoint[RECORD]["history"], checkpoint[RECORD]["seconds"]
