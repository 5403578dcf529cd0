"""The LightningModule: trains a network, several updates a step, and scores it on both sides of the split."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import torch
from lightning.fabric.utilities import move_data_to_device
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.trainer.states import TrainerFn
from lightning.pytorch.utilities.model_helpers import is_overridden
from lightning_utilities.core.rank_zero import rank_zero_warn
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from modgrok.data import Examples, ModularDataModule, TrainingBatches
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
    check_callbacks,
    check_data,
    check_end,
    check_engine,
    check_filters,
    check_optimizer,
    check_schedule,
    check_steps,
    made_optimizers,
)
from modgrok.training.cpu_tuning import cpu_tuning, keep_freed_memory, threads_for
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
from modgrok.training.resume import (
    apply_changes,
    check_resumption,
    compute_as_chosen_now,
    fresh_states,
    make_states_plain,
)
from modgrok.training.rules import GradientFilter
from modgrok.training.rules.grokking_adamw import GrokkingAdamW
from modgrok.training.rules.interventions import Intervention
from modgrok.training.rules.muon import NamedWeights
from modgrok.training.rules.warm_up import WarmUp
from modgrok.training.scored_module import ScoredModule
from modgrok.training.trainer_options import check_options
from modgrok.training.update_counter import (
    evaluate_now,
    log_at,
    set_epochs,
    set_updates,
    skip_batches,
    skip_validation,
)
from modgrok.training.updates_per_step import updates_per_step, watcher


class GrokkingModule(ScoredModule):
    """Trains a network until it groks.

    An update is a step of Lightning's automatic optimization. An epoch is `evaluate_every` updates; at its end
    Lightning's validation scores all held-out and all training pairs, and `history` keeps these scores. Where updates
    are small and nobody looks at single ones, a training step makes several; `global_step`, `max_steps`, checkpoints
    and the x axes of logs count updates all the same.

    Args:
        network: maps tokens to logits over the answers.
        optimizer: makes the optimizer of the trained parameters.
        lr_scheduler: makes the learning-rate schedule of the optimizer; it steps once per update.
        loss: the loss that is minimized; cross-entropy in float64 unless given.
        gradient_filters: change the gradients before the optimizer sees them, in this order.
        interventions: change the updates of a part of the run, in this order.
        evaluate_every: updates between evaluations.
        updates_per_step: the most updates of a training step; must divide `evaluate_every`. They follow from the size
            of an update unless given. A step has one update wherever a callback or an option of the trainer looks at
            single updates; see `updates_per_step.watcher`.
        threshold: accuracy from which a side of the split counts as learned.
        engine: the way updates are computed: `eager`, `compile`, `cuda_graph`, or `auto`; see `choose_engine`.
        threads: CPU threads that make the updates; follow from the size of an update unless given.
        pretrained: a run or a checkpoint that the network starts from.
        pretrained_parts: parts of it that are taken over; all unless given.
        frozen: parts of the network that are not trained.
        allow_changes: resume even if hyperparameters differ from the checkpoint's.

    Raises:
        InputError: if a value is out of its range, or `pretrained` does not fit the network.

    Example:
        >>> from lightning import Trainer
        >>> from modgrok import GrokkingModule, ModularDataModule, Transformer
        >>> data = ModularDataModule("x + y", modulus=7, train_fraction=0.5)
        >>> module = GrokkingModule(Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2))
        >>> quiet = {"enable_progress_bar": False, "enable_model_summary": False}
        >>> trainer = Trainer(max_steps=20, accelerator="cpu", devices=1, **quiet)
        >>> trainer.fit(module, data)
        >>> module.global_step
        20
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
        self.circuits: dict[str, dict[str, Any]] = {}
        """The circuit of each formula as a callback last measured it, for the findings."""
        self._seconds_before = 0.0  # that the run had taken before this fit
        self._clock: float | None = None  # when this fit began to train
        self.interruptible = False
        """Whether a KeyboardInterrupt leaves the run as it is: no update is under way."""
        self.interrupted = False
        """Whether a signal is ending the run, which is then not scored where it happens to stop."""
        self.used_engine: EngineName = "eager"
        self.used_updates_per_step = 1
        self.watcher: str | None = None
        """Who looks at single updates, if anybody does."""
        self._fresh: dict[str, Any] | None = None  # the hyperparameters as they were chosen
        self._engine: Engine | None = None
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
        except (NotImplementedError, TypeError, ValueError) as error:
            raise InputError(f"model.{field}: {str(error) or 'a base class, which does nothing'}") from error
        if isinstance(scheduler, ReduceLROnPlateau):
            raise InputError(
                "model.lr_scheduler: ReduceLROnPlateau needs a metric at each step; take another"
            )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

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
            **_of_gradients(self.trainer),
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
        check_options(trainer)
        check_end(trainer)
        check_steps(self.updates_per_step, trainer)
        check_callbacks(trainer.callbacks)  # type: ignore[attr-defined]
        check_engine(self.engine, data.batch_size is None, device)
        check_data(self.network, self.pretrained_from, data)
        check_readable(self.network)
        check_loss_readable(self.loss)
        made = self.configure_optimizers()
        optimizers = made_optimizers(made)
        if len(optimizers) > 1 and (changed := next(iter(_of_gradients(trainer)), None)):
            raise InputError(f"trainer.{changed}: several optimizers have no common step; return one")
        for intervention in self.interventions:
            intervention.check(optimizers)
        if isinstance(made, dict):  # a user's own may return any of the forms that Lightning takes
            schedule = made.get("lr_scheduler")
            check_schedule(
                schedule["scheduler"] if isinstance(schedule, dict) else schedule, trainer.max_steps
            )
        if not is_overridden("configure_optimizers", self, GrokkingModule):
            check_optimizer(self.optimizer, self.network, device)
        check_filters(self.network, self.gradient_filters)

    def setup(self, stage: str) -> None:
        """Check everything that can be wrong with a run before anything of it is written; see `check`."""
        if stage == "fit":
            self.check(self.data, self.trainer)
            # Lightning leaves the steps of several optimizers to the module
            self.automatic_optimization = len(made_optimizers(self.configure_optimizers())) == 1
        else:
            check_options(self.trainer)

    def on_fit_start(self) -> None:
        """Take up the run that is resumed, and decide how the updates are made.

        Raises:
            InputError: if hyperparameters differ from the checkpoint's.
        """
        trainer = self.trainer
        saved = self._resumed["modgrok"] if self._resumed else None
        update = saved["update"] if saved else self.global_step
        self._fresh = self.hyperparameters()
        if self._resumed is not None:
            check_resumption(
                self._resumed, self._fresh, self._optimizers(), self.allow_changes, str(trainer.ckpt_path)
            )
            compute_as_chosen_now(self._resumed, self._optimizers())
        self._fresh_states = fresh_states(self._optimizers(), self._schedulers())
        set_updates(trainer, update)
        set_epochs(trainer, update // self.evaluate_every)
        if update == 0:
            self.history, self.circuits, self._seconds_before = History(self.threshold), {}, 0.0
        self._decide_how(saved["used"] if saved else {})
        self.data.batches_before = update % self.evaluate_every * trainer.accumulate_grad_batches
        if trainer.precision != "32-true":
            rank_zero_warn(f"{trainer.precision} arithmetic: the results differ from those in float32")
        self.interrupted = False
        keep_freed_memory()

    def _decide_how(self, used: Mapping[str, Any]) -> None:
        """Decide how the updates are made: the engine, its threads, and how many updates a step has.

        Args:
            used: what the run that is resumed has used, where it was left to modgrok.
        """
        data, trainer = self.data, self.trainer
        update_size = update_multiplications(self.network, data.batch_size or data.training_pairs.size)
        run_size = run_multiplications(update_size, *self._longest(), self.runs_of_one_compilation)
        asked: Any = used.get("engine", "auto") if self.engine == "auto" else self.engine
        self.used_engine = choose_engine(asked, self.device, data.batch_size is None, run_size)
        self.used_threads = self.threads or min(used.get("threads", math.inf), threads_for(update_size))
        self.watcher = watcher(trainer, self, GrokkingModule)
        self.used_updates_per_step = (
            updates_per_step(self.updates_per_step, self.evaluate_every, update_size, self.device, trainer)
            if self.watcher is None
            else 1
        )
        self.automatic_optimization &= self.used_updates_per_step == 1
        if not self.automatic_optimization:  # Lightning takes the steps of an epoch for its updates
            warnings.filterwarnings(
                "ignore", r"The number of training batches \(\d+\) is smaller than the logging"
            )
        data.evaluate_every, data.updates_per_step = self.evaluate_every, self.used_updates_per_step

    def on_train_start(self) -> None:
        """Take up changed hyperparameters where they are allowed, score the network as it comes, make the engine."""
        if self._resumed is not None and self.allow_changes:
            apply_changes(self._fresh_states, self._optimizers(), self._schedulers())
        if self._resumed is not None and "random_state" in self._resumed["modgrok"]:
            torch.set_rng_state(self._resumed["modgrok"]["random_state"])
        self._resumed = None
        self._clock = self._evaluated = time.perf_counter()
        update, scored = self.global_step, self.history.update[-1:]
        if not self.trainer.fast_dev_run and (  # type: ignore[attr-defined]
            not scored or (scored[0] < update and update % self.evaluate_every == 0)
        ):
            evaluate_now(self.trainer)
            for stopping in self.trainer.early_stopping_callbacks:
                stopping.on_train_epoch_end(self.trainer, self)  # this evaluation ends no epoch, and counts
        # compiling can take a minute, so Ctrl-C may interrupt it here
        self.interruptible = True
        try:
            self._engine_of(update)
        except KeyboardInterrupt:
            if not self.interrupted:
                raise
        finally:
            self.interruptible = False

    def on_train_batch_start(self, batch: Any, batch_index: int) -> None:
        """Begin a resumed run where it had come to within an epoch."""
        if batch_index == 0 and self.data.batches_before:
            skip_batches(self.trainer, self.data.batches_before // self.used_updates_per_step)
            self.data.batches_before = 0

    def training_step(self, batch: Examples | list[Examples], batch_index: int) -> Tensor | None:
        """Return the loss of one update's batch, or make the updates of several."""
        first = self.global_step
        with cpu_tuning(self.used_threads):
            batches = [batch] if isinstance(batch, Examples) else batch
            if self.automatic_optimization:
                loss = self._engine_of(first).batch_loss(batches[0])
                self._log_batch_loss([loss.item()], first)
                return loss
            losses: list[Tensor] = []
            for each in batches:
                losses.append(self._engine_of(first + len(losses)).update(each))
                if first + len(losses) == self.trainer.max_steps or self.trainer.should_stop:
                    break
        values = torch.stack(losses).tolist()
        set_updates(self.trainer, first + len(values))
        log_at(self.trainer, first + len(values) - 1)
        self._log_batch_loss(values, first)
        return None

    def _log_batch_loss(self, losses: list[float], first: int) -> None:
        """Log the last of the losses of updates from number `first` on, where a log is due."""
        for update, loss in enumerate(losses, start=first):
            if not math.isfinite(loss):
                raise self._diverged(update, loss)
        made, every = first + len(losses), self.trainer.log_every_n_steps  # type: ignore[attr-defined]
        if (every and made % every == 0) or made % self.evaluate_every == 0 or made == self.trainer.max_steps:
            self.log("train/batch_loss", losses[-1])

    def backward(self, loss: Tensor, *arguments: Any, **keywords: Any) -> None:
        """Differentiate the loss."""
        with cpu_tuning(self.used_threads):
            super().backward(loss, *arguments, **keywords)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Let the gradient filters change the gradients, then clip them."""
        self._engine_of(self.global_step).filter_gradients()
        self.clip_gradients(optimizer, gradient_clip_val, gradient_clip_algorithm)

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        """Make an update, within what the interventions do around it."""
        with cpu_tuning(self.used_threads), self._engine_of(self.global_step).around_step():
            super().optimizer_step(epoch, batch_idx, optimizer, optimizer_closure)

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_index: int) -> None:
        """Leave out the validation where a signal happens to stop the run."""
        if self.interrupted and self.global_step % self.evaluate_every:
            skip_validation(self.trainer)

    @property
    def how(self) -> str:
        """How the updates of this fit are made, in a line."""
        threads = f" on {self.used_threads} CPU thread{'s' * (self.used_threads > 1)}"
        steps = "one update" if self.used_updates_per_step == 1 else f"{self.used_updates_per_step} updates"
        looks = f", for {self.watcher}" if self.watcher else ""
        return f"engine {self.used_engine}{threads * (self.device.type == 'cpu')}, {steps} a step{looks}"

    @property
    def is_ending(self) -> bool:
        """Whether the run ends with the current epoch."""
        trainer = self.trainer
        return (
            trainer.should_stop
            or self.global_step == trainer.max_steps
            or self.current_epoch + 1 == trainer.max_epochs
        )

    def on_train_epoch_end(self) -> None:
        """Score the last network where Lightning does not, within an epoch or at one that is not validated."""
        if self.is_ending and not self.interrupted and self.history.update[-1:] != [self.global_step]:
            evaluate_now(self.trainer)

    @property
    def seconds(self) -> float:
        """Wall time spent on training so far, resumptions included."""
        return self._seconds_before + (time.perf_counter() - self._clock if self._clock else 0.0)

    def on_train_end(self) -> None:
        """Stop the clock."""
        self._seconds_before, self._clock = self.seconds, None

    def teardown(self, stage: str) -> None:
        """Free what only a running fit needs; the next may make its updates otherwise."""
        super().teardown(stage)
        self._engine, self.automatic_optimization = None, True

    def _engine_of(self, update: int) -> Engine:
        """Return the engine of an update; a new one where the interventions begin or end."""
        active = [each for each in self.interventions if each.changes(update)]
        if self._engine is None or self._engine.interventions != active:
            batches: TrainingBatches = self.trainer.train_dataloader  # type: ignore[assignment]
            self._engine = make_engine(
                self.used_engine,
                batches.of_each_size(),
                self.network,
                self.loss,
                self._optimizers(),
                self._schedulers(),
                self.gradient_filters,
                active,
                n_answers=self.data.n_answers,
                n_tasks=len(self.data.tasks),
                drawn_from=None if self.data.batch_size is None else batches.examples.tokens,
            )
        return self._engine

    def _longest(self) -> tuple[float, float]:
        """Return the most updates, and the most seconds, that the run may take; infinite where there is no limit."""
        most_steps, most_epochs = self.trainer.max_steps, self.trainer.max_epochs or -1
        updates = min(
            math.inf if most_steps == -1 else most_steps,
            math.inf if most_epochs == -1 else most_epochs * self.evaluate_every,
        )
        callbacks = self.trainer.callbacks  # type: ignore[attr-defined]
        left = [each.time_remaining() for each in callbacks if isinstance(each, Timer)]
        return updates, min((each for each in left if each is not None), default=math.inf)

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
        super().on_validation_end()
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
            updates_per_step=self.used_updates_per_step,
            circuits=self.circuits,
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
            "hyperparameters": self._fresh or self.hyperparameters(),
            "settings": {name: getattr(self, name) for name in settings},
            "used": {
                "engine": self.used_engine,
                "threads": self.used_threads,
                "updates_per_step": self.used_updates_per_step,
            },
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


def _of_gradients(trainer: Trainer) -> dict[str, Any]:
    """Return the trainer's options that change gradients, where they do."""
    chosen: dict[str, Any] = {}
    if trainer.accumulate_grad_batches > 1:
        chosen["accumulate_grad_batches"] = trainer.accumulate_grad_batches
    if trainer.gradient_clip_val:
        chosen["gradient_clip_val"] = trainer.gradient_clip_val
        chosen["gradient_clip_algorithm"] = str(trainer.gradient_clip_algorithm or "norm")
    return chosen
