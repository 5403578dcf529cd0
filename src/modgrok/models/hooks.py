"""Named points at which activations can be read or replaced while a network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.models.shared_rows import SharedRows

Hook = Callable[[Tensor], Tensor | None]
"""Sees an activation, may change it in place, and may return a tensor that takes its place."""

HookPoint = Callable[..., list[SharedRows]]
"""`point(name, rows, dim=1)` is called at every named activation; it returns the rows to continue with."""


def no_hooks(name: str, rows: list[SharedRows], dim: int = 1) -> list[SharedRows]:
    """Return every activation unchanged: the hook point of a run without hooks."""
    return rows


class ActivationRecorder:
    """Keeps every activation and calls the hooks. The network goes on with the tensors that are kept.

    So a tensor of the cache is the one that the logits were computed from: whatever a hook does to it, in place too,
    has its effect, and the logits have a gradient with respect to it. Positions are stacked along `dim`.
    """

    def __init__(self, hooks: Mapping[str, Hook]) -> None:
        self.hooks = hooks
        self.cache: dict[str, Tensor] = {}

    def __call__(self, name: str, rows: list[SharedRows], dim: int = 1) -> list[SharedRows]:
        """Keep the activation `name`, or what its hook returns in its place, and return its positions.

        Raises:
            InputError: if a hook returns a tensor of another shape.
        """
        activation = torch.stack([position.values for position in rows], dim)
        replacement = self.hooks[name](activation) if name in self.hooks else None
        if replacement is not None and replacement.shape != activation.shape:
            raise InputError(
                f"the hook on {name} returned shape {tuple(replacement.shape)}, not {tuple(activation.shape)}"
            )
        kept = self.cache[name] = activation if replacement is None else replacement
        return [SharedRows(position) for position in kept.unbind(dim)]

    def finish(self) -> dict[str, Tensor]:
        """Return what was kept.

        Raises:
            InputError: if a hook names an activation that does not exist.
        """
        if unknown := sorted(set(self.hooks) - set(self.cache)):
            raise InputError(f"no activation is called {unknown[0]!r}; there are {', '.join(self.cache)}")
        return self.cache
