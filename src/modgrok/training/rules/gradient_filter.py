"""What happens to the gradients between the backward pass and the optimizer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor


class GradientFilter(ABC):
    """Changes the gradients of an update. A filter that remembers something returns it as its state.

    Example:
        >>> import torch
        >>> from modgrok.training import GradientFilter
        >>> class Halve(GradientFilter):
        ...     def __call__(self, gradients, weights):
        ...         return {name: gradient / 2 for name, gradient in gradients.items()}
        >>> Halve()({"W": torch.ones(2)}, {"W": torch.ones(2)})["W"]
        tensor([0.5000, 0.5000])
    """

    @abstractmethod
    def __call__(self, gradients: dict[str, Tensor], weights: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the gradients to descend, under the names and in the shapes of those given.

        Args:
            gradients: the gradients of the trained weights, by parameter name. They may be changed in place.
            weights: the same weights, detached.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return what the filter remembers, as plain data and tensors."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what the filter remembered: by default every entry as the attribute of its name."""
        vars(self).update(state)
