"""A trained network together with its task, its split and its update count: what a checkpoint means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from modgrok.data import ModularDataModule
from modgrok.errors import InputError, brief
from modgrok.models import MLP, Network, Transformer
from modgrok.models.restore import check_weights, restore
from modgrok.runs.arguments import check_arguments
from modgrok.runs.data_only import load_data
from modgrok.runs.history import History

NETWORKS: dict[str, type[Network]] = {"MLP": MLP, "Transformer": Transformer}
"""The networks that a checkpoint may name; no other class is ever built from a file."""

FORMAT = 1


@dataclass(frozen=True)
class PretrainedFrom:
    """From which trained network the initial weights of some parts came."""

    source: str  # the run or the checkpoint, as it was given
    tasks: list[str]
    modulus: int
    update: int
    parts: list[str]

    def __str__(self) -> str:
        """Say it in words: `embedding from lightning_logs/version_0 (x + y mod 97, update 2,300)`."""
        formulas = " | ".join(self.tasks)
        return f"{', '.join(self.parts)} from {self.source} ({formulas} mod {self.modulus}, update {self.update:,})"


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
    origin: PretrainedFrom | None = None
    frozen: Sequence[str] = ()
    """The parts that were not trained."""


def record(
    network: Network,
    data: ModularDataModule,
    update: int,
    history: History,
    origin: PretrainedFrom | None = None,
    frozen: Sequence[str] = (),
) -> dict[str, Any]:
    """Return, as plain data, what a checkpoint holds besides the weights to be a snapshot."""
    return {
        "format": FORMAT,
        "update": update,
        "network": {"class": type(network).__name__, "config": network.config},
        "data": data.config,
        "split": data.split_fingerprint,
        "history": asdict(history),
        "origin": asdict(origin) if origin else None,
        "frozen": list(frozen),
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
    return snapshot_from_checkpoint(read_checkpoint(path), path)


def snapshot_from_checkpoint(checkpoint: dict[str, Any], path: Path) -> Snapshot:
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
    return Snapshot(
        network,
        data,
        saved["update"],
        History.from_record(saved["history"]),
        origin=PretrainedFrom(**saved["origin"]) if saved.get("origin") else None,
        frozen=tuple(saved["frozen"]),
    )


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
    for name, kind in (
        ("update", int),
        ("network", dict),
        ("data", dict),
        ("split", str),
        ("history", dict),
        ("frozen", list),
    ):
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
    _check_history(saved["history"], "its history")
    if saved.get("origin") is not None:
        check_arguments(PretrainedFrom, saved["origin"], "its origin")
    if unknown := [part for part in saved["frozen"] if part not in NETWORKS[network["class"]].parts]:
        raise InputError(f"its network has no part {brief(unknown[0])}")
    if saved["data"]["modulus"] > network["config"]["vocabulary_size"]:
        raise InputError(
            f"its modulus {brief(saved['data']['modulus'])} is larger than its network's vocabulary"
        )
    if saved["update"] and not saved["history"].get("update"):
        raise InputError("its history is empty")


def _check_history(history: dict[str, Any], where: str) -> None:
    """Raise an InputError unless a history, and of a mixture each formula's, has an entry for each evaluation."""
    check_arguments(History, {name: entries for name, entries in history.items() if name != "of_task"}, where)
    scores = {name: entries for name, entries in history.items() if name not in ("of_task", "threshold")}
    if len({len(entries) for entries in scores.values()}) > 1:
        raise InputError(f"{where} has columns of different lengths")
    if not all(map(math.isfinite, scores.get("train_loss", ()))):
        raise InputError(f"{where} goes on after a loss that is not finite")
    of_task = history.get("of_task", {})
    if not isinstance(of_task, dict):
        raise InputError(f"{where} of each formula is none")
    for task, own in of_task.items():
        if not isinstance(own, dict) or own.get("of_task"):
            raise InputError(f"{where} of {brief(task)} is none")
        _check_history(own, f"{where} of {brief(task)}")
