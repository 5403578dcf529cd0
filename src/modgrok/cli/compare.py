"""`modgrok compare`: what differs between runs, and what each of them found."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from modgrok.cli import terminal
from modgrok.cli.runs import apart, plain
from modgrok.errors import InputError
from modgrok.experiments.assembly.run_list import ListedRun, differing_fields, list_runs
from modgrok.experiments.config.command_parser import CommandParser

PAGE = "comparison.html"

FOUND = {
    "updates": "updates",
    "memorised_at": "memorised at",
    "grokked_at": "grokked at",
    "grokked_new_at": "new pairs learned at",
    "delay": "delay",
    "train_loss": "training loss",
    "heldout_loss": "held-out loss",
    "heldout_accuracy": "held-out accuracy",
    "heldout_accuracy_new": "accuracy of new pairs",
    "heldout_accuracy_known": "accuracy of known pairs",
    "seconds": "seconds",
}
"""What of the findings is compared, in words."""


def compare(options: list[str]) -> None:
    """Print two tables, and write a page with the curves into the first run."""
    parser = CommandParser(
        prog="modgrok compare", description="Runs side by side: what differs, what they found, their curves."
    )
    parser.add_argument("runs", type=Path, nargs="+", help="the directories of two runs or more")
    paths = list(dict.fromkeys(parser.parse_args(options).runs))
    if len(paths) < 2:
        raise InputError("runs: one run has nothing to be compared with; name two or more")
    runs = [_run(path) for path in paths]
    tables = {
        "What differs": {
            name: [plain(run.config.get(name)) for run in runs]
            for name in ("data.task", "data.modulus", "data.train_fraction", *differing_fields(runs))
            if len({repr(run.config.get(name)) for run in runs}) > 1
        },
        "What they found": {
            words: [_found(run, name) for run in runs]
            for name, words in FOUND.items()
            if any(getattr(run.findings, name, None) is not None for run in runs)
        },
    }
    names = apart([os.path.relpath(path) for path in paths])
    for title, rows in tables.items():
        _print(title, names, rows)
    page = paths[0] / PAGE
    _write(page, names, tables, runs)
    print(f"page: {os.path.relpath(page)}")


def _run(path: Path) -> ListedRun:
    found = [run for run in list_runs(path) if run.path == path]
    if not found:
        raise InputError(f"{path}: not the directory of a run")
    return found[0]


def _found(run: ListedRun, name: str) -> str:
    value = getattr(run.findings, name, None)
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _print(title: str, names: Sequence[str], rows: Mapping[str, Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, title=title, title_justify="left")
    table.add_column("")
    for name in names:
        table.add_column(name, justify="right", overflow="fold")
    for name, values in rows.items():
        table.add_row(name, *values)
    Console(width=terminal.columns() or 200).print(table)
    print("" if rows else "nothing\n")


def _write(
    page: Path,
    names: Sequence[str],
    tables: Mapping[str, Mapping[str, Sequence[str]]],
    runs: Sequence[ListedRun],
) -> None:
    from modgrok.report.comparison import comparison_page
    from modgrok.runs import History, RunDirectory
    from modgrok.runs.snapshot import read_checkpoint
    from modgrok.runs.whole_files import write_whole

    histories = {}
    for name, run in zip(names, runs, strict=True):
        directory = RunDirectory(run.path)
        if directory.checkpoints:
            record = read_checkpoint(directory.last_checkpoint)["modgrok"]
            histories[name] = History.from_record(record["history"])
    write_whole(page, comparison_page(names, tables, histories))
