"""Which options of Lightning's Trainer a run honors, and which it refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lightning.pytorch import Trainer

from modgrok.errors import InputError

ALL_PAIRS = "a score counts all pairs of its side of the split; leave it out"
PERIOD = "model.evaluate_every says after how many updates pairs are scored; give that"

Refusal = Callable[[Trainer], str | None]
"""Says why a trainer's value of an option is refused, and what would be right; None where it is honored."""


def _accelerator(trainer: Trainer) -> str | None:
    if trainer.strategy.root_device.type == "mps":
        return "MPS has no float64, which the loss needs; give accelerator=cpu"
    return None


def _devices(trainer: Trainer) -> str | None:
    if trainer.world_size > 1:
        return (
            f"{trainer.world_size} devices for one network; it trains on one, so give devices=1 "
            "(many networks at once are many runs)"
        )
    return None


def refused_precision(precision: object) -> str | None:
    """Refuse float16: gradients of a grokking network need a loss scale there, and there is none."""
    return (
        f"{precision} needs a loss scale; take bf16-mixed or 32" if str(precision).startswith("16") else None
    )


def _whole(option: str, instead: str) -> Refusal:
    """Refuse any value of an option that stands for a share, or a number, of batches but the share 1.0."""

    def refusal(trainer: Trainer) -> str | None:
        value = getattr(trainer, option, None)  # an interval in time is kept elsewhere
        whole = isinstance(value, float) and value == 1.0
        return None if whole or trainer.fast_dev_run else instead  # type: ignore[attr-defined]

    return refusal


def _overfit_batches(trainer: Trainer) -> str | None:
    if trainer.overfit_batches:  # type: ignore[attr-defined]
        return "train on fewer pairs with data.train_fraction"
    return None


def _gradient_clip_algorithm(trainer: Trainer) -> str | None:
    if trainer.gradient_clip_algorithm is not None and not trainer.gradient_clip_val:
        return "nothing is clipped; give gradient_clip_val too, or leave it out"
    return None


def _check_val_every_n_epoch(trainer: Trainer) -> str | None:
    if trainer.check_val_every_n_epoch is None:
        return f"null lets val_check_interval count batches; {PERIOD}"
    return None


OPTIONS: Mapping[str, Refusal | None] = {
    "accelerator": _accelerator,
    "strategy": None,
    "devices": _devices,
    "num_nodes": _devices,
    "precision": lambda trainer: refused_precision(trainer.precision),
    "logger": None,
    "callbacks": None,
    "fast_dev_run": None,
    "max_epochs": None,
    "min_epochs": None,
    "max_steps": None,
    "min_steps": None,
    "max_time": None,
    "overfit_batches": _overfit_batches,
    "limit_train_batches": _whole("limit_train_batches", f"an epoch is an evaluation period; {PERIOD}"),
    "limit_val_batches": _whole("limit_val_batches", ALL_PAIRS),
    "limit_test_batches": _whole("limit_test_batches", ALL_PAIRS),
    "limit_predict_batches": _whole("limit_predict_batches", "the table has all pairs; leave it out"),
    "val_check_interval": _whole("val_check_interval", PERIOD),
    "check_val_every_n_epoch": _check_val_every_n_epoch,
    "num_sanity_val_steps": None,
    "log_every_n_steps": None,
    "enable_checkpointing": None,
    "enable_progress_bar": None,
    "enable_model_summary": None,
    "accumulate_grad_batches": None,
    "gradient_clip_val": None,
    "gradient_clip_algorithm": _gradient_clip_algorithm,
    "deterministic": None,
    "benchmark": None,
    "inference_mode": None,
    "use_distributed_sampler": None,
    "profiler": None,
    "detect_anomaly": None,
    "barebones": None,
    "plugins": None,
    "sync_batchnorm": None,
    "reload_dataloaders_every_n_epochs": None,
    "default_root_dir": None,
    "enable_autolog_hparams": None,
    "model_registry": None,
}
"""Every option of Trainer, with what refuses a value of it; None for one that means what Lightning documents."""


def check_options(trainer: Trainer) -> None:
    """Check the options that a trainer was built with.

    Raises:
        InputError: naming an option whose value a run does not honor.
    """
    for name, refusal in OPTIONS.items():
        if refusal is not None and (reason := refusal(trainer)):
            raise InputError(f"trainer.{name}: {reason}")
