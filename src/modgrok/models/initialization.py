"""The initial weights of the peers, by name.

Only weight matrices are random; biases start at zero and normalization at the identity.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import nn

from modgrok.errors import InputError, check_choice

Initialization = Literal["transformer_lens", "nanda", "furuta", "zhong"]


def scale_weights(network: nn.Module, factor: float) -> None:
    """Multiply the weight matrices of `network`, those whose name starts with W, by the factor α of Liu et al. 2022
    ("Omnigrok", arXiv 2210.01117, section 3).

    Raises:
        InputError: if the factor is not positive.
    """
    if not 0 < factor < math.inf:
        raise InputError(f"initialization_scale must be positive, got {factor}")
    with torch.no_grad():
        for path, parameter in network.named_parameters():
            if path.rpartition(".")[2].startswith("W"):
                parameter.mul_(factor)


def initialize(network: nn.Module, name: Initialization, d_model: int, vocabulary_size: int) -> None:
    """Fill the weight matrices of `network`, those whose name starts with W, from PyTorch's global generator.

    `transformer_lens`: normal, 0.8/√d_model (TransformerLens's default initializer range).
    `nanda`: normal, 1/√d_model; W_U 1/√vocabulary (code of Nanda et al. 2023, arXiv 2301.05217).
    `furuta`: normal, 1/√d_model; W_E 1/√vocabulary (code of Furuta et al. 2024, arXiv 2402.16726).
    `zhong`: as `nanda`, but W_in 1/√d_mlp (code of Zhong et al. 2023, arXiv 2306.17844).

    Raises:
        InputError: if there is no such scheme.
    """
    check_choice("initialization", name, Initialization)
    by_vocabulary = {"transformer_lens": None, "nanda": "W_U", "furuta": "W_E", "zhong": "W_U"}[name]
    scale = (0.8 if name == "transformer_lens" else 1.0) / math.sqrt(d_model)
    with torch.no_grad():
        for path, parameter in network.named_parameters():
            leaf = path.rpartition(".")[2]
            if leaf == by_vocabulary:
                parameter.normal_(0, 1 / math.sqrt(vocabulary_size))
            elif leaf == "W_in" and name == "zhong":
                parameter.normal_(0, 1 / math.sqrt(parameter.shape[-1]))
            elif leaf.startswith("W"):
                parameter.normal_(0, scale)
