"""A directory that is the run's alone, and the TensorBoard events in it."""

from __future__ import annotations

import shutil
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger
from tensorboard.compat.proto.summary_pb2 import Summary

from modgrok.runs.directory import next_version

LAYOUT = {
    "Both sides of the split": {
        "accuracy": ["Multiline", ["^train/accuracy$", "^heldout/accuracy(_new|_known)?$"]],
        "loss": ["Multiline", ["^train/loss$", "^heldout/loss$"]],
    },
    "Norms of the weights": {
        "L2": ["Multiline", ["^norm/"]],
        "L1": ["Multiline", ["^norm_l1/"]],
    },
    "Final scores": {
        "accuracy": ["Multiline", ["^final/.*accuracy"]],
        "loss": ["Multiline", ["^final/.*loss$"]],
        "first update at the threshold": ["Multiline", ["^final/.*_at$"]],
    },
}
"""The charts of TensorBoard's page of custom scalars, in its order: what is looked at first, norms and finals last."""


class RunLogger(TensorBoardLogger):
    """Logs into a new `lightning_logs/version_N`, or into the directory of a run, new or resumed.

    Args:
        root: the directory that `lightning_logs` is in.
        directory: the run's own directory; a new `version_N` unless given.
        update: the update being resumed from; later events are purged because they will be logged again.
    """

    def __init__(self, root: Path, directory: Path | None = None, update: int | None = None) -> None:
        purge = None if update is None else update + 1
        if directory is None:
            super().__init__(root, default_hp_metric=False)
        else:
            super().__init__(directory.parent, "", directory.name, default_hp_metric=False, purge_step=purge)
        self._laid_out = False
        self._parents_made: list[Path] = []
        self._made = None if directory is None or directory.exists() else directory

    def log_metrics(self, metrics: dict[str, Any], step: int | None = None) -> None:  # type: ignore[override]
        """Log scalars, without the epoch that Lightning adds: a run counts updates.

        All of a call are written as one event: one event for each takes longer than scoring a small network.
        """
        scalars = [
            Summary.Value(tag=name, simple_value=float(value))
            for name, value in metrics.items()
            if name != "epoch"
        ]
        if not self._laid_out:
            self.experiment.add_custom_scalars(LAYOUT)
            self._laid_out = True
        # not `file_writer`, which is None once a fit has closed it
        writer = self.experiment._get_file_writer()
        writer.add_summary(Summary(value=scalars), step)

    def share(self, logger: CSVLogger | TensorBoardLogger, update: int) -> None:
        """Let a logger that would take a version of its own beside the run's write into the run's directory.

        Args:
            logger: a logger that has taken no version yet.
            update: the update being resumed from; an earlier table is kept under a name with this number.
        """
        if Path(logger.root_dir).resolve() != Path(self.root_dir).resolve():
            return
        directory = Path(self.log_dir)
        logger._version = directory.name
        table = directory / "metrics.csv"
        if table.exists():
            table.rename(directory / f"metrics_to_{update:06d}.csv")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the directory is not empty
            _ = logger.experiment

    def remove_directory(self) -> None:
        """Remove the run's directory with what is in it, if this logger made it: the run has not begun."""
        if self._made is not None:
            shutil.rmtree(self._made, ignore_errors=True)
            with suppress(OSError):  # another run began there meanwhile
                for parent in self._parents_made:
                    parent.rmdir()

    def _get_next_version(self) -> int:
        """Take the next number by making its directory, so that two runs started at once never share one."""
        number = next_version(Path(self.root_dir))
        while True:
            try:
                made = Path(self.root_dir, f"version_{number}")
                self._parents_made += [
                    parent
                    for parent in made.parents
                    if not parent.exists() and parent not in self._parents_made
                ]
                made.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                self._made = made
                return number


class DirectoryOnlyLogger(DummyLogger):
    """Logs nothing, and gives the run the directory that it would have been logged into."""

    def __init__(self, logger: RunLogger) -> None:
        super().__init__()
        self._logger = logger

    @property
    def save_dir(self) -> str:
        """The run's directory."""
        return self._logger.log_dir
