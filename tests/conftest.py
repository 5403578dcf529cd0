import os
import subprocess
import sys
from pathlib import Path

import pytest

# small tensors: a second thread costs more than it saves, and several processes run side by side
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parent.parent


@pytest.fixture
def modgrok(tmp_path):
    """Run the command line as a user does: a process of its own, in an empty directory."""

    def run(*args, **kwargs):
        return subprocess.run(
            [sys.executable, "-m", "modgrok", *map(str, args)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            **kwargs,
        )

    return run


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A finished run of x + y mod 11, through the command line in this process."""
    from modgrok.cli import main

    root = tmp_path_factory.mktemp("small")
    main(
        [
            *("fit", "--data.task", "x + y", "--data.modulus", "11", "--data.train_fraction", "0.5"),
            *("--model.network.d_model", "32", "--model.network.d_mlp", "64", "--model.evaluate_every", "20"),
            *("--trainer.max_steps", "90", "--trainer.log_every_n_steps", "10", "--checkpoint.every", "40"),
            *(
                "--trainer.default_root_dir",
                str(root),
                "--model.engine",
                "eager",
                "--model.threshold",
                "0.05",
            ),
        ]
    )
    return root / "lightning_logs" / "version_0"
