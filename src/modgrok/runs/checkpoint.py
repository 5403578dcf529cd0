"""How checkpoints are written and read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins import CheckpointIO
from torch import Tensor
from torch.optim.lr_scheduler import LambdaLR

from modgrok.errors import InputError
from modgrok.models import build
from modgrok.runs.snapshot import network_weights, read_checkpoint

PARTIAL = ".partial"
"""What the name of a checkpoint ends in while it is written."""


class DataCheckpointIO(CheckpointIO):
    """Checkpoints as data: read without executing anything, and written whole or not at all."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write `checkpoint` beside `path` under a name that no reader takes for a checkpoint, then rename it."""
        path = Path(path)
        partial = path.with_name(path.name + PARTIAL)
        try:
            with partial.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def load_checkpoint(
        self, path: str | Path, map_location: Any = None, weights_only: bool | None = True
    ) -> dict[str, Any]:
        """Read a checkpoint onto the CPU, as data whatever `weights_only` says.

        Raises:
            InputError: as `read_checkpoint` does, or if it holds an optimizer that is not its network's.
        """
        checkpoint = read_checkpoint(Path(path))
        if "optimizer_states" in checkpoint:
            check_progress(checkpoint, Path(path))
        return checkpoint

    def remove_checkpoint(self, path: str | Path) -> None:
        """Delete a checkpoint."""
        Path(path).unlink()


def check_progress(checkpoint: dict[str, Any], path: Path) -> None:
    """Raise an InputError unless a run can go on from a checkpoint that `read_checkpoint` found sound.

    Its optimizer and its schedule must be AdamW and the warm-up of its weights: the optimizer's own loading compares
    no shapes, and its compiled update would write beyond a moment's end.
    """
    if not _is_progress(checkpoint):
        raise InputError(f"{path}: no run can go on from it: its optimizer is not that of its network")


def _is_progress(checkpoint: dict[str, Any]) -> bool:
    saved, named = checkpoint["modgrok"], network_weights(checkpoint["state_dict"])
    network = build(saved["network"]["class"], saved["network"]["config"])
    in_order = dict(network.named_parameters())  # the file's own order may be another
    weights = [named[name] for name in in_order if network.part_of(name) not in saved["frozen"]]
    match checkpoint:
        case {
            "optimizer_states": [
                {
                    "state": dict(state),
                    "param_groups": [
                        {
                            "lr": float(),
                            "betas": (float(), float()),
                            "eps": float(),
                            "weight_decay": float() | int(),
                            "amsgrad": False,
                            "maximize": False,
                            "differentiable": False,
                            "params": [*parameters],
                        }
                    ],
                }
            ],
            "lr_schedulers": [
                {
                    "base_lrs": [float()],
                    "last_epoch": int(),
                    "_step_count": int(),
                    "_last_lr": [float()],
                } as schedule
            ],
            "loops": {"fit_loop": dict()},
        }:
            numbers = list(range(len(weights)))
            return (
                parameters == numbers
                and list(state) in ([], numbers)
                and all(_are_moments(state[i], weights[i]) for i in state)
                and "optimizer" not in schedule
                and not any(callable(getattr(LambdaLR, str(name), None)) for name in schedule)
            )
    return False


def _are_moments(moments: object, weight: Tensor) -> bool:
    """Whether AdamW may keep these of a weight."""
    match moments:
        case {"step": Tensor() as step, "exp_avg": Tensor() as first, "exp_avg_sq": Tensor() as second}:
            alike = (each.shape == weight.shape and each.dtype == weight.dtype for each in (first, second))
            return step.numel() == 1 and all(alike) and first.is_contiguous() and second.is_contiguous()
    return False
