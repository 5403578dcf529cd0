"""Files of other people's weights, read as data and written for their tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from modgrok.data import ModularData
from modgrok.errors import InputError
from modgrok.interop.hooked import from_transformer, hooked_config, to_transformer
from modgrok.interop.published_weights import is_published, to_hooked, updates_made
from modgrok.models import Network, Transformer
from modgrok.runs import History, Snapshot
from modgrok.runs.checkpoint import check_size, load_data
from modgrok.runs.whole_files import whole_file


def read_weights(path: Path, formula: str, modulus: int, template: list[str] | None = None) -> Snapshot:
    """Read other people's weights as a snapshot of a task.

    `.safetensors`: a HookedTransformer's state dict. Any other file: PyTorch's, with such a state dict or in the
    published format of Nanda et al. 2023; it is read by `load_data`.

    Args:
        path: of the file.
        formula: what the network was trained on.
        modulus: p.
        template: the words of an example, `[x, y, "="]` unless given.

    Raises InputError where the file cannot be read as data, is of neither format, or does not fit the task.
    """
    data = ModularData(formula, modulus, template=template)
    content = _load(path)
    update = updates_made(content) if is_published(content) else 0
    state = content["model"] if is_published(content) else content
    if not isinstance(state, dict) or not all(
        isinstance(name, str) and isinstance(weight, Tensor) for name, weight in state.items()
    ):
        raise InputError(f"{path}: neither a HookedTransformer's state dict nor of the published format")
    try:
        network = to_transformer(to_hooked(state) if is_published(content) else state)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    for size, theirs in (("vocabulary_size", "tokens"), ("context_length", "positions")):
        if network.config[size] != getattr(data, size):
            raise InputError(
                f"{path}: the network has {network.config[size]} {theirs}, and {formula} mod {modulus} as "
                f"[{', '.join(data.template.words)}] has {getattr(data, size)}; give another modulus or template"
            )
    if network.config["n_answers"] < data.n_answers:
        raise InputError(
            f"{path}: the network has {network.config['n_answers']} answers, not {data.n_answers}"
        )
    return Snapshot(network, data, update, History(), split_known=False)


def write_weights(network: Network, path: Path) -> None:
    """Write a network for TransformerLens 2: as .safetensors, or as .pt or .pth for `torch.load`.

    A safetensors file says in its metadata how to make the network: `HookedTransformerConfig`'s arguments, as JSON.

    Raises InputError where the file exists or ends in something else, or the network is not a Transformer.
    """
    if not isinstance(network, Transformer):
        raise InputError(
            f"TransformerLens has Transformers only; this network is of class {type(network).__name__}"
        )
    if path.suffix not in (".safetensors", ".pt", ".pth"):
        raise InputError(f"{path}: ends neither in .safetensors nor in .pt or .pth")
    if path.exists():
        raise InputError(f"{path} exists already and is not overwritten; name another")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: there is no directory {path.absolute().parent}")
    state = from_transformer(network)
    with whole_file(path, replace=False) as file:
        if path.suffix == ".safetensors":
            metadata = {"format": "pt", "HookedTransformerConfig": json.dumps(hooked_config(network))}
            file.write(save(state, metadata))
        else:
            torch.save(state, file)


def _load(path: Path) -> Any:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix != ".safetensors":
        return load_data(path)
    check_size(path)
    try:
        return load_file(path)
    except (SafetensorError, OSError):
        raise InputError(f"{path}: cannot be read; it is damaged, cut short, or no file of weights") from None
