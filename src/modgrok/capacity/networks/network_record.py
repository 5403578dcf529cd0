"""A network as plain data: its class path and its arguments. Reading one back never imports a module."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from inspect import signature
from typing import Any

import torch
from torch import nn

from modgrok.capacity.networks.llama import Llama
from modgrok.capacity.networks.llama_shape import SIZES_OF_DATA
from modgrok.capacity.networks.transformers_llama import TransformersLlama
from modgrok.errors import InputError, brief

OWN = {f"modgrok.capacity.{kind.__name__}": kind for kind in (Llama, TransformersLlama)}
BEFORE_CLASS_PATHS = {kind.__name__: path for path, kind in OWN.items()}
"""Class paths by the bare names that older runs recorded."""


def class_path(network: nn.Module) -> str:
    """Return `module.ClassName` of a network; ours are `modgrok.capacity.Llama` and `TransformersLlama`."""
    kind = type(network)
    ours = next((path for path, own in OWN.items() if own is kind), None)
    return ours or f"{kind.__module__}.{kind.__qualname__}"


def arguments(network: nn.Module) -> dict[str, Any]:
    """Return the arguments that a network is built from, besides the sizes that the data give it.

    Raises:
        InputError: if the network has not kept them in `hparams`.
    """
    if not isinstance(hparams := getattr(network, "hparams", None), Mapping):
        raise InputError(
            f"model.network: {class_path(network)} could not be read back: it has no hparams; derive it from "
            "modgrok.capacity.Llama, or from Lightning's HyperparametersMixin and call save_hyperparameters()"
        )
    wanted = signature(type(network)).parameters
    return {name: hparams[name] for name in wanted if name in hparams and name not in SIZES_OF_DATA}


def build(path: str, vocabulary_size: int, context_length: int, arguments: Mapping[str, Any]) -> nn.Module:
    """Build a network with arbitrary weights; the global random generator keeps its state.

    Raises:
        InputError: if no module that was imported has such a class, or it cannot be built from the arguments.
    """
    path = BEFORE_CLASS_PATHS.get(path, path)
    module, _, name = path.rpartition(".")
    kind = OWN.get(path) or getattr(sys.modules.get(module), name, None)
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise InputError(
            f"no network class {brief(path)} is known; from Python, import the module that defines it first"
        )
    try:
        with torch.random.fork_rng(devices=[]):
            return kind(vocabulary_size, context_length, **arguments)
    except InputError:
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0][:120]
        raise InputError(
            f"{path} cannot be built from its record: {type(error).__name__}: {reason}"
        ) from error


def check_readable(network: nn.Module, vocabulary_size: int, context_length: int) -> None:
    """Check that a network could be read back from its class path, its arguments and its weights.

    Raises:
        InputError: if it could not, with the reason.
    """
    path, given = class_path(network), arguments(network)
    where = f"model.network: {path} could not be read back"
    for name, value in given.items():
        try:
            plain = json.loads(json.dumps(value)) == value
        except (TypeError, ValueError):
            plain = False
        if not plain:
            raise InputError(f"{where}: its argument {name} = {brief(value)} is not JSON data")
    try:
        again = build(path, vocabulary_size, context_length, given)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if type(again) is not type(network):
        raise InputError(f"{where}: {path} is another class than the one that was given")
    ours, theirs = ({n: w.shape for n, w in one.state_dict().items()} for one in (network, again))
    if ours != theirs:
        name = next(name for name in ours | theirs if ours.get(name) != theirs.get(name))
        raise InputError(f"{where}: built again from its arguments, {name} is not the same")
