"""The sweeps that are shipped: every cell of their plans is sound, and each of them runs, shortened."""

from math import gcd
from pathlib import Path

import pandas as pd
import pytest
import yaml

import modgrok
from modgrok.experiments.plan import read_plan
from modgrok.tasks.catalog import CATALOG

CONFIGS = sorted(Path(__file__, "../../../configs/sweeps").resolve().glob("*.yaml"))
SHORT = {
    "data.modulus": 11,
    "trainer.max_steps": 4,
    "model.engine": "eager",
    "model.evaluate_every": 2,
    "model.network.init_args.d_model": 16,
    "model.network.init_args.d_mlp": 16,
}


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_a_shipped_sweep_runs_shortened(file, tmp_path) -> None:
    spec = read_plan(file).spec()
    spec["set"] |= SHORT
    spec["vary"] = {name: [values[0], values[-1]] for name, values in spec["vary"].items()} | {"seed": [0]}
    (tmp_path / file.name).write_text(yaml.safe_dump(spec))
    table = modgrok.sweep(tmp_path / file.name, directory=tmp_path / "sweep")
    assert list(table["status"]) == ["finished"] * 4, list(table["reason"])
    assert (table["updates"] == 4).all()
    page = (tmp_path / "sweep" / "report" / "index.html").read_text()
    assert spec["question"].replace("'", "&#39;") in page
    assert len(pd.read_csv(tmp_path / "sweep" / "results.csv")) == 4


def test_there_are_the_four_questions() -> None:
    assert [file.stem for file in CONFIGS] == ["fractions", "furuta", "powers", "powers_29"]


def test_the_powers_are_all_81_from_at_least_eight_seeds() -> None:
    plan = read_plan(next(file for file in CONFIGS if file.stem == "powers_29"))
    tasks = [cell.overrides["data.task"] for cell in plan.cells]
    assert set(tasks) == {f"x**{m} + y**{n}" for m in range(1, 10) for n in range(1, 10)}
    assert len(tasks) >= 81 * 8
    assert [gcd(m, 28) for m in range(1, 10)] == [1, 2, 1, 4, 1, 2, 7, 4, 1]


def test_furutas_operations_are_the_catalogs_on_pairs_of_residues() -> None:
    plan = read_plan(next(file for file in CONFIGS if file.stem == "furuta"))
    others = {name for name in CATALOG if name.endswith("_z") or name.startswith("s5")} | {
        "x2_y2_z2",
        "only_add",
    }
    assert {cell.values["data.task"] for cell in plan.cells} == set(CATALOG) - others
