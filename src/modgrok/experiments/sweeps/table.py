"""The table of a sweep: a row for each cell, rebuilt from the cells' own files."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pandas as pd

from modgrok.errors import InputError
from modgrok.experiments.plans.cell_files import CellFiles
from modgrok.experiments.plans.plan import Plan, value_text
from modgrok.runs.whole_files import whole_file, write_whole

CSV = "results.csv"
PARQUET = "results.parquet"


def make_table(plan: Plan, directory: Path) -> pd.DataFrame:
    """Read what became of every cell.

    The columns are what varies; status (finished, failed or waiting) and, for a failed cell, the reason; what the run
    found, of `modgrok fit` memorised_at, grokked_at, grokked_new_at, censored_at, delay and updates, in updates, the
    last scores, bits and seconds; the path of the run.

    A failed cell has no times: it says nothing of how long grokking takes.
    """
    files, rows = CellFiles(directory), []
    for cell in plan.cells:
        outcome = files.outcome(cell.name)
        row: dict[str, Any] = {name: _scalar(value) for name, value in cell.values.items()}
        row |= {
            "status": outcome.status if outcome else "waiting",
            "reason": outcome.reason if outcome else "",
        }
        if outcome and outcome.status == "finished":
            try:
                row |= plan.kind.findings(files.cell(cell.name))
            except InputError as error:
                row |= {"status": "failed", "reason": str(error)}
        rows.append(row | {"path": os.path.relpath(files.cell(cell.name), directory)})
    columns = [*plan.varied, "status", "reason", *plan.kind.columns, "path"]
    return pd.DataFrame(rows, columns=columns).astype(plan.kind.columns)


def write_table(table: pd.DataFrame, directory: Path) -> None:
    """Write results.csv, and results.parquet where pyarrow is installed.

    Raises:
        OSError: if they cannot be written; what was there before stays.
    """
    write_whole(directory / CSV, table.to_csv(index=False, lineterminator="\n"))
    if importlib.util.find_spec("pyarrow"):
        with whole_file(directory / PARQUET) as file:
            table.to_parquet(file, index=False)


def _scalar(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else value_text(value)
