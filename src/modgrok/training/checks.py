"""What can be wrong with a run, checked before anything of it is written."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, Timer
from torch.optim.lr_scheduler import OneCycleLR

from modgrok.data import ModularDataModule
from modgrok.data.symmetry import order_dependence
from modgrok.errors import InputError
from modgrok.models import check_readable
from modgrok.models.losses import check_loss_readable

if TYPE_CHECKING:
    from modgrok.training.grokking_module import GrokkingModule


def check_run(module: GrokkingModule, data: ModularDataModule, trainer: Trainer) -> None:
    """Check that a run can be trained to an end and read back.

    Raises:
        InputError: naming the field, if it could not.
    """
    _check_trainer(trainer)
    _check_end(trainer)
    _check_steps(module, data, trainer)
    _check_engine(module, data, trainer)
    _check_data(module, data)
    check_readable(module.network)
    check_loss_readable(module.loss)
    made = module.configure_optimizers()
    if isinstance(made, dict):  # a user's own may return any of the forms that Lightning takes
        for intervention in module.interventions:
            intervention.check([made["optimizer"]])
        schedule = made.get("lr_scheduler")
        _check_schedule(schedule["scheduler"] if isinstance(schedule, dict) else schedule, trainer)
    _check_filters(module)


def _check_trainer(trainer: Trainer) -> None:
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


def _check_end(trainer: Trainer) -> None:
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


def _check_steps(module: GrokkingModule, data: ModularDataModule, trainer: Trainer) -> None:
    if trainer.val_check_interval not in (1.0, None) and not trainer.fast_dev_run:  # type: ignore[attr-defined]
        raise InputError(
            "trainer.val_check_interval: model.evaluate_every says when pairs are scored; give that"
        )
    per_step = module.updates_per_step_on(trainer.strategy.root_device, data)
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, ModelCheckpoint) and callback._every_n_train_steps % per_step:
            raise InputError(
                f"every_n_train_steps: checkpoints every {callback._every_n_train_steps} updates need a "
                f"model.updates_per_step that divides it; it is {per_step}"
            )


def _check_schedule(scheduler: object, trainer: Trainer) -> None:
    if isinstance(scheduler, OneCycleLR) and not 0 < trainer.max_steps <= scheduler.total_steps:
        raise InputError(
            f"model.lr_scheduler: OneCycleLR ends after total_steps = {scheduler.total_steps} updates; "
            f"trainer.max_steps is {trainer.max_steps}"
        )


def _check_engine(module: GrokkingModule, data: ModularDataModule, trainer: Trainer) -> None:
    device = trainer.strategy.root_device.type
    if module.engine == "cuda_graph" and data.batch_size is not None:
        raise InputError("model.engine: cuda_graph needs the full batch; with data.batch_size use another")
    if module.engine == "cuda_graph" and device != "cuda":
        raise InputError(f"model.engine: cuda_graph needs CUDA, and the run is on {device}")


def _check_data(module: GrokkingModule, data: ModularDataModule) -> None:
    network = module.network
    if not network.sees_order and (reason := order_dependence(data)):
        raise InputError(
            f"model.network: {type(network).__name__} does not see the order of its tokens, and {reason}; take "
            "modgrok.Transformer, or a data.template that shows the operands a different number of times, such as "
            "[x, x, y]"
        )
    origin = module.pretrained_from
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


def _check_filters(module: GrokkingModule) -> None:
    weights = {name: w.detach() for name, w in module.network.named_parameters() if w.requires_grad}
    for gradient_filter in module.gradient_filters:
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
