"""Runs on single formulas, beside which a mixture of them is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modgrok.data import ModularData
from modgrok.errors import InputError
from modgrok.runs import History, RunDirectory
from modgrok.runs.directory import source_name


@dataclass(frozen=True)
class SingleTaskRun:
    """A run on one formula by itself."""

    source: str
    train_fraction: float
    history: History


def read_single_task_runs(paths: Sequence[Path], data: ModularData) -> dict[str, SingleTaskRun]:
    """Read runs on single formulas of a mixture, by the mixture's names of the formulas.

    Raises:
        InputError: if a run is on another formula or modulus, or the data have only one task.
    """
    if paths and len(data.tasks) < 2:
        raise InputError("alone: only a mixture of formulas is compared with runs on each of them alone")
    names = {str(task.operation): task.name for task in data.tasks}
    modulus = data.config["modulus"]
    found = {}
    for path in paths:
        snapshot = RunDirectory(path).snapshot()
        config = snapshot.data.config
        formula, *more = (str(task.operation) for task in snapshot.data.tasks)
        if more or formula not in names or config["modulus"] != modulus:
            raise InputError(
                f"alone: {path} is on {' | '.join([formula, *more])} mod {config['modulus']}, "
                f"not on one of {', '.join(names)} mod {modulus}"
            )
        found[names[formula]] = SingleTaskRun(source_name(path), config["train_fraction"], snapshot.history)
    return found
