"""A trained network together with its task, its split and its update count: what a checkpoint means."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser
from torch import Tensor

from modgrok.data import ModularData
from modgrok.errors import InputError, brief
from modgrok.models import Network, class_path, network_class, restore
from modgrok.models.losses import CROSS_ENTROPY, Loss, loss_from_record
from modgrok.runs.checkpoint import load_data
from modgrok.runs.history import History

FORMAT = 3

YOUNGER_OPTIONS: dict[str, Any] = {
    "split": "pairs",
    "attention_rate": 1.0,
    "initialization_scale": 1.0,
    "dropout": 0.0,
}
"""Arguments of the data and of networks that came after the format, with the value that all runs had before."""


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
    """A network after `update` updates on `data`, and the scores on the way.

    Other people's weights are a snapshot too; which pairs they were trained on is unknown unless they say so.

    Attributes:
        network: the network, in evaluation mode, on the CPU.
        data: its pairs and their split.
        update: the number of updates made.
        history: the scores up to here.
        split_known: whether `data`'s split is the one that the network was trained on.
        pretrained_from: the run that its initial weights came from, if they did.
        frozen: the parts that were not trained.
        loss: the loss that it was trained on.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.runs import History, Snapshot
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> snapshot = Snapshot(network, data, update=0, history=History())
        >>> snapshot.data.title
        'x + y mod 11'
    """

    network: Network
    data: ModularData
    update: int
    history: History
    split_known: bool = True
    pretrained_from: PretrainedFrom | None = None
    frozen: Sequence[str] = ()
    loss: Loss = CROSS_ENTROPY


def snapshot_metadata(snapshot: Snapshot) -> dict[str, Any]:
    """Return, as plain data, what a checkpoint holds besides the weights to be read back as this snapshot."""
    origin = snapshot.pretrained_from
    return {
        "format": FORMAT,
        "update": snapshot.update,
        "network": {"class_path": class_path(snapshot.network), "config": snapshot.network.config},
        "data": snapshot.data.config,
        "split": snapshot.data.split_fingerprint,
        "history": asdict(snapshot.history),
        "pretrained_from": asdict(origin) if origin else None,
        "frozen": list(snapshot.frozen),
        "loss": snapshot.loss.record,
    }


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of modgrok's as plain data and weights; nothing in it is executed.

    Raises:
        InputError: if there is no such file, it is damaged, or another program or version wrote it.
    """
    checkpoint = load_data(path)
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("modgrok"), dict):
        raise InputError(f"{path}: not a checkpoint of modgrok")
    saved = checkpoint["modgrok"]
    if saved.get("format") != FORMAT:
        raise InputError(
            f"{path}: written by another version of modgrok, in format {brief(saved.get('format'))}"
        )
    complete_record(saved)
    return checkpoint


def complete_record(saved: dict[str, Any]) -> None:
    """Add to a checkpoint's record the options that are younger than it; see `YOUNGER_OPTIONS`.

    A record that is damaged stays as it is; who reads it says so.
    """
    with suppress(InputError, KeyError, TypeError):
        _complete(ModularData, saved["data"], saved["hyperparameters"])
        network = saved["network"]
        _complete(network_class(network["class_path"]), network["config"], saved["hyperparameters"])


def _complete(kind: type, arguments: dict[str, Any], hyperparameters: dict[str, Any]) -> None:
    for name in YOUNGER_OPTIONS.keys() & inspect.signature(kind).parameters.keys() - arguments.keys():
        arguments[name] = hyperparameters[name] = YOUNGER_OPTIONS[name]


def load_snapshot(path: Path) -> Snapshot:
    """Read the snapshot in a checkpoint file.

    Raises:
        InputError: if the file is not a checkpoint of modgrok, or its split cannot be made again here.

    Example:
        >>> import modgrok
        >>> from modgrok.runs import find_checkpoint, load_snapshot
        >>> run = modgrok.fit({"data": {"task": "x + y", "modulus": 7}}, {"trainer.max_steps": 10})
        >>> load_snapshot(find_checkpoint(run.path)).data.heldout_pairs.size
        35
    """
    return snapshot_from_checkpoint(read_checkpoint(path), path)


def snapshot_from_checkpoint(checkpoint: dict[str, Any], path: Path) -> Snapshot:
    """Build the snapshot in a checkpoint that was read from `path`.

    Raises:
        InputError: if its record is incomplete, its network and its data do not fit, or its split cannot be made
            again here.
    """
    saved = checkpoint["modgrok"]
    try:
        data = ModularData(**_arguments(ModularData, saved.get("data"), "its data"))
        kind, config = saved["network"]["class_path"], saved["network"]["config"]
        _arguments(network_class(kind), config, "its network")
        for name, size in data.network_shape.items():
            if config.get(name, size) != size:
                raise InputError(f"the network's {name} is {config[name]}, and its data's is {size}")
        network = restore(kind, config, network_weights(checkpoint.get("state_dict")))
        origin = saved["pretrained_from"]
        snapshot = Snapshot(
            network.eval(),
            data,
            int(saved["update"]),
            History.from_record(saved["history"]),
            pretrained_from=PretrainedFrom(**origin) if origin else None,
            frozen=tuple(saved["frozen"]),
            loss=loss_from_record(saved["loss"]),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its record is damaged: {brief(str(error))}") from None
    if data.split_fingerprint != saved.get("split"):
        raise InputError(f"{path}: this machine's random generator does not make the run's split again")
    return snapshot


def network_weights(state_dict: object) -> dict[str, Tensor]:
    """Return the network's weights by name.

    Raises:
        InputError: if there are none, or something else among them.
    """
    if not isinstance(state_dict, dict) or not all(isinstance(w, Tensor) for w in state_dict.values()):
        raise InputError("it has no weights")
    return {str(name).removeprefix("network."): weight for name, weight in state_dict.items()}


def _arguments(kind: type, given: object, whose: str) -> dict[str, Any]:
    """Return constructor arguments read from a file, checked against the signature and the type hints of `kind`.

    Raises:
        InputError: if one is missing, unknown or of another type.
    """
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(kind)
    try:
        parser.parse_object(given)
    except Exception as error:
        raise InputError(f"{whose}: {' '.join(str(error).split())[:200]}") from None
    assert isinstance(given, dict)
    return given
