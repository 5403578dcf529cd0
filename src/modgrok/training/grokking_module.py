"""The LightningModule: trains a network, several updates a step, and scores it on both sides of the split."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from lightning.fabric.utilities import move_data_to_device
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.trainer.states import TrainerFn
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from modgrok.data import Examples, ModularDataModule
from modgrok.errors import InputError, RunStoppedError, check_choice
from modgrok.models import Network, check_readable, class_path
from modgrok.models.losses import CROSS_ENTROPY, Loss, check_loss_readable
from modgrok.models.restoring import check_weights
from modgrok.runs import Findings, History, Score, Snapshot
from modgrok.runs.findings import training_bits
from modgrok.runs.history import THRESHOLD
from modgrok.runs.pretrained import freeze, load_parts
from modgrok.runs.snapshot import (
    PretrainedFrom,
    complete_record,
    network_weights,
    read_checkpoint,
    snapshot_from_checkpoint,
    snapshot_metadata,
)
from modgrok.training.checks import (
    check_data,
    check_end,
    check_engine,
    check_filters,
    check_schedule,
    check_steps,
    check_trainer,
)
from modgrok.training.cpu_tuning import (
    MULTIPLICATIONS_OF_A_LARGE_UPDATE,
    cpu_tuning,
    keep_freed_memory,
    threads_for,
)
from modgrok.training.engine import Engine
from modgrok.training.engine_choice import (
    EngineName,
    choose_engine,
    make_engine,
    run_multiplications,
    update_multiplications,
)
from modgrok.training.hyperparameters import (
    numbered,
    object_hyperparameters,
    optimizer_hyperparameters,
    scheduler_hyperparameters,
)
from modgrok.training.resume import apply_changes, check_resumption, fresh_states, make_states_plain
from modgrok.training.rules import GradientFilter
from modgrok.training.rules.grokking_adamw import GrokkingAdamW
from modgrok.training.rules.interventions import Intervention
from modgrok.training.rules.muon import NamedWeights
from modgrok.training.rules.warm_up import WarmUp
from modgrok.training.scored_module import ScoredModule
from modgrok.training.update_counter import (
    begin_at_step,
    evaluate_now,
    log_at,
    set_updates,
    skip_validation,
)

MOST_UPDATES_PER_STEP, MOST_LARGE_UPDATES_PER_STEP = 100, 20
"""Updates per training step unless a run says otherwise: Lightning's own work is then a small part of a step.

Of updates that are large for a CPU, few are enough for that, and the progress bar moves more often.
"""


class GrokkingModule(ScoredModule):
    """Trains a network until it groks.

    A training step makes `updates_per_step` updates on the batches it is given, by manual optimization; `global_step`,
    `max_steps`, checkpoints and the x axes of logs count updates. Every `evaluate_every` updates Lightning's validation
    scores all held-out and all training pairs; `history` keeps these scores.

    Args:
        network: maps tokens to logits over the answers.
        optimizer: makes the optimizer of the trained parameters.
        lr_scheduler: makes the learning-rate schedule of the optimizer; it steps once per update.
        loss: what is descended.
        gradient_filters: change the gradients before the optimizer sees them, in this order.
        interventions: change the updates of a part of the run, in this order.
        evaluate_every: updates between evaluations.
        updates_per_step: updates per training step; must divide `evaluate_every`. 1 has exactly Lightning's semantics,
            more is faster. Unless given, the most up to 100 (up to 20 where an update is large for a CPU) that divide
            it and the updates between the checkpoints of a ModelCheckpoint.
        threshold: accuracy from which a side of the split counts as learned.
        engine: what makes the updates: `eager`, `compile`, `cuda_graph`, or `auto` for the fastest that fits.
        threads: CPU threads that make the updates; follow from the size of an update unless given.
        pretrained: a run or a checkpoint that the network starts from.
        pretrained_parts: parts of it that are taken over; all unless given.
        frozen: parts of the network that are not trained.
        allow_changes: resume even if hyperparameters differ from the checkpoint's.

    Raises:
        InputError: if a value is out of its range, or `pretrained` does not fit the network.
    """

    def __init__(
        self,
        network: Network,
        optimizer: OptimizerCallable = GrokkingAdamW,
        lr_scheduler: LRSchedulerCallable = WarmUp,
        loss: Loss | None = None,
        gradient_filters: list[GradientFilter] | None = None,
        interventions: list[Intervention] | None = None,
        evaluate_every: int = 100,
        updates_per_step: int | None = None,
        threshold: float = THRESHOLD,
        engine: EngineName = "auto",
        threads: int | None = None,
        pretrained: str | None = None,
        pretrained_parts: list[str] | None = None,
        frozen: list[str] | None = None,
        allow_changes: bool = False,
    ) -> None:
        super().__init__(network, loss or CROSS_ENTROPY)
        for name, number in (("evaluate_every", evaluate_every), ("threads", threads)):
            if number is not None and number < 1:
                raise InputError(f"{name} must be a positive integer, got {number}")
        check_choice("engine", engine, EngineName)
        if updates_per_step is not None and (updates_per_step < 1 or evaluate_every % updates_per_step):
            raise InputError(
                f"updates_per_step must divide evaluate_every = {evaluate_every}, got {updates_per_step}"
            )
        if not 0 < threshold <= 1:
            raise InputError(f"threshold must be an accuracy in (0, 1], got {threshold}")
        if pretrained_parts is not None and pretrained is None:
            raise InputError("pretrained_parts needs pretrained: RUN_OR_CKPT")
        self.automatic_optimization = False
        self.optimizer, self.lr_scheduler = optimizer, lr_scheduler
        self.gradient_filters = gradient_filters or []
        self.interventions = interventions or []
        self.evaluate_every = evaluate_every
        self.updates_per_step = updates_per_step
        self.threshold = threshold
        self.engine, self.threads = engine, threads
        self.allow_changes = allow_changes
        self.pretrained_from = (
            None if pretrained is None else load_parts(network, pretrained, pretrained_parts)
        )
        self.frozen = list(frozen or ())
        freeze(network, self.frozen)
        self.history = History(threshold)
        """The scores evaluated so far."""
        self._seconds_before = 0.0  # that the run had taken before this fit
        self._clock: float | None = None  # when this fit began to train
        self.interruptible = False
        """Whether a KeyboardInterrupt leaves the run as it is: no update is under way."""
        self.runs_of_one_compilation = 1
        """How many runs share what compiling costs; see `choose_engine`."""
        self._resumed: dict[str, Any] | None = None  # the checkpoint that the fit resumes from

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | Path, map_location: Any = None, **arguments: Any
    ) -> Self:
        """Build the module whose checkpoint this is, with the network, the weights and the history of the file.

        Args:
            checkpoint_path: a file that a run of modgrok wrote.
            map_location: the device of the network; the CPU unless given.
            arguments: the constructor's other arguments, such as an optimizer other than the default.

        Raises:
            InputError: if the file is not such a checkpoint.
        """
        path = Path(checkpoint_path)
        checkpoint = read_checkpoint(path)
        snapshot = snapshot_from_checkpoint(checkpoint, path)
        read = {"network": snapshot.network.train(), "loss": snapshot.loss}
        module = cls(**{**checkpoint["modgrok"]["settings"], **read, **arguments})
        module.history, module.pretrained_from = snapshot.history, snapshot.pretrained_from
        return module.to(map_location or "cpu")

    def configure_optimizers(self) -> Any:
        """Return the optimizer of the trained parameters and its schedule.

        Raises:
            InputError: if one of them refuses its arguments.
        """
        trained = NamedWeights(each for each in self.network.named_parameters() if each[1].requires_grad)
        field = "optimizer"
        try:
            optimizer = self.optimizer(trained)
            field = "lr_scheduler"
            scheduler = self.lr_scheduler(optimizer)
        except (TypeError, ValueError) as error:
            raise InputError(f"model.{field}: {error}") from error
        if isinstance(scheduler, ReduceLROnPlateau):
            raise InputError(
                "model.lr_scheduler: ReduceLROnPlateau needs a metric at each step; take another"
            )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def updates_per_step_on(self, device: torch.device, data: ModularDataModule) -> int:
        """Return the updates of a training step on these data and that device.

        A step ends wherever a ModelCheckpoint is due.
        """
        if self.updates_per_step is not None:
            return self.updates_per_step
        every = [c._every_n_train_steps for c in self.trainer.callbacks if isinstance(c, ModelCheckpoint)]  # type: ignore[attr-defined]
        due = math.gcd(self.evaluate_every, *every)
        large = device.type == "cpu" and self._multiplications(data) >= MULTIPLICATIONS_OF_A_LARGE_UPDATE
        most = MOST_LARGE_UPDATES_PER_STEP if large else MOST_UPDATES_PER_STEP
        return max(n for n in range(1, most + 1) if due % n == 0)

    def hyperparameters(self) -> dict[str, Any]:
        """Return what was chosen for the run, flat and plain; the trainer must have set the optimizers up."""
        return self._hyperparameters(self.data, self._optimizers(), self._schedulers())

    def _hyperparameters(
        self, data: ModularDataModule, optimizers: Sequence[Optimizer], schedulers: Sequence[LRScheduler]
    ) -> dict[str, Any]:
        return {
            **numbered("optimizer", [optimizer_hyperparameters(one) for one in optimizers]),
            **numbered("lr_scheduler", [scheduler_hyperparameters(one) for one in schedulers]),
            **numbered("loss", [object_hyperparameters(self.loss)]),
            **numbered("gradient_filter", [object_hyperparameters(one) for one in self.gradient_filters]),
            **numbered("intervention", [object_hyperparameters(one) for one in self.interventions]),
            "evaluate_every": self.evaluate_every,
            "threshold": self.threshold,
            "frozen": self.frozen,
            "precision": self.trainer.precision,
            **self.network.config,
            **data.hyperparameters,
        }

    def check_resumption(self, checkpoint: dict[str, Any], data: ModularDataModule, path: str) -> None:
        """Check that this module can resume a run from a checkpoint that was read from `path`.

        Raises:
            InputError: naming the hyperparameters that differ, or if the optimizer's state is not of these weights.
        """
        made = self.configure_optimizers()
        optimizers, schedulers = [made["optimizer"]], [made["lr_scheduler"]["scheduler"]]
        here = self._hyperparameters(data, optimizers, schedulers)
        check_resumption(checkpoint, here, optimizers, self.allow_changes, path)

    # training

    def check(self, data: ModularDataModule, trainer: Trainer) -> None:
        """Check that a run can be trained to an end and read back, before anything of it is written.

        Raises:
            InputError: naming the field, if it could not.
        """
        device = trainer.strategy.root_device
        check_trainer(trainer)
        check_end(trainer)
        check_steps(self.updates_per_step_on(device, data), trainer)
        check_engine(self.engine, data.batch_size is None, device)
        check_data(self.network, self.pretrained_from, data)
        check_readable(self.network)
        check_loss_readable(self.loss)
        made = self.configure_optimizers()
        if isinstance(made, dict):  # a user's own may return any of the forms that Lightning takes
            for intervention in self.interventions:
                intervention.check([made["optimizer"]])
            schedule = made.get("lr_scheduler")
            check_schedule(
                schedule["scheduler"] if isinstance(schedule, dict) else schedule, trainer.max_steps
            )
        check_filters(self.network, self.gradient_filters)

    def setup(self, stage: str) -> None:
        """Check everything that can be wrong with a run; see `check`."""
        if stage == "fit":
            self.check(self.data, self.trainer)

    def on_fit_start(self) -> None:
        """Decide how the updates are made, and take up the run that is resumed.

        Raises:
            InputError: if hyperparameters differ from the checkpoint's.
        """
        saved = self._resumed["modgrok"] if self._resumed else None
        update = saved["update"] if saved else self.global_step
        self._fresh = self.hyperparameters()
        if self._resumed is not None and saved is not None:
            path = str(self.trainer.ckpt_path)
            check_resumption(self._resumed, self._fresh, self._optimizers(), self.allow_changes, path)
        self._fresh_states = fresh_states(self._optimizers(), self._schedulers())
        update_size = self._multiplications(self.data)
        length = self.trainer.max_steps if self.trainer.max_steps > 0 else math.inf
        run_size = run_multiplications(update_size, length, self.runs_of_one_compilation)
        used = saved["used"] if saved else {}
        asked: Any = used.get("engine", "auto") if self.engine == "auto" else self.engine
        self.used_engine = choose_engine(asked, self.device, self.data.batch_size is None, run_size)
        self.used_threads = self.threads or min(used.get("threads", math.inf), threads_for(update_size))
        self.used_updates_per_step = self.updates_per_step_on(self.device, self.data)
        self.data.updates_per_step, self.data.before_step = self.used_updates_per_step, self._announce
        self.trainer.val_check_interval = self.evaluate_every // self.used_updates_per_step
        self.trainer.check_val_every_n_epoch = None
        begin_at_step(self.trainer, update // self.used_updates_per_step)
        set_updates(self.trainer, update)
        if update == 0:
            self.history, self._seconds_before = History(self.threshold), 0.0
        if self.trainer.precision != "32-true":
            rank_zero_warn(f"{self.trainer.precision} arithmetic: the results differ from those in float32")
        self._engine: Engine | None = None
        keep_freed_memory()

    def on_train_start(self) -> None:
        """Take up changed hyperparameters where they are allowed; score the network as it comes."""
        if self._resumed is not None and self.allow_changes:
            apply_changes(self._fresh_states, self._optimizers(), self._schedulers())
        if self._resumed is not None and "random_state" in self._resumed["modgrok"]:
            torch.set_rng_state(self._resumed["modgrok"]["random_state"])
        self._resumed = None
        self._clock = self._evaluated = time.perf_counter()
        if not self.history.update or (
            self.history.update[-1] < self.global_step and self.global_step % self.evaluate_every == 0
        ):
            evaluate_now(self.trainer)

    def _announce(self, updates: int) -> None:
        """File what the coming training step logs under the number of the step's last update."""
        last, most = self.global_step + updates, self.trainer.max_steps
        log_at(self.trainer, (min(last, most) if most > 0 else last) - 1)

    def training_step(self, batches: Sequence[Examples], batch_index: int) -> None:
        """Make one update on each of the batches, up to the trainer's last, or until the run is to stop."""
        trainer, first = self.trainer, self.global_step
        with cpu_tuning(self.used_threads):
            losses: list[Tensor] = []
            for batch in batches:
                active = [each for each in self.interventions if each.changes(first + len(losses))]
                if self._engine is None or self._engine.interventions != active:
                    self._engine = self._make_engine(batch, active)
                if self._engine is None:
                    break
                losses.append(self._engine.update(batch))
                if first + len(losses) == trainer.max_steps or trainer.should_stop:
                    break
            if not losses:
                return
            values = torch.stack(losses).tolist()
        for update, loss in enumerate(values, start=first):
            if not math.isfinite(loss):
                raise self._diverged(update, loss)
        set_updates(trainer, first + len(values))
        log_at(trainer, self.global_step - 1)
        self.log("train/loss", values[-1])
        if self.global_step == trainer.max_steps:
            trainer.should_stop = True  # Lightning validates where a run stops

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_index: int) -> None:
        """Let Lightning validate where an evaluation is due, and not where a signal happens to stop the run."""
        due = self.global_step % self.evaluate_every == 0 or self.global_step == self.trainer.max_steps
        if not due or self.history.update[-1:] == [self.global_step]:
            skip_validation(self.trainer)

    @property
    def seconds(self) -> float:
        """Wall time spent on training so far, resumptions included."""
        return self._seconds_before + (time.perf_counter() - self._clock if self._clock else 0.0)

    def on_train_end(self) -> None:
        """Stop the clock."""
        self._seconds_before, self._clock = self.seconds, None

    def _make_engine(self, batch: Examples, interventions: Sequence[Intervention]) -> Engine | None:
        """Build an engine. Compilation can take a minute, so Ctrl-C may interrupt it: then there is none."""
        full = self.data.batch_size is None
        self.interruptible = True
        try:
            return make_engine(
                self.used_engine,
                [batch] if full else self._batch_of_each_size(),
                self.network,
                self.loss,
                self._optimizers(),
                self._schedulers(),
                self.gradient_filters,
                interventions,
                n_answers=self.data.n_answers,
                n_tasks=len(self.data.tasks),
                drawn_from=None if full else self.data.training_pairs.tokens.to(self.device),
            )
        except KeyboardInterrupt:
            if not self.trainer.should_stop:
                raise
            return None
        finally:
            self.interruptible = False

    def _multiplications(self, data: ModularDataModule) -> int:
        return update_multiplications(self.network, data.batch_size or data.training_pairs.size)

    def _batch_of_each_size(self) -> list[Examples]:
        """Return mini-batches of all sizes that an epoch has: its last one can be smaller."""
        size, pairs = self.data.batch_size, self.data.training_pairs.to(self.device)
        assert size is not None
        return [pairs.select(slice(each)) for each in (size, pairs.size % size) if each]

    def _optimizers(self) -> list[Optimizer]:
        optimizers = self.optimizers(use_pl_optimizer=False)
        return optimizers if isinstance(optimizers, list) else [optimizers]

    def _schedulers(self) -> list[LRScheduler]:
        schedulers = self.lr_schedulers() or []
        return schedulers if isinstance(schedulers, list) else [schedulers]

    def _diverged(self, update: int, loss: float) -> RunStoppedError:
        rate = self._optimizers()[0].param_groups[0]["lr"]
        saved = getattr(self.trainer.checkpoint_callback, "last_saved", None)
        return RunStoppedError(
            f"the training loss became {loss} at update {update}, learning rate {float(rate):g}; "
            + (f"the last good checkpoint is {saved}" if saved else "no checkpoint was written yet")
        )

    # scores

    def record(self, found: dict[str, tuple[Score, list[Score]]]) -> dict[str, float]:
        """Add an evaluation to the history; return the rate of the updates since the last."""
        update, (train, of_train), (heldout, of_heldout) = self.global_step, found["train"], found["heldout"]
        if not math.isfinite(train.loss):
            raise self._diverged(update, train.loss)
        names, pairs = self.task_names, zip(of_train, of_heldout, strict=True)
        of_task = dict(zip(names, pairs, strict=True)) if len(names) > 1 else {}
        since = self.history.update[-1] if self.history.update else update
        seconds = time.perf_counter() - self._evaluated
        self.history.append(update, train, heldout, of_task)
        return {"perf/updates_per_second": (update - since) / seconds} if update > since else {}

    def on_validation_end(self) -> None:
        """Start the clock of the updates up to the next evaluation."""
        self._evaluated = time.perf_counter()

    # checkpoints

    def findings(self, *, finished: bool) -> Findings:
        """Return what the run has found so far."""
        answers = [task.n_answers for task in self.data.tasks]
        sizes = list(zip(self.data.training_counts, answers, strict=True))
        entropy, bits = training_bits(self.history, sizes)
        known_of_heldout = self.data.heldout_pairs.known
        return Findings.of(
            self.history,
            task=" | ".join(task.name for task in self.data.tasks),
            modulus=self.data.config["modulus"],
            updates=self.global_step,
            parameters=sum(weight.numel() for weight in self.network.parameters()),
            heldout_new=int((~known_of_heldout).sum()),
            heldout_known=int(known_of_heldout.sum()),
            entropy=entropy,
            bits=bits if self.loss.in_nats else None,
            seconds=self.seconds,
            engine=self.used_engine,
            threads=self.used_threads,
            finished=finished,
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what a snapshot and a resumed run need besides the weights, and keep every number plain."""
        snapshot = Snapshot(
            self.network,
            self.data,
            self.global_step,
            self.history,
            pretrained_from=self.pretrained_from,
            frozen=self.frozen,
            loss=self.loss,
        )
        settings = ("evaluate_every", "updates_per_step", "threshold", "engine", "threads", "frozen")
        checkpoint["modgrok"] = snapshot_metadata(snapshot) | {
            "hyperparameters": self._fresh,
            "settings": {name: getattr(self, name) for name in settings},
            "used": {"engine": self.used_engine, "threads": self.used_threads},
            "seconds": self.seconds,
            "random_state": torch.get_rng_state(),  # of dropout, which draws from PyTorch's global generator
        }
        checkpoint["gradient_filters"] = [each.state_dict() for each in self.gradient_filters]
        make_states_plain(checkpoint)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the history and, to resume, remember what `on_fit_start` compares.

        Raises:
            InputError: if the checkpoint is not modgrok's, or of another network.
        """
        saved = checkpoint.get("modgrok")
        if not isinstance(saved, dict):
            raise InputError("not a checkpoint of modgrok")
        complete_record(saved)
        ours = {"class_path": class_path(self.network), "config": self.network.config}
        if saved["network"] != ours:
            raise InputError(f"the checkpoint is of another network: {saved['network']}, not {ours}")
        check_weights(self.network, network_weights(checkpoint["state_dict"]))
        self.history = History.from_record(saved["history"])
        self._seconds_before = saved["seconds"]
        self.pretrained_from = PretrainedFrom(**origin) if (origin := saved["pretrained_from"]) else None
        if self.trainer.state.fn == TrainerFn.FITTING:
            self._resumed = checkpoint
            checkpoint.pop("loops", None)  # Lightning's counters follow from the update
            states = move_data_to_device(checkpoint["gradient_filters"], self.trainer.strategy.root_device)
            for each, state in zip(self.gradient_filters, states, strict=True):
                each.load_state_dict(state)
