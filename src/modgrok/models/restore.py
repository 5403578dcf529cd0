"""Networks from weights that somebody else may have written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.models.network import Network

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


def expected_state_dict(kind: type[Network], config: Mapping[str, Any], n_weights: int) -> dict[str, Tensor]:
    """Return, on the meta device, the state dict of the network that `config` describes.

    Raises:
        InputError: if there can be no such network, or not with as few as `n_weights` weights.
    """
    if (n_layers := config.get("n_layers", 1)) > n_weights:
        raise InputError(f"n_layers: {n_layers:,} layers, but only {n_weights:,} weights")
    try:
        with torch.device("meta"):
            return kind(**config).state_dict()
    except (RuntimeError, OverflowError):
        raise InputError(f"a {kind.__name__} cannot have these sizes") from None


def check_weights(kind: type[Network], config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Compare weights with the network that `config` describes, without making it.

    What passes is no larger than what is stored: a network of 10¹² parameters is not made for a file of a kilobyte.

    Raises:
        InputError: if there can be no such network, or a weight is missing, surplus, of another shape, not finite, or
            fewer numbers are stored than the shapes say.
    """
    expected = expected_state_dict(kind, config, len(weights))
    for name in sorted(set(expected) ^ set(weights)):
        raise InputError(f"the state dict {'lacks' if name in expected else 'has a surplus'} {name[:60]}")
    for name, weight in weights.items():
        if weight.shape != expected[name].shape:
            shapes = f"{tuple(weight.shape)}, not {tuple(expected[name].shape)}"
            raise InputError(f"{name} has the shape {shapes}")
        if not weight.is_floating_point():
            raise InputError(f"{name} is of {str(weight.dtype).removeprefix('torch.')}, not of floats")
    stored = {w.untyped_storage().data_ptr(): w.untyped_storage().nbytes() for w in weights.values()}
    declared = sum(weight.numel() for weight in weights.values())
    if declared > sum(stored.values()):
        raise InputError(f"the weights declare {declared:,} numbers, and fewer are stored")
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise InputError(f"{name} has values that are not finite")


def restore(kind: type[AnyNetwork], config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> AnyNetwork:
    """Make the network that `config` describes and that has these weights.

    Raises:
        InputError: as `check_weights` does.
    """
    check_weights(kind, config, weights)
    network = kind(**config)
    network.load_state_dict(weights)
    return network.eval()
