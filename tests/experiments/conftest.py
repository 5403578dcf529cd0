import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from slurm_node import MISSING, SlurmNode

from modgrok.cli import main

BASE = """
data: {task: x + y, modulus: 11, train_fraction: 0.5}
model:
  engine: eager
  evaluate_every: 10
  network: {class_path: modgrok.Transformer, init_args: {d_model: 16, n_heads: 2, d_mlp: 16}}
trainer: {max_steps: 60, logger: false}
checkpoint: {every: 10}
measures: {every: null}
weights: {every: null}
"""


class Sweeps:
    """A directory with a small sweep file, and the command on it."""

    def __init__(self, root):
        self.root = root
        (root / "base.yaml").write_text(BASE)
        self.write("vary: {data.task: [x + y, x*y], seed: 0..2}")

    def write(self, text, name="small.yaml"):
        (self.root / name).write_text(f"config: base.yaml\n{text}\n")
        return self.root / name

    def command(self, *options, name="small.yaml"):
        return [sys.executable, "-m", "modgrok", "sweep", "--config", name, *map(str, options)]

    def run(self, *options, name="small.yaml", **kwargs):
        return subprocess.run(
            self.command(*options, name=name),
            cwd=self.root,
            capture_output=True,
            text=True,
            timeout=600,
            **kwargs,
        )

    def run_here(self, *options, name="small.yaml"):
        """Run the command in this process; return what it said."""
        with contextlib.chdir(self.root), contextlib.redirect_stdout(io.StringIO()) as said:
            main(self.command(*options, name=name)[3:])
        return said.getvalue()

    def start(self, *options, name="small.yaml"):
        return subprocess.Popen(
            self.command(*options, name=name),
            cwd=self.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def directory(self, name="small"):
        return self.root / "lightning_logs" / "sweeps" / name

    def settled(self, name="small"):
        return len(list(self.directory(name).glob("cells/*/outcome.json")))

    def workers(self, sweep):
        """The processes that a running sweep started."""
        children = f"/proc/{sweep.pid}/task/{sweep.pid}/children"
        return [int(pid) for pid in open(children).read().split()] if os.path.exists(children) else []

    def table(self, name="small", directory=None):
        """The table, without what depends on the clock."""
        return pd.read_csv((directory or self.directory(name)) / "results.csv").drop(columns="seconds")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """A small sweep that ran through."""
    sweeps = Sweeps(tmp_path_factory.mktemp("undisturbed"))
    sweeps.said = sweeps.run_here("--workers", 2)
    return sweeps


@pytest.fixture
def sweeps(tmp_path):
    return Sweeps(tmp_path)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """A real SLURM of one node."""
    if MISSING or os.geteuid():
        pytest.skip(f"no SLURM here: {', '.join(MISSING) or 'needs root'}")
    node = SlurmNode(tmp_path_factory.mktemp("slurm"))
    try:
        node.start()
        yield node
    finally:
        node.stop()
