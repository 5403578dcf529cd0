"""Cells on a Ray cluster, for clusters without SLURM: a task for each cell."""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from modgrok.errors import InputError, install_hint
from modgrok.experiments.places.worker import run_cell

TICK_SECONDS = 1.0
STOP_SECONDS = 60


@dataclass(frozen=True)
class RayTasks:
    """Tasks on the Ray cluster that `RAY_ADDRESS` names, or on a new one on this machine.

    The sweep's directory must be one that all nodes share.

    Args:
        threads: CPU threads of each cell.
    """

    threads: int = 1

    def check(self) -> None:
        """Raise an InputError unless Ray is installed, and the number is positive."""
        if self.threads < 1:
            raise InputError(f"threads must be a positive integer, got {self.threads}")
        try:
            import ray  # noqa: F401
        except ImportError:
            raise InputError(f"on: ray is not installed; {install_hint('ray')}") from None

    def run(self, directory: Path, names: Sequence[str]) -> Generator[None]:
        """Run the cells; see `Place.run`."""
        import ray

        if not ray.is_initialized():
            ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
        # the sweep itself asks again for the cell of a worker that died
        task = ray.remote(num_cpus=self.threads, max_retries=0)(run_cell)
        pending = [task.remote(directory, name, self.threads) for name in names]
        try:
            while pending:
                ended, pending = ray.wait(pending, timeout=TICK_SECONDS)
                for cell in ended:
                    with suppress(ray.exceptions.RayError):
                        ray.get(cell)
                yield
        finally:
            for cell in pending:
                ray.cancel(cell)
            if pending:
                ray.wait(pending, num_returns=len(pending), timeout=STOP_SECONDS)
