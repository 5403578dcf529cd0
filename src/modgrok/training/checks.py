"""What can be wrong with a run, checked before anything of it is written."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, Timer
from torch.optim.lr_scheduler import OneCycleLR

from modgrok.data import ModularDataModule
from modgrok.data.order_dependence import order_dependence
from modgrok.errors import InputError
from modgrok.models import Network
from modgrok.runs.snapshot import PretrainedFrom
from modgrok.training.engine_choice import EngineName
from modgrok.training.rules import GradientFilter


def check_trainer(trainer: Trainer) -> None:
    """Raise an InputError if the trainer was built for what a run cannot do."""
    if trainer.world_size > 1:
        raise InputError(
            f"trainer.devices: {trainer.world_size} devices for one network; it trains on one, so give devices=1 "
            "(many networks at once are many runs)"
        )
    if trainer.strategy.root_device.type == "mps":
        raise InputError(
            "trainer.accelerator: MPS has no float64, which the loss needs; give accelerator=cpu"
        )
    check_precision(trainer.precision)
    if trainer.gradient_clip_val or trainer.accumulate_grad_batches > 1:
        raise InputError(
            "trainer: gradient_clip_val and accumulate_grad_batches need automatic optimization; change gradients "
            "with model.gradient_filters, and the pairs of an update with data.batch_size"
        )


def check_precision(precision: object) -> None:
    """Raise an InputError for float16: gradients of a grokking network need a loss scale there, and there is none."""
    if str(precision).startswith("16"):
        raise InputError(f"trainer.precision: {precision} needs a loss scale; take bf16-mixed or 32")


def check_end(trainer: Trainer) -> None:
    """Raise an InputError if the run would never end."""
    if trainer.max_epochs not in (None, -1):
        raise InputError(
            f"trainer.max_epochs: {trainer.max_epochs} epochs, but a run counts updates; give max_steps"
        )
    stops = [
        callback
        for callback in trainer.callbacks  # type: ignore[attr-defined]
        if isinstance(callback, Timer | EarlyStopping) or getattr(callback, "ends_run", False)
    ]
    if trainer.max_steps == -1 and not stops:
        raise InputError(
            "trainer.max_steps: the run would never end; give max_steps, max_time or stop.grokked_for"
        )


def check_steps(per_step: int, trainer: Trainer) -> None:
    """Raise an InputError if an evaluation or a checkpoint would be due within a training step."""
    if trainer.val_check_interval not in (1.0, None) and not trainer.fast_dev_run:  # type: ignore[attr-defined]
        raise InputError(
            "trainer.val_check_interval: model.evaluate_every says when pairs are scored; give that"
        )
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, ModelCheckpoint) and callback._every_n_train_steps % per_step:
            raise InputError(
                f"every_n_train_steps: checkpoints every {callback._every_n_train_steps} updates need a "
                f"model.updates_per_step that divides it; it is {per_step}"
            )


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
