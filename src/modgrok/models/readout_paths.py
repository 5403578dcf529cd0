"""Where in a network the analysis finds what it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True, eq=False)
class ReadoutPaths:
    """The neurons of a network's last layer, and the weights from the embedding to them and on to the answers.

    Attributes:
        layer: the word for a layer of the network.
        neurons: the name of their activation.
        W_E: (v, d), the embedding.
        to_logits: the matrices, by name, whose product leads from the neurons, (m, …), to the answers, (…, p).
        to_neurons: the matrices, by name, whose product leads from the embedding, (d, …), straight to the neurons,
            (…, m), or with heads (h, d, …) through each of them. Empty where other neurons lie in between.
        attention: the names of the attention's scores and pattern; None where there is no attention.
        heads: the name of the activation of the last layer's heads, (n, t, h, k); None likewise.
        embedding: the name of the tokens' vectors and the table, (v, …), that they come from.
        inputs: the name of the neurons' inputs, before their activation function; None where it is not known.
        by_position: (t, v, …), what the tokens at each position become in linear maps of that position's own; None
            where they are W_E at every position.

    Example:
        >>> from modgrok import Transformer
        >>> paths = Transformer(12, 11, 3, d_model=8, d_mlp=16, n_heads=2).readout_paths
        >>> paths.neurons, list(paths.to_logits)
        ('blocks.0.mlp.hook_post', ['W_out', 'W_U'])
    """

    layer: str
    neurons: str
    W_E: Tensor
    to_logits: Mapping[str, Tensor]
    to_neurons: Mapping[str, Tensor] = field(default_factory=dict)
    attention: tuple[str, str] | None = None
    heads: str | None = None
    embedding: tuple[str, Tensor] | None = None
    inputs: str | None = None
    by_position: Tensor | None = None
