"""What can be wrong with a run, checked before anything of it is written."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer
from lightning.pytorch.callbacks import (
    BaseFinetuning,
    BatchSizeFinder,
    EarlyStopping,
    LearningRateFinder,
    Timer,
)
from lightning.pytorch.callbacks.pruning import ModelPruning
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from modgrok.data import ModularDataModule
from modgrok.data.order_dependence import order_dependence
from modgrok.errors import InputError
from modgrok.models import Network
from modgrok.runs.snapshot import PretrainedFrom
from modgrok.training.engine_choice import EngineName
from modgrok.training.rules import GradientFilter
from modgrok.training.rules.muon import NamedWeights
from modgrok.training.trainer_options import refused_precision
from modgrok.training.updates_per_step import checkpoint_periods

REFUSED_CALLBACKS: Mapping[type[Callback], str] = {
    LearningRateFinder: "a loss that falls fast at first says nothing of grokking; compare learning rates with a sweep "
    "of model.optimizer.lr",
    BatchSizeFinder: "how many pairs an update sees is part of the experiment; give data.batch_size",
    BaseFinetuning: "it unfreezes layers of names that the network does not have; freeze parts with model.frozen",
    ModelPruning: "it replaces weights by masks, which no checkpoint is read back from; freeze parts with model.frozen",
}
"""Callbacks of Lightning's that cannot do their work here, with the reason; what is derived from them may."""


def check_precision(precision: object) -> None:
    """Raise an InputError for a precision that a run does not honor."""
    if reason := refused_precision(precision):
        raise InputError(f"trainer.precision: {reason}")


def check_end(trainer: Trainer) -> None:
    """Raise an InputError if the run would never end."""
    stops = [
        callback
        for callback in trainer.callbacks  # type: ignore[attr-defined]
        if isinstance(callback, Timer | EarlyStopping) or getattr(callback, "ends_run", False)
    ]
    if trainer.max_steps == trainer.max_epochs == -1 and not stops:
        raise InputError(
            "trainer.max_steps: the run would never end; give max_steps, max_epochs, max_time or stop.grokked_for"
        )


def check_steps(asked: int | None, trainer: Trainer) -> None:
    """Raise an InputError if a checkpoint would be due within a training step of as many updates as asked for."""
    for every in checkpoint_periods(trainer):
        if asked and every % asked:
            raise InputError(
                f"every_n_train_steps: checkpoints every {every} updates need a model.updates_per_step that divides "
                f"it; it is {asked}"
            )


def check_callbacks(callbacks: Iterable[Callback]) -> None:
    """Raise an InputError if a callback of Lightning's cannot do its work in a run."""
    for callback in callbacks:
        for kind, reason in REFUSED_CALLBACKS.items():
            if isinstance(callback, kind) and type(callback).__module__.startswith("lightning."):
                raise InputError(f"trainer.callbacks: {type(callback).__name__}: {reason}")


def made_optimizers(made: Any) -> list[Optimizer]:
    """Return the optimizers in what `configure_optimizers` returned, in any of the forms that Lightning takes."""
    if isinstance(made, list | tuple):
        first = made[0] if made and isinstance(made[0], list) else made
        return [optimizer for each in first for optimizer in made_optimizers(each)]
    return [made["optimizer"] if isinstance(made, dict) else made]


def check_optimizer(
    make: Callable[[NamedWeights], Optimizer], network: Network, device: torch.device
) -> None:
    """Raise an InputError if an optimizer of PyTorch's cannot make an update from the gradients of a network.

    It is tried on a copy of the network, which stays on the CPU: an update that a CUDA graph could capture, which there
    is none of on the CPU, is taken for any other where the run is on another device. An error of somebody else's
    optimizer keeps its traceback.
    """
    weights = NamedWeights(
        each for each in copy.deepcopy(network).named_parameters() if each[1].requires_grad
    )
    optimizer = make(weights)
    for group in optimizer.param_groups:
        if device.type != "cpu" and "capturable" in group:
            group["capturable"] = False
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    try:
        optimizer.step()
    except Exception as error:
        if not type(optimizer).__module__.startswith("torch."):
            raise
        name = type(optimizer).__name__
        raise InputError(f"model.optimizer: {name} makes no update of this network: {error}") from error


def check_schedule(scheduler: object, max_steps: int) -> None:
    """Raise an InputError if the schedule ends before the run."""
    if isinstance(scheduler, OneCycleLR) and not 0 < max_steps <= scheduler.total_steps:
        raise InputError(
            f"model.lr_scheduler: OneCycleLR ends after total_steps = {scheduler.total_steps} updates; "
            f"trainer.max_steps is {max_steps}"
        )


def check_engine(name: EngineName, full_batch: bool, device: torch.device) -> None:
    """Raise an InputError if an engine that was asked for cannot make the updates."""
    if name == "cuda_graph" and not full_batch:
        raise InputError("model.engine: cuda_graph needs the full batch; with data.batch_size use another")
    if name == "cuda_graph" and device.type != "cuda":
        raise InputError(f"model.engine: cuda_graph needs CUDA, and the run is on {device.type}")


def check_data(network: Network, origin: PretrainedFrom | None, data: ModularDataModule) -> None:
    """Raise an InputError if the network cannot learn the data, or a checkpoint of them could not be read back."""
    if not network.sees_order and (reason := order_dependence(data)):
        raise InputError(
            f"model.network: {type(network).__name__} does not see the order of its tokens, and {reason}; take "
            "modgrok.Transformer, or a data.template that shows the operands a different number of times, such as "
            "[x, x, y]"
        )
    if origin is not None and origin.modulus != data.config["modulus"]:
        raise InputError(
            f"pretrained: {origin.source} was trained mod {origin.modulus}, this run is mod {data.config['modulus']}"
        )
    if type(data) is not ModularDataModule:
        again = ModularDataModule(**data.config)
        if again.split_fingerprint != data.split_fingerprint:
            raise InputError(
                f"data: {type(data).__name__} does not have the split that its config describes, so that its "
                "checkpoints could not be read back"
            )


def check_filters(network: Network, filters: Sequence[GradientFilter]) -> None:
    """Raise an InputError if a filter returns another shape than the gradient's."""
    weights = {name: w.detach() for name, w in network.named_parameters() if w.requires_grad}
    for gradient_filter in filters:
        name = type(gradient_filter).__name__
        gradients = {key: torch.zeros_like(weight) for key, weight in weights.items()}
        filtered = copy.deepcopy(gradient_filter)(gradients, weights)
        for key, weight in weights.items():
            if key not in filtered or filtered[key].shape != weight.shape:
                returned = tuple(filtered[key].shape) if key in filtered else "nothing"
                raise InputError(
                    f"model.gradient_filters: {name} returned {returned} for the gradient of {key}, whose shape is "
                    f"{tuple(weight.shape)}"
                )
