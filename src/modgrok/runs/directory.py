"""A run's directory: its configuration, its checkpoints, its findings."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modgrok.errors import InputError
from modgrok.runs.findings import Findings, read_findings

if TYPE_CHECKING:
    from modgrok.runs.snapshot import Snapshot

CHECKPOINTS = "checkpoints"
CELLS = "cells"
"""Where the runs of a sweep are, in its directory."""
CONFIG = "config.yaml"
LATER_CONFIG = re.compile(r"config_from_(\d+)\.yaml")
"""What the config of a resumed run is called, by the update that it was resumed from."""
NAME = re.compile(r"(?:.*[-_])?(?:update|step)=(\d+)(?:-v\d+)?\.ckpt")
"""What a checkpoint's file is called, by modgrok (see `checkpoint_name`) or by Lightning's ModelCheckpoint."""


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

    Example:
        >>> import modgrok
        >>> from modgrok.runs import find_checkpoint
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> find_checkpoint(run.path).name
        'update=000010.ckpt'
    """
    path = Path(path).expanduser()
    if path.name == CHECKPOINTS and path.is_dir():
        path = path.parent
    if path.is_dir():
        return RunDirectory(path).last_checkpoint
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    return path


def next_version(root: Path) -> int:
    """Return the number after that of the last run in `root`, whose runs are its directories `version_N`."""
    numbers = [
        int(match[1])
        for entry in root.glob("version_*")
        if (match := re.fullmatch(r"version_(\d+)", entry.name))
    ]
    return max(numbers, default=-1) + 1


def newest_run(root: Path) -> Path:
    """Return the run in `root/lightning_logs` whose last checkpoint is the newest.

    Raises:
        InputError: if there is none.
    """
    files = list(root.glob(f"lightning_logs/*/{CHECKPOINTS}/*.ckpt"))
    if not files:
        raise InputError(f"{root / 'lightning_logs'}: no run there has a checkpoint")
    return max(files, key=lambda file: file.stat().st_mtime).parent.parent


def update_of(checkpoint: Path) -> int:
    """Return the update in the name of a run's checkpoint."""
    match = NAME.fullmatch(checkpoint.name)
    assert match
    return int(match[1])


def run_of(checkpoint: Path) -> Path | None:
    """Return the directory of the run that a checkpoint belongs to, if it lies in one."""
    directory = checkpoint.absolute().parent
    return directory.parent if directory.name == CHECKPOINTS and NAME.fullmatch(checkpoint.name) else None


def together(paths: Iterable[Path]) -> Path:
    """Return the directory of what is about several runs: the deepest that holds them all, of a sweep's cells its own.

    Args:
        paths: the runs' directories, or checkpoints.
    """
    runs = [(run_of(path) or path.parent) if path.is_file() else path for path in map(Path.resolve, paths)]
    common = Path(os.path.commonpath(runs))
    return common.parent if common.name == CELLS else common


@dataclass(frozen=True)
class RunDirectory:
    """One run's directory, `lightning_logs/version_N`.

    Example:
        >>> import modgrok
        >>> from modgrok.runs import RunDirectory
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> [path.name for path in RunDirectory(run.path).checkpoints.values()]
        ['update=000000.ckpt', 'update=000010.ckpt']
    """

    path: Path

    @property
    def checkpoints(self) -> dict[int, Path]:
        """The checkpoints by update, ascending; empty where there is none."""
        return dict(
            sorted(
                (int(match[1]), file)
                for file in (self.path / CHECKPOINTS).glob("*.ckpt")
                if (match := NAME.fullmatch(file.name))
            )
        )

    @property
    def last_checkpoint(self) -> Path:
        """The checkpoint after the most updates.

        Raises:
            InputError: if there is none.
        """
        checkpoints = self.checkpoints
        if not checkpoints:
            raise InputError(f"{self.path}: no checkpoint in {self.path / CHECKPOINTS}")
        return checkpoints[max(checkpoints)]

    def config(self, update: int) -> Path | None:
        """The config that the run was given last up to `update` updates; None where it has none."""
        later = {
            int(match[1]): file
            for file in self.path.glob("*.yaml")
            if (match := LATER_CONFIG.fullmatch(file.name))
        }
        given = [file for first, file in sorted(later.items()) if first <= update]
        file = given[-1] if given else self.path / CONFIG
        return file if file.is_file() else None

    @property
    def updates(self) -> list[int]:
        """The updates at which there is a checkpoint."""
        return list(self.checkpoints)

    @property
    def findings(self) -> Findings:
        """What the run found.

        Raises:
            InputError: if the run has not ended yet, or the file is damaged.
        """
        return read_findings(self.path)

    def snapshot(self, update: int | None = None) -> Snapshot:
        """Return the network as it was after `update` updates, or at the last checkpoint.

        Raises:
            InputError: if there is no such checkpoint.
        """
        from modgrok.runs.snapshot import load_snapshot  # takes PyTorch, and nothing else here does

        if update is None:
            return load_snapshot(self.last_checkpoint)
        checkpoints = self.checkpoints
        if update not in checkpoints:
            raise InputError(f"{self.path}: no checkpoint at update {update}; there are {list(checkpoints)}")
        return load_snapshot(checkpoints[update])
