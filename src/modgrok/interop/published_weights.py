"""The layout of the weights published with Nanda et al. 2023 (arXiv 2301.05217) and Zhong et al. 2023 (2306.17844).

Matrices act from the left: (out, in), heads first, all heads' outputs flat in W_O. Only the MLP has biases. The
networks of Zhong et al. have no "=" and may have an attention rate below 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from modgrok.errors import InputError
from modgrok.interop.blueprint import Blueprint
from modgrok.interop.hooked import describe_hooked

_DIMENSIONS = {"W_Q": 3, "W_K": 3, "W_V": 3, "W_O": 2, "W_E": 2, "W_in": 2, "W_out": 2}


def is_published(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict has this layout: the heads' outputs lie flat in a matrix W_O."""
    return "blocks.0.attn.W_O" in state and state["blocks.0.attn.W_O"].dim() == 2


def describe_published(state: Mapping[str, Tensor]) -> Blueprint:
    """Describe the network that has these weights, without normalization and with any attention rate.

    Raises:
        InputError: if a weight has not the dimensions that it should, or is missing.
    """
    blueprint = describe_hooked(to_hooked(state))
    settings = {**blueprint.settings, "normalization": ("none",), "attention_rate": (1.0, 0.0)}
    return replace(blueprint, settings=settings)


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
                raise InputError(f"{name} has another number of heads than W_V")
            turned[name] = weight.T.unflatten(0, (heads, -1))
        elif leaf in ("W_E", "W_in", "W_out"):  # (d, v), (m, d), (d, m)
            turned[name] = weight.T
        elif leaf != "mask":  # W_pos (t, d), W_U (d, v) and the biases are as they should be
            turned[name] = weight
    return turned
