"""Networks without attention: the positions are summed, as in Furuta et al. 2024 (arXiv 2402.16726), or side by side.

Weights and activations are named in TransformerLens's style. Shapes are written as in `transformer`.
"""

from __future__ import annotations

from typing import Literal

import torch
from einops import rearrange
from torch import Tensor, nn

from modgrok.errors import InputError, check_choice
from modgrok.models.gromov import gromov
from modgrok.models.hooks import HookPoint
from modgrok.models.initialization import Initialization, initialize, scale_weights
from modgrok.models.layers import (
    ACTIVATIONS,
    Dropout,
    Embed,
    OneHot,
    Unembed,
    add_bias,
    check_dropout,
    check_sizes,
    empty_parameter,
    optional_bias,
)
from modgrok.models.readout_paths import ReadoutPaths
from modgrok.models.shared_rows import IndexedTokens, SharedRows, map_rows
from modgrok.models.shared_rows_network import SharedRowsNetwork

Activation = Literal["relu", "gelu", "square"]
Input = Literal["sum", "concatenation", "two_hot"]
InitializationOrSolution = Literal[Initialization, "gromov"]

D_MODEL = 128
"""The width of the embedding unless it is given."""


class HiddenLayer(nn.Module):
    """Neurons that see the positions below: their sum through one matrix (d, m), or each through one of its own."""

    def __init__(self, shape: tuple[int, ...], activation: str, biases: bool, dropout: float) -> None:
        super().__init__()
        self.drop = Dropout(dropout)
        self.activation = ACTIVATIONS[activation]
        self.W_in, self.b_in = empty_parameter(*shape), optional_bias(biases, shape[-1])

    def forward(self, x: list[SharedRows], name: str, point: HookPoint) -> list[SharedRows]:
        """Return the neurons, one position (r, m), over the positions of x, each (r, d).

        The weights act on each position's rows before the sum, and what all pairs share is added first, so that rows
        are expanded to one for each pair as late as possible.
        """
        matrices = self.W_in if self.W_in.ndim == 3 else [self.W_in] * len(x)
        products = [map_rows(lambda x, W=W: x @ W, rows) for rows, W in zip(x, matrices, strict=True)]
        first, *others = sorted(products, key=lambda rows: not rows.constant)
        pre = map_rows(lambda x: add_bias(x, self.b_in), first)
        for rows in others:
            pre = map_rows(torch.add, pre, rows)
        (pre,) = point(f"{name}.hook_pre", [pre])  # (n, 1, m)
        return point(f"{name}.hook_post", self.drop([map_rows(self.activation, pre)]))  # (n, 1, m)


class MLP(SharedRowsNetwork):
    """Embedding, hidden layers, unembedding.

    The sum of the positions ignores their order: examples written with the same tokens in another order, such as
    x − y and y − x, have the same logits. Summed, it learns x + y, and x − y only where a template tells the operands
    apart by other means, such as by showing one of them twice. The other inputs see the order.

    The code of Furuta et al. has one more linear map, from the neurons back to the embedding's width, before the
    unembedding.

    Args:
        vocabulary_size: number of tokens, v.
        n_answers: number of answers, p.
        context_length: number of tokens of an example, t.
        n_layers: number of hidden layers.
        d_model: width of the embedding, d; not to be given with `two_hot` input, which has none.
        d_mlp: neurons of each hidden layer, m.
        activation: the activation function of the neurons; `square` are the quadratic neurons of Gromov 2023.
        input: the input of the first hidden layer: the `sum` of the embedded positions, their `concatenation`, or
            `two_hot`, each position's token as a one-hot vector.
        biases: whether every linear map has a bias.
        initialization: the scheme of the initial weights; see `initialization`. `gromov` is the analytic solution of
            x + y; see `gromov`.
        initialization_scale: a factor on all initial weight matrices; see `scale_weights`.
        dropout: the share of the neurons that is dropped while training.

    Raises:
        InputError: if a size is not a positive integer, there is no such activation or input, a number is out of its
            range, an embedding that is not there has a width, or `gromov` does not fit.

    Example:
        >>> import torch
        >>> from modgrok import MLP
        >>> network = MLP(vocabulary_size=12, n_answers=11, context_length=3, d_model=8, d_mlp=16)
        >>> network(torch.tensor([[3, 4, 11]])).shape
        torch.Size([1, 11])
    """

    def __init__(
        self,
        vocabulary_size: int,
        n_answers: int,
        context_length: int,
        n_layers: int = 1,
        d_model: int = D_MODEL,
        d_mlp: int = 512,
        activation: Activation = "relu",
        input: Input = "sum",
        biases: bool = False,
        initialization: InitializationOrSolution = "transformer_lens",
        initialization_scale: float = 1.0,
        dropout: float = 0.0,
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
        check_choice("activation", activation, Activation)
        check_choice("input", input, Input)
        if input == "two_hot" and d_model != D_MODEL:
            raise InputError(f"d_model: two_hot input has no embedding; leave its width out, got {d_model}")
        check_dropout(dropout)
        check_choice("initialization", initialization, InitializationOrSolution)
        self.sees_order = input != "sum"
        d = vocabulary_size if input == "two_hot" else d_model
        self.embed = OneHot(d) if input == "two_hot" else Embed(vocabulary_size, d)
        first = (d, d_mlp) if input == "sum" else (context_length, d, d_mlp)
        self.layers = nn.ModuleList(
            HiddenLayer(shape, activation, biases, dropout)
            for shape in [first, *[(d_mlp, d_mlp)] * (n_layers - 1)]
        )
        self.unembed = Unembed(d_mlp, n_answers, biases)
        if initialization == "gromov":
            if (input, activation, n_layers, biases) != ("two_hot", "square", 1, False) or context_length < 2:
                raise InputError(
                    "initialization: gromov needs two_hot input, square activation, one layer, no biases, two operands"
                )
            gromov(self.get_parameter("layers.0.W_in"), self.unembed.W_U)
        else:
            initialize(self, initialization, d, vocabulary_size)
        scale_weights(self, initialization_scale)

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
        """What the analysis looks at; between the embedding and the second hidden layer lies the first.

        With two-hot input, what the first layer makes of a symbol at each position is its embedding.
        """
        first, last = self.get_parameter("layers.0.W_in"), f"layers.{len(self.layers) - 1}"
        W_E = self.embed.W_E if isinstance(self.embed, Embed) else None
        by_position = first if W_E is None else W_E @ first if first.ndim == 3 else None  # (t, v, m)
        return ReadoutPaths(
            layer="hidden layer",
            neurons=f"{last}.hook_post",
            W_E=rearrange(first, "t v m -> v (t m)") if W_E is None else W_E,
            to_logits={"W_U": self.unembed.W_U},
            to_neurons={"W_in": first} if W_E is not None and len(self.layers) == 1 else {},
            inputs=f"{last}.hook_pre",
            by_position=by_position,
            embedding=("hook_embed", self.embed.table),
        )
