"""What there is to analyze, and where its report goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modgrok.errors import InputError
from modgrok.runs import Run, load_run
from modgrok.runs.directory import CHECKPOINTS, PHASES, source_name
from modgrok.runs.history import THRESHOLD


@dataclass(frozen=True)
class AnalysisTarget:
    """Checkpoints to analyze.

    Attributes:
        checkpoints: by update, the last being the network whose circuit is read.
        source: what to call them: the last two names of the path.
        output: where the report goes unless told otherwise.
        threshold: accuracy from which the run counts a side of the split as learned.
    """

    checkpoints: list[Path]
    source: str
    output: Path
    threshold: float


def find_target(path: Path) -> AnalysisTarget:
    """Find what a path means.

    A run's directory means all its checkpoints; one checkpoint of a run means the run up to there. Both are
    reported in the run's directory. A checkpoint elsewhere stands alone, with its report beside it.

    Raises InputError where there is no such run or checkpoint.
    """
    if path.is_file():
        path = path.resolve()
        run = Run(path.parent.parent)
        if path not in (run.path / CHECKPOINTS).glob("update=*.ckpt"):
            return AnalysisTarget([path], source_name(path), beside(path), THRESHOLD)
        checkpoints = run.checkpoints[: run.checkpoints.index(path) + 1]
    else:
        run = load_run(path.resolve())
        checkpoints = run.checkpoints
    threshold = run.phases.get("threshold", THRESHOLD)
    if not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise InputError(f"{run.path / PHASES}: the threshold is not an accuracy between 0 and 1")
    return AnalysisTarget(checkpoints, source_name(run.path), run.path / "report", threshold)


def beside(path: Path) -> Path:
    """Where the report of a file that belongs to no run goes: next to it, under its name."""
    return path.with_name(f"{path.stem}-report")
