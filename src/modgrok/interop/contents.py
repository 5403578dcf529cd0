"""What a file of weights holds, found by what it contains: state dicts, their times, the split, a config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from modgrok.errors import InputError

State = Mapping[str, Tensor]

MOST_CHECKPOINTS = 10_000
"""Checkpoints read from one file, at most; each is run on all pairs."""

_DEPTH = 3
_ONE_OF_MANY = ("model", "state_dict", "model_state_dict", "network")
"""The key that is taken where a file holds several state dicts."""


class SavedConfig:
    """Stands in for the class of a pickled config: it keeps what the config says and does nothing."""

    def __init__(self) -> None:
        self.said: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        self.said = dict(state) if isinstance(state, dict) else {}


@dataclass(frozen=True, eq=False)
class Contents:
    """The content of a file of weights.

    Attributes:
        state: the state dict of the network.
        update: the updates that it has had; 0 where the file does not say.
        earlier: the update counts and state dicts of the checkpoints before it, ascending.
        said: the settings of the network that the file states, by the names of those who wrote it.
        training: (n,) int64, the numbers of the training pairs in row-major order; None where the file has none.
        heldout: the same of the held-out pairs.
    """

    state: State
    update: int
    earlier: Sequence[tuple[int, State]]
    said: Mapping[str, Any]
    training: Tensor | None = None
    heldout: Tensor | None = None


def find_contents(content: Any) -> Contents:
    """Sort what a file holds.

    A state dict may be the file itself or lie in it under any name, and a list of state dicts is the run's checkpoints,
    whose times are the list of as many ascending numbers beside it. Epochs count from 0: the checkpoint of epoch e has
    had e + 1 updates. What is neither (an optimizer's state, losses) is left alone.

    Raises:
        InputError: if there is no state dict, several without a name that says which is meant, or checkpoints without
            as many epochs.
    """
    content = _mapping(content)
    if _is_state(content):
        return Contents(content, 0, (), {})
    single = dict(_find(content, _is_state))
    series = dict(_find(content, _is_series))
    if not single and not series:
        raise InputError("holds no state dict of a network: no mapping of names to tensors")
    if len(series) > 1:
        raise InputError(f"holds several lists of checkpoints: {', '.join(series)}; save one of them")
    states: Sequence[State] = [_mapping(one) for one in next(iter(series.values()), ())]
    if len(states) > MOST_CHECKPOINTS:
        raise InputError(
            f"has {len(states):,} checkpoints; at most {MOST_CHECKPOINTS:,} are read, so save every n-th"
        )
    updates = _updates(content, len(states))
    if single:
        state = _chosen(single)
        update = max([_last_update(content), *updates[-1:]])
    else:
        state, update = states[-1], updates[-1]
    earlier = [(u, one) for u, one in zip(updates, states, strict=True) if u < update]
    said = _first(content, "config", "cfg")
    return Contents(
        state,
        update,
        earlier,
        said.said if isinstance(said, SavedConfig) else _mapping(said),
        _indices(content, "train_indices"),
        _indices(content, "test_indices"),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping with text as its keys, or an empty one for anything else."""
    return value if isinstance(value, Mapping) and all(isinstance(key, str) for key in value) else {}


def _is_state(value: Any) -> bool:
    named = _mapping(value)
    return any(name.rpartition(".")[2].startswith("W_") for name in named) and all(
        isinstance(weight, Tensor) for weight in named.values()
    )


def _is_series(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) > 0 and all(map(_is_state, value))


def _find(content: Mapping[str, Any], wanted: Any, depth: int = _DEPTH) -> Iterator[tuple[str, Any]]:
    """Yield what is wanted of a mapping and of the mappings in it, by its name."""
    for name, value in content.items():
        if wanted(value):
            yield name, value
        elif depth > 1:
            yield from _find(_mapping(value), wanted, depth - 1)


def _chosen(states: Mapping[str, State]) -> State:
    if len(states) == 1:
        return next(iter(states.values()))
    for name in _ONE_OF_MANY:
        if name in states:
            return states[name]
    raise InputError(f"holds several state dicts: {', '.join(list(states)[:5])}; save the one that is meant")


def _first(content: Mapping[str, Any], *names: str) -> Any:
    return next((content[name] for name in names if name in content), None)


def _numbers(value: Any) -> Tensor | None:
    """Return a list of integers, or a tensor of them, as a tensor (n,); None for anything else."""
    if isinstance(value, Tensor) and value.dim() == 1 and not value.is_floating_point():
        return value.long()
    if isinstance(value, list | tuple) and value and all(type(number) is int for number in value):
        return torch.tensor(value, dtype=torch.int64)
    return None


def _updates(content: Mapping[str, Any], n_checkpoints: int) -> list[int]:
    """Return how many updates each checkpoint has had."""
    if not n_checkpoints:
        return []
    named = {name: value for name, value in content.items() if "epoch" in name or "step" in name}
    times = {name: found for name, value in named.items() if (found := _numbers(value)) is not None}
    if not times:
        raise InputError(f"has {n_checkpoints:,} checkpoints and no list of their epochs, such as `epochs`")
    name, epochs = next(
        ((name, found) for name, found in times.items() if len(found) == n_checkpoints),
        next(iter(times.items())),
    )
    if len(epochs) != n_checkpoints:
        raise InputError(f"has {n_checkpoints:,} checkpoints and {len(epochs):,} {name}")
    if int(epochs[0]) < 0 or bool((epochs.diff() <= 0).any()):
        raise InputError(f"{name} must be ascending from 0")
    return [epoch + 1 for epoch in epochs.tolist()]


def _last_update(content: Mapping[str, Any]) -> int:
    """Return the number of updates that the network has had: one for each epoch, as far as the file says."""
    epoch, losses = content.get("epoch"), content.get("train_losses")
    if type(epoch) is int and epoch >= 0:
        return epoch + 1
    return len(losses) if isinstance(losses, list | tuple) else 0


def _indices(content: Mapping[str, Any], name: str) -> Tensor | None:
    found = content.get(name)
    if found is None:
        return None
    numbers = _numbers(found)
    if numbers is None:
        raise InputError(
            f"{name} must be a list of whole numbers, got a {type(found).__name__} of something else"
        )
    return numbers
