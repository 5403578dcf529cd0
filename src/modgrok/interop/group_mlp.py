"""The MLP of Chughtai, Chan & Nanda 2023 (arXiv 2302.03025): an embedding of each operand, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.interop.blueprint import Blueprint, shape_of
from modgrok.models import MLP, class_path

NAMES = frozenset({"W_x", "W_y", "W", "W_U"})


def is_group_mlp(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is of this network, by the names of its weights."""
    return state.keys() >= NAMES


def describe_group_mlp(state: Mapping[str, Tensor]) -> Blueprint:
    """Describe hidden = relu(W_x[a]·W[:e] + W_y[b]·W[e:]), logits = hidden·W_U.

    It is an MLP with two-hot input: the first layer's weights at each position are the products W_x·W[:e], (n, m), and
    W_y·W[e:], multiplied in float64 and rounded once.

    Args:
        state: W_x and W_y, (n, e), W, (2e, m), and W_U, (m, n).

    Raises:
        InputError: if a weight has other than two dimensions, or the shapes do not fit.
    """
    n, e = shape_of(state, "W_x", 2)
    inputs, m = shape_of(state, "W", 2)
    if shape_of(state, "W_y", 2) != (n, e) or inputs != 2 * e or shape_of(state, "W_U", 2)[0] != m:
        raise InputError("the shapes of W_x, W_y, W and W_U do not fit together")
    W = state["W"].double()
    products = [state[name].double() @ part for name, part in (("W_x", W[:e]), ("W_y", W[e:]))]
    weights = {
        "layers.0.W_in": torch.stack(products).float(),
        "unembed.W_U": state["W_U"],
        **{name: weight for name, weight in state.items() if name not in NAMES},
    }
    config = {
        "vocabulary_size": n,
        "n_answers": state["W_U"].shape[1],
        "context_length": 2,
        "d_mlp": m,
        "input": "two_hot",
    }
    return Blueprint(class_path(MLP), config, weights, {"activation": ("relu",)}).without_copies()
