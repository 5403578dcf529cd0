"""The sweeps that are shipped: their plans are what they say, and their cells run, shortened."""

from math import gcd
from pathlib import Path

import pytest

from modgrok.experiments.plans.sweep_file import read_plan
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


SHORT_CAPACITY = {
    "trainer.max_steps": 4,
    "trainer.val_check_interval": 4,
    "model.compile": False,
    "data.n": 20,
}


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_the_first_and_the_last_cell_of_a_shipped_sweep_run_shortened(file, tmp_path) -> None:
    plan = read_plan(file)
    for cell in (plan.cells[0], plan.cells[-1]):
        short = SHORT if plan.command == "fit" else SHORT_CAPACITY
        if " in " in str(cell.overrides.get("data.task")):  # a group has its own order
            short = {name: value for name, value in short.items() if name != "data.modulus"}
        plan.kind.fit(plan.config, cell.overrides | short, directory=tmp_path / cell.name)
        assert plan.kind.findings(tmp_path / cell.name)["updates"] == 4


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
