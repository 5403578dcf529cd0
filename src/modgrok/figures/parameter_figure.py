"""The weight matrices of a network as pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from modgrok.figures.figure import Axis, Figure, Heatmap, Panel
from modgrok.models import Network

MOST = 128
"""Rows and columns drawn of a matrix; of a larger one, evenly spaced ones."""


def parameter_figure(network: Network, title: str) -> Figure:
    """Each parameter of two axes or more as a map on the scale of its largest weight: blue negative, red positive.

    Example:
        >>> from modgrok import ModularDataModule, Transformer
        >>> from modgrok.figures import parameter_figure
        >>> data = ModularDataModule("x + y", 11)
        >>> network = Transformer(**data.network_shape, d_model=8, d_mlp=16, n_heads=2)
        >>> parameter_figure(network, "weights").title
        'weights: blue is negative, red is positive'
    """
    panels = []
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            matrix = as_matrix(parameter.detach().float().cpu())
            height, width = matrix.shape
            drawn = matrix[:: -(-height // MOST), :: -(-width // MOST)]
            trace = Heatmap(drawn, "weight", scale="signed", colorbar=False)
            size = f"{name}\n{height} × {width}, ±{float(matrix.abs().max()):.2g}"
            panels.append(Panel(size, [trace], y=Axis(reversed=True), shape="square", bare=True))
    return Figure(f"{title}: blue is negative, red is positive", panels)


def as_matrix(weight: Tensor) -> Tensor:
    """Lay a weight out as a matrix: blocks, such as heads, stand side by side along their shorter side."""
    blocks = weight.reshape(-1, *weight.shape[-2:])
    return torch.cat(list(blocks), dim=0 if blocks.shape[1] < blocks.shape[2] else 1)
