"""A sweep of the second wing: killed, gone on with, and equal to its runs made one by one."""

import pandas as pd
from slurm_node import wait_for

from modgrok import fit_capacity
from modgrok.experiments.sweep_file import read_plan

CAPACITY = """
question: How many bits?
command: capacity fit
config:
  data: {relations: 1, notation: tokens, batch_size: 32}
  data.name_words: [16, 16, 16]
  data.attributes: {color: 16}
  data.alphabet: 16
  model:
    warmup: 10
    network: {class_path: modgrok.capacity.Llama, init_args: {d_model: 16, n_layers: 1}}
  trainer: {max_steps: 60, val_check_interval: 20}
vary: {data.n: [20, 40, 5000], seed: 0..1}
"""


def test_a_sweep_of_capacity_runs_goes_through_a_kill(sweeps, tmp_path) -> None:
    (sweeps.root / "small.yaml").write_text(CAPACITY.replace("5000", "30"))
    sweep = sweeps.start("--workers", 2)
    wait_for(lambda: sweeps.settled() >= 1 or sweep.poll() is not None, 120)
    sweep.kill()
    sweep.wait()
    done = sweeps.run("--workers", 2)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(sweeps.directory() / "results.csv")
    assert (table["status"] == "finished").all()
    plan = read_plan(sweeps.root / "small.yaml")
    for cell, bits in zip(plan.cells, table["bits"], strict=True):
        run = fit_capacity(plan.config, cell.overrides, directory=tmp_path / "alone" / cell.name)
        assert run.history[-1]["bits/total"] == bits
        assert run.data.seed == cell.values["seed"]
    assert "How many bits?" in (sweeps.directory() / "report" / "index.html").read_text()


def test_a_cell_that_cannot_run_is_named_before_any_starts(sweeps) -> None:
    (sweeps.root / "small.yaml").write_text(CAPACITY)
    done = sweeps.run()
    assert done.returncode == 2
    assert "cell n=5000,seed=0: " in done.stderr
    assert "name_words" in done.stderr
    assert not sweeps.directory().exists()
