"""Updates on an idle machine and beside another process, with OpenMP's own waiting and with modgrok's.

    python benchmarks/busy.py

x**2 + y**2 mod 97 from 30% of the pairs, the default network, uncompiled, on all cores, each timing in a process of its
own, in turns. What keeps the machine busy is a process of another session, as a browser is.
"""

import os
import subprocess
import sys
import time
from statistics import median

import modgrok

UPDATES = 30
SPIN_COUNTS = {"OpenMP's own": "300000", "modgrok's": os.environ["GOMP_SPINCOUNT"]}


def milliseconds(spin_count: str) -> float:
    """Time an update in another process."""
    environment = {**os.environ, "GOMP_SPINCOUNT": spin_count}
    command = [sys.executable, __file__, "updates"]
    return float(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


def time_updates() -> None:
    """Print the milliseconds of an update."""
    import torch

    from modgrok.models.losses import CROSS_ENTROPY
    from modgrok.training import GrokkingAdamW
    from modgrok.training.cpu_tuning import cpu_tuning, keep_freed_memory
    from modgrok.training.engine import Engine

    keep_freed_memory()
    data = modgrok.ModularDataModule("x**2 + y**2", 97)
    network = modgrok.Transformer(**data.network_shape)
    optimizers = [GrokkingAdamW(network.parameters())]
    engine = Engine(network, CROSS_ENTROPY, optimizers, n_answers=97)
    with cpu_tuning(torch.get_num_threads()):
        for update in range(UPDATES + 3):
            if update == 3:
                start = time.perf_counter()
            engine.update(data.training_pairs)
    print((time.perf_counter() - start) / UPDATES * 1e3)


def main() -> None:
    """Print the table."""
    print(f"{'ms per update':<20}{'idle':>8}{'busy':>8}")
    found: dict[str, list[list[float]]] = {name: [[], []] for name in SPIN_COUNTS}
    for busy in (False, True) * 3:
        command = [sys.executable, "-c", "while True: pass" if busy else ""]
        with subprocess.Popen(command, start_new_session=True) as other:
            time.sleep(1)
            for name, spin_count in SPIN_COUNTS.items():
                found[name][busy].append(milliseconds(spin_count))
            other.kill()
    for name, (idle, busy_) in found.items():
        print(f"{name:<20}{median(idle):>8.0f}{median(busy_):>8.0f}")


if __name__ == "__main__":
    time_updates() if sys.argv[1:] == ["updates"] else main()
