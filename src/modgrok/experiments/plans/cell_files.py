"""The files of a sweep's directory: the plan, a run for each cell, what became of it, and which cells run now."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from modgrok.runs import RunDirectory
from modgrok.runs.directory import CELLS
from modgrok.runs.whole_files import check_writable, remove_partial_files, write_whole

PLAN = "plan.yaml"
PAGE = Path("report", "index.html")
"""Of a sweep, and of a cell that has been analyzed."""
OUTCOME = "outcome.json"
TRACEBACK = "traceback.txt"
_PROBE_BYTES = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """What became of a cell.

    Attributes:
        status: finished, or failed.
        reason: why it failed, in a line; empty where it did not.
    """

    status: Literal["finished", "failed"]
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a running cell is.

    Attributes:
        update: the last evaluated update.
        max_updates: the most updates that it may make; -1 where there is no such limit, or none is known yet.
        heldout_accuracy: the accuracy at that update; None before the first evaluation.
    """

    update: int = 0
    max_updates: int = -1
    heldout_accuracy: float | None = None


@dataclass(frozen=True)
class CellFiles:
    """The files of one sweep's directory."""

    directory: Path

    def cell(self, name: str) -> Path:
        """Return the directory of a cell's run."""
        return self.directory / CELLS / name

    def lock(self, name: str) -> Path:
        """Return the lock that a process holds while it runs the cell."""
        return self.directory / "locks" / name

    def outcome(self, name: str) -> Outcome | None:
        """Return what became of a cell; None where nothing has yet."""
        try:
            return Outcome(**json.loads((self.cell(name) / OUTCOME).read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
            return None

    def settle(self, name: str, outcome: Outcome) -> None:
        """Record what became of a cell."""
        write_whole(self.cell(name) / OUTCOME, json.dumps(asdict(outcome)))

    def unsettle(self, name: str) -> None:
        """Forget what became of a cell, so that it runs again."""
        (self.cell(name) / OUTCOME).unlink(missing_ok=True)

    def unsettled(self, names: Iterable[str]) -> list[str]:
        """Return the cells of which nothing has become yet."""
        return [name for name in names if not (self.cell(name) / OUTCOME).exists()]

    def last_checkpoint(self, name: str) -> int:
        """Return the update of a cell's last checkpoint; -1 where there is none."""
        return max(RunDirectory(self.cell(name)).updates, default=-1)

    def progress_file(self, name: str) -> Path:
        """Return the file that is there while the cell runs."""
        return self.directory / "running" / f"{name}.json"

    def begin(self, name: str) -> None:
        """Record that a cell runs now."""
        write_whole(self.progress_file(name), json.dumps(asdict(Progress())))

    def running(self) -> dict[str, Progress]:
        """Return the cells that run now, and how far they are."""
        found = {}
        for file in sorted((self.directory / "running").glob("*.json")):
            try:
                found[file.stem] = Progress(**json.loads(file.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):  # it has just ended
                continue
        return found

    def forget_running(self) -> None:
        """Remove what killed processes left of the cells they ran; no cell may be running."""
        running = self.directory / "running"
        remove_partial_files(running)
        for file in running.glob("*.json"):
            file.unlink(missing_ok=True)

    def check_space(self) -> None:
        """Raise an OSError unless something can be written, as where the disk or the quota is full."""
        with tempfile.TemporaryFile(dir=self.directory) as probe:
            probe.write(bytes(_PROBE_BYTES))
            probe.flush()
            os.fsync(probe.fileno())


def writable(directory: Path) -> Path:
    """Make a directory.

    Raises:
        InputError: if nothing can be written there.
    """
    check_writable("directory", directory)
    directory.mkdir(parents=True, exist_ok=True)
    return directory
