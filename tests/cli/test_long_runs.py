"""What a long run takes of memory and disk."""

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHECKPOINT = (
    60_000  # bytes, of the network below with its optimizer and a history of 1,000 evaluations: 45 kB
)

GROWTH = (
    50  # MiB from the first 1,000 updates to the last checkpoint, after which the figures take 30 to 55 more
)


def resident(process):
    """MiB of a process's memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("updates", [4_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_memory_and_files_of_a_long_run_stay_small(tmp_path, updates):
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "modgrok", "fit", "--data.task", "x + y", "--data.modulus", "11"),
            *("--model.network.d_model", "16", "--model.network.d_mlp", "32", "--model.engine", "eager"),
            *("--trainer.max_steps", str(updates), "--checkpoint.keep", "20"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run = tmp_path / "lightning_logs" / "version_0"
    early = late = 0.0
    last = run / "checkpoints" / f"update={updates:06d}.ckpt"
    while process.poll() is None and not last.exists():
        if (run / "checkpoints" / f"update={1000:06d}.ckpt").exists() or early:
            try:
                late = resident(process)
            except (OSError, TypeError):  # the process has just ended
                break
            early = early or late
        time.sleep(0.05)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    checkpoints = [file.stat().st_size for file in (run / "checkpoints").iterdir()]
    events = sum(file.stat().st_size for file in run.glob("events*"))
    print(f"grew {late - early:.1f} MiB; checkpoints {sum(checkpoints):,} bytes, events {events:,}")
    assert early, "the memory was never read"
    assert late - early < GROWTH
    assert len(checkpoints) <= 20
    assert sum(checkpoints) < 20 * CHECKPOINT
    assert events < 2_000_000 + 40 * updates
