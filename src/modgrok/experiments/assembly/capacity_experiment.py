"""Assembles a run of the second wing from a config: profiles, network, training, callbacks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.optim.lr_scheduler import LRScheduler

from modgrok.capacity.measuring.measure import measure_run
from modgrok.capacity.measuring.memorized import read_measurement
from modgrok.capacity.memorizing.capacity_module import CapacityModule
from modgrok.capacity.memorizing.capacity_record import check_same_run, read_record
from modgrok.capacity.memorizing.capacity_run import CapacityRun, load_capacity_run
from modgrok.capacity.memorizing.earlier_people import check_earlier
from modgrok.capacity.networks.network_record import arguments, check_readable
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.errors import InputError
from modgrok.experiments.assembly.configured_run import ConfiguredRun
from modgrok.experiments.config.config_forms import run_options
from modgrok.runs.checkpoint import load_data
from modgrok.runs.directory import CHECKPOINTS, checkpoint_name
from modgrok.training.cpu_tuning import cpu_tuning, threads_for
from modgrok.training.hyperparameters import numbered, optimizer_hyperparameters, scheduler_hyperparameters

HYPERPARAMETERS = "modgrok.capacity.hyperparameters"
"""The key of a checkpoint under which what was chosen for the run is recorded."""


class CapacityExperiment(ConfiguredRun):
    """A run of `modgrok capacity fit`, with a checkpoint at every validation.

    Args:
        args: options as on the command line.
        directory: the run's own directory; see `ConfiguredRun`.
        shown: whether a progress bar is shown.

    Raises:
        InputError: if an option or a file that it names is wrong.
    """

    module, data = CapacityModule, ProfilesDataModule
    classes: ClassVar = {
        "model.network": "modgrok.capacity.TransformersLlama",
        "model.lr_scheduler": "modgrok.capacity.WarmUpCosine",
    }
    sizes = ("vocabulary_size", "context_length")
    trainer_settings: ClassVar = {
        "accelerator": "cpu",
        "max_steps": 10_000,
        "val_check_interval": 1000,
        "check_val_every_n_epoch": None,
    }

    def __init__(self, args: Sequence[str], directory: Path | None = None, *, shown: bool = True) -> None:
        super().__init__("capacity fit", args, directory, shown=shown)

    def read_record(self, checkpoint: Path) -> Mapping[str, Any]:
        """See `ConfiguredRun`."""
        _, record = read_record(checkpoint)
        return record

    def recorded_defaults(self) -> dict[str, Any]:
        """Return the data's arguments."""
        return {f"data.{name}": value for name, value in self.recorded["data"].items()}

    def before_instantiate_classes(self) -> None:
        """Take the weights of the checkpoint that is resumed, and no others."""
        super().before_instantiate_classes()
        if self.recorded:
            earlier = self.recorded.get("earlier")
            self.leave_weights_to_checkpoint(earlier[-1]["run"] if earlier else None)

    def own_callbacks(self) -> list[Callback]:
        """Return a ModelCheckpoint unless the config has one."""
        trainer = self.config_init.trainer
        given = trainer.callbacks if isinstance(trainer.callbacks, list) else [trainer.callbacks]
        if any(isinstance(callback, ModelCheckpoint) for callback in given):
            return [_Hyperparameters()]
        checkpoints = ModelCheckpoint(
            filename="update={step:06d}",
            auto_insert_metric_name=False,
            save_top_k=-1,
            every_n_train_steps=trainer.val_check_interval,
        )
        return [_Hyperparameters(), checkpoints]

    def check_run(self) -> None:
        """See `ConfiguredRun`."""
        if self.trainer.max_steps < 1 and self.config.trainer.max_time is None:
            raise InputError("trainer.max_steps: the run would never end; give a number of updates")
        self.datamodule.setup("fit")
        network, data = self.model.network, self.datamodule
        check_readable(network, data.vocabulary_size, data.context_length)
        check_earlier(self.model.earlier, data)
        here = _hyperparameters(self.model, data)
        if self.checkpoint:
            before = {**self.recorded["network_config"], **self.recorded["data"]}
            saved = load_data(self.checkpoint).get(HYPERPARAMETERS, before)
            changed = [
                f"{name} is {here.get(name)} here and {value} there"
                for name, value in saved.items()
                if here.get(name) != value
            ]
            if changed:
                raise InputError(
                    f"{self.checkpoint}: the run cannot be resumed: {'; '.join(changed[:3])}; start a new run for "
                    "other values"
                )
            check_same_run(self.recorded, network, data, self.checkpoint)

    def has_findings(self) -> bool:
        """See `ConfiguredRun`."""
        return self.resumed is not None and _has_measurement(self.resumed)

    def train(self) -> None:
        """Train; score and keep the last network, and measure it unless a signal stopped the run."""
        began = time.monotonic()
        with cpu_tuning(threads_for(self._multiplications)):
            if self.model.earlier and self.writes:  # as it is before the first update
                self.trainer.validate(self.model, self.datamodule, verbose=False)
            self.run_trainer("fit")
            if not self.writes:
                return
            update = self.trainer.global_step
            self.model.seconds += time.monotonic() - began
            scored = self.model.history[-1]["update"] if self.model.history else None
            if not self.interrupt.received and scored != update:
                self.trainer.validate(self.model, self.datamodule, verbose=False)
        if self.trainer.checkpoint_callbacks:
            self.trainer.save_checkpoint(self.path / CHECKPOINTS / checkpoint_name(update))
            if not self.interrupt.received:
                measure_run(load_capacity_run(self.path)).write(self.path)

    @property
    def _multiplications(self) -> int:
        """About how many an update takes: the weights times the tokens."""
        tokens: int = self.datamodule.batch_size * self.datamodule.context_length
        return tokens * sum(weight.numel() for weight in self.model.network.parameters())


class _Hyperparameters(Callback):
    """Records what was chosen for the run in its checkpoints."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._chosen = _hyperparameters(pl_module, trainer.datamodule)  # type: ignore[attr-defined]

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        checkpoint[HYPERPARAMETERS] = self._chosen


def _hyperparameters(module: LightningModule, data: Any) -> dict[str, Any]:
    """Return everything that was chosen for a run of the module on these data, flat and plain."""
    made: Any = module.configure_optimizers()
    optimizers, schedulers = (
        made if isinstance(made, tuple) else ([made["optimizer"]], [made["lr_scheduler"]])
    )
    schedules: list[LRScheduler] = [one["scheduler"] if isinstance(one, dict) else one for one in schedulers]
    network: Any = module.network
    return {
        **numbered("optimizer", [optimizer_hyperparameters(one) for one in optimizers]),
        **numbered("lr_scheduler", [scheduler_hyperparameters(one) for one in schedules]),
        **arguments(network),
        "rehearsal": module.rehearsal,
        **data.config,
    }


def _has_measurement(directory: Path) -> bool:
    try:
        read_measurement(directory)
    except InputError:
        return False  # it has not ended
    return True


def fit_capacity(
    config: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    *,
    directory: str | Path | None = None,
    callbacks: Sequence[Callback] = (),
) -> CapacityRun:
    """Train one run of the second wing; the arguments are those of `modgrok.fit`.

    Raises:
        InputError: if something of the config is wrong; nothing is written then.
        KeyboardInterrupt: after a signal; there is a checkpoint.
    """
    directory = None if directory is None else Path(directory)
    if directory is not None and _has_measurement(directory):
        return load_capacity_run(directory)
    experiment = CapacityExperiment(run_options(config, overrides), directory, shown=False)
    path = experiment.fit_with(callbacks)
    return load_capacity_run(path)


def check_capacity(
    config: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None = None
) -> None:
    """Check everything that `fit_capacity` checks before it trains; nothing is written.

    Raises:
        InputError: naming the field.
    """
    CapacityExperiment(run_options(config, overrides), shown=False).check()
