"""Updates side by side: the peer's loop, a plain loop, `modgrok fit` whole, and the floor.

    python benchmarks/speed.py --json speed.json

x + y mod 113 from 30% of the pairs, the default network. The loops take turns, and the matmul rate is measured before
and after each turn, since a shared machine's speed drifts: a turn's ratio is to the floor at the rate around it, and
the table shows medians. TransformerLens is installed into a virtual environment of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import NamedTuple

import torch
from fit import fit_options
from floor import floor_seconds, matmul_rate
from plain import seconds_per_update
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from modgrok import ModularDataModule

HERE = Path(__file__).parent
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def peer_seconds(environment: Path, p: int, updates: int) -> float:
    """Time the peer's loop in its own environment, which is made the first time."""
    python = environment / "bin" / "python"
    if not python.exists():
        venv.create(environment, with_pip=True)
        torch_version = torch.__version__.partition("+")[0]
        # TransformerLens 2 wants NumPy 1, and so the older of what its datasets library stands on
        packages = [
            f"torch=={torch_version}",
            "transformer_lens<3",
            "transformers<5",
            "datasets<4",
            "pyarrow<20",
        ]
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    done = subprocess.run(
        [python, HERE / "peer.py", str(p), str(updates)], check=True, capture_output=True, text=True
    )
    return float(done.stdout.split()[-1])


def fit_seconds(p: int, updates: int, engine_name: str) -> tuple[float, float]:
    """Run `modgrok fit`; return the seconds per update in its steady state, and of the whole process."""
    with tempfile.TemporaryDirectory() as root:
        start = time.perf_counter()
        command = [sys.executable, "-m", "modgrok", *fit_options(p, updates, engine_name, root)]
        subprocess.run(command, check=True, capture_output=True)
        whole = (time.perf_counter() - start) / updates
        events = EventAccumulator(root + "/lightning_logs/version_0").Reload()
        times = {event.step: event.wall_time for event in events.Scalars("heldout/loss")}
        middle = sorted(times)[len(times) // 3]
        return (times[updates] - times[middle]) / (updates - middle), whole


class Sample(NamedTuple):
    """One timing of a loop, with the floor at the matmul rate measured around it."""

    seconds: float  # per update
    whole: float  # seconds per update of the whole process, start-up included
    floor: float  # seconds per update


def main() -> None:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modulus", type=int, default=113)
    parser.add_argument(
        "--updates", type=int, default=2000, help="of modgrok fit; the other loops make a 50th"
    )
    parser.add_argument("--rounds", type=int, default=3, help="timings of each loop")
    parser.add_argument(
        "--peer", type=Path, default=Path(".venv-peer"), help="the peer's virtual environment"
    )
    parser.add_argument("--json", type=Path, default=Path("speed.json"))
    options = parser.parse_args()
    p, updates = options.modulus, options.updates
    torch.set_flush_denormal(True)
    pairs = ModularDataModule("x + y", p, split_seed=598).training_pairs.to(DEVICE)
    short = max(1, updates // 50)
    engines = ["eager", "cuda_graph" if DEVICE.type == "cuda" else "compile"]
    loops: dict[str, Callable[[], tuple[float, float]]] = {
        "peer's loop, evaluating every update": lambda: (peer_seconds(options.peer, p, short),) * 2,
        "plain loop, no evaluation": lambda: (seconds_per_update(pairs.tokens, pairs.answers, p, short),) * 2,
        **{
            f"modgrok fit, {name}, evaluating every 100": partial(fit_seconds, p, updates, name)
            for name in engines
        },
    }
    samples: dict[str, list[Sample]] = {name: [] for name in loops}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for name, loop in loops.items():
            before = matmul_rate(DEVICE)
            seconds, whole = loop()
            rate = (before + matmul_rate(DEVICE)) / 2
            samples[name].append(Sample(seconds, whole, floor_seconds(rate, pairs.size, p)))

    def middle(name: str, value: Callable[[Sample], float]) -> float:
        return median(map(value, samples[name]))

    print(f"x + y mod {p}, {pairs.size:,} pairs, {DEVICE}, {torch.get_num_threads()} threads")
    print(f"medians of {options.rounds}; fit for {updates:,} updates\n")
    print(f"{'':<42}{'ms/update':>10}{'floor, ms':>12}{'× floor':>10}{'whole process':>15}")
    peer = middle("peer's loop, evaluating every update", lambda sample: sample.seconds / sample.floor)
    rows = []
    for name in loops:
        row = {
            "loop": name,
            "ms": middle(name, lambda sample: sample.seconds) * 1e3,
            "floor_ms": middle(name, lambda sample: sample.floor) * 1e3,
            "times_floor": middle(name, lambda sample: sample.seconds / sample.floor),
            "whole_times_floor": middle(name, lambda sample: sample.whole / sample.floor),
        }
        rows.append(row)
        print(
            f"{name:<42}{row['ms']:>10.2f}{row['floor_ms']:>12.2f}{row['times_floor']:>10.2f}"
            f"{row['whole_times_floor']:>15.2f}"
        )
    print()
    for row in rows[2:]:
        print(
            f"{row['loop']:<42}{peer / row['times_floor']:>8.1f} times the peer's updates per second, "
            f"{peer / row['whole_times_floor']:.1f} with start-up"
        )
    options.json.write_text(json.dumps({"device": str(DEVICE), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
