"""Named points at which activations can be read or replaced while a network runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.models.shared_rows import SharedRows

Hook = Callable[[Tensor], Tensor | None]
"""Sees an activation; what it returns, if not None, takes the activation's place."""

HookPoint = Callable[..., list[SharedRows]]
"""`point(name, rows, dim=1)`: the rows of an activation's positions, as they go on from the point of that name."""


def no_hooks(name: str, rows: list[SharedRows], dim: int = 1) -> list[SharedRows]:
    """Let every activation pass: the point of a run that nobody watches."""
    return rows


class ActivationRecorder:
    """Points that keep every activation and call the hooks. Positions are stacked along `dim`."""

    def __init__(self, hooks: Mapping[str, Hook]) -> None:
        self.hooks = hooks
        self.cache: dict[str, Tensor] = {}

    def __call__(self, name: str, rows: list[SharedRows], dim: int = 1) -> list[SharedRows]:
        """Keep, and if a hook says so replace, the activation `name`.

        Raises:
            InputError: if a hook returns a tensor of another shape.
        """
        activation = torch.stack([position.values for position in rows], dim)
        replacement = self.hooks[name](activation) if name in self.hooks else None
        if replacement is None:
            self.cache[name] = activation
            return rows
        if replacement.shape != activation.shape:
            raise InputError(
                f"the hook on {name} returned shape {tuple(replacement.shape)}, not {tuple(activation.shape)}"
            )
        self.cache[name] = replacement
        return [SharedRows(position) for position in replacement.unbind(dim)]

    def finish(self) -> dict[str, Tensor]:
        """Return what was kept.

        Raises:
            InputError: if a hook names an activation that does not exist.
        """
        if unknown := sorted(set(self.hooks) - set(self.cache)):
            raise InputError(f"no activation is called {unknown[0]!r}; there are {', '.join(self.cache)}")
        return self.cache
