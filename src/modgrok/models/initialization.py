"""The initial weights of the peers, by name.

Only weight matrices are random; biases start at zero and normalization at the identity.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import nn

Initialization = Literal["transformer_lens", "nanda", "furuta"]


def initialize(network: nn.Module, name: Initialization, d_model: int, vocabulary_size: int) -> None:
    """Fill the weight matrices of `network`, those whose name starts with W, from PyTorch's global generator.

    `transformer_lens`: normal, 0.8/√d_model (TransformerLens's default initializer range).
    `nanda`: normal, 1/√d_model; W_U 1/√vocabulary (code of Nanda et al. 2023, arXiv 2301.05217).
    `furuta`: normal, 1/√d_model; W_E 1/√vocabulary (code of Furuta et al. 2024, arXiv 2402.16726).
    """
    by_vocabulary = {"transformer_lens": None, "nanda": "W_U", "furuta": "W_E"}[name]
    scale = (0.8 if name == "transformer_lens" else 1.0) / math.sqrt(d_model)
    with torch.no_grad():
        for path, parameter in network.named_parameters():
            leaf = path.rpartition(".")[2]
            if leaf.startswith("W"):
                parameter.normal_(0, 1 / math.sqrt(vocabulary_size) if leaf == by_vocabulary else scale)
