"""What a place to run cells is: this machine, a SLURM cluster, a Ray cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Protocol


class Place(Protocol):
    """Runs cells of a sweep, each through `run_cell`; what becomes of a cell is in its directory."""

    def check(self) -> None:
        """Raise an InputError unless cells can run here."""

    def run(self, directory: Path, names: Sequence[str]) -> Generator[None]:
        """Run the cells of the sweep in `directory`; yield from time to time, and end when no cell runs.

        A cell whose process died is left as it is: the sweep asks again. Closing the iterator stops what runs, with
        checkpoints.
        """
        ...
