"""A trained network together with its task, its split and its update count: what a checkpoint means."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from modgrok.data import ModularDataModule
from modgrok.errors import InputError
from modgrok.models import Network, Transformer
from modgrok.models.restore import check_weights, restore
from modgrok.tasks.wording import brief
from modgrok.training.arguments import check_arguments
from modgrok.training.data_only import load_data
from modgrok.training.history import History

NETWORKS: dict[str, type[Network]] = {"Transformer": Transformer}
"""The networks that a checkpoint may name; no other class is ever built from a file."""

FORMAT = 1


@dataclass(frozen=True)
class Snapshot:
    """A network after `update` updates on `data`, and what was measured on the way.

    Other people's weights are a snapshot too; which pairs they were trained on is not known, unless they say so.
    """

    network: Network
    data: ModularDataModule
    update: int
    history: History
    split_known: bool = True


def record(network: Network, data: ModularDataModule, update: int, history: History) -> dict[str, Any]:
    """Return, as plain data, what a checkpoint holds besides the weights to be a snapshot."""
    return {
        "format": FORMAT,
        "update": update,
        "network": {"class": type(network).__name__, "config": network.config},
        "data": data.config,
        "split": data.split_fingerprint,
        "history": asdict(history),
    }


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of modgrok's, as data: nothing in it is executed.

    What it says of its network, its data and its history is checked here, so that who builds them from it needs no
    more memory than the file's weights and the task's table take.

    Raises:
        InputError: if there is no such file, or it is damaged, or another program's, or contradicts itself.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    checkpoint = load_data(path)
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("modgrok"), dict):
        raise InputError(f"{path}: not a checkpoint of modgrok")
    saved = checkpoint["modgrok"]
    if saved.get("format") != FORMAT:
        raise InputError(
            f"{path}: written by another version of modgrok, in format {brief(saved.get('format'))}"
        )
    try:
        _check_record(saved)
        check_weights(
            NETWORKS[saved["network"]["class"]],
            saved["network"]["config"],
            network_weights(checkpoint.get("state_dict")),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return checkpoint


def load_snapshot(path: Path) -> Snapshot:
    """Read the snapshot in a checkpoint file.

    Raises:
        InputError: if the file is not a checkpoint of modgrok, or its split cannot be made again here.
    """
    return snapshot_in(read_checkpoint(path), path)


def snapshot_in(checkpoint: dict[str, Any], path: Path) -> Snapshot:
    """Build the snapshot in a checkpoint that was read from `path`.

    Raises:
        InputError: if its network and its data do not fit, or its split cannot be made again here.
    """
    saved = checkpoint["modgrok"]
    config = saved["network"]["config"]
    try:
        data = ModularDataModule(**saved["data"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if data.split_fingerprint != saved["split"]:
        raise InputError(f"{path}: this machine's random generator does not make the run's split again")
    for name, size in data.network_shape.items():
        if config[name] != size:
            raise InputError(f"{path}: the network's {name} is {config[name]}, and its data's is {size}")
    network = restore(NETWORKS[saved["network"]["class"]], config, network_weights(checkpoint["state_dict"]))
    return Snapshot(network, data, saved["update"], History(**saved["history"]))


def network_weights(state_dict: object) -> dict[str, Tensor]:
    """Return the network's weights by name.

    Raises:
        InputError: if there are none, or something else among them.
    """
    if not isinstance(state_dict, dict) or not all(isinstance(w, Tensor) for w in state_dict.values()):
        raise InputError("it has no weights")
    return {str(name).removeprefix("network."): weight for name, weight in state_dict.items()}


def _check_record(saved: dict[str, Any]) -> None:
    """Raise an InputError unless a record is one that `record` returns, as far as types and sizes tell."""
    for name, kind in (("update", int), ("network", dict), ("data", dict), ("split", str), ("history", dict)):
        if not isinstance(saved.get(name), kind):
            raise InputError(f"its record has no {name}")
    if saved["update"] < 0:
        raise InputError(f"its update {brief(saved['update'])} is before the first")
    network = saved["network"]
    if not isinstance(network.get("class"), str) or network["class"] not in NETWORKS:
        raise InputError(
            f"its network is of the class {brief(network.get('class'))}, not of {', '.join(NETWORKS)}"
        )
    check_arguments(NETWORKS[network["class"]], network.get("config"), "its network")
    check_arguments(ModularDataModule, saved["data"], "its data")
    check_arguments(History, saved["history"], "its history")
    if saved["data"]["modulus"] > network["config"]["vocabulary_size"]:
        raise InputError(
            f"its modulus {brief(saved['data']['modulus'])} is larger than its network's vocabulary"
        )
    if saved["update"] and not saved["history"].get("update"):
        raise InputError("its history is empty")
    measured = list(saved["history"].values())
    if len({len(entries) for entries in measured}) > 1:
        raise InputError("its history has columns of different lengths")
    if not all(math.isfinite(value) for entries in measured for value in entries):
        raise InputError("its history has values that are not finite")
