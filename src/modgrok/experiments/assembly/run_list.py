"""Runs found on disk, one row each, from their files alone: nothing is imported that trains."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from modgrok.errors import InputError, brief, did_you_mean
from modgrok.experiments.config.config_file import read_config
from modgrok.experiments.config.config_forms import flatten
from modgrok.runs.directory import CONFIG
from modgrok.runs.findings import FINDINGS, Findings, read_findings

CONDITION = re.compile(r"\s*([\w./]+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*")

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

FOUND = tuple(field.name for field in fields(Findings) if field.name not in ("task", "modulus", "tasks"))
"""What findings say of a run besides its config."""


@dataclass(frozen=True)
class ListedRun:
    """A run, as its files tell of it.

    Attributes:
        path: its directory.
        config: the values of its config by their dotted names.
        findings: the findings of the run; None until it has ended.
    """

    path: Path
    config: dict[str, Any]
    findings: Findings | None

    @property
    def row(self) -> dict[str, Any]:
        """Everything that is known of the run, under one name each."""
        found = {name: getattr(self.findings, name, None) for name in FOUND}
        return {"run": str(self.path), **self.config, **found}


def list_runs(root: Path) -> list[ListedRun]:
    """Find the runs in a directory and below it, in the order of their names and numbers.

    Runs of the second wing, which have no task, are left out.

    Raises:
        InputError: if there is no such directory, or a run's files are damaged.
    """
    if not root.is_dir():
        raise InputError(f"{root}: no such directory")
    found = []
    for file in sorted(root.rglob(CONFIG), key=lambda file: _natural(str(file))):
        config = _fields(flatten(read_config(file)))
        if "data.task" in config:
            run = file.parent
            ended = (run / FINDINGS).is_file()
            found.append(ListedRun(run, config, read_findings(run) if ended else None))
    return found


def select_runs(runs: Sequence[ListedRun], conditions: Iterable[str]) -> list[ListedRun]:
    """Keep the runs that meet every condition, such as `data.modulus=97` or `grokked_at<3000`.

    Names may be shortened to their end, `modulus=97`. A run for which nothing is known under a name meets no condition
    on it but `!=`.

    Raises:
        InputError: if a condition is none, or names what no run has.
    """
    for condition in conditions:
        if (parts := CONDITION.fullmatch(condition)) is None:
            raise InputError(
                f"--where: {brief(condition)} is no condition; write NAME=VALUE, or with != < <= > >="
            )
        name, sign, value = parts.groups()
        name = full_name(name, runs)
        runs = [run for run in runs if _holds(run.row.get(name), COMPARISONS[sign], value)]
    return list(runs)


def sort_runs(runs: Sequence[ListedRun], name: str, *, descending: bool = False) -> list[ListedRun]:
    """Sort runs by what is known under a name, which may be shortened; those without it come last."""
    name = full_name(name, runs)
    known = [run for run in runs if run.row.get(name) is not None]
    try:
        known.sort(key=lambda run: run.row[name], reverse=descending)
    except TypeError:  # a field that is a number here and a word there
        known.sort(key=lambda run: str(run.row[name]), reverse=descending)
    return known + [run for run in runs if run.row.get(name) is None]


def differing_fields(runs: Sequence[ListedRun]) -> list[str]:
    """Return the fields of the config in which runs differ, task, modulus and share apart."""
    named = {"data.task", "data.modulus", "data.train_fraction"}
    names = dict.fromkeys(name for run in runs for name in run.config if name not in named)
    return [name for name in names if len({repr(run.config.get(name)) for run in runs}) > 1]


def full_name(name: str, runs: Sequence[ListedRun]) -> str:
    """Return the one name of a field or a finding that ends as a shortened one says.

    Raises:
        InputError: if there is none, or several.
    """
    known = list(dict.fromkeys(one for run in runs for one in run.row)) or ["run", *FOUND]
    if name in known:
        return name
    ends = [one for one in known if one.endswith(f".{name}")]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise InputError(f"{name}: {' or '.join(sorted(ends))}?")
    raise InputError(f"{name}: no run has such a field or finding{did_you_mean(name, known)}")


def _fields(config: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments of a class that a config names fields of their own."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping) and "class_path" in value:
            found[name] = value["class_path"]
            arguments = value.get("init_args") or {}
            found |= _fields({f"{name}.{argument}": one for argument, one in arguments.items()})
        else:
            found[name] = value
    return found


def _holds(value: Any, compare: Callable[[Any, Any], bool], text: str) -> bool:
    if value is None:
        return compare is operator.ne and text != "null"
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return compare(value, float(text))
        except ValueError:
            return compare is operator.ne
    words = str(value).lower() if isinstance(value, bool) else str(value)
    return compare(words, text)


def _natural(name: str) -> list[tuple[str, int]]:
    """Split a name into words and numbers, so that version_2 comes before version_10."""
    return [(word, int(number or 0)) for word, number in re.findall(r"(\D*)(\d*)", name)]
