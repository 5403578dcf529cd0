"""Everything that a CUDA device must show, in one command of less than eight minutes.

    python benchmarks/device.py --json device.json
    python benchmarks/device.py --dry_run

The tests that need a device; poly.yaml to its end; and the updates per second of each engine on x + y mod 23, 59, 113
and 197 from 30% of the pairs, beside the time that an update's multiplications take at the float32 matmul rate measured
before and after. What fails is written down, and the rest goes on. `--dry_run` does the same on the CPU with small
numbers, to see that it would.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from floor import floor_seconds, matmul_rate

from modgrok import ModularDataModule, Transformer
from modgrok.runs.findings import read_findings
from modgrok.training import CrossEntropy, GrokkingAdamW, WarmUp
from modgrok.training.engine_choice import EngineName, make_engine

ROOT = Path(__file__).parents[1]
MODULI = (23, 59, 113, 197)
ENGINES: tuple[EngineName, ...] = ("eager", "compile", "cuda_graph")
SECONDS = 4.0
BLOCK = 50  # updates between looks at the clock


def synchronize(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize()


def engine_speed(name: EngineName, p: int, device: torch.device, seconds: float) -> dict[str, Any]:
    """Time an engine's updates for so many seconds, after a first block of them."""
    torch.manual_seed(0)
    data = ModularDataModule("x + y", p, split_seed=598)
    network = Transformer(**data.network_shape).to(device)
    optimizer = GrokkingAdamW(network.parameters())
    batch = data.training_pairs.to(device)
    start = time.perf_counter()
    made = ([batch], network, CrossEntropy(), [optimizer], [WarmUp(optimizer)])
    engine = make_engine(name, *made, n_answers=data.n_answers)
    block = BLOCK if device.type == "cuda" else 1
    for _ in range(block):
        loss = engine.update(batch)
    synchronize(device)
    prepared = time.perf_counter()
    updates = 0
    while (now := time.perf_counter()) - prepared < seconds or not updates:
        for _ in range(block):
            loss = engine.update(batch)
        synchronize(device)
        updates += block
    now = time.perf_counter()
    return {
        "updates_per_second": updates / (now - prepared),
        "seconds_before": prepared - start,
        "loss": loss.item(),
        "replayed": engine.differentiable is False,
    }


def speeds(device: torch.device, moduli: tuple[int, ...], seconds: float) -> list[dict[str, Any]]:
    """Time every engine at every modulus beside the floor."""
    rows = []
    for p in moduli:
        pairs = int(p * p * 0.3)
        for name in ENGINES:
            rates = [matmul_rate(device)]
            found = attempt(lambda name=name, p=p: engine_speed(name, p, device, seconds))
            rates.append(matmul_rate(device))
            floor = floor_seconds(sum(rates) / 2, pairs, p)
            ratio = 1 / found["updates_per_second"] / floor if "failed" not in found else None
            rows.append({"p": p, "engine": name, **found, "floor_seconds": floor, "times_the_floor": ratio})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def device_tests(timeout: float) -> dict[str, Any]:
    """Run the tests that need a CUDA device."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "cuda", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)
    return {"code": done.returncode, "said": done.stdout.splitlines()[-15:]}


def poly(options: list[str], timeout: float) -> dict[str, Any]:
    """Train poly.yaml to its end, as a user does."""
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "modgrok", "fit", "--config", "poly"]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, "--trainer.default_root_dir", root, *options],
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        seconds = time.perf_counter() - start
        if done.returncode:
            return {"failed": done.stderr[-2000:], "seconds": seconds}
        run = Path(root, "lightning_logs", "version_0")
        return {"seconds": seconds, "warned": done.stderr[-2000:], **vars(read_findings(run))}


def attempt(step: Any) -> dict[str, Any]:
    """Return what a step found, or why it failed."""
    try:
        return step()
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {' '.join(str(error).split())[:500]}"}


def main() -> None:
    """Run the steps and write what they found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--json", type=Path, default=Path("device.json"), help="where the findings are written"
    )
    parser.add_argument("--dry_run", action="store_true", help="on the CPU, with small numbers")
    given = parser.parse_args()
    if not given.dry_run and not torch.cuda.is_available():
        sys.exit("there is no CUDA device; --dry_run does the same on the CPU")
    device = torch.device("cpu" if given.dry_run else "cuda")
    small = ["--data.modulus", "11", "--trainer.max_steps", "20", "--model.evaluate_every", "20"]
    start = time.perf_counter()
    found = {
        "device": "cpu" if given.dry_run else torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "tests": attempt(lambda: device_tests(timeout=120)),
        "poly": attempt(lambda: poly(small if given.dry_run else [], timeout=120)),
        "speeds": speeds(device, (11,) if given.dry_run else MODULI, 0.1 if given.dry_run else SECONDS),
    }
    found["seconds"] = time.perf_counter() - start
    given.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{found['seconds']:.0f} s; {given.json}")


if __name__ == "__main__":
    main()
