"""The commands that are Trainer methods."""

from __future__ import annotations

import inspect
import os
import shutil
import sys
import tempfile
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import torch
from jsonargparse import Namespace
from lightning.pytorch import Callback
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from rich.console import Console
from rich.table import Table

from modgrok.callbacks import (
    Checkpoints,
    Curves,
    GracefulInterrupt,
    Measures,
    Milestones,
    Norms,
    Predictions,
    ProgressBar,
    StopAfterGrokking,
    Weights,
)
from modgrok.cli.parser import Parser, check_config, option_values, shortened
from modgrok.cli.trainer_errors import explained
from modgrok.data import ModularDataModule
from modgrok.errors import InputError, RunStoppedError
from modgrok.models import network_class
from modgrok.runs import find_checkpoint
from modgrok.runs.checkpoint import check_progress
from modgrok.runs.directory import run_ending_in
from modgrok.runs.logger import RunLogger, Unlogged
from modgrok.runs.snapshot import read_checkpoint, snapshot_from_checkpoint
from modgrok.training import GrokkingModule
from modgrok.training.engine import check_engine
from modgrok.training.token_order import check_order

SECTIONS: dict[str, type[Callback]] = {
    "checkpoint": Checkpoints,
    "phases": Milestones,
    "stop": StopAfterGrokking,
    "measures": Measures,
    "weights": Weights,
    "predictions": Predictions,
}
"""The callbacks that a config configures."""

SIZES = ("vocabulary_size", "n_answers", "context_length")
"""The arguments of a network that the data give it."""


class Cli(LightningCLI):
    """LightningCLI on GrokkingModule and ModularDataModule, with the run's callbacks as sections of the config.

    Where a checkpoint is given, the data and the network are its own unless the command line says otherwise.
    """

    def __init__(self, args: list[str], run: bool = True) -> None:
        for path in option_values(args, "--config", "-c"):
            check_config(Path(path))
        given = next(iter(option_values(args, "--ckpt_path")), None)
        self.command = command = args[0] if run else None
        asks_for_help = {"-h", "--help"} & set(args)
        if command in ("validate", "test", "predict") and given is None and not asks_for_help:
            raise InputError(f"{command} needs a trained network: --ckpt_path RUN_OR_CKPT")
        self.checkpoint = find_checkpoint(given) if given is not None else None
        self.recorded: Any = None
        if self.checkpoint:
            read = read_checkpoint(self.checkpoint)
            snapshot_from_checkpoint(read, self.checkpoint)  # raises where the file contradicts itself
            if command == "fit":
                check_progress(read, self.checkpoint)
            self.recorded = read["modgrok"]
        self.resumed = run_ending_in(self.checkpoint) if command == "fit" and self.checkpoint else None
        self.first_update = self.recorded["update"] if self.recorded else 0
        self.interrupts = GracefulInterrupt()
        self.config_name = f"config_from_{self.first_update:06d}.yaml" if self.resumed else "config.yaml"
        super().__init__(
            GrokkingModule,
            ModularDataModule,
            parser_class=Parser,
            save_config_callback=SaveConfigCallback if command == "fit" else None,
            save_config_kwargs={"config_filename": self.config_name, "overwrite": self.resumed is not None},
            seed_everything_default=0,
            trainer_defaults={
                "devices": 1,
                "enable_model_summary": False,
                "callbacks": [Norms(), Curves(), ProgressBar(), self.interrupts],
                **({} if command == "fit" else {"logger": False}),
            },
            auto_configure_optimizers=False,
            args=args,
            run=run,
        )

    def subcommands(self) -> dict[str, set[str]]:  # type: ignore[override]
        """Return the command given alone: the parser of each takes a good part of a second to build."""
        return {name: options for name, options in super().subcommands().items() if name == self.command}

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse the arguments given, whatever the process's own are."""
        try:
            self.config = parser.parse_args(args)
        except InputError:
            raise
        except (OverflowError, RecursionError, ValueError) as error:
            raise InputError(f"a value cannot be read: {shortened(error)}") from None

    def _set_seed(self) -> None:
        try:
            super()._set_seed()
        except ValueError:
            raise InputError("seed_everything: it must be an integer from 0 to 2**32 - 1") from None

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the callbacks' sections, and lead the data's sizes to the network."""
        for section, callback in SECTIONS.items():
            parser.add_lightning_class_args(callback, section)
        for size in SIZES:
            parser.link_arguments(f"data.{size}", f"model.network.init_args.{size}", apply_on="instantiate")
        parser.set_defaults({"model.network": {"class_path": "modgrok.Transformer"}})
        if self.recorded:
            network = self.recorded["network"]
            arguments = {name: value for name, value in network["config"].items() if name not in SIZES}
            parser.set_defaults({f"data.{name}": value for name, value in self.recorded["data"].items()})
            parser.set_defaults({"model.frozen": self.recorded["frozen"]})
            parser.set_defaults({"model.network": {"class_path": network["class"], "init_args": arguments}})

    def _parse_ckpt_path(self) -> None:
        """Leave Lightning's own reading of the checkpoint out: `__init__` has read it."""

    def before_instantiate_classes(self) -> None:
        """Leave out what a checkpoint replaces; choose the device: CUDA or the CPU, not one without float64."""
        for section in ("trainer", "data", "model", *SECTIONS):
            if not isinstance(self._get(self.config, section), Namespace):
                raise InputError(f"{section}: not a section with fields of its own, such as {section}.FIELD")
        for section, kind in {"data": ModularDataModule, "model": GrokkingModule, **SECTIONS}.items():
            check_null(section, kind, self._get(self.config, section))
        network = self._get(self.config, "model").network
        if network.class_path.startswith("modgrok."):
            check_null("model.network", network_class(network.class_path), network.init_args)
        if self.recorded:  # the checkpoint's weights are those to go on from
            model = self._get(self.config, "model")
            model.pretrained = model.pretrained_parts = None
        trainer = self._get(self.config, "trainer")
        if trainer.accelerator == "auto":
            trainer.accelerator = "cuda" if torch.cuda.is_available() else "cpu"
        if str(trainer.precision).startswith("16"):
            raise InputError(
                f"trainer.precision: {trainer.precision} needs a loss scale; take bf16-mixed or 32"
            )

    def instantiate_classes(self) -> None:
        """Make what the config names.

        Raises:
            InputError: if something of the trainer's cannot be made, such as a logger whose package is not there.
        """
        try:
            super().instantiate_classes()
        except ValueError as error:
            raise explained(error, vars(self._get(self.config, "trainer"))) from None

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        """Give the run a directory of its own, or that of the run whose last checkpoint is gone on from.

        Its events are logged there; the loggers that the config names come after. `trainer.logger: false` leaves
        the directory and logs nothing.

        Raises:
            InputError: if the trainer refuses what it was given.
        """
        trainer = self._get(self.config_init, "trainer")
        if self.subcommand == "fit":
            run = RunLogger(Path(trainer.default_root_dir or "."), self.resumed, self.first_update)
            if trainer.logger is False:
                kwargs["logger"] = Unlogged(run)
            elif trainer.logger in (None, True):
                kwargs["logger"] = run
            else:
                others = trainer.logger if isinstance(trainer.logger, list) else [trainer.logger]
                kwargs["logger"] = [run, *others]
        try:
            return super().instantiate_trainer(**kwargs)
        except InputError:
            raise
        except (OverflowError, TypeError, ValueError) as error:
            raise InputError(f"trainer: {shortened(error)}") from error

    def fit(self, **arguments: Any) -> None:
        """Train, then say what the run showed and what to type next."""
        root = Path(self.trainer.default_root_dir)
        check_writable(root, sum(parameter.numel() for parameter in self.model.parameters()))
        check_engine(
            self.model.engine_name, self.trainer.strategy.root_device, self.datamodule.batch_size is None
        )
        check_order(self.model.network, self.datamodule)
        for logger in self.trainer.loggers[1:]:
            try:
                getattr(logger, "experiment", None)  # begins here, before the run does
            except Exception as error:
                raise InputError(f"trainer.logger: {type(logger).__name__} cannot begin: {error}") from None
        try:
            self._call("fit", arguments)
        except OSError as error:
            kept = self._get(self.config_init, "checkpoint").last_saved
            raise RunStoppedError(f"{error}; the last good checkpoint is {kept}") from error
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            if (
                self.checkpoint and self.trainer.train_dataloader is None
            ):  # the trainer's state was being restored
                raise InputError(
                    f"{self.checkpoint}: no run can go on from it: its trainer's state is damaged"
                ) from error
            raise
        directory = Path(self.trainer.log_dir or root)
        shown = os.path.relpath(directory)
        phases: Milestones = self._get(self.config_init, "phases")
        if self.model.origin:
            print(f"started with the {self.model.origin}")
        print(f"{phases.summary(self.model)}\n\nrun: {shown}")
        if received := self.interrupts.received:
            print(f"stopped by {received.name}; to go on:")
            print(f"  modgrok fit --config {shown}/{self.config_name} --ckpt_path {shown}", flush=True)
            sys.exit(128 + received)
        print(
            f"  modgrok test --ckpt_path {shown}\n"
            f"  modgrok analyze {shown}\n"
            f"  tensorboard --logdir {os.path.relpath(directory.parent)}"
        )

    def test(self, **arguments: Any) -> None:
        """Score the held-out pairs and print a table."""
        self._score("test", arguments)

    def validate(self, **arguments: Any) -> None:
        """Score the held-out pairs and print a table."""
        self._score("validate", arguments)

    def predict(self, **arguments: Any) -> None:
        """Write the table of all pairs."""
        self._call("predict", arguments | {"return_predictions": False})
        print(f"wrote {self.datamodule.pairs.size:,} pairs to {self._get(self.config, 'predictions').file}")

    def _score(self, command: str, arguments: dict[str, Any]) -> None:
        self._call(command, arguments | {"verbose": False})
        data, scores = self.datamodule, self.trainer.callback_metrics
        table = Table(title=f"{' | '.join(task.name for task in data.tasks)} mod {data.config['modulus']}")
        for heading in ("update", "held-out pairs", "loss", "accuracy"):
            table.add_column(heading, justify="right")
        loss, accuracy = scores["heldout/loss"], scores["heldout/accuracy"]
        table.add_row(
            f"{self.first_update:,}", f"{data.heldout_pairs.size:,}", f"{loss:.4g}", f"{accuracy:.4f}"
        )
        Console().print(table)

    def _call(self, command: str, arguments: dict[str, Any]) -> None:
        path = str(self.checkpoint) if self.checkpoint else None
        getattr(self.trainer, command)(**arguments | {"ckpt_path": path, "weights_only": True})


def check_null(section: str, kind: type, values: Namespace) -> None:
    """Raise an InputError if a field of a section is null that must have a value: the parser lets it through."""
    for name, parameter in inspect.signature(kind, eval_str=True).parameters.items():
        if name in SIZES:
            continue
        if values.get(name, parameter.default) is None and NoneType not in get_args(parameter.annotation):
            raise InputError(f"{section}.{name}: it must have a value, and is null")


def check_writable(directory: Path, parameters: int) -> None:
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
