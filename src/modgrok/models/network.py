"""What every network of modgrok is, whatever it computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from modgrok.errors import InputError
from modgrok.models.hooks import ActivationRecorder, Hook, HookPoint, no_hooks
from modgrok.models.readout_paths import ReadoutPaths
from modgrok.models.shared_rows import IndexedTokens, index_tokens, unshared


class Network(nn.Module, ABC):
    """Maps n examples of t tokens to logits over the answers, read at the last position.

    Args:
        config: the constructor's arguments by name, plain data: what a checkpoint needs to build the network again.

    Raises:
        InputError: if an integer among them is not positive: they are sizes.
    """

    parts: ClassVar[tuple[str, str, str]]
    """What can be taken over or frozen by itself: the embedding, what lies between, the unembedding."""

    sees_order: ClassVar[bool] = True
    """Whether the logits depend on the order of an example's tokens."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        for name, value in config.items():
            if type(value) is int and value < 1:
                raise InputError(f"{name}: {value} is not a positive integer")
        super().__init__()
        self.config = dict(config)

    @abstractmethod
    def compute(self, tokens: IndexedTokens, point: HookPoint) -> Tensor:
        """Compute the logits, (n, p), leading every activation past its named `point`."""

    @property
    @abstractmethod
    def readout_paths(self) -> ReadoutPaths:
        """What of the network the analysis looks at."""

    def forward(self, tokens: Tensor | IndexedTokens) -> Tensor:
        """Compute the logits, (n, p), of `tokens`, (n, t); what is used often is indexed once, beforehand."""
        if isinstance(tokens, Tensor):
            tokens = index_tokens(tokens)
        return self.compute(tokens, no_hooks).expand(tokens.n_examples, -1)

    def run_with_cache(
        self, tokens: Tensor, hooks: Mapping[str, Hook] | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the logits, (n, p), of `tokens`, (n, t), and keep every named activation.

        Args:
            tokens: (n, t).
            hooks: by activation name, functions that see the activation and may return another in its place.

        Returns:
            The logits and the activations by name. Those on the query side of the last block hold its last position
            only, since no other is read: `blocks.0.mlp.hook_post` of a one-layer network is (n, 1, m).

        Raises:
            InputError: if a hook names no activation or returns one of another shape.
        """
        watch = ActivationRecorder(hooks or {})
        logits = self.compute(unshared(tokens), watch)
        return logits, watch.close()

    @classmethod
    def part_of(cls, parameter: str) -> str:
        """Return which part the parameter of that name belongs to."""
        embedding, between, unembedding = cls.parts
        return {"embed": embedding, "unembed": unembedding}.get(parameter.partition(".")[0], between)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return next(self.parameters()).device
