"""`modgrok runs`: the runs in a directory, one row each."""

from __future__ import annotations

import csv
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

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
    runs = select_runs(list_runs(given.directory), given.where or [])
    if given.sort:
        runs = sort_runs(runs, given.sort, descending=given.descending)
    if given.json:
        print(json.dumps([run.row for run in runs], indent=2))
    elif given.csv:
        _write_csv(runs)
    elif runs:
        Console().print(runs_table(runs, given.directory))
    else:
        print(f"no run in {given.directory}" + (" meets that" if given.where else ""))


def runs_table(runs: Sequence[ListedRun], root: Path) -> Table:
    """Lay out what each run is and what it found, with its directory seen from `root`."""
    differing = differing_fields(runs)
    table = Table(box=None, pad_edge=False)
    for heading in ("run", "task", "p", "share", *(["what differs"] if differing else [])):
        table.add_column(heading, overflow="fold")
    for heading in ("updates", "memorised", "grokked", "accuracy"):
        table.add_column(heading, justify="right", no_wrap=True)
    for run in runs:
        row, found = run.row, run.findings
        differs = [f"{name.rpartition('.')[2]}={plain(row.get(name))}" for name in differing]
        table.add_row(
            os.path.relpath(run.path, root),
            plain(row["data.task"]),
            plain(row.get("data.modulus")),
            plain(row.get("data.train_fraction")),
            *(["\n".join(differs)] if differing else []),
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
    return table


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
