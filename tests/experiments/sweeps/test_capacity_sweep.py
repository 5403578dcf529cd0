"""A sweep of the second wing is its runs made one by one."""

import pytest

import modgrok
from modgrok import fit_capacity
from modgrok.errors import InputError
from modgrok.experiments.places.local_workers import LocalWorkers
from modgrok.experiments.plans.sweep_file import read_plan

CAPACITY = """
question: How many bits?
command: capacity fit
config:
  data: {relations: 1, notation: tokens, batch_size: 32}
  data.name_words: [16, 16, 16]
  data.attributes: {color: 16}
  data.alphabet: 16
  model:
    lr_scheduler: {class_path: modgrok.capacity.WarmUpCosine, init_args: {warmup: 10}}
    network: {class_path: modgrok.capacity.Llama, init_args: {d_model: 16, n_layers: 1}}
  trainer: {max_steps: 60, val_check_interval: 20}
vary: {data.n: [20, 40, 5000], seed: 0..1}
"""


def test_a_sweep_of_capacity_runs_is_its_runs_one_by_one(sweeps, tmp_path) -> None:
    (sweeps.root / "small.yaml").write_text(CAPACITY.replace(", 5000", ""))
    directory = sweeps.directory()
    table = modgrok.sweep(sweeps.root / "small.yaml", place=LocalWorkers(1), directory=directory)
    assert (table["status"] == "finished").all()
    plan = read_plan(sweeps.root / "small.yaml")
    for cell, bits in zip(plan.cells, table["bits"], strict=True):
        run = fit_capacity(plan.config, cell.overrides, directory=tmp_path / "alone" / cell.name)
        assert run.history[-1]["bits/total"] == bits
        assert run.data.seed == cell.values["seed"]
    assert "How many bits?" in (directory / "report" / "index.html").read_text()


def test_a_cell_that_cannot_run_is_named_before_any_starts(sweeps) -> None:
    (sweeps.root / "small.yaml").write_text(CAPACITY)
    with pytest.raises(InputError, match=r"cell n=5000,seed=0: .*name_words"):
        modgrok.sweep(sweeps.root / "small.yaml", directory=sweeps.directory())
    assert not sweeps.directory().exists()
