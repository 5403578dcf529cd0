"""`modgrok runs`: the runs in a directory, one row each."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from modgrok.cli import terminal
from modgrok.errors import InputError
from modgrok.experiments.assembly.run_list import (
    ListedRun,
    differing_fields,
    list_runs,
    select_runs,
    sort_runs,
)
from modgrok.experiments.config.command_parser import CommandParser

CLASS_PATH = re.compile(r"^([a-z_]\w*\.)+(?=[A-Z]\w*$)")


def print_runs(options: list[str]) -> None:
    """List the runs of a directory from their files alone."""
    parser = CommandParser(prog="modgrok runs", description="The runs in a directory, one row each.")
    parser.add_argument("directory", type=Path, nargs="?", default=Path("lightning_logs"))
    parser.add_argument("--where", type=str, action="append", help="NAME=VALUE, or with != < <= > >=")
    parser.add_argument("--sort", type=str | None, help="a field or a finding to sort by")
    parser.add_argument("--descending", action="store_true", help="the largest first")
    parser.add_argument("--csv", action="store_true", help="every field and finding, as CSV")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    given = parser.parse_args(options)
    if given.descending and given.sort is None:
        raise InputError("--descending needs --sort")
    if given.csv and given.json:
        raise InputError("--csv and --json: give one of them")
    runs = select_runs(list_runs(given.directory), given.where or [])
    if given.sort:
        runs = sort_runs(runs, given.sort, descending=given.descending)
    if given.json:
        print(json.dumps([run.row for run in runs], indent=2))
    elif given.csv:
        _write_csv(runs)
    elif runs:
        print("\n".join(runs_lines(runs, given.directory, terminal.columns())))
    else:
        print(f"no run in {given.directory}" + (" meets that" if given.where else ""))


def runs_lines(runs: Sequence[ListedRun], root: Path, width: int | None) -> list[str]:
    """Lay out what each run is and what it found, with its directory seen from `root`.

    Where the width of a terminal is not enough for one line a run, what differs between them stands below, and of the
    directories no more than what tells them apart.
    """
    fields = differing_fields(runs)
    paths = [os.path.relpath(run.path, root) for run in runs]
    differs = [
        ", ".join(f"{name.rpartition('.')[2]}={plain(run.row.get(name))}" for name in fields) for run in runs
    ]
    lines = _rows(runs, paths, differs if fields else None)
    if width is None or max(map(len, lines)) <= width:
        return lines
    header, *rows = _rows(runs, apart(paths), None)
    lines = [header]
    for row, text in zip(rows, differs, strict=True):
        below = textwrap.wrap(text, width - 4, break_long_words=False, break_on_hyphens=False)
        lines += [row, *(f"    {line}" for line in below)]
    return lines


def apart(paths: Sequence[str]) -> list[str]:
    """Leave out the first and the last parts of paths that all of them have."""
    parts = [Path(path).parts for path in paths]
    first, last = (
        next((i for i, at in enumerate(zip(*split, strict=False)) if len(set(at)) > 1), 0)
        for split in (parts, [own[::-1] for own in parts])
    )
    kept = [own[first : len(own) - last] for own in parts]
    return [str(Path(*own)) for own in kept] if all(kept) else list(paths)


def _rows(runs: Sequence[ListedRun], names: Sequence[str], differs: Sequence[str] | None) -> list[str]:
    """A heading, then a line for each run."""
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "task", "p", "share", *(["what differs"] if differs else [])):
        table.add_column(heading, no_wrap=True)
    for heading in ("updates", "memorised", "grokked", "accuracy"):
        table.add_column(heading, justify="right", no_wrap=True)
    for place, (run, name) in enumerate(zip(runs, names, strict=True)):
        row, found = run.row, run.findings
        table.add_row(
            name,
            plain(row["data.task"]),
            plain(row.get("data.modulus")),
            plain(row.get("data.train_fraction")),
            *([differs[place]] if differs else []),
            *(
                ("not ended", "", "", "")
                if found is None
                else (
                    f"{found.updates:,}",
                    _at(found.memorised_at),
                    _at(found.grokked_at),
                    f"{found.heldout_accuracy:.4f}",
                )
            ),
        )
    console = Console(width=10_000, highlight=False, markup=False, color_system=None)
    with console.capture() as said:
        console.print(table)
    return [line.rstrip() for line in said.get().splitlines()]


def _at(update: int | None) -> str:
    return "–" if update is None else f"{update:,}"


def plain(value: object) -> str:
    """Write a value of a config so that it fits a cell: a class by its last name, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return CLASS_PATH.sub("", str(value))


def _write_csv(runs: Sequence[ListedRun]) -> None:
    names = dict.fromkeys(name for run in runs for name in run.row)
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(run.row for run in runs)
