"""A trained network together with its task, its split and its update count: what a checkpoint means."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from modgrok.data import ModularDataModule
from modgrok.errors import InputError
from modgrok.models import MLP, Network, Transformer
from modgrok.training.history import History

NETWORKS: dict[str, type[Network]] = {"MLP": MLP, "Transformer": Transformer}
"""The networks that a checkpoint may name; no other class is ever built from a file."""

FORMAT = 1


@dataclass(frozen=True)
class Origin:
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
    origin: Origin | None = None
    frozen: Sequence[str] = ()
    """The parts that were not trained."""


def record(
    network: Network,
    data: ModularDataModule,
    update: int,
    history: History,
    origin: Origin | None = None,
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

    Raises:
        InputError: if there is no such file, or it is cut short, or another program's.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(
            f"{path}: not a checkpoint of modgrok, or one that holds more than data; it was not opened"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise InputError(f"{path}: cannot be read; it is damaged, cut short, or no checkpoint") from None
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("modgrok"), dict):
        raise InputError(f"{path}: not a checkpoint of modgrok")
    if checkpoint["modgrok"].get("format") != FORMAT:
        raise InputError(
            f"{path}: written by another version of modgrok, in format {checkpoint['modgrok'].get('format')}"
        )
    return checkpoint


def load_snapshot(path: Path) -> Snapshot:
    """Read the snapshot in a checkpoint file.

    Raises:
        InputError: if the file is not a checkpoint of modgrok, or its split cannot be made again here.
    """
    checkpoint = read_checkpoint(path)
    saved = checkpoint["modgrok"]
    data = ModularDataModule(**saved["data"])
    if data.split_fingerprint != saved["split"]:
        raise InputError(f"{path}: this machine's random generator does not make the run's split again")
    network = NETWORKS[saved["network"]["class"]](**saved["network"]["config"])
    weights = {name.removeprefix("network."): tensor for name, tensor in checkpoint["state_dict"].items()}
    network.load_state_dict(weights)
    return Snapshot(
        network.eval(),
        data,
        saved["update"],
        History.from_record(saved["history"]),
        origin=Origin(**saved["origin"]) if saved.get("origin") else None,
        frozen=tuple(saved.get("frozen", ())),
    )
