"""The weights as pictures while the network trains."""

from __future__ import annotations

import math
from itertools import cycle

import torch
import torch.nn.functional as F
from lightning.pytorch import Trainer
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from torch import Tensor

from modgrok.analysis import principal_components
from modgrok.callbacks.budgeted import BudgetedCallback
from modgrok.callbacks.log_figure import log_figure
from modgrok.data.template import Vocabulary
from modgrok.models import Network
from modgrok.training import GrokkingModule

EMBEDDING = "W_E"
"""What the name of a parameter ends in that has a row for each token."""

COLUMNS = 5
"""Matrices side by side."""

COMPONENTS = 4
"""Principal components drawn."""

MARKERS = "x+*123"
"""Of the tokens that are no operands."""

SIGNED = colormaps["RdBu_r"].resampled(9)
"""Colors of weights; few, since an image of noise takes the more space the more colors it has."""

AROUND = LinearSegmentedColormap.from_list(
    "around", ["#2f6690", "#2f8a80", "#c48f1d", "#c8553d", "#8d6a9f", "#2f6690"]
)
"""Colors of residues: those of the last and of the first are neighbors too."""


def as_matrix(weight: Tensor) -> Tensor:
    """Lay a weight out as a matrix: of three axes, its blocks, such as heads, side by side along their shorter side."""
    blocks = weight.reshape(-1, *weight.shape[-2:])
    return torch.cat(list(blocks), dim=0 if blocks.shape[1] < blocks.shape[2] else 1)


def draw_matrices(network: Network, title: str) -> Figure:
    """Draw each parameter of two axes or more as an image on the scale of its largest weight.

    Where a matrix is larger than its image, evenly spaced rows and columns of it are drawn.
    """
    matrices = {
        name: as_matrix(parameter.detach().float().cpu())
        for name, parameter in network.named_parameters()
        if parameter.dim() > 1
    }
    rows = math.ceil(len(matrices) / COLUMNS)
    figure = Figure(figsize=(7, 1.2 * rows + 0.4), dpi=80, layout="constrained")
    grid = figure.subplots(rows, COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (name, matrix) in zip(grid.flat, matrices.items(), strict=False):
        largest = float(matrix.abs().max())
        scale = Normalize(-largest, largest) if largest else Normalize(-1, 1)
        axes.imshow(matrix.numpy(), SIGNED, scale, aspect="auto", interpolation="nearest")
        height, width = matrix.shape
        axes.set_title(f"{name}\n{height} × {width}, ±{largest:.2g}", fontsize=6.5)
    bar = figure.colorbar(
        ScalarMappable(Normalize(-1, 1), SIGNED), ax=grid, shrink=0.8, aspect=12 * rows, pad=0.01
    )
    bar.set_ticks([-1, 0, 1], labels=["−", "0", "+"])
    figure.suptitle(title, fontsize=8)
    return figure


def draw_components(W_E: Tensor, vocabulary: Vocabulary, title: str) -> Figure:
    """Draw the operands' embeddings on their principal components, and in black where the other tokens are there.

    Args:
        W_E: (v, d).
        vocabulary: of v tokens.
        title: of the figure.
    """
    operands, others = W_E.detach().cpu().split([vocabulary.n_symbols, len(vocabulary.special)])
    found = principal_components(operands)
    missing = (0, max(0, COMPONENTS - found.scores.shape[1]))  # of a narrow or a small embedding
    points, apart = F.pad(found.scores, missing).numpy(), F.pad(found.project(others), missing).numpy()
    figure = Figure(figsize=(7, 3.3), dpi=80, layout="constrained")
    panels = figure.subplots(1, COMPONENTS // 2)
    for first, axes in zip(range(0, COMPONENTS, 2), panels, strict=True):
        plane = slice(first, first + 2)
        colored = axes.scatter(
            *points[:, plane].T,
            14,
            range(len(points)),
            cmap=AROUND,
            norm=Normalize(0, len(points)),
            linewidth=0,
        )
        marked = [
            axes.scatter(*place[plane], 36, "black", marker=marker)
            for place, marker in zip(apart, cycle(MARKERS), strict=False)
        ]
        share = float(found.variance_explained[plane].sum())
        axes.set_title(f"{share:.0%} of the variance", fontsize=8)
        axes.set_xlabel(f"component {first + 1}", fontsize=8)
        axes.set_ylabel(f"component {first + 2}", fontsize=8)
        axes.set_aspect("equal", "datalim")
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    bar = figure.colorbar(colored, ax=panels, pad=0.01)
    bar.set_label("operand", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.legend(marked, vocabulary.special, loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    figure.suptitle(title, fontsize=8)
    return figure


class LogWeights(BudgetedCallback):
    """Logs the weight matrices as images, and the embedding on its principal components.

    Args:
        every: updates between pictures; null for none. There is one at the end too. Where they would take more than
            5% of the run's time, there are fewer.

    Raises:
        InputError: if `every` is not positive.
    """

    def __init__(self, every: int | None = 2000) -> None:
        super().__init__(every)

    def observe(self, trainer: Trainer, module: GrokkingModule) -> None:
        """Draw the weights."""
        update = f"update {trainer.global_step:,}"
        log_figure(trainer, "weights", draw_matrices(module.network, update))
        vocabulary = module.data.template.vocabulary
        for name, parameter in module.network.named_parameters():
            if name.endswith(EMBEDDING):
                figure = draw_components(parameter, vocabulary, f"{name}, {update}")
                log_figure(trainer, f"principal_components/{name}", figure)
