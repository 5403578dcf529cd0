"""Assembles a run of the second wing from a config: profiles, network, training, callbacks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.plugins.io import CheckpointIO

from modgrok.callbacks import GracefulInterrupt
from modgrok.capacity.measuring.measure import measure_run
from modgrok.capacity.measuring.memorized import read_measurement
from modgrok.capacity.memorizing.capacity_module import CapacityModule
from modgrok.capacity.memorizing.capacity_run import CapacityRun, load_run, read_checkpoint
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.errors import InputError
from modgrok.experiments.assembly.quiet_lightning import quiet_lightning
from modgrok.experiments.config.config_file import with_configs_as_data
from modgrok.experiments.config.config_forms import run_options
from modgrok.experiments.config.parser import Parser
from modgrok.runs import RunDirectory, find_checkpoint
from modgrok.runs.checkpoint_io import AtomicCheckpointIO
from modgrok.runs.directory import CHECKPOINTS, checkpoint_name
from modgrok.runs.logger import RunLogger
from modgrok.training.cpu_tuning import cpu_tuning, threads_for

SIZES = ("vocabulary_size", "context_length")
"""The arguments of a network that the data give it."""


class CapacityExperiment(LightningCLI):
    """LightningCLI with the network sized by the data, a checkpoint at every validation, and TensorBoard.

    Args:
        args: options as on the command line.
        directory: the run's own directory, resumed where it has a checkpoint; a new `lightning_logs/version_N` unless
            given.

    Raises:
        InputError: if an option or a file that it names is wrong.
    """

    def __init__(self, args: Sequence[str], directory: Path | None = None) -> None:
        self.directory = directory
        self.interrupt = GracefulInterrupt()
        super().__init__(
            CapacityModule,
            ProfilesDataModule,
            parser_class=Parser,
            parser_kwargs={"prog": "modgrok capacity fit", "allow_abbrev": False},
            save_config_kwargs={"overwrite": directory is not None},
            seed_everything_default=0,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,  # only for modules that call save_hyperparameters; it dumps the config
            args=with_configs_as_data(args)[0],
            run=False,
            trainer_defaults={
                "devices": 1,
                "accelerator": "cpu",
                "max_steps": 10_000,
                "max_epochs": -1,
                "val_check_interval": 1000,
                "check_val_every_n_epoch": None,
                "num_sanity_val_steps": 0,
                "enable_model_summary": False,
                "callbacks": [self.interrupt],
            },
        )
        path = self.config.ckpt_path
        if path is None and directory is not None and RunDirectory(directory).checkpoints:
            path = directory
        self.checkpoint = None if path is None else find_checkpoint(path)

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse the arguments given, whatever the process's own are."""
        self.config = parser.parse_args(args)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Lead the data's sizes to the network."""
        parser.add_argument(
            "--ckpt_path", type=str | None, default=None, help="a run's directory, or a checkpoint file"
        )
        for size in SIZES:
            parser.link_arguments(f"data.{size}", f"model.network.init_args.{size}", apply_on="instantiate")
        parser.set_defaults({"model.network": {"class_path": "modgrok.capacity.TransformersLlama"}})

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        """Make the trainer: TensorBoard, and a checkpoint at every validation, unless told otherwise."""
        trainer = self.config_init.trainer
        if trainer.logger in (None, True):
            kwargs["logger"] = RunLogger(Path(trainer.default_root_dir or "."), self.directory)
        given = trainer.callbacks or []
        callbacks = given if isinstance(given, list) else [given]
        if not any(isinstance(callback, ModelCheckpoint) for callback in callbacks):
            checkpoints = ModelCheckpoint(
                filename="update={step:06d}",
                auto_insert_metric_name=False,
                save_top_k=-1,
                every_n_train_steps=trainer.val_check_interval,
            )
            callbacks = [*callbacks, checkpoints]
        kwargs["callbacks"] = callbacks
        plugins = trainer.plugins if isinstance(trainer.plugins, list) else [trainer.plugins]
        plugins = [plugin for plugin in plugins if plugin is not None]
        if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
            kwargs["plugins"] = [*plugins, AtomicCheckpointIO()]
        return super().instantiate_trainer(**kwargs)

    def check(self) -> None:
        """Check what can be wrong with the run before it starts; nothing is written.

        Raises:
            InputError: naming what is wrong.
        """
        if self.checkpoint:
            read_checkpoint(self.checkpoint)
        if self.trainer.max_steps < 1 and self.config.trainer.max_time is None:
            raise InputError("trainer.max_steps: the run would never end; give a number of updates")
        self.datamodule.setup("fit")
        self.model.trainer = self.trainer
        self.model.configure_optimizers()

    def fit(self) -> Path:
        """Train, from a checkpoint if there is one; score and keep the last network; return the run's directory.

        Raises:
            InputError: if something is wrong with the run; nothing of it is written then.
        """
        self.check()
        began = time.monotonic()
        path = str(self.checkpoint) if self.checkpoint else None
        with cpu_tuning(threads_for(self._multiplications)):
            self.trainer.fit(self.model, self.datamodule, ckpt_path=path, weights_only=True)
            update = self.trainer.global_step
            self.model.seconds += time.monotonic() - began
            scored = self.model.history[-1]["update"] if self.model.history else None
            if not self.interrupt.received and scored != update:
                self.trainer.validate(self.model, self.datamodule, verbose=False)
        run = Path(self.trainer.log_dir or self.trainer.default_root_dir)
        self.trainer.save_checkpoint(run / CHECKPOINTS / checkpoint_name(update))
        if not self.interrupt.received:
            measure_run(load_run(run)).write(run)
        return run

    @property
    def _multiplications(self) -> int:
        """About how many an update takes: the weights times the tokens."""
        tokens: int = self.datamodule.batch_size * self.datamodule.context_length
        return tokens * sum(weight.numel() for weight in self.model.network.parameters())


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
    if directory is not None:
        try:
            read_measurement(directory)
        except InputError:
            pass  # it has not ended
        else:
            return load_run(directory)
    with quiet_lightning():
        experiment = CapacityExperiment(run_options(config, overrides), directory)
        experiment.trainer.callbacks += callbacks  # type: ignore[attr-defined]
        path = experiment.fit()
    if experiment.interrupt.received:
        raise KeyboardInterrupt(f"{path}: stopped by {experiment.interrupt.received.name}")
    return load_run(path)


def check_capacity(
    config: str | Path | Mapping[str, Any], overrides: Mapping[str, Any] | None = None
) -> None:
    """Check everything that `fit_capacity` checks before it trains; nothing is written.

    Raises:
        InputError: naming the field.
    """
    with quiet_lightning():
        CapacityExperiment(run_options(config, overrides)).check()
