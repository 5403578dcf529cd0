"""How many updates a training step makes: one, unless updates are small and nobody looks at single ones.

Lightning's own work for a step takes about half a millisecond, which is as long as a small update. The rule follows
from the config and the sizes, never from a clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    BaseFinetuning,
    Checkpoint,
    GradientAccumulationScheduler,
    ModelCheckpoint,
    ProgressBar,
    StochasticWeightAveraging,
    Timer,
)
from lightning.pytorch.callbacks.pruning import ModelPruning
from lightning.pytorch.utilities.model_helpers import is_overridden

STEP_MULTIPLICATIONS = 4e9
"""A step on a CPU has at most so many multiplications, unless one update has more: some hundred milliseconds of work,
beside which Lightning's is small.
"""

MOST_UPDATES_PER_STEP = 100

CALLBACK_HOOKS = (
    "on_train_batch_start",
    "on_train_batch_end",
    "on_before_zero_grad",
    "on_before_backward",
    "on_after_backward",
    "on_before_optimizer_step",
)
"""The hooks that Lightning calls once per update."""

MODULE_HOOKS = (
    *CALLBACK_HOOKS,
    "training_step",
    "backward",
    "optimizer_step",
    "optimizer_zero_grad",
    "configure_gradient_clipping",
    "lr_scheduler_step",
)

ONCE_A_STEP = (Checkpoint, ProgressBar, Timer)
"""Callbacks whose hooks serve as well after several updates; a ModelCheckpoint's step ends where it is due."""

CHANGE_UPDATES = (BaseFinetuning, GradientAccumulationScheduler, ModelPruning, StochasticWeightAveraging)
"""Callbacks that change between two epochs how Lightning makes updates."""


def watcher(trainer: Trainer, module: LightningModule, own: type[LightningModule]) -> str | None:
    """Return who looks at single updates, or needs Lightning to make them; None if nobody does.

    Args:
        trainer: its options and callbacks may.
        module: a subclass of `own` may.
        own: the class whose hooks are known to serve for several updates.
    """
    if trainer.gradient_clip_val:
        return "trainer.gradient_clip_val"
    if trainer.accumulate_grad_batches > 1:
        return "trainer.accumulate_grad_batches"
    if any(is_overridden(hook, module, own) for hook in MODULE_HOOKS):
        return type(module).__name__
    callbacks: Iterable[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    looks = (each for each in callbacks if _looks(each))
    if any(
        each.interval != "step" or each.frequency != 1 or each.reduce_on_plateau
        for each in trainer.lr_scheduler_configs
    ):
        return "a learning-rate schedule that does not step once per update"
    return next((type(each).__name__ for each in looks), None)


def _looks(callback: Callback) -> bool:
    if isinstance(callback, ONCE_A_STEP):
        return False
    return isinstance(callback, CHANGE_UPDATES) or any(
        is_overridden(hook, callback, Callback) for hook in CALLBACK_HOOKS
    )


def updates_per_step(
    asked: int | None, evaluate_every: int, update_size: int, device: torch.device, trainer: Trainer
) -> int:
    """Return the updates of a training step where nobody looks at single ones.

    A step ends wherever an evaluation, a due log or a due ModelCheckpoint is.

    Args:
        asked: the most that the run asks for; follow from the size of an update unless given.
        evaluate_every: updates between evaluations.
        update_size: multiplications of an update.
        device: the device on which they are made.
        trainer: the trainer whose logs and checkpoints are due every so many updates.
    """
    due = math.gcd(evaluate_every, *checkpoint_periods(trainer))
    if trainer.loggers:
        due = math.gcd(due, trainer.log_every_n_steps)  # type: ignore[attr-defined]
    fit = math.inf if device.type == "cuda" else STEP_MULTIPLICATIONS / update_size
    most = asked or min(MOST_UPDATES_PER_STEP, max(1, fit))
    return max(n for n in range(1, due + 1) if due % n == 0 and n <= most)


def checkpoint_periods(trainer: Trainer) -> list[int]:
    """Return the updates between the checkpoints of each ModelCheckpoint; 0 for one that counts no updates."""
    callbacks: Iterable[Callback] = trainer.callbacks  # type: ignore[attr-defined]
    return [each._every_n_train_steps for each in callbacks if isinstance(each, ModelCheckpoint)]
