"""What runs of both wings are assembled by: a config, a checkpoint to resume from, one directory, errors of a line."""

from __future__ import annotations

import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, ClassVar

import torch
from jsonargparse import Namespace
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint, ModelSummary
from lightning.pytorch.callbacks import ProgressBar as LightningProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.plugins import CheckpointIO

from modgrok.callbacks import GracefulInterrupt, Predictions, SaveConfig
from modgrok.errors import InputError, RunStoppedError, brief
from modgrok.experiments.assembly.quiet_lightning import quiet_lightning
from modgrok.experiments.assembly.setting_errors import (
    culprit,
    is_of_own_code,
    of_building,
    one_line,
    wrong_option,
)
from modgrok.experiments.config.command_parser import check_null, option_values, parse
from modgrok.experiments.config.config_file import names_class, read_config, with_configs_as_data
from modgrok.experiments.config.first_look import given_checkpoint
from modgrok.experiments.config.parser import Parser, plain
from modgrok.runs import RunDirectory
from modgrok.runs.checkpoint_io import AtomicCheckpointIO
from modgrok.runs.directory import CONFIG, run_of, update_of
from modgrok.runs.logger import DirectoryOnlyLogger, RunLogger
from modgrok.runs.whole_files import check_writable

_PARSERS_OF_THREAD = threading.local()
"""The parsers that a thread has made, by command and defaults."""


class ConfiguredRun(LightningCLI, ABC):
    """LightningCLI for one run, in a directory of its own.

    Where a checkpoint is given, the data and the network are its own; a run that is resumed has the config that it was
    given last, too. What the options say comes on top.

    Args:
        command: the command that it is assembled for, such as `fit`.
        args: options as on the command line.
        directory: the run's own directory, resumed where it has a checkpoint; a new `lightning_logs/version_N` unless
            given.
        shown: whether a progress bar is shown unless the options say otherwise.

    Raises:
        InputError: if an option or a file that it names is wrong.
    """

    module: ClassVar[type[LightningModule]]
    data: ClassVar[type[LightningDataModule]]
    classes: ClassVar[Mapping[str, str]]
    """The class of each field that has one, unless the config names another."""
    sizes: ClassVar[Sequence[str]]
    """The arguments of a network that the data give it."""
    sections: ClassVar[Mapping[str, type[Callback]]] = {}
    """The callbacks that a config configures."""
    metrics: ClassVar[tuple[str, ...]] = ()
    """What the names of all scores begin with that are logged, where that is known."""
    trainer_settings: ClassVar[Mapping[str, Any]] = {}
    """The trainer's arguments unless the config has others."""

    @quiet_lightning()
    def __init__(
        self, command: str, args: Sequence[str], directory: Path | None = None, *, shown: bool = True
    ) -> None:
        self.command, self.shown = command, shown
        self.method = command.split()[-1]  # of the trainer
        args, configs = with_configs_as_data(args)
        _import_classes(args, configs)
        self.checkpoint = given_checkpoint(args, configs)
        if self.checkpoint is None and self.method != "fit" and not {"-h", "--help"} & set(args):
            raise InputError(f"{self.command} needs a trained network: --ckpt_path RUN_OR_CKPT")
        if self.checkpoint is None and directory is not None and RunDirectory(directory).checkpoints:
            self.checkpoint = RunDirectory(directory).last_checkpoint
        self.recorded: Any = None
        resumed = None
        if self.checkpoint:
            run = run_of(self.checkpoint)
            if self.method == "fit" and run:
                if config := RunDirectory(run).config(update_of(self.checkpoint)):
                    configs[str(config)] = read_config(config)
                    args = ["--config", str(config), *args]
                _import_classes(args, configs)
                if RunDirectory(run).last_checkpoint.samefile(self.checkpoint):
                    resumed = run
            self.recorded = self.read_record(self.checkpoint)
        # a field whose class is named has no default: jsonargparse would hand that class the default's arguments
        named = [field for field in self.classes if names_class(field, args, configs.values())]
        defaults = {field: {"class_path": path} for field, path in self.classes.items()}
        self.defaults = {**defaults, **dict.fromkeys(named)}
        self.resumed = resumed
        self.directory = directory or resumed
        self.first_update: int = self.recorded["update"] if self.recorded else 0
        self.interrupt = GracefulInterrupt()
        super().__init__(
            self.module,
            self.data,
            parser_class=Parser,
            parser_kwargs={"prog": f"modgrok {command}", "allow_abbrev": False},
            save_config_callback=None,  # ours writes when the training begins
            seed_everything_default=0,
            trainer_defaults={
                "devices": 1,
                "enable_model_summary": False,
                "max_epochs": -1,
                "num_sanity_val_steps": 0,
                **self.trainer_settings,
                **({} if self.method == "fit" else {"logger": False}),
            },
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,  # only for modules that call save_hyperparameters; it dumps the config
            args=args,
            run=False,
        )

    # what a wing says of its runs

    @abstractmethod
    def read_record(self, checkpoint: Path) -> Mapping[str, Any]:
        """Return what a checkpoint records of its run, `update` among it.

        Raises:
            InputError: if it is no checkpoint of this wing, or damaged.
        """

    @abstractmethod
    def recorded_defaults(self) -> dict[str, Any]:
        """Return the fields that follow from the checkpoint."""

    @abstractmethod
    def own_callbacks(self) -> list[Callback]:
        """Return the callbacks that no config configures."""

    @abstractmethod
    def check_run(self) -> None:
        """Raise an InputError, naming the field, if something is wrong with the run; nothing is written."""

    @abstractmethod
    def has_findings(self) -> bool:
        """Whether the run that is resumed has come to its end, and its findings say so."""

    def train(self) -> None:
        """Call the trainer."""
        self.run_trainer("fit")

    # assembling

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
        self.config = plain(parse(parser, args))

    def _set_seed(self) -> None:
        try:
            super()._set_seed()
        except ValueError:
            raise InputError("seed_everything must be an integer from 0 to 2**32 - 1") from None

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the callbacks' sections and the checkpoint, and link the data's sizes to the network's arguments."""
        for section, callback in self.sections.items():
            parser.add_lightning_class_args(callback, section)
        parser.add_argument(
            "--ckpt_path",
            type=str | None,
            default=None,
            help="a run's directory, a checkpoint file, or last or best of the newest run",
        )
        for size in self.sizes:
            parser.link_arguments(f"data.{size}", f"model.network.init_args.{size}", apply_on="instantiate")
        parser.set_defaults(self.defaults)
        if self.recorded:
            for field, value in self.recorded_defaults().items():
                parser.set_defaults({field: value})

    def before_instantiate_classes(self) -> None:
        """Check what the parser lets through. Resolve `accelerator=auto` to CUDA or CPU: MPS has no float64."""
        for section in ("trainer", "data", "model", *self.sections):
            if not isinstance(self.config[section], Namespace):
                raise InputError(f"{section}: not a section with fields of its own, such as {section}.FIELD")
        for section, kind in {"data": self.data, "model": self.module, **self.sections}.items():
            check_null(section, kind, self.config[section], self.sizes)
        network = self.config.model.network
        check_null("model.network", resolve_name(network.class_path), network.init_args, self.sizes)
        for section, callback in self.sections.items():  # the parser would not say whose field is wrong
            try:
                callback(**vars(self.config[section]))
            except InputError as error:
                raise InputError(f"{section}.{error}") from None
        trainer = self.config.trainer
        if trainer.barebones:
            raise InputError(
                "trainer.barebones: a run is scored and kept, which barebones forbids; to leave out what it leaves "
                "out, give trainer.logger=false and trainer.enable_checkpointing=false"
            )
        if trainer.accelerator == "auto":
            trainer.accelerator = "cuda" if torch.cuda.is_available() else "cpu"
        if trainer.default_root_dir is not None:
            trainer.default_root_dir = str(Path(trainer.default_root_dir).expanduser())

    def leave_weights_to_checkpoint(self, pretrained: str | None) -> None:
        """Drop `model.pretrained` where a checkpoint has the weights; its config names what the run started from.

        Args:
            pretrained: the run or checkpoint that the checkpoint's own run started from, if it did.

        Raises:
            InputError: if the options name another.
        """
        given = self.config.model.pretrained
        if given not in (None, pretrained):
            raise InputError(
                f"model.pretrained: the weights are those of {self.checkpoint}; leave it out, got {brief(given)}"
            )
        self.config.model.pretrained = None

    def instantiate_classes(self) -> None:
        """Build what the config names.

        Raises:
            InputError: if something cannot be built, such as a logger whose package is missing. What code of the
                user's own raises is raised as it is.
        """
        try:
            super().instantiate_classes()
        except InputError:
            raise
        except Exception as error:
            wrong = of_building(error, self.config)
            raise wrong from wrong.__cause__

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Give the run its callbacks, its directory, whole checkpoints and its loggers.

        TensorBoard's events are logged in the directory; the loggers that the config names come after. A progress bar,
        a TensorBoard logger or a summary that the config names takes the place of the built-in one. With
        `trainer.fast_dev_run` nothing is written.

        Raises:
            InputError: if the trainer refuses its arguments.
        """
        settings = {**vars(self.config_init.trainer), **kwargs}
        given = _listed(settings["callbacks"])
        own = [*(self.config_init[section] for section in self.sections), *self.own_callbacks()]
        if any(isinstance(one, LightningProgressBar) for one in given):
            own = [one for one in own if not isinstance(one, LightningProgressBar)]
        elif settings["enable_progress_bar"] is False or not self.shown:
            own = [one for one in own if not isinstance(one, LightningProgressBar)]
            settings["enable_progress_bar"] = False
        if any(isinstance(one, ModelSummary) for one in given):
            settings["enable_model_summary"] = True
        if settings["enable_checkpointing"] is False:
            own = [one for one in own if not isinstance(one, Checkpoint)]
        if settings["fast_dev_run"] or self.method != "fit":
            own = [one for one in own if isinstance(one, LightningProgressBar | Predictions)]
        else:
            own.append(SaveConfig(self._saved_as, lambda: self._text))
            settings["logger"] = self._loggers(settings["logger"], settings["default_root_dir"])
        settings["callbacks"] = [*given, *own, self.interrupt]
        plugins = _listed(settings["plugins"])
        if not any(isinstance(plugin, CheckpointIO) for plugin in plugins):
            settings["plugins"] = [*plugins, AtomicCheckpointIO()]
        try:
            return self.trainer_class(**settings)
        except InputError:
            raise
        except Exception as error:
            if is_of_own_code(error):
                raise
            field = wrong_option(settings, error)
            raise InputError(f"{'trainer.' * (field != 'trainer')}{field}: {one_line(error)}") from error

    @property
    def _saved_as(self) -> str:
        return f"config_from_{self.first_update:06d}.yaml" if self.resumed else CONFIG

    def _dumped_config(self) -> str:
        return self.parser.dump(self.config, skip_unset=False)

    def _loggers(self, given: Any, root: str | None) -> Any:
        update = self.first_update if self.checkpoint else None
        self._run_logger = run = RunLogger(Path(root or "."), self.directory, update)
        if given in (None, True):
            return run
        others = [] if given is False else _listed(given)
        if given is False or any(isinstance(one, TensorBoardLogger) for one in others):
            return [DirectoryOnlyLogger(run), *others]
        return [run, *others]

    # running

    @property
    def path(self) -> Path:
        """The run's directory; where it would be, for one that writes nothing."""
        return Path(self._run_logger.log_dir if self.writes else self.trainer.default_root_dir)

    @property
    def writes(self) -> bool:
        """Whether it leaves a run: with `trainer.fast_dev_run` it does not."""
        return not self.trainer.fast_dev_run  # type: ignore[attr-defined]

    @property
    def updates_made(self) -> int:
        """The updates of this fit; 0 where there was none to make."""
        return max(0, self.trainer.global_step - self.first_update)

    @property
    def ended_by(self) -> str | None:
        """The field by which a run that is resumed has no update left to make; None where it has one."""
        return (
            "trainer.max_steps" if self.resumed and 0 < self.trainer.max_steps <= self.first_update else None
        )

    @quiet_lightning()
    def check(self) -> None:
        """Check everything that can be wrong with the run; nothing is written.

        Raises:
            InputError: naming the field.
        """
        self.model.trainer = self.trainer
        self._check_monitors()
        if self.directory and not self.resumed and _is_of_another(self.directory / CONFIG):
            raise InputError(f"directory: {self.directory} has a {CONFIG} that is not a run's; name another")
        self.check_run()
        if self.writes:
            parameters = sum(parameter.numel() for parameter in self.model.parameters())
            _check_space(self.directory or Path(self.trainer.default_root_dir), parameters)

    def _check_monitors(self) -> None:
        """Raise an InputError if a callback of Lightning's waits for a score that nothing logs."""
        callbacks = self.trainer.callbacks  # type: ignore[attr-defined]
        if not self.metrics or any(
            not type(one).__module__.startswith(("modgrok.", "lightning.")) for one in callbacks
        ):
            return  # it may log others
        for callback in callbacks:
            name = getattr(callback, "monitor", None)
            if name is not None and not name.startswith(self.metrics):
                raise InputError(
                    f"trainer.callbacks: {type(callback).__name__}: monitor: nothing logs {brief(name)}; names begin "
                    f"with {', '.join(self.metrics)}"
                )

    @quiet_lightning()
    def fit(self) -> Path:
        """Train; return the run's directory. A run that has no update left to make stays as it is.

        Raises:
            InputError: if something is wrong with the run; nothing of it is written then.
            RunStoppedError: if the run could not continue.
            KeyboardInterrupt: if a second signal ended it at once.
        """
        self.check()
        if self.resumed and self.ended_by and self.has_findings():
            return self.resumed
        self._text = self._dumped_config()
        try:
            self._start_loggers()
            self.train()
        except BaseException as error:
            begun = self.trainer.global_step > self.first_update
            wrong = self._explained(error, begun)
            if not begun and self.writes and (wrong is not error or not RunDirectory(self.path).checkpoints):
                self._run_logger.remove_directory()
            if wrong is error:
                raise
            raise wrong from error
        return self.path

    def fit_with(self, callbacks: Sequence[Callback]) -> Path:
        """Train with callbacks besides those of the config; see `fit`.

        Raises:
            KeyboardInterrupt: after a signal; there is a checkpoint.
        """
        self.trainer.callbacks += callbacks  # type: ignore[attr-defined]
        path = self.fit()
        if self.interrupt.received:
            raise KeyboardInterrupt(f"{path}: stopped by {self.interrupt.received.name}")
        return path

    def _explained(self, error: BaseException, begun: bool) -> BaseException:
        """Return the error whose message is a line, for an error that is not of the user's own code."""
        if isinstance(error, SystemExit) and isinstance(error.__context__, KeyboardInterrupt):
            return KeyboardInterrupt()
        if isinstance(error, InputError | RunStoppedError) or not isinstance(error, Exception):
            return error
        if is_of_own_code(error):
            return error
        kept = [str(path) for path in RunDirectory(self.path).checkpoints.values()] if self.writes else []
        ending = f"the last good checkpoint is {kept[-1]}" if kept else "there is no checkpoint"
        if isinstance(error, OSError):
            return RunStoppedError(f"{error}; {ending}")
        if field := culprit(error):
            message = f"{field}: {one_line(error)}"
            update = f"update {self.trainer.global_step:,}"
            return RunStoppedError(f"{message}, at {update}; {ending}") if begun else InputError(message)
        return error

    def _start_loggers(self) -> None:
        """Start the config's loggers before the run; one that would log where the run is shares its directory.

        Raises:
            InputError: if one cannot start.
        """
        if not self.writes:
            return
        for logger in self.trainer.loggers[1:]:
            try:
                if isinstance(logger, CSVLogger | TensorBoardLogger) and logger._version is None:
                    self._run_logger.share(logger, self.first_update)
                getattr(logger, "experiment", None)
            except Exception as error:
                name = type(logger).__name__
                raise InputError(f"trainer.logger: {name} failed to start: {one_line(error)}") from None

    @quiet_lightning()
    def run_trainer(self, method: str, **arguments: Any) -> Any:
        """Call the trainer's method of that name, from the checkpoint if there is one."""
        path = str(self.checkpoint) if self.checkpoint else None
        return getattr(self.trainer, method)(
            self.model, self.datamodule, ckpt_path=path, weights_only=True, **arguments
        )


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def _import_classes(args: Sequence[str], configs: Mapping[str, Mapping[str, Any]]) -> None:
    """Import the modules of the network and the loss that the options name: a checkpoint's record imports nothing."""
    named: list[Any] = []
    for field in ("network", "loss"):
        named += option_values(args, f"--model.{field}", f"--model.{field}.class_path")
        for config in configs.values():
            with suppress(KeyError, TypeError):  # it names none; what is wrong with it, the parser says
                named.append(config["model"][field]["class_path"])
    for path in named:
        with suppress(ImportError, TypeError, ValueError):
            import_module(str(path).rpartition(".")[0])


def _is_of_another(config: Path) -> bool:
    """Whether there is a file where a run's config would be written that no run has written."""
    return (
        config.is_file()
        and "lightning.pytorch==" not in config.read_text(encoding="utf-8").partition("\n")[0]
    )


def _check_space(directory: Path, parameters: int) -> None:
    """Raise an InputError unless two checkpoints could be written in `directory`, which need not exist yet."""
    parent = check_writable("trainer.default_root_dir", directory)
    need = 2 * 3 * 4 * parameters  # two of: weights and AdamW's two moments, float32
    free = shutil.disk_usage(parent).free
    if free < need:
        raise InputError(
            f"trainer.default_root_dir: {parent} has {free / 1e6:.1f} MB free; two checkpoints take {need / 1e6:.1f} MB"
        )
