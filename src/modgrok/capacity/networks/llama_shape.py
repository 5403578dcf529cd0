"""The arguments, sizes and initial weights that the two implementations of a Llama share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import sqrt

from lightning.pytorch.core.mixins.hparams_mixin import HyperparametersMixin
from torch import Tensor, nn

from modgrok.errors import InputError

SIZES_OF_DATA = ("vocabulary_size", "context_length")
"""The arguments that the data give a network; the others are recorded with a run."""


@dataclass(frozen=True)
class LlamaShape:
    """The sizes of a Llama; see `LlamaNetwork`.

    Raises:
        InputError: if a size is out of range.
    """

    vocabulary_size: int
    context_length: int
    d_model: int
    n_layers: int
    d_head: int
    d_mlp: int
    n_loops: int
    tie_word_embeddings: bool
    initializer_range: float | None

    def __post_init__(self) -> None:
        if self.d_head < 2 or self.d_head % 2:
            raise InputError(f"d_head must be even and ≥ 2, for rotary positions; got {self.d_head}")
        if self.d_model < 1 or self.d_model % self.d_head:
            raise InputError(f"d_model must be a multiple of d_head = {self.d_head}, got {self.d_model}")
        for name, least in (("n_layers", 1), ("d_mlp", 0), ("n_loops", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{name} must be ≥ {least}, got {getattr(self, name)}")


class LlamaNetwork(nn.Module, HyperparametersMixin, ABC):
    """Pre-normalized transformer with rotary positions and a gated MLP, without biases (Touvron et al. 2023).

    The defaults are those of the published system for 500,000 requested parameters (435,888 in truth).

    Args:
        vocabulary_size: The number of tokens, v.
        context_length: The most tokens of a row, t.
        d_model: The width d, a multiple of `d_head`.
        n_layers: The number of layers.
        d_head: The width of a head, even.
        d_mlp: The width of the MLP; 4·d_model if None. With 0 there is none: the layers are attention only.
        tie_word_embeddings: Whether the logits are read with the weights that embed the tokens.
        initializer_range: The standard deviation of all initial weights; 1/√fan_in if None. In both cases the
            projections that write to the residual stream are divided by √(2 · depth).
        n_loops: How often the stack of layers is applied, with the same weights each time. The depth is
            n_layers · n_loops.

    Raises:
        InputError: if a size is out of range.
    """

    def __init__(
        self,
        vocabulary_size: int,
        context_length: int,
        d_model: int = 48,
        n_layers: int = 4,
        d_head: int = 16,
        d_mlp: int | None = None,
        tie_word_embeddings: bool = False,
        initializer_range: float | None = 0.02,
        n_loops: int = 1,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(ignore=SIZES_OF_DATA)
        self.shape = LlamaShape(
            vocabulary_size=vocabulary_size,
            context_length=context_length,
            d_model=d_model,
            n_layers=n_layers,
            d_head=d_head,
            d_mlp=4 * d_model if d_mlp is None else d_mlp,
            n_loops=n_loops,
            tie_word_embeddings=tie_word_embeddings,
            initializer_range=initializer_range,
        )
        self.build(self.shape)

    @abstractmethod
    def build(self, shape: LlamaShape) -> None:
        """Make the modules and draw their weights."""

    @abstractmethod
    def forward(self, tokens: Tensor, positions: Tensor | None = None) -> Tensor:
        """Return the logits of the next token.

        Args:
            tokens: (n, t).
            positions: (n, s), s positions of each row; every position if None.

        Returns:
            (n, s, v), or (n, t, v) for every position.
        """

    @abstractmethod
    def residual_stream(self, tokens: Tensor) -> list[Tensor]:
        """Return the residual stream after the embedding and after every layer, each (n, t, d)."""


def at_positions(states: Tensor, positions: Tensor | None) -> Tensor:
    """Return the states at some positions of each row, (n, s, d), of states (n, t, d); all of them for None."""
    if positions is None:
        return states
    return states.gather(1, positions[..., None].expand(-1, -1, states.shape[-1]))


def draw_weights(network: nn.Module, shape: LlamaShape) -> None:
    """Draw all weights: normal, with a smaller deviation where the residual stream is written to."""
    for name, weight in network.named_parameters():
        if weight.dim() == 2:
            fan_in = weight.shape[1]
            deviation = 1 / sqrt(fan_in) if shape.initializer_range is None else shape.initializer_range
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                deviation /= sqrt(2 * shape.n_layers * shape.n_loops)
            nn.init.normal_(weight, std=deviation)
