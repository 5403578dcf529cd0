"""Files of other people's weights, read as data and written for their tools."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor
from torch.serialization import get_unsafe_globals_in_checkpoint

from modgrok.data import Examples
from modgrok.errors import InputError, brief
from modgrok.interop.blueprint import Blueprint
from modgrok.interop.contents import Contents, SavedConfig, State, find_contents
from modgrok.interop.group_mlp import describe_group_mlp, is_group_mlp
from modgrok.interop.hooked import describe_hooked, from_transformer, hooked_config
from modgrok.interop.published_weights import describe_published, is_published
from modgrok.interop.reading import Reading, settle
from modgrok.interop.recorded_split import RecordedSplit
from modgrok.interop.said import agreed, translate
from modgrok.models import Network, Transformer
from modgrok.models.losses import CROSS_ENTROPY
from modgrok.runs import History, Score, Snapshot
from modgrok.runs.checkpoint import check_size, load_data
from modgrok.runs.whole_files import whole_file

CONFIG = "HookedTransformerConfig"
"""The name in a file's metadata of the arguments that make the network in TransformerLens, as JSON."""

TOKENS = "tokens"
"""The name there of the words of an example."""

_SIZES = (
    "n_layers",
    "d_model",
    "n_heads",
    "d_head",
    "d_mlp",
    "vocabulary_size",
    "n_answers",
    "context_length",
)


@dataclass(frozen=True, eq=False)
class ForeignRun:
    """Other people's weights: the network, the checkpoints before it, and how they were read.

    Attributes:
        snapshot: the network.
        notes: how it was read and what of the file was left out, a sentence each.

    Example:
        >>> from pathlib import Path
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.interop import Reading, read_weights, write_weights
        >>> network = Transformer(**ModularDataModule("x + y", 11).network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> write_weights(network, Path("weights.safetensors"))
        >>> told = Reading(tokens=["x", "y", "="])
        >>> run = read_weights(Path("weights.safetensors"), formula="x + y", modulus=11, told=told)
        >>> run.snapshot.data.title
        'x + y mod 11'
    """

    snapshot: Snapshot
    notes: tuple[str, ...]
    _earlier: tuple[tuple[int, Blueprint], ...]
    _settings: Mapping[str, Any]

    @property
    def earlier(self) -> Iterator[Snapshot]:
        """The checkpoints before it, ascending, each built when it is asked for.

        Raises:
            InputError: if one has other weights than the network.
        """
        for update, blueprint in self._earlier:
            yield replace(self.snapshot, network=blueprint.build(self._settings), update=update)


def read_weights(path: Path, formula: str, modulus: int, told: Reading | None = None) -> ForeignRun:
    """Read other people's weights as a snapshot of a task, with the checkpoints before it.

    The file is recognized by what it contains: a HookedTransformer's state dict, one in the layout of Nanda et al. 2023
    or Zhong et al. 2023, or the MLP of Chughtai et al. 2023; as the whole file, or in a dictionary with a config,
    checkpoints and the indices of the split, as the notebooks of the field save it. Files are read as data by
    `load_data`. What a file does not say of its network is told by the user, or tried; see `settle`.

    Args:
        path: `.safetensors`, or a file of `torch.save`.
        formula: the task that the network was trained on.
        modulus: p.
        told: the settings that the user states.

    Raises:
        InputError: if the file cannot be read as data, holds no network that is known here, does not fit the task,
            contradicts itself or the user, or can be read in several ways.

    Example:
        >>> from pathlib import Path
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.interop import Reading, read_weights, write_weights
        >>> network = Transformer(**ModularDataModule("x + y", 11).network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> write_weights(network, Path("weights.safetensors"))
        >>> told = Reading(tokens=["x", "y", "="])
        >>> run = read_weights(Path("weights.safetensors"), formula="x + y", modulus=11, told=told)
        >>> bool((run.snapshot.network.embed.W_E == network.embed.W_E).all())
        True
    """
    told = told or Reading()
    content, metadata = _load(path)
    try:
        contents = find_contents(content)
        blueprint = describe(contents.state)
        said = agreed(
            [
                ("the file's metadata", translate(metadata)),
                ("its config", translate(contents.said)),
                ("the config beside it", translate(_beside(path))),
                (
                    "its weights",
                    {name: blueprint.config[name] for name in _SIZES if name in blueprint.config},
                ),
                ("--modulus", {"modulus": modulus}),
                ("the command line", told.told),
            ]
        )
        known = {name: said[name] for name in (*blueprint.settings, *told.settings) if name in said}
        read, others = settle(blueprint, known, formula, modulus, said.get("tokens"))
        earlier = tuple(
            (update, _alike(describe(state), blueprint, update)) for update, state in contents.earlier
        )
        notes = [f"Read with {read}."]
        if read.data.config["answer_tables"]:
            notes.append(
                f"It numbers the elements in an order of its own: it answers {formula} under other names."
            )
        notes += [f"It answers {formula} as well with {other} (loss {other.loss:.2e})." for other in others]
        notes += [f"Left out: {entry}." for entry in blueprint.dropped]
        snapshot = Snapshot(read.network, read.data, contents.update, History(), split_known=False)
        run = ForeignRun(_with_split(snapshot, contents), tuple(notes), earlier, read.settings)
        if not run.snapshot.split_known:
            return run
        return replace(run, snapshot=replace(run.snapshot, history=_history(run)))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def describe(state: State) -> Blueprint:
    """Describe the network that a state dict is of.

    Raises:
        InputError: if none that is known here has such weights.
    """
    whole = next((name for name in state if name == "embed.W_E" or name.endswith(".embed.W_E")), "embed.W_E")
    prefix = whole.removesuffix("embed.W_E")
    state = {name.removeprefix(prefix): weight for name, weight in state.items()}
    if is_group_mlp(state):
        return describe_group_mlp(state)
    if "embed.W_E" not in state:
        raise InputError(
            f"has weights {', '.join(sorted(state)[:4])}, …, which are neither a HookedTransformer's nor of "
            "a published network known here"
        )
    return describe_published(state) if is_published(state) else describe_hooked(state)


def _alike(blueprint: Blueprint, last: Blueprint, update: int) -> Blueprint:
    if blueprint.config != last.config or blueprint.weights.keys() != last.weights.keys():
        raise InputError(f"the checkpoint after {update:,} updates has other shapes than the network")
    return blueprint


def _with_split(snapshot: Snapshot, contents: Contents) -> Snapshot:
    """Give a snapshot the split of a file, if it has one."""
    training = contents.training
    if training is None:
        return snapshot
    if contents.heldout is not None:
        both = torch.cat([training, contents.heldout])
        if len(both.unique()) < len(both):
            raise InputError("train_indices and test_indices share a pair, or repeat one")
    return replace(snapshot, data=RecordedSplit(training, snapshot.data.config), split_known=True)


def _history(run: ForeignRun) -> History:
    """Score the checkpoints of a run whose split is known."""
    history = History()
    for snapshot in (*run.earlier, run.snapshot):
        network, data = snapshot.network, snapshot.data
        train, heldout = (_score(network, pairs) for pairs in (data.training_pairs, data.heldout_pairs))
        history.append(snapshot.update, train._replace(accuracy_new=None, accuracy_known=None), heldout)
    return history


@torch.no_grad()
def _score(network: Network, pairs: Examples) -> Score:
    logits = network(pairs.tokens)
    losses = CROSS_ENTROPY(logits, pairs.answers)
    right = (logits.argmax(1) == pairs.answers).double()
    new, known = (float(right[part].mean()) if part.any() else None for part in (~pairs.known, pairs.known))
    return Score(float(losses.mean()), float(right.mean()), float((-losses).exp().mean()), new, known)


def write_weights(network: Network, path: Path, tokens: Sequence[str] = ()) -> None:
    """Write a network for TransformerLens 2: as .safetensors, or as .pt or .pth for `torch.load`.

    The file says how to make the network, in `HookedTransformerConfig`'s arguments as JSON, and the words of an
    example: a safetensors file in its metadata, a file of `torch.save` in the state dict's own `_metadata`, which
    `load_state_dict` passes over.

    Args:
        network: a Transformer.
        path: the path of the file.
        tokens: the words of an example, such as `x y =`.

    Raises InputError where the file exists or ends in something else, or the network is not a Transformer.

    Example:
        >>> from pathlib import Path
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.interop import write_weights
        >>> network = Transformer(**ModularDataModule("x + y", 11).network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> write_weights(network, Path("weights.safetensors"))
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
    state = OrderedDict(from_transformer(network))
    said = {CONFIG: json.dumps(hooked_config(network)), TOKENS: json.dumps(list(tokens))}
    with whole_file(path, replace=False) as file:
        if path.suffix == ".safetensors":
            file.write(save(state, {"format": "pt", **said}))
        else:
            state._metadata = {"": said}  # type: ignore[attr-defined]
            torch.save(state, file)


def _load(path: Path) -> tuple[Any, Mapping[str, Any]]:
    """Return what a file holds, and what its metadata say of the network."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    content = _load_pickle(path)
    if isinstance(content, Mapping) and "modgrok" in content:
        raise InputError(
            f"{path}: is a checkpoint of modgrok, which says itself what it is; leave out --formula"
        )
    said = getattr(content, "_metadata", {})
    return content, _metadata(said.get("") if isinstance(said, Mapping) else None, path)


def _load_safetensors(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    check_size(path)
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError):
        raise InputError(f"{path}: cannot be read; it is damaged, cut short, or no file of weights") from None
    return state, _metadata(metadata, path)


def _metadata(metadata: Any, path: Path) -> Mapping[str, Any]:
    """Return what a file's metadata say of the network."""
    if not isinstance(metadata, Mapping):
        return {}
    config, tokens = _json(metadata.get(CONFIG, "{}"), path), _json(metadata.get(TOKENS, "[]"), path)
    if not isinstance(config, dict):
        raise InputError(f"{path}: the config in it is no JSON object: {brief(config)}")
    return {**config, **({TOKENS: tokens} if tokens else {})}


def _load_pickle(path: Path) -> Any:
    """Read a file of `torch.save` as data; of a config's class only what the config says is kept."""
    try:
        return load_data(path)
    except InputError as error:
        try:
            classes = get_unsafe_globals_in_checkpoint(path)
        except Exception:  # whatever is wrong with the file has been said
            raise error from None
        if not classes:
            raise
        if not all(name.endswith("Config") for name in classes):
            raise InputError(
                f"{error}: {', '.join(sorted(classes)[:3])}; save plain data with torch.save({{'model': "
                "model.state_dict(), 'config': vars(config)}, file)"
            ) from None
        with torch.serialization.safe_globals([(SavedConfig, name) for name in classes]):
            return load_data(path)


def _beside(path: Path) -> Mapping[str, Any]:
    """Return the content of `config_<name>.json` beside `model_<name>.pt`, as Zhong et al. 2023 publish their runs."""
    beside = path.with_name(f"config_{path.stem.removeprefix('model_')}.json")
    if not path.stem.startswith("model_") or not beside.is_file():
        return {}
    content = _json(beside.read_text(errors="replace")[: 1 << 20], beside)
    if not isinstance(content, dict):
        raise InputError(f"{beside}: is no JSON object: {brief(content)}")
    return content


def _json(text: Any, path: Path) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise InputError(f"{path}: the config in it is no JSON: {brief(text)}") from None
