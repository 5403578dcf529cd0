"""The time and memory that 10,000 finished cells take to be listed, tabulated and drawn; on made-up findings.

python benchmarks/sweeps.py
"""

import argparse
import json
import resource
import tempfile
import time
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np

from modgrok.experiments.plans.cell_files import OUTCOME, PAGE, CellFiles, Outcome, write_whole
from modgrok.experiments.plans.sweep_file import read_plan
from modgrok.experiments.sweeps.sweep_analysis import SweepAnalysis
from modgrok.experiments.sweeps.sweep_page import sweep_page
from modgrok.experiments.sweeps.table import make_table, write_table
from modgrok.runs.findings import Findings

SWEEP = """
config: {{data: {{task: x + y, modulus: 97}}}}
set: {{data.task: "x**{{m}} + y**{{n}}"}}
vary: {{m: 1..10, n: 1..10, seed: 1..{seeds}}}
groups: {{gcd: "(gcd(m, 96), gcd(n, 96))"}}
"""


def make_up(directory: Path, seeds: int) -> None:
    """Write a plan and what its cells found."""
    (directory / "plan.yaml").write_text(SWEEP.format(seeds=seeds))
    files, generator = CellFiles(directory), np.random.default_rng(0)
    for cell in read_plan(directory / "plan.yaml").cells:
        grokked = int(generator.lognormal(7.5, 1)) + 1
        at = grokked if grokked < 4000 else None
        run = files.cell(cell.name)
        run.mkdir(parents=True)
        findings = Findings(
            task=cell.overrides["data.task"], modulus=97, updates=min(grokked, 4000), threshold=0.99,
            memorised_at=min(grokked, 200), grokked_at=at, delay=None if at is None else max(0, at - 200),
            censored_at=4000 if at is None else None, train_loss=1e-5, train_accuracy=1.0, heldout_loss=0.1,
            heldout_accuracy=1.0 if at else generator.uniform(), seconds=9.0, engine="compile", threads=1,
            finished=True, parameters=227_000, entropy=31_000.0, bits=31_000.0,
        )  # fmt: skip
        (run / "findings.json").write_text(json.dumps(asdict(findings)))
        (run / OUTCOME).write_text(json.dumps(asdict(Outcome("finished"))))


def main() -> None:
    """Print the seconds of each part and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100, help="cells of each of 100 settings")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        make_up(directory, options.seeds)
        marks = [("", time.perf_counter())]
        plan = read_plan(directory / "plan.yaml")
        left = CellFiles(directory).unsettled(cell.name for cell in plan.cells)
        marks.append((f"listed {len(plan.cells):,} cells, {len(left)} left", time.perf_counter()))
        table = make_table(plan, directory)
        write_table(table, directory)
        marks.append(("tabulated", time.perf_counter()))
        write_whole(directory / PAGE, sweep_page(SweepAnalysis(plan, table), directory))
        marks.append(("drawn", time.perf_counter()))
        size = (directory / "report" / "index.html").stat().st_size / 1e6
    for (_, before), (words, after) in pairwise(marks):
        print(f"{words}: {after - before:.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"together {marks[-1][1] - marks[0][1]:.1f} s, peak {peak:.0f} MiB, page {size:.1f} MB")


if __name__ == "__main__":
    main()
