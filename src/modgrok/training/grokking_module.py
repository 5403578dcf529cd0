"""The LightningModule: trains a network in spans of updates and measures it in between."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import Any, cast

import torch
from lightning.pytorch import LightningModule
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from modgrok.data import Batches, Chunks, Examples, ModularDataModule
from modgrok.data.data_module import CHUNK
from modgrok.errors import InputError, RunStoppedError
from modgrok.models import Network
from modgrok.models.restore import check_weights
from modgrok.runs.history import History
from modgrok.runs.pretrained import freeze, load_parts
from modgrok.runs.snapshot import PretrainedFrom, network_weights, record
from modgrok.training.cpu_tuning import keep_freed_memory
from modgrok.training.engine import Engine, EngineName, make_engine
from modgrok.training.gradient_filters import Lp
from modgrok.training.scores import TaskScores, score
from modgrok.training.token_order import check_order
from modgrok.training.warm_up import Timetable, WarmUp, next_due, next_multiple

SPAN_SECONDS = 0.5
"""Updates are handed to the engine for about this long at most, so that the progress bar and Ctrl-C stay alive."""


class GrokkingModule(LightningModule):
    """Trains a network until it groks: float64 cross-entropy, AdamW with warm-up.

    Args:
        network: maps tokens to logits over the answers.
        lr: AdamW's learning rate.
        betas: AdamW's.
        weight_decay: AdamW's, decoupled.
        warmup_updates: over which the learning rate rises from 0.
        evaluate_every: updates between evaluations of all training and held-out pairs.
        engine: what makes the updates; see `make_engine`.
        tf32: allow CUDA to multiply float32 matrices in TF32, which changes results in the fourth digit.
        lp_strength: of a regularization of the weights besides AdamW's decay; see `Lp`.
        lp_power: of that regularization.
        pretrained: a run or a checkpoint that the network starts from.
        pretrained_parts: which parts of it are taken over; all unless given.
        frozen: parts of the network that are not trained.

    Raises:
        InputError: if a number is out of its range, or `pretrained` does not fit the network.
    """

    def __init__(
        self,
        network: Network,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.98),
        weight_decay: float = 1.0,
        warmup_updates: int = 10,
        evaluate_every: int = 100,
        engine: EngineName = "auto",
        tf32: bool = False,
        lp_strength: float = 0.0,
        lp_power: float = 1.0,
        pretrained: str | None = None,
        pretrained_parts: list[str] | None = None,
        frozen: list[str] | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("lr", lr), ("weight_decay", weight_decay), ("warmup_updates", warmup_updates)):
            if not 0 <= value < math.inf:
                raise InputError(f"{name}: {value} is not a number from 0 up")
        if not all(0 <= beta < 1 for beta in betas):
            raise InputError(f"betas: {betas} are not two numbers from 0 up to, but not including, 1")
        if evaluate_every < 1:
            raise InputError(f"evaluate_every: {evaluate_every} is not a positive number of updates")
        self.automatic_optimization = False
        self.network = network
        self.lr, self.betas, self.weight_decay = lr, betas, weight_decay
        self.warmup_updates = warmup_updates
        self.evaluate_every = evaluate_every
        self.engine_name, self.tf32 = engine, tf32
        self.lp = Lp(lp_power, lp_strength)
        if pretrained_parts is not None and pretrained is None:
            raise InputError("pretrained_parts: of which run? give it as pretrained: RUN_OR_CKPT")
        self.origin = None if pretrained is None else load_parts(network, pretrained, pretrained_parts)
        self.frozen = list(frozen or ())
        freeze(network, self.frozen)
        self.history = History()
        """What was evaluated so far in the run."""
        self.interruptible = False
        """Whether a KeyboardInterrupt leaves the run as it is: no update is under way."""
        self._engine: Engine
        self._span = 1

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits, (n, p), of tokens (n, t)."""
        logits: Tensor = self.network(tokens)
        return logits

    def configure_optimizers(self) -> Any:
        """Return AdamW and its warm-up."""
        optimizer = AdamW(
            [parameter for parameter in self.network.parameters() if parameter.requires_grad],
            lr=self.lr,
            betas=self.betas,
            weight_decay=self.weight_decay,
            fused=True,
        )
        return [optimizer], [LambdaLR(optimizer, WarmUp(self.warmup_updates))]

    @property
    def data(self) -> ModularDataModule:
        """The pairs of the run.

        Raises:
            InputError: if the trainer was given no ModularDataModule.
        """
        data = getattr(self.trainer, "datamodule", None)
        if not isinstance(data, ModularDataModule):
            raise InputError("the trainer needs a ModularDataModule: trainer.fit(module, datamodule)")
        return data

    def hyperparameters(self) -> dict[str, Any]:
        """Return what was chosen for the run, flat and plain, for the loggers."""
        chosen = {"lr": self.lr, "betas": str(self.betas), "weight_decay": self.weight_decay}
        chosen |= {"warmup_updates": self.warmup_updates}
        data = {name: value for name, value in self.data.config.items() if value is not None}
        return {
            **chosen,
            **self.network.config,
            **{name: str(v) if isinstance(v, list) else v for name, v in data.items()},
        }

    # training

    def on_fit_start(self) -> None:
        """Set the arithmetic up, and take the pairs apart for evaluation.

        Raises:
            InputError: if the network cannot tell the examples apart (see `check_order`), or was trained on another
                modulus before.
        """
        check_order(self.network, self.data)
        modulus = self.data.config["modulus"]
        if self.origin is not None and self.origin.modulus != modulus:
            raise InputError(
                f"pretrained: {self.origin.source} was trained mod {self.origin.modulus}, this run is mod {modulus}"
            )
        if self.tf32 or self.trainer.precision != "32-true":
            changed = "TF32" if self.tf32 else self.trainer.precision
            rank_zero_warn(f"{changed} arithmetic was asked for: the results differ from those in float32")
        # without this a confident network's gradients are denormal, and an update takes five times as long
        torch.set_flush_denormal(True)
        keep_freed_memory()
        torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
        device = self.device
        self._training_chunks = Chunks(self.data.training_pairs.to(device), CHUNK)
        self._heldout_chunks = Chunks(self.data.heldout_pairs.to(device), CHUNK)

    def teardown(self, stage: str) -> None:
        """Leave the process's arithmetic as it was."""
        torch.set_flush_denormal(False)

    def on_train_start(self) -> None:
        """Evaluate the network as it comes, then make the engine that updates it."""
        self._mark = self.global_step, time.perf_counter()
        if self.global_step == 0:
            self.history = History(threshold=self.history.threshold)
            self._evaluate()
        try:
            self._make_engine()
        except KeyboardInterrupt:
            if not self.trainer.should_stop:
                raise
        self._mark = self.global_step, time.perf_counter()

    def training_step(self, batches: Batches, batch_index: int) -> None:
        """Make the updates up to the next one at which something else must happen."""
        first = self.global_step
        due = self._next_due(first)
        n = min(due - first, self._span)
        start = time.perf_counter()
        losses = self._engine.run(first, n)
        self._note(first, losses.tolist())
        self._span = max(1, int(n * SPAN_SECONDS / (time.perf_counter() - start)))
        self._count(n)
        update = self.global_step
        if update == due or update == self.trainer.max_steps:
            self._evaluate()

    def _make_engine(self) -> None:
        """Make the engine; compiling takes longer than anybody who stops a run should have to wait."""
        self.interruptible = True
        try:
            self._span = 1
            self._engine = make_engine(
                self.engine_name,
                self.network,
                self.optimizers(use_pl_optimizer=False),  # type: ignore[arg-type]
                self.lr_schedulers(),  # type: ignore[arg-type]
                cast(Batches, self.trainer.train_dataloader),
                len(self.data.tasks),
                self.trainer.max_steps,
                self.lp,
            )
        finally:
            self.interruptible = False

    def _next_due(self, update: int) -> int:
        due = next_multiple(update, self.evaluate_every)
        callbacks = self.trainer.callbacks  # type: ignore[attr-defined]
        callbacks = [callback for callback in callbacks if isinstance(callback, Timetable)]
        if (called := next_due(update, callbacks)) is not None:
            due = min(due, called)
        return min(due, self.trainer.max_steps) if self.trainer.max_steps > 0 else due

    def _note(self, first: int, losses: list[float]) -> None:
        """Log the losses before each update of a span; stop if one is not finite."""
        every = self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        for update, loss in enumerate(losses, start=first):
            if not math.isfinite(loss):
                self._diverged(update, loss)
            if update % every == 0 and update != self.history.update[-1]:
                self._log({"train/loss": loss}, update)

    def _count(self, n: int) -> None:
        """Tell the trainer how many updates the span was: its `global_step` is where every part of it looks."""
        steps = self.trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
        for progress in (steps.total, steps.current):
            progress.ready += n
            progress.completed += n

    def _evaluate(self) -> None:
        update, now = self.global_step, time.perf_counter()
        tasks = self.data.tasks
        train, train_of_task = score(self.network, self._training_chunks, len(tasks))
        heldout, heldout_of_task = score(self.network, self._heldout_chunks, len(tasks))
        if not math.isfinite(train.loss):
            self._diverged(update, train.loss)
        self.history.append(update, train, heldout)
        scalars = self.history.latest()
        if len(tasks) > 1:
            for task, *sides in zip(tasks, train_of_task, heldout_of_task, strict=True):
                history = self.history.of_task.setdefault(
                    task.name, History(threshold=self.history.threshold)
                )
                history.append(update, *sides)
                scalars |= {f"{name}/{task.name}": value for name, value in history.latest().items()}
        since, then = self._mark
        if update > since:
            scalars["perf/updates_per_second"] = (update - since) / (now - then)
        self._log(scalars, update)
        self._mark = update, time.perf_counter()

    def _log(self, scalars: dict[str, float], update: int) -> None:
        for logger in self.loggers:
            logger.log_metrics(scalars, step=update)

    def _diverged(self, update: int, loss: float) -> None:
        rate = self.lr_schedulers().get_last_lr()[0]  # type: ignore[union-attr]
        saved = getattr(self.trainer.checkpoint_callback, "last_saved", None)
        raise RunStoppedError(
            f"the training loss became {loss} at update {update}, learning rate {float(rate):g}; "
            + (f"the last good checkpoint is {saved}" if saved else "no checkpoint was written yet")
        )

    # checkpoints

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what a snapshot needs besides the weights, and keep every number plain."""
        checkpoint["modgrok"] = record(
            self.network, self.data, self.global_step, self.history, self.origin, self.frozen
        )
        for state in checkpoint.get("optimizer_states", ()):
            for group in state["param_groups"]:
                group["lr"], group["capturable"] = float(group["lr"]), False
        for state in checkpoint.get("lr_schedulers", ()):
            state["_last_lr"] = [float(rate) for rate in state["_last_lr"]]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up where it was left.

        Raises:
            InputError: if the checkpoint is of another network.
        """
        try:
            check_weights(type(self.network), self.network.config, network_weights(checkpoint["state_dict"]))
        except InputError as error:
            raise InputError(f"the checkpoint is not of this network: {error}") from None
        saved = checkpoint["modgrok"]
        self.history = History.from_record(saved["history"])
        self.origin = PretrainedFrom(**saved["origin"]) if saved.get("origin") else None

    # validate, test, predict

    def _start_scores(self) -> None:
        self._scores = TaskScores(len(self.data.tasks)).to(self.device)

    def _score_step(self, examples: Examples, batch_index: int) -> None:
        self._scores.update(self.network(examples.tokens), examples)

    def _log_scores(self) -> None:
        overall, each = self._scores.read()
        self.log_dict({f"heldout/{name}": value for name, value in asdict(overall).items()})
        if len(each) > 1:
            for task, of_task in zip(self.data.tasks, each, strict=True):
                scalars = asdict(of_task).items()
                self.log_dict({f"heldout/{name}/{task.name}": value for name, value in scalars})

    on_validation_epoch_start = on_test_epoch_start = _start_scores
    validation_step = test_step = _score_step
    on_validation_epoch_end = on_test_epoch_end = _log_scores

    def predict_step(self, examples: Examples, batch_index: int) -> Tensor:
        """Return the probability of every answer, (n, p) float64."""
        return self.network(examples.tokens).double().softmax(-1)
