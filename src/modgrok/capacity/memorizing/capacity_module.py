"""Training, and scoring facts, as a LightningModule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn

from modgrok.capacity.memorizing.bits import memorized_bits
from modgrok.capacity.memorizing.capacity_record import RECORD, make_record
from modgrok.capacity.memorizing.capacity_run import score_rows
from modgrok.capacity.memorizing.earlier_people import load_earlier, read_earlier, set_name, with_earlier
from modgrok.capacity.memorizing.part_scores import Scores, token_loss
from modgrok.capacity.memorizing.warm_up_cosine import WarmUpCosine
from modgrok.capacity.questions.codes import Rows
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.errors import InputError

RECOMPILE_LIMIT = 256
"""Shapes that one process may compile for; PyTorch's own limit of 8 leaves the ninth cell of a sweep uncompiled."""


def published_optimizer(parameters: Any) -> torch.optim.Optimizer:
    """Return AdamW with the published rates."""
    return torch.optim.AdamW(parameters, lr=1e-3, betas=(0.99, 0.999), weight_decay=0.1, fused=True)


def compiled_loss() -> Callable[..., Tensor]:
    """Return `token_loss`, compiled for the shapes of each network that it is called with."""
    torch._dynamo.config.recompile_limit = max(torch._dynamo.config.recompile_limit, RECOMPILE_LIMIT)
    return torch.compile(token_loss, dynamic=False)


class CapacityModule(LightningModule):
    """A language model that is trained on questions, and weighed.

    Args:
        network: A `Llama`, or a network that has its `forward` and its `hparams`.
        optimizer: Makes the optimizer of the parameters.
        lr_scheduler: Makes the learning-rate schedule of the optimizer; it steps once per update.
        compile: Whether the loss is compiled: takes seconds at first, and halves the time of an update on a CPU.
        threshold: The accuracy from which a set of questions counts as learned.
        pretrained: A run or a checkpoint that the network starts from, trained on other people. What the network still
            knows of them is scored at every validation.
        rehearsal: The number of rows about those people for every row of a batch; 0 trains on the new people only.

    Raises:
        InputError: if the threshold or the rehearsal is out of range, or `pretrained` does not fit the network.

    Example:
        >>> from modgrok.capacity import CapacityModule, Llama, ProfilesDataModule
        >>> data = ProfilesDataModule(n=20, relations=2, notation="tokens")
        >>> network = Llama(data.vocabulary_size, data.context_length, d_model=16, n_layers=1)
        >>> CapacityModule(network, threshold=0.9).threshold
        0.9
    """

    interruptible = False  # an update is soon over

    def __init__(
        self,
        network: nn.Module,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable = WarmUpCosine,
        compile: bool = False,
        threshold: float = 0.99,
        pretrained: str | None = None,
        rehearsal: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 < threshold <= 1:
            raise InputError(f"threshold must be an accuracy in (0, 1], got {threshold}")
        if rehearsal < 0:
            raise InputError(f"rehearsal must be ≥ 0 rows for every row of a batch, got {rehearsal}")
        self.network, self.rehearsal = network, rehearsal
        self.optimizer, self.lr_scheduler = optimizer, lr_scheduler
        self.threshold = threshold
        self.loss = compiled_loss() if compile else token_loss
        self.earlier = [] if pretrained is None else load_earlier(network, pretrained)
        """The people that the network was trained on before, in the order of training."""
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
        optimizer = self.optimizer(self.network.named_parameters())  # names, for optimizers that go by them
        return [optimizer], [{"scheduler": self.lr_scheduler(optimizer), "interval": "step"}]

    def training_step(self, rows: Rows, batch_index: int) -> Tensor:
        """Return the mean loss of the scored tokens, nats per token."""
        if self.rehearsal and self.earlier:
            rows = with_earlier(rows, self.earlier, self.global_step, self.rehearsal)
        loss = self.loss(self.network, rows.tokens, rows.parts, self.data.questions.scored_tokens)
        # only where Lightning writes it: at every update it would take a fifth of a small network's time
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if every and (self.global_step + 1) % every == 0:
            self.log("train/loss", loss)
        return loss

    def on_fit_start(self) -> None:
        """Check that there is something to rehearse.

        Raises:
            InputError: if there is nothing.
        """
        if self.rehearsal and not self.earlier:
            raise InputError("rehearsal needs pretrained, a network that was trained on other people before")

    def on_train_batch_start(self, batch: Rows, batch_idx: int) -> None:
        """Put an optimizer that averages weights, such as a schedule-free one, into its mode for training."""
        self._set_mode("train")

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """Make an update, and leave the weights as they are to be scored and kept."""
        super().optimizer_step(*args, **kwargs)
        self._set_mode("eval")

    def _set_mode(self, mode: str) -> None:
        for optimizer in self.trainer.optimizers:
            if callable(change := getattr(optimizer, mode, None)):
                change()

    def on_validation_epoch_start(self) -> None:
        """Begin new sums."""
        n_subjects = len(self.data.people.subjects)
        self._scores = {name: Scores(n_subjects, self.data.share(name)) for name in self.data.scored_sets}

    def validation_step(self, rows: Rows, batch_index: int, dataloader_idx: int = 0) -> None:
        """Score a chunk of a set."""
        scores = self._scores[self.data.scored_sets[dataloader_idx]]
        scores.add(self.network, rows, self.data.questions.scored_tokens)

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
        for number, people in enumerate(self.earlier):
            name, scores = set_name(number), score_rows(self.network, people.data, "one_hop")
            found |= {f"{name}/loss": scores.loss, f"{name}/accuracy": scores.accuracy}
            found[f"bits/{name}"] = people.bits(scores).total
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
            **make_record(self.network, self.data),
            "update": self.global_step,
            "history": self.history,
            "seconds": self.seconds,
            "threshold": self.threshold,
            "earlier": [people.plain() for people in self.earlier],
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the history, the time, and what the network was trained on before."""
        record = checkpoint[RECORD]
        self.history, self.seconds, self.earlier = record["history"], record["seconds"], read_earlier(record)
