"""Networks read back from a record: a class path, a config and a state dict. Reading one never imports a module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from modgrok.errors import InputError, brief
from modgrok.models.network import Network, class_path, network_class


def build(path: str, config: Mapping[str, Any]) -> Network:
    """Build a network with arbitrary weights on the CPU; the global random generator keeps its state.

    Raises:
        InputError: if there is no such class, or it cannot be built from `config`.

    Example:
        >>> from modgrok.models import build
        >>> shape = {"vocabulary_size": 12, "n_answers": 11, "context_length": 3}
        >>> type(build("modgrok.MLP", shape)).__name__
        'MLP'
    """
    kind = network_class(path)
    try:
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            return kind(**config)
    except InputError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0][:120]
        raise InputError(
            f"{path} cannot be built from its config: {type(error).__name__}: {reason}"
        ) from error


def restore(path: str, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Network:
    """Build a network on the CPU from its class path, its config and its state dict.

    Raises:
        InputError: as `build` and `check_weights` do.

    Example:
        >>> from modgrok import MLP
        >>> from modgrok.models import class_path, restore
        >>> network = MLP(12, 11, 3, d_model=8, d_mlp=16)
        >>> again = restore(class_path(network), network.config, network.state_dict())
        >>> bool((again.embed.W_E == network.embed.W_E).all())
        True
    """
    check_weights(network := build(path, config), weights)
    network.load_state_dict(dict(weights))
    return network.eval()


def check_weights(network: Network, weights: Mapping[str, Tensor]) -> None:
    """Compare a state dict with the network that it is for.

    Raises:
        InputError: if a weight is missing, surplus, of another shape or not finite.
    """
    if misfit := _misfit(network.state_dict(), weights):
        raise InputError(misfit)
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise InputError(f"{name} has values that are not finite")


def check_readable(network: Network) -> None:
    """Check that a network could be read back from its class path, its config and its state dict.

    Raises:
        InputError: if it could not, with the reason.

    Example:
        >>> from modgrok import MLP
        >>> from modgrok.models import check_readable
        >>> check_readable(MLP(12, 11, 3))  # nothing is wrong with it
    """
    path, where = class_path(network), f"model.network: {class_path(network)} could not be read back"
    if "<locals>" in path:
        raise InputError(f"{where}: its class is defined inside a function; define it in a module")
    for name, value in network.config.items():
        if not _is_plain(value):
            raise InputError(
                f"{where}: its argument {name} = {brief(value)} is not JSON data "
                "(None, bool, int, float, str, list or dict)"
            )
    try:
        again = build(path, network.config)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if misfit := _misfit(again.state_dict(), network.state_dict()):
        raise InputError(f"{where}: built again from its config, {misfit}")


def _is_plain(value: object) -> bool:
    """Whether a value is the same after it was written as JSON."""
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False


def _misfit(expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> str | None:
    """Say which weight is missing, surplus or of another shape or type than expected, if any is."""
    for name in sorted(set(expected) ^ set(weights)):
        return f"the state dict {'lacks' if name in expected else 'has a surplus'} {name[:60]}"
    for name, weight in weights.items():
        if weight.shape != expected[name].shape:
            return f"{name} has the shape {tuple(weight.shape)}, not {tuple(expected[name].shape)}"
        if weight.is_floating_point() != expected[name].is_floating_point():
            return f"{name} has the type {weight.dtype}, not {expected[name].dtype}"
    return None
