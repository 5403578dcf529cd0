"""The format of the weights published with Nanda et al. 2023 (arXiv 2301.05217).

A dictionary with the state dict under `model`, beside the optimizer's state and the losses. Matrices act from the
left: (out, in), heads first, all heads' outputs flat in W_O. Nothing is normalized; only the MLP has biases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from modgrok.errors import InputError

_DIMENSIONS = {"W_Q": 3, "W_K": 3, "W_V": 3, "W_O": 2, "W_E": 2, "W_in": 2, "W_out": 2}


def is_published(content: Any) -> bool:
    """Whether a file's content is of this format."""
    return isinstance(content, dict) and isinstance(content.get("model"), dict)


def updates_made(content: Mapping[str, Any]) -> int:
    """The number of updates the weights have had; 0 where the file does not say. Epochs are counted from 0."""
    epoch = content.get("epoch")
    return epoch + 1 if isinstance(epoch, int) else 0


def to_hooked(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename and turn a published state dict into TransformerLens's: matrices act from the right.

    Raises:
        InputError: if a weight has not the dimensions that it should.
    """
    turned = {}
    for name, weight in state.items():
        leaf = name.rpartition(".")[2]
        if weight.dim() != _DIMENSIONS.get(leaf, weight.dim()):
            raise InputError(f"{name} has {weight.dim()} dimensions, not {_DIMENSIONS[leaf]}")
        if leaf in ("W_Q", "W_K", "W_V"):  # (h, k, d)
            turned[name] = weight.transpose(1, 2)
        elif leaf == "W_O":  # (d, h·k)
            values = state.get(name.replace("W_O", "W_V"))
            heads = len(values) if values is not None and values.dim() else 0
            if not heads or weight.shape[1] % heads:
                raise InputError(f"{name} is not of as many heads as W_V")
            turned[name] = weight.T.unflatten(0, (heads, -1))
        elif leaf in ("W_E", "W_in", "W_out"):  # (d, v), (m, d), (d, m)
            turned[name] = weight.T
        elif leaf != "mask":  # W_pos (t, d), W_U (d, v) and the biases are as they should be
            turned[name] = weight
    return turned
