"""What was chosen for a run, as flat plain data: for the loggers, and to compare a resumed run with its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from modgrok.models.losses import Loss
from modgrok.training.rules import GradientFilter
from modgrok.training.rules.interventions import Intervention

WAYS = ("capturable", "differentiable", "foreach", "fused")
"""What the groups of an optimizer say of how it computes; what it computes is the same."""

IMPLEMENTATION = {"params", "param_names", "lr", "initial_lr", *WAYS}
"""What the groups of an optimizer hold besides its hyperparameters; the learning rate is read before any schedule."""

PROGRESS = {"base_lrs", "last_epoch"}
"""What the state of a schedule holds besides its hyperparameters."""


def optimizer_hyperparameters(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimizer's class and the hyperparameters of its groups."""
    groups = [
        {"lr": float(group.get("initial_lr", group["lr"]))}
        | {name: value for name, value in group.items() if name not in IMPLEMENTATION}
        for group in optimizer.param_groups
    ]
    return {"": type(optimizer).__name__, **groups[0], **numbered("group", [{}, *groups[1:]])}


def scheduler_hyperparameters(scheduler: LRScheduler) -> dict[str, Any]:
    """Return a schedule's class and its hyperparameters."""
    state = scheduler.state_dict().items()
    return {"": type(scheduler).__name__} | {
        name: value for name, value in state if not name.startswith("_") and name not in PROGRESS
    }


def object_hyperparameters(thing: Loss | GradientFilter | Intervention) -> dict[str, Any]:
    """Return an object's class and its public attributes that are plain values and not its state."""
    state = thing.state_dict() if isinstance(thing, GradientFilter) else {}
    return {"": type(thing).__name__} | {
        name: value
        for name, value in vars(thing).items()
        if not name.startswith("_") and name not in state and isinstance(value, bool | int | float | str)
    }


def numbered(section: str, described: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Join descriptions to `section.name: value`, with the number of all but the first in the section's name."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for number, values in enumerate(described)
        for name, value in _prefixed(f"{section}{number or ''}", values).items()
    }


def _prefixed(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{name}" if name else section: value for name, value in values.items()}
