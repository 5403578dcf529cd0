"""One run from a config: LightningCLI on CapacityModule and ProfilesDataModule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import TensorBoardLogger

from modgrok.capacity.capacity_module import CapacityModule
from modgrok.capacity.capacity_run import LAST, find_checkpoint, read_checkpoint
from modgrok.capacity.profiles_data_module import ProfilesDataModule
from modgrok.errors import InputError

SIZES = ("vocabulary_size", "context_length")
"""The arguments of a network that the data give it."""

MOST_CHARACTERS = 400


class Parser(LightningArgumentParser):
    """A parser whose errors are InputErrors of a line or two."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise the message, shortened."""
        text = re.sub(r'Parser key "([^"]*)":', r"\1:", " ".join(message.split()))
        raise InputError(text if len(text) < MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]} …") from None


class CapacityCli(LightningCLI):
    """LightningCLI with the network sized by the data, stock callbacks and TensorBoard."""

    def __init__(self, args: Sequence[str]) -> None:
        super().__init__(
            CapacityModule,
            ProfilesDataModule,
            parser_class=Parser,
            seed_everything_default=0,
            auto_configure_optimizers=False,
            args=list(args),
            trainer_defaults={
                "devices": 1,
                "accelerator": "cpu",
                "max_steps": 10_000,
                "max_epochs": -1,
                "val_check_interval": 1000,
                "check_val_every_n_epoch": None,
                "num_sanity_val_steps": 0,
                "enable_model_summary": False,
            },
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse the arguments given, whatever the process's own are."""
        self.config = parser.parse_args(args)

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Lead the data's sizes to the network."""
        for size in SIZES:
            parser.link_arguments(f"data.{size}", f"model.network.init_args.{size}", apply_on="instantiate")
        parser.set_defaults({"model.network": {"class_path": "modgrok.capacity.TransformersLlama"}})

    def instantiate_trainer(self, **kwargs: Any) -> Any:
        """Make the trainer: TensorBoard, and a checkpoint at every validation, unless told otherwise."""
        trainer = self._get(self.config_init, "trainer")
        if trainer["logger"] is None:
            kwargs["logger"] = TensorBoardLogger(trainer["default_root_dir"] or ".", "lightning_logs")
        given = trainer["callbacks"] or []
        callbacks = given if isinstance(given, list) else [given]
        if not any(isinstance(callback, ModelCheckpoint) for callback in callbacks):
            checkpoints = ModelCheckpoint(
                filename="update={step:06d}",
                auto_insert_metric_name=False,
                save_top_k=-1,
                every_n_train_steps=trainer["val_check_interval"],
            )
            callbacks = [*callbacks, checkpoints]
        kwargs["callbacks"] = callbacks
        return super().instantiate_trainer(**kwargs)

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return `fit` alone: what else can be done with a run needs no config."""
        return {"fit": LightningCLI.subcommands()["fit"]}

    def fit(self, **arguments: Any) -> None:
        """Train, from a checkpoint if one is given, and save the last network."""
        if arguments["ckpt_path"]:
            arguments["ckpt_path"] = find_checkpoint(Path(arguments["ckpt_path"]))
            read_checkpoint(arguments["ckpt_path"])
        self.trainer.fit(**arguments | {"weights_only": True})
        self.trainer.save_checkpoint(self.directory / "checkpoints" / LAST)

    @property
    def directory(self) -> Path:
        """The run's directory."""
        return Path(self.trainer.log_dir or self.trainer.default_root_dir)


def fit(options: Sequence[str]) -> Path:
    """Train what a config and options say, and return the run's directory.

    Args:
        options: as on the command line, such as `["--config", "configs/capacity/plateau.yaml", "--data.n", "250"]`.

    Raises:
        InputError: if an option is wrong.
    """
    return CapacityCli(["fit", *options]).directory
