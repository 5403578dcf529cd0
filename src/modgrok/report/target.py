"""The checkpoints that a path stands for, and the directory of their report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modgrok.errors import InputError
from modgrok.runs import RunDirectory
from modgrok.runs.directory import run_of, source_name, update_of


@dataclass(frozen=True)
class AnalysisTarget:
    """Checkpoints to analyze.

    Attributes:
        checkpoints: the checkpoints in the order of their updates; the circuit is read from the last.
        source: the last two names of the path, which the report calls them by.
        output: the default directory of the report.

    Example:
        >>> import modgrok
        >>> from modgrok.report import find_target
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> find_target(run.path).output.name
        'report'
    """

    checkpoints: list[Path]
    source: str
    output: Path


def find_target(path: Path) -> AnalysisTarget:
    """Find the checkpoints that a path stands for.

    A run's directory stands for all its checkpoints, and a checkpoint in it for those up to this one; their report
    goes into the run's directory. A checkpoint outside of a run stands alone, and its report goes beside it.

    Raises:
        InputError: if there is no such run or checkpoint.

    Example:
        >>> import modgrok
        >>> from modgrok.report import find_target
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> [path.name for path in find_target(run.path).checkpoints]
        ['update=000000.ckpt', 'update=000010.ckpt']
    """
    if path.is_file():
        path = path.resolve()
        run = run_of(path)
        if run is None:
            return AnalysisTarget([path], source_name(path), beside(path))
        update = update_of(path)
        earlier = [file for at, file in RunDirectory(run).checkpoints.items() if at < update]
        return AnalysisTarget([*earlier, path], source_name(run), run / "report")
    run = path.resolve()
    last = RunDirectory(run).last_checkpoint if run.is_dir() else None
    if last is None:
        raise InputError(f"{path}: no such run or checkpoint")
    return AnalysisTarget([*RunDirectory(run).checkpoints.values()], source_name(run), run / "report")


def beside(path: Path) -> Path:
    """The directory of the report on a file outside of a run: next to it, under its name.

    Example:
        >>> from pathlib import Path
        >>> from modgrok.report import beside
        >>> beside(Path("weights.pth")).as_posix()
        'weights-report'
    """
    return path.with_name(f"{path.stem}-report")
