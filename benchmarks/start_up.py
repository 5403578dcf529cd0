"""What commands take to start, in CPU seconds, beside what importing PyTorch and Lightning takes.

    python benchmarks/start_up.py

Each command in a process of its own, the least of three. A small run is trained first, for the commands that look at
one.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SMALL = [
    "--data.task",
    "x + y",
    "--data.modulus",
    "11",
    "--model.network.d_model",
    "16",
    "--model.engine",
    "eager",
]
TRAIN = ["fit", *SMALL, "--trainer.max_steps", "20", "--model.evaluate_every", "20"]
RUN = "lightning_logs/version_0"
COMMANDS = {
    "tasks": ["tasks"],
    "describe": ["describe", *SMALL[:4]],
    "reproduce (its list)": ["reproduce"],
    "configs": ["configs"],
    "runs": ["runs"],
    "--version": ["--version"],
    "a wrong path": ["fit", "--config", "nowhere.yaml"],
    "a wrong formula": ["fit", "--data.task", "x +", "--data.modulus", "11"],
    "a wrong command": ["fti"],
    "export": ["export", RUN, "weights.safetensors"],
    "test": ["test", "--ckpt_path", RUN],
    "predict": ["predict", "--ckpt_path", RUN],
    "analyze": ["analyze", RUN],
    "fit --help": ["fit", "--help"],
    "fit, 20 updates": TRAIN,
}
IMPORTS = ("import torch", "import lightning.pytorch")


def cpu_seconds(command: list[str], directory: str) -> float:
    """Return the CPU seconds of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=directory, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as directory:
        modgrok = [sys.executable, "-m", "modgrok"]
        subprocess.run([*modgrok, *TRAIN], cwd=directory, capture_output=True, check=True)
        rows = [(words, [sys.executable, "-c", words]) for words in IMPORTS]
        rows += [(name, [*modgrok, *options]) for name, options in COMMANDS.items()]
        for name, command in rows:
            times = []
            for _ in range(3):
                for written in ("weights.safetensors", "predictions.csv"):
                    Path(directory, written).unlink(missing_ok=True)
                times.append(cpu_seconds(command, directory))
            print(f"{name:24}{min(times):6.2f}", flush=True)


if __name__ == "__main__":
    main()
