"""What there is to analyze, and where its report goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modgrok.errors import InputError
from modgrok.runs import RunDirectory
from modgrok.runs.directory import run_of, source_name


@dataclass(frozen=True)
class AnalysisTarget:
    """Checkpoints to analyze.

    Attributes:
        checkpoints: by update, the last being the network whose circuit is read.
        source: what to call them: the last two names of the path.
        output: where the report goes unless told otherwise.
    """

    checkpoints: list[Path]
    source: str
    output: Path


def find_target(path: Path) -> AnalysisTarget:
    """Find what a path means.

    A run's directory means all its checkpoints; one checkpoint of a run means the run up to there. Both are
    reported in the run's directory. A checkpoint elsewhere stands alone, with its report beside it.

    Raises InputError where there is no such run or checkpoint.
    """
    if path.is_file():
        path = path.resolve()
        run = run_of(path)
        if run is None:
            return AnalysisTarget([path], source_name(path), beside(path))
        checkpoints = [*RunDirectory(run).checkpoints.values()]
        return AnalysisTarget(checkpoints[: checkpoints.index(path) + 1], source_name(run), run / "report")
    run = path.resolve()
    last = RunDirectory(run).last_checkpoint if run.is_dir() else None
    if last is None:
        raise InputError(f"{path}: no such run or checkpoint")
    return AnalysisTarget([*RunDirectory(run).checkpoints.values()], source_name(run), run / "report")


def beside(path: Path) -> Path:
    """Where the report of a file that belongs to no run goes: next to it, under its name."""
    return path.with_name(f"{path.stem}-report")
