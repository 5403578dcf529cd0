"""A directory that is the run's alone, and the TensorBoard events in it."""

from __future__ import annotations

from pathlib import Path

from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.loggers.logger import DummyLogger


class RunLogger(TensorBoardLogger):
    """Logs into a new `lightning_logs/version_N`, or goes on with a run's events.

    Args:
        root: where `lightning_logs` is.
        run: the directory of the run to go on with.
        update: after which it goes on; events of later updates, which will come again, are taken back.
    """

    def __init__(self, root: Path, run: Path | None = None, update: int = 0) -> None:
        if run is None:
            super().__init__(root, default_hp_metric=False)
        else:
            super().__init__(run.parent, "", run.name, default_hp_metric=False, purge_step=update + 1)

    def _get_next_version(self) -> int:
        """Take the next number by making its directory, so that two runs started at once never share one."""
        number = super()._get_next_version()
        while True:
            try:
                Path(self.root_dir, f"version_{number}").mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return number


class Unlogged(DummyLogger):
    """Logs nothing, and gives the run the directory that it would have been logged into."""

    def __init__(self, logger: RunLogger) -> None:
        super().__init__()
        self._logger = logger

    @property
    def save_dir(self) -> str:
        """The run's directory."""
        return self._logger.log_dir
