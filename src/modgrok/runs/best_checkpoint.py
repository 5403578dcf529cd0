"""The best checkpoint of a run."""

from __future__ import annotations

import math
from pathlib import Path

from modgrok.runs.checkpoint import load_data
from modgrok.runs.directory import RunDirectory


def best_checkpoint(run: Path) -> Path:
    """Return the checkpoint that a ModelCheckpoint with a monitor chose, or else that of the lowest held-out loss.

    A run of the second wing has no held-out loss; its last checkpoint has memorized most.

    Raises:
        InputError: if the run has no checkpoint.
    """
    checkpoints, last = RunDirectory(run).checkpoints, RunDirectory(run).last_checkpoint
    content = load_data(last)
    for name, state in content.get("callbacks", {}).items():
        if (
            name.startswith("ModelCheckpoint")
            and state["monitor"]
            and Path(state["best_model_path"]).is_file()
        ):
            return Path(state["best_model_path"])
    history = content.get("modgrok", {}).get("history")
    if history is None:
        return last
    losses = dict(zip(history["update"], history["heldout_loss"], strict=True))
    return checkpoints[min(checkpoints, key=lambda update: losses.get(update, math.inf))]
