"""A network as its weights describe it, and what they leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.models import Network, build, restore


@dataclass(frozen=True, eq=False)
class Blueprint:
    """The shapes and weights of a network.

    Attributes:
        class_path: the class path of the network.
        config: the constructor's arguments that the shapes tell.
        weights: its weights by our names; biases that the file lacks are zero.
        settings: the values of `activation`, `normalization` and `attention_rate` that the weights allow and that are
            worth trying, as far as the class of network has the setting.
        dropped: entries of the file that are no weights of the network, in words.
    """

    class_path: str
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]
    settings: Mapping[str, tuple[Any, ...]]
    dropped: tuple[str, ...] = ()

    def build(self, chosen: Mapping[str, Any]) -> Network:
        """Build the network with one value of each setting.

        `LNPre` is layer normalization whose scale and shift were folded into the weights behind it: exactly `LN` with
        scale 1 and shift 0.

        Raises:
            InputError: if a weight is missing, surplus or of another shape.
        """
        config = self._config(chosen)
        defaults = {
            name: weight
            for name, weight in build(self.class_path, config).state_dict().items()
            if name.rpartition(".")[2].startswith("b_") or chosen.get("normalization") == "LNPre"
            if not name.rpartition(".")[2].startswith("W")
        }
        return restore(self.class_path, config, defaults | dict(self.weights))

    def _config(self, chosen: Mapping[str, Any]) -> dict[str, Any]:
        """The constructor's arguments with one value of each setting."""
        normalization = {"none": False, "LNPre": True}.get(chosen.get("normalization", "LN"))
        places = {} if normalization is None else {"normalization": normalization}
        return {**self.config, **{k: v for k, v in chosen.items() if k != "normalization"}, **places}

    def without_copies(self) -> Blueprint:
        """Leave out entries that repeat a weight of the network under another name, and note them."""
        config = self._config({name: values[0] for name, values in self.settings.items()})
        names = build(self.class_path, config).state_dict().keys()
        copies = {
            name: other
            for name, weight in self.weights.items()
            if name not in names
            for other in names & self.weights.keys()
            if self.weights[other].shape == weight.shape and torch.equal(self.weights[other], weight)
        }
        return replace(
            self,
            weights={name: weight for name, weight in self.weights.items() if name not in copies},
            dropped=tuple(f"{name}, a copy of {other}" for name, other in copies.items()),
        )


def shape_of(weights: Mapping[str, Tensor], name: str, dimensions: int) -> tuple[int, ...]:
    """Return the shape of a weight.

    Raises:
        InputError: if there is no such weight, or it has other than so many dimensions.
    """
    if name not in weights:
        raise InputError(f"it has no {name}")
    if weights[name].dim() != dimensions:
        raise InputError(f"{name} has {weights[name].dim()} dimensions, not {dimensions}")
    return tuple(weights[name].shape)
