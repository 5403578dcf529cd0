"""Taking up a run from a checkpoint: what may differ, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from modgrok.errors import InputError
from modgrok.training.hyperparameters import WAYS, scheduler_hyperparameters


def check_resumption(
    checkpoint: Mapping[str, Any],
    here: Mapping[str, Any],
    optimizers: Sequence[Optimizer],
    changes_allowed: bool,
    path: str,
) -> None:
    """Check that a run with the hyperparameters `here` can resume from the checkpoint that was read from `path`.

    Raises:
        InputError: naming the hyperparameters that differ, or if the optimizers' states are not of their weights.
    """
    try:
        _check_unchanged(here, checkpoint["modgrok"]["hyperparameters"], changes_allowed)
        _check_states(optimizers, checkpoint.get("optimizer_states", ()))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _check_unchanged(here: Mapping[str, Any], saved: Mapping[str, Any], allowed: bool) -> None:
    """Refuse an optimizer or a schedule of another class and, unless it is allowed, any other value that changed."""
    changed = [name for name in {**saved, **here} if here.get(name) != saved.get(name)]
    classes = [
        name
        for name in changed
        if name.partition(".")[0] in ("optimizer", "lr_scheduler") and "." not in name
    ]
    if classes or (changed and not allowed):
        shown = [
            f"{name} is {here.get(name)} here and {saved.get(name)} there" for name in classes or changed
        ]
        advice = (
            "start a new run from its weights with model.pretrained"
            if classes
            else "set model.allow_changes to resume with other values"
        )
        more = f"; and {len(shown) - 3} more" if len(shown) > 3 else ""
        raise InputError(f"the run cannot be resumed: {'; '.join(shown[:3])}{more}; {advice}")


def _check_states(optimizers: Sequence[Optimizer], states: Sequence[Mapping[str, Any]]) -> None:
    """Compare the optimizers' states in a checkpoint with the weights they are for, before they are loaded.

    PyTorch's own loading compares no shapes, and a fused kernel writes beyond the end of a moment that is too small.
    """
    try:
        for optimizer, state in zip(optimizers, states, strict=True):
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            numbers = [number for group in state["param_groups"] for number in group["params"]]
            by_number = dict(zip(numbers, weights, strict=True))
            fused = {w for group in optimizer.param_groups if group.get("fused") for w in group["params"]}
            for number, kept in state["state"].items():
                weight = by_number[number]
                for name, value in kept.items() if weight in fused else ():
                    if name != "step" and (value.shape, value.is_contiguous()) != (weight.shape, True):
                        raise ValueError(name)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise InputError(
            "the run cannot be resumed: its optimizer state does not match the network's parameters"
        ) from None


def compute_as_chosen_now(checkpoint: Mapping[str, Any], optimizers: Sequence[Optimizer]) -> None:
    """Let the optimizers that a checkpoint is loaded into compute as they were built to, on whatever device made it."""
    for optimizer, state in zip(optimizers, checkpoint.get("optimizer_states", ()), strict=True):
        for group, saved in zip(optimizer.param_groups, state["param_groups"], strict=True):
            saved.update({way: group[way] for way in WAYS if way in group})


def fresh_states(optimizers: Sequence[Optimizer], schedulers: Sequence[LRScheduler]) -> dict[str, Any]:
    """Return the groups and schedules as they were built, before a checkpoint replaces them."""
    return {
        "groups": [
            [{name: value for name, value in group.items() if name != "params"} for group in one.param_groups]
            for one in optimizers
        ],
        "schedules": [dict(one.state_dict()) for one in schedulers],
    }


def apply_changes(
    fresh: Mapping[str, Any], optimizers: Sequence[Optimizer], schedulers: Sequence[LRScheduler]
) -> None:
    """Put the hyperparameters that were chosen now in the place of the checkpoint's.

    A learning rate that changed is scaled as the schedule has scaled the old one so far.
    """
    for optimizer, groups in zip(optimizers, fresh["groups"], strict=True):
        for group, chosen in zip(optimizer.param_groups, groups, strict=True):
            old, new = group.get("initial_lr", group["lr"]), chosen.get("initial_lr", chosen["lr"])
            scaled = float(group["lr"]) * float(new) / float(old) if old else float(new)
            group.update({**chosen, "lr": scaled})
    for scheduler, chosen in zip(schedulers, fresh["schedules"], strict=True):
        scheduler.base_lrs = chosen["base_lrs"]
        names = scheduler_hyperparameters(scheduler)
        vars(scheduler).update({name: value for name, value in chosen.items() if name in names})


def make_states_plain(checkpoint: Mapping[str, Any]) -> None:
    """Make the learning rates in a checkpoint numbers, whatever the engine that made it kept them in."""
    for state in checkpoint.get("optimizer_states", ()):
        for group in state["param_groups"]:
            group["lr"] = float(group["lr"])
    for state in checkpoint.get("lr_schedulers", ()):
        state["_last_lr"] = [float(rate) for rate in state["_last_lr"]]
