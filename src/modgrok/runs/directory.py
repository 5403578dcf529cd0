"""A run's directory: its configuration, its checkpoints, its findings."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modgrok.errors import InputError
from modgrok.runs.snapshot import Snapshot, load_snapshot

CHECKPOINTS = "checkpoints"
PHASES = "phases.json"
NAME = re.compile(r"update=(\d+)\.ckpt")
"""What a checkpoint's file is called; see `checkpoint_name`."""


def checkpoint_name(update: int) -> str:
    """Return the file name of the checkpoint after `update` updates."""
    return f"update={update:06d}.ckpt"


def source_name(path: Path) -> str:
    """Return the last two names of a path: enough to know a run by."""
    return "/".join(path.resolve().parts[-2:])


def find_checkpoint(path: str | Path) -> Path:
    """Return the checkpoint that `path` means: itself, or the last one of a run's directory.

    Raises:
        InputError: if there is none.
    """
    path = Path(path)
    return Run(path).checkpoints[-1] if path.is_dir() else path


def run_ending_in(checkpoint: Path) -> Path | None:
    """Return the run's directory whose last checkpoint this is, if it is one's."""
    checkpoint = checkpoint.absolute()
    directory = checkpoint.parent
    if directory.name != CHECKPOINTS or not NAME.fullmatch(checkpoint.name):
        return None
    return directory.parent if Run(directory.parent).checkpoints[-1] == checkpoint else None


@dataclass(frozen=True)
class Run:
    """One run's directory, `lightning_logs/version_N`."""

    path: Path

    @property
    def checkpoints(self) -> list[Path]:
        """The checkpoints, by update.

        Raises:
            InputError: if there is none.
        """
        found = [
            (int(match[1]), file)
            for file in (self.path / CHECKPOINTS).glob("update=*.ckpt")
            if (match := NAME.fullmatch(file.name))
        ]
        if not found:
            raise InputError(f"{self.path}: no checkpoint in {self.path / CHECKPOINTS}")
        return [file for _, file in sorted(found)]

    @property
    def updates(self) -> list[int]:
        """The updates at which there is a checkpoint."""
        return [int(file.stem.removeprefix("update=")) for file in self.checkpoints]

    @property
    def phases(self) -> dict[str, Any]:
        """What the run found: `memorised_at`, `grokked_at`, `delay` and the last scores; empty before the first.

        Raises:
            InputError: if the file that holds it is damaged.
        """
        file = self.path / PHASES
        try:
            found = json.loads(file.read_text()) if file.is_file() else {}
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise InputError(f"{file}: not what a run found; remove it, and it is found again")
        return found

    def snapshot(self, update: int | None = None) -> Snapshot:
        """Return the network as it was after `update` updates, or at the last checkpoint.

        Raises:
            InputError: if there is no such checkpoint.
        """
        if update is None:
            return load_snapshot(self.checkpoints[-1])
        if update not in self.updates:
            raise InputError(f"{self.path}: no checkpoint at update {update}; there are {self.updates}")
        return load_snapshot(self.path / CHECKPOINTS / checkpoint_name(update))


def load_run(path: str | Path) -> Run:
    """Open a run's directory.

    Raises:
        InputError: if it is none or has no checkpoint.
    """
    run = Run(Path(path))
    if not run.path.is_dir():
        raise InputError(f"{path}: no such directory")
    run.checkpoints  # noqa: B018 - raises where there is none
    return run
