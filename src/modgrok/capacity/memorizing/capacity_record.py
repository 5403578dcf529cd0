"""The record in a checkpoint of this wing: network and data as plain data, and digests to compare."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from modgrok.capacity.networks.network_record import BEFORE_CLASS_PATHS, arguments, class_path
from modgrok.capacity.questions.data_options import without_effect
from modgrok.capacity.questions.profiles_data import DEFAULTS, ProfilesData
from modgrok.errors import InputError
from modgrok.runs.checkpoint import load_data

RECORD = "modgrok.capacity"
"""The key of a checkpoint under which the record stands."""


def make_record(network: nn.Module, data: ProfilesData) -> dict[str, Any]:
    """Return a network and data as plain data, from which they can be made again."""
    return {
        "network": class_path(network),
        "network_config": arguments(network),
        "data": dict(data.config),
        "digests": data.digests,
    }


def read_record(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a checkpoint of this wing, weights and plain data only; return it, and its record.

    Raises:
        InputError: if it is another file.
    """
    checkpoint = load_data(path)
    if isinstance(checkpoint, dict) and isinstance(checkpoint.get(RECORD), dict):
        return checkpoint, checkpoint[RECORD]
    if isinstance(checkpoint, dict) and "modgrok" in checkpoint:
        raise InputError(f"{path}: a checkpoint of a grokking network; modgrok analyze opens it")
    raise InputError(f"{path}: not a checkpoint of modgrok capacity fit")


def data_of_record(record: Mapping[str, Any], path: Path) -> ProfilesData:
    """Make the data of a record again.

    Raises:
        InputError: if they are not the data that were trained on, or cannot be made.
    """
    recorded = record["data"]
    unused = without_effect(recorded, DEFAULTS)  # older versions took and recorded such options
    data = ProfilesData(**{name: value for name, value in recorded.items() if name not in unused})
    check_digests(record, data, path)
    return data


def check_digests(record: Mapping[str, Any], data: ProfilesData, path: Path) -> None:
    """Compare data with the digests of those that a checkpoint was trained on; older checkpoints have none.

    Raises:
        InputError: naming what differs.
    """
    ours = data.digests
    for name, digest in record.get("digests", {}).items():
        if ours.get(name) != digest:
            profiles = data.config["profiles"]
            why = (
                f"{profiles} has changed"
                if profiles and name == "people"
                else "another version of NumPy or tokenizers draws them differently"
            )
            raise InputError(f"{path}: the {name} are not those that it was trained on: {why}")


def check_same_run(record: Mapping[str, Any], network: nn.Module, data: ProfilesData, path: Path) -> None:
    """Check that the network is of the class of a checkpoint's, and that the data are those it was trained on.

    Raises:
        InputError: naming what differs.
    """
    recorded = BEFORE_CLASS_PATHS.get(record["network"], record["network"])
    if class_path(network) != recorded:
        raise InputError(f"model.network: {path} has a {recorded}, got {class_path(network)}")
    check_digests(record, data, path)
