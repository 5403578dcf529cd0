"""The page of a sweep of the second wing: what its runs have memorized, under the sweep's question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd

from modgrok.capacity.measuring.measure_page import measure_page
from modgrok.capacity.measuring.memorized import read_measurement
from modgrok.experiments.plans.plan import Plan


def capacity_sweep_page(plan: Plan, table: pd.DataFrame, directory: Path) -> str:
    """Render the page of the finished cells as HTML; a run is called by its cell's name."""
    finished = table.loc[table["status"] == "finished", "path"]
    measurements = [replace(read_measurement(directory / path), run=Path(path).name) for path in finished]
    return measure_page(measurements, {}, plan.question)
