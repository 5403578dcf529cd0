"""Assembles a run from a config: data, network, training, callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from lightning.pytorch import Callback

from modgrok.callbacks import (
    Checkpoints,
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
from modgrok.errors import InputError
from modgrok.experiments.assembly.configured_run import ConfiguredRun
from modgrok.runs import RunDirectory
from modgrok.runs.snapshot import read_checkpoint, snapshot_from_checkpoint
from modgrok.training import GrokkingModule
from modgrok.training.checks import check_precision


class Experiment(ConfiguredRun):
    """A run of `modgrok fit`, `test`, `validate`, `predict` or `describe`, with callbacks as sections of the config.

    Example:
        >>> from modgrok.experiments import Experiment
        >>> options = ["--data.task", "x + y", "--data.modulus", "7", "--trainer.max_steps", "10"]
        >>> Experiment("fit", options).check()  # nothing is wrong with it
    """

    module, data = GrokkingModule, ModularDataModule
    classes: ClassVar = {
        "model.network": "modgrok.Transformer",
        "model.optimizer": "modgrok.training.GrokkingAdamW",
        "model.lr_scheduler": "modgrok.training.WarmUp",
        "model.loss": "modgrok.training.CrossEntropy",
    }
    metrics = ("train/", "heldout/", "norm/", "norm_l1/", "perf/", "progress/")
    sizes = ("vocabulary_size", "n_answers", "context_length")
    sections: ClassVar = {
        "checkpoint": Checkpoints,
        "stop": StopAfterGrokking,
        "curves": LogCurves,
        "measures": LogMeasures,
        "weights": LogWeights,
        "predictions": Predictions,
    }

    def read_record(self, checkpoint: Path) -> Mapping[str, Any]:
        """See `ConfiguredRun`."""
        read = read_checkpoint(checkpoint)
        snapshot_from_checkpoint(read, checkpoint)  # raises where the file contradicts itself
        return read["modgrok"]

    def recorded_defaults(self) -> dict[str, Any]:
        """See `ConfiguredRun`."""
        network, loss = self.recorded["network"], self.recorded["loss"]
        arguments = {name: value for name, value in network["config"].items() if name not in self.sizes}
        return {
            **{f"data.{name}": value for name, value in self.recorded["data"].items()},
            "model.frozen": self.recorded["frozen"],
            "model.loss": {"class_path": loss["class_path"], "init_args": loss["arguments"]},
            "model.network": {"class_path": network["class_path"], "init_args": arguments},
        }

    def own_callbacks(self) -> list[Callback]:
        """See `ConfiguredRun`."""
        return [LogNorms(), Milestones(), LogHyperparameters(), ProgressBar()]

    def before_instantiate_classes(self) -> None:
        """Take the weights and the tables of the checkpoint, if there is one."""
        super().before_instantiate_classes()
        if self.recorded:
            origin = self.recorded["pretrained_from"]
            self.leave_weights_to_checkpoint(origin and origin["source"])
            if origin:
                self.config.model.pretrained_parts = None
            data, recorded = self.config.data, self.recorded["data"]
            if data.answer_tables is None and data.task == recorded["task"]:
                data.answer_tables = recorded.get("answer_tables")
        check_precision(self.config.trainer.precision)  # before Lightning takes bfloat16 for it on a CPU

    def check_run(self) -> None:
        """See `ConfiguredRun`."""
        self.model.check(self.datamodule, self.trainer)
        if self.checkpoint:
            checkpoint = read_checkpoint(self.checkpoint)
            self.model.check_resumption(checkpoint, self.datamodule, str(self.checkpoint))

    @property
    def ended_by(self) -> str | None:
        """See `ConfiguredRun`; a run also ends when it has grokked for long enough."""
        if self.resumed and self.config_init.stop.is_due(
            self.recorded["history"]["grokked_since"], self.first_update
        ):
            return "stop.grokked_for"
        return super().ended_by

    def has_findings(self) -> bool:
        """See `ConfiguredRun`."""
        try:
            return self.resumed is not None and RunDirectory(self.resumed).findings.finished
        except InputError:
            return False  # it was killed before it wrote them
