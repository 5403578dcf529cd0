"""Assembles a run from a config: data, network, training, callbacks."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import torch
from jsonargparse import Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from lightning.pytorch.plugins import CheckpointIO

from modgrok.callbacks import (
    Checkpoints,
    GracefulInterrupt,
    LogCurves,
    LogHyperparameters,
    LogMeasures,
    LogNorms,
    LogWeights,
    Milestones,
    Predictions,
    ProgressBar,
    StopAfterGrokking,
)
from modgrok.data import ModularDataModule
from modgrok.errors import InputError, RunStoppedError
from modgrok.experiments.config.command_parser import check_null, option_values, parse, shortened
from modgrok.experiments.config.config_file import names_class, read_config, with_configs_as_data
from modgrok.experiments.config.first_look import given_checkpoint
from modgrok.experiments.config.parser import Parser, as_input_error
from modgrok.models import network_class
from modgrok.runs import RunDirectory
from modgrok.runs.checkpoint_io import AtomicCheckpointIO
from modgrok.runs.directory import CONFIG, run_of
from modgrok.runs.logger import DirectoryOnlyLogger, RunLogger
from modgrok.runs.snapshot import read_checkpoint, snapshot_from_checkpoint
from modgrok.training import GrokkingModule
from modgrok.training.checks import check_precision

Command = Literal["fit", "test", "validate", "predict"]

SECTIONS: dict[str, type[Callback]] = {
    "checkpoint": Checkpoints,
    "stop": StopAfterGrokking,
    "curves": LogCurves,
    "measures": LogMeasures,
    "weights": LogWeights,
    "predictions": Predictions,
}
"""The callbacks that a config configures."""

SIZES = ("vocabulary_size", "n_answers", "context_length")
"""The arguments of a network that the data give it."""

DEFAULTS = {
    "model.network": {"class_path": "modgrok.Transformer"},
    "model.optimizer": {"class_path": "modgrok.training.GrokkingAdamW"},
    "model.lr_scheduler": {"class_path": "modgrok.training.WarmUp"},
    "model.loss": {"class_path": "modgrok.training.CrossEntropy"},
}

_PARSERS_OF_THREAD = threading.local()
"""The parsers that a thread has made, by command and defaults."""


class Experiment(LightningCLI):
    """LightningCLI on GrokkingModule and ModularDataModule, with the run's callbacks as sections of the config.

    Where a checkpoint is given, the data and the network are its own; a run that is resumed has its own config, too.
    What the options say comes on top.

    Args:
        command: what it is assembled for.
        args: options as on the command line.
        directory: the run's own directory; a new `lightning_logs/version_N` unless given.

    Raises:
        InputError: if an option or a file that it names is wrong.
    """

    def __init__(self, command: Command, args: Sequence[str], directory: Path | None = None) -> None:
        self.command = command
        args, configs = with_configs_as_data(args)
        self.checkpoint = given_checkpoint(args, configs)
        if command != "fit" and self.checkpoint is None and not {"-h", "--help"} & set(args):
            raise InputError(f"{command} needs a trained network: --ckpt_path RUN_OR_CKPT")
        if directory is not None and self.checkpoint is None and RunDirectory(directory).checkpoints:
            self.checkpoint = RunDirectory(directory).last_checkpoint
        self.recorded: Any = None
        resumed = None
        if self.checkpoint:
            run = run_of(self.checkpoint)
            if command == "fit" and run and (run / CONFIG).is_file():
                args = ["--config", str(run / CONFIG), *args]
                configs[str(run / CONFIG)] = read_config(run / CONFIG)
            _import_classes(configs.values(), args)
            read = read_checkpoint(self.checkpoint)
            snapshot_from_checkpoint(read, self.checkpoint)  # raises where the file contradicts itself
            self.recorded = read["modgrok"]
            if command == "fit" and run and RunDirectory(run).last_checkpoint.samefile(self.checkpoint):
                resumed = run
        # a field whose class is named has no default: jsonargparse would hand that class the default's arguments
        named = [field for field in DEFAULTS if names_class(field, args, configs.values())]
        self.defaults = {**DEFAULTS, **dict.fromkeys(named)}
        self.directory = directory or resumed
        self.first_update = self.recorded["update"] if self.recorded else 0
        self.interrupt = GracefulInterrupt()
        super().__init__(
            GrokkingModule,
            ModularDataModule,
            parser_class=Parser,
            parser_kwargs={"prog": f"modgrok {command}", "allow_abbrev": False},
            save_config_callback=SaveConfigCallback if command == "fit" else None,
            save_config_kwargs={
                "config_filename": f"config_from_{self.first_update:06d}.yaml" if resumed else CONFIG,
                "overwrite": self.directory is not None,
            },
            seed_everything_default=0,
            trainer_defaults={
                "devices": 1,
                "enable_model_summary": False,
                "max_epochs": -1,
                "num_sanity_val_steps": 0,
                "callbacks": [
                    LogNorms(),
                    Milestones(),
                    LogHyperparameters(),
                    ProgressBar(),
                    self.interrupt,
                ],
                **({} if command == "fit" else {"logger": False}),
            },
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,  # only for modules that call save_hyperparameters; it dumps the config
            args=args,
            run=False,
        )

    def setup_parser(self, *arguments: Any) -> None:
        """Make the parser, or reuse that of an earlier run: making one takes a third of the time to build a run."""
        parsers = {} if self.recorded else vars(_PARSERS_OF_THREAD)  # the defaults are then the checkpoint's
        made_for = f"{self.command} {self.defaults}"
        if made_for not in parsers:
            super().setup_parser(*arguments)
            parsers[made_for] = self.parser
        self.parser = parsers[made_for]

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse the arguments given, whatever the process's own are."""
        self.config = parse(parser, args)

    def _set_seed(self) -> None:
        try:
            super()._set_seed()
        except ValueError:
            raise InputError("seed_everything must be an integer from 0 to 2**32 - 1") from None

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the callbacks' sections and the checkpoint, and link the data's sizes to the network."""
        for section, callback in SECTIONS.items():
            parser.add_lightning_class_args(callback, section)
        parser.add_argument(
            "--ckpt_path", type=str | None, default=None, help="a run's directory, or a checkpoint file"
        )
        for size in SIZES:
            parser.link_arguments(f"data.{size}", f"model.network.init_args.{size}", apply_on="instantiate")
        parser.set_defaults(self.defaults)
        if self.recorded:
            network, loss = self.recorded["network"], self.recorded["loss"]
            arguments = {name: value for name, value in network["config"].items() if name not in SIZES}
            parser.set_defaults({f"data.{name}": value for name, value in self.recorded["data"].items()})
            parser.set_defaults({"model.frozen": self.recorded["frozen"]})
            parser.set_defaults(
                {"model.loss": {"class_path": loss["class_path"], "init_args": loss["arguments"]}}
            )
            parser.set_defaults(
                {"model.network": {"class_path": network["class_path"], "init_args": arguments}}
            )

    def before_instantiate_classes(self) -> None:
        """Drop options that the checkpoint overrides. Resolve `accelerator=auto` to CUDA or CPU: MPS has no float64."""
        for section in ("trainer", "data", "model", *SECTIONS):
            if not isinstance(self.config[section], Namespace):
                raise InputError(f"{section}: not a section with fields of its own, such as {section}.FIELD")
        for section, kind in {"data": ModularDataModule, "model": GrokkingModule, **SECTIONS}.items():
            check_null(section, kind, self.config[section], SIZES)
        for section, callback in SECTIONS.items():  # the parser would not say whose field is wrong
            try:
                callback(**vars(self.config[section]))
            except InputError as error:
                raise InputError(f"{section}.{error}") from None
        network = self.config.model.network
        check_null("model.network", _network_class(network.class_path), network.init_args, SIZES)
        if self.recorded:
            self.config.model.pretrained = self.config.model.pretrained_parts = None
        check_precision(self.config.trainer.precision)  # before Lightning takes bfloat16 for it on a CPU
        if self.config.trainer.accelerator == "auto":
            self.config.trainer.accelerator = "cuda" if torch.cuda.is_available() else "cpu"

    def instantiate_classes(self) -> None:
        """Build what the config names.

        Raises:
            InputError: if something cannot be built, such as a logger whose package is missing.
        """
        fields = {f"trainer.{name}": value for name, value in vars(self.config.trainer).items()}
        fields |= {
            f"model.{name}": self.config.model[name] for name in ("loss", "gradient_filters", "interventions")
        }
        try:
            super().instantiate_classes()
        except ValueError as error:
            wrong = as_input_error(error, fields)
            raise wrong from wrong.__cause__

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        """Give the run its directory, atomic checkpoints and its loggers.

        TensorBoard's events are logged there; the loggers that the config names come after. `trainer.logger: false`
        leaves the directory and logs nothing.

        Raises:
            InputError: if the trainer refuses its arguments.
        """
        trainer = self.config_init.trainer
        if self.command == "fit":
            update = self.first_update if self.checkpoint else None
            run = RunLogger(Path(trainer.default_root_dir or "."), self.directory, update)
            if trainer.logger is False:
                kwargs["logger"] = DirectoryOnlyLogger(run)
            elif trainer.logger in (None, True):
                kwargs["logger"] = run
            else:
                others = trainer.logger if isinstance(trainer.logger, list) else [trainer.logger]
                kwargs["logger"] = [run, *others]
        if trainer.enable_progress_bar is False:
            shown = self.trainer_defaults["callbacks"]
            self.trainer_defaults["callbacks"] = [one for one in shown if not isinstance(one, ProgressBar)]
        plugins = trainer.plugins if isinstance(trainer.plugins, list) else [trainer.plugins]
        plugins = [plugin for plugin in plugins if plugin is not None]
        if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
            kwargs["plugins"] = [*plugins, AtomicCheckpointIO()]
        try:
            return super().instantiate_trainer(**kwargs)
        except (InputError, MisconfigurationException):
            raise
        except (OverflowError, TypeError, ValueError) as error:
            raise InputError(f"trainer: {shortened(error)}") from error

    def check(self) -> None:
        """Check everything that can be wrong with the run; nothing is written.

        Raises:
            InputError: naming the field.
        """
        self.model.trainer = self.trainer
        self.model.check(self.datamodule, self.trainer)
        if self.checkpoint and self.recorded:
            self.model.check_resumption(
                read_checkpoint(self.checkpoint), self.datamodule, str(self.checkpoint)
            )
        parameters = sum(parameter.numel() for parameter in self.model.parameters())
        _check_writable(self.directory or Path(self.trainer.default_root_dir), parameters)

    def fit(self) -> Path:
        """Train; return the run's directory.

        Raises:
            InputError: if something is wrong with the run; nothing of it is written then.
            RunStoppedError: if the run could not continue.
        """
        self.check()
        for logger in self.trainer.loggers[1:]:
            try:
                getattr(logger, "experiment", None)  # starts here, before the run does
            except Exception as error:
                raise InputError(
                    f"trainer.logger: {type(logger).__name__} failed to start: {error}"
                ) from None
        try:
            self.run_trainer("fit")
        except OSError as error:
            kept = self.config_init.checkpoint.last_saved
            raise RunStoppedError(f"{error}; the last good checkpoint is {kept}") from error
        return Path(self.trainer.log_dir or self.trainer.default_root_dir)

    def run_trainer(self, command: Command, **arguments: Any) -> Any:
        """Call the trainer's method of that name, from the checkpoint if there is one."""
        path = str(self.checkpoint) if self.checkpoint else None
        method = getattr(self.trainer, command)
        return method(self.model, self.datamodule, ckpt_path=path, weights_only=True, **arguments)


def _import_classes(configs: Iterable[Mapping[str, Any]], args: Sequence[str]) -> None:
    """Import the modules of the networks and losses that the options name: a checkpoint's record imports nothing."""
    named = []
    for field in ("network", "loss"):
        named += option_values(args, f"--model.{field}")
        named += option_values(args, f"--model.{field}.class_path")
        for config in configs:
            try:
                named.append(config["model"][field]["class_path"])
            except (KeyError, TypeError):
                continue  # it names none; what is wrong with it, the parser says
    for path in named:
        with suppress(ImportError, TypeError, ValueError):
            import_module(str(path).rpartition(".")[0])


def _network_class(class_path: str) -> type:
    return network_class(class_path.replace("modgrok.models.", "modgrok."))


def _check_writable(directory: Path, parameters: int) -> None:
    """Raise an InputError unless two checkpoints could be written in `directory`, which need not exist yet."""
    directory = directory.absolute()
    parent = next(parent for parent in (directory, *directory.parents) if parent.exists())
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise InputError(f"trainer.default_root_dir: cannot write in {parent}: {error.strerror}") from None
    need = 2 * 3 * 4 * parameters  # two of: weights and AdamW's two moments, float32
    free = shutil.disk_usage(parent).free
    if free < need:
        raise InputError(
            f"trainer.default_root_dir: {parent} has {free / 1e6:.1f} MB free; two checkpoints take {need / 1e6:.1f} MB"
        )
