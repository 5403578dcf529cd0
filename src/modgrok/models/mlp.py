"""The MLP of Furuta et al. 2024 (arXiv 2402.16726): no attention, the positions are summed.

Weights and activations are named in TransformerLens's style. Shapes are written as in `transformer`.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from modgrok.models.hooks import HookPoint
from modgrok.models.initialization import Initialization, initialize
from modgrok.models.layers import Embed, Unembed, activation_function, bias, check_sizes, plus, weight
from modgrok.models.readout_paths import ReadoutPaths
from modgrok.models.shared_rows import IndexedTokens, SharedRows, map_rows
from modgrok.models.shared_rows_network import SharedRowsNetwork


class HiddenLayer(nn.Module):
    """Neurons that see the sum of the positions below."""

    def __init__(self, d: int, m: int, activation: str, biases: bool) -> None:
        super().__init__()
        self.activation = activation_function(activation)
        self.W_in, self.b_in = weight(d, m), bias(biases, m)

    def forward(self, x: list[SharedRows], name: str, point: HookPoint) -> list[SharedRows]:
        """Return the neurons, one position (r, m), over the positions of x, each (r, d).

        The weights act on each position's rows, before the sum, and what all pairs share is added first: the pairs
        begin as late as they can.
        """
        first, *others = sorted(x, key=lambda rows: not rows.constant)
        pre = map_rows(lambda x: plus(x @ self.W_in, self.b_in), first)
        for rows in others:
            pre = map_rows(torch.add, pre, map_rows(lambda x: x @ self.W_in, rows))
        (pre,) = point(f"{name}.hook_pre", [pre])  # (n, 1, m)
        return point(f"{name}.hook_post", [map_rows(self.activation, pre)])  # (n, 1, m)


class MLP(SharedRowsNetwork):
    """Embedding, sum over the positions, hidden layers, unembedding.

    The sum does not know the order of what it adds: examples written with the same tokens in another order, such as
    x − y and y − x, have the same logits. It learns x + y, and x − y only where a template tells the operands apart
    by other means, such as by showing one of them twice.

    The code of Furuta et al. has one more linear map, from the neurons back to the embedding's width, before the
    unembedding.

    Args:
        vocabulary_size: number of tokens, v.
        n_answers: number of answers, p.
        context_length: number of tokens of an example, t.
        n_layers: number of hidden layers.
        d_model: width of the embedding, d.
        d_mlp: neurons of each hidden layer, m.
        activation: of the neurons.
        biases: biases on every linear map.
        initialization: whose initial weights; see `initialization`.

    Raises:
        InputError: if a size is not a positive integer, or there is no such activation.
    """

    sees_order = False

    def __init__(
        self,
        vocabulary_size: int,
        n_answers: int,
        context_length: int,
        n_layers: int = 1,
        d_model: int = 128,
        d_mlp: int = 512,
        activation: Literal["relu", "gelu"] = "relu",
        biases: bool = False,
        initialization: Initialization = "transformer_lens",
    ) -> None:
        super().__init__()
        check_sizes(
            vocabulary_size=vocabulary_size,
            n_answers=n_answers,
            context_length=context_length,
            n_layers=n_layers,
            d_model=d_model,
            d_mlp=d_mlp,
        )
        self.embed = Embed(vocabulary_size, d_model)
        self.layers = nn.ModuleList(
            HiddenLayer(width, d_mlp, activation, biases) for width in [d_model, *[d_mlp] * (n_layers - 1)]
        )
        self.unembed = Unembed(d_mlp, n_answers, biases)
        initialize(self, initialization, d_model, vocabulary_size)

    def part_of(self, parameter_name: str) -> str:
        """Return the part that a parameter belongs to: embedding, layers or unembedding."""
        child = super().part_of(parameter_name)
        return {"embed": "embedding", "unembed": "unembedding"}.get(child, "layers")

    def forward_shared(self, tokens: IndexedTokens, point: HookPoint) -> Tensor:
        """Compute the logits, (n, p), calling `point(name, rows)` on every named activation."""
        x = self.embed(tokens, point)
        for i, layer in enumerate(self.layers):
            x = layer(x, f"layers.{i}", point)
        (neurons,) = x
        return self.unembed(neurons)

    @property
    def readout_paths(self) -> ReadoutPaths:
        """What the analysis looks at; between the embedding and the second hidden layer lies the first."""
        last = f"layers.{len(self.layers) - 1}"
        return ReadoutPaths(
            layer="hidden layer",
            neurons=f"{last}.hook_post",
            W_E=self.embed.W_E,
            to_logits={"W_U": self.unembed.W_U},
            to_neurons={"W_in": self.get_parameter(f"{last}.W_in")} if len(self.layers) == 1 else {},
        )
