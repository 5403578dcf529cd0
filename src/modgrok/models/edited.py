"""A network with some of its activations changed on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from modgrok.models.hooks import HookPoint
from modgrok.models.readout_paths import ReadoutPaths
from modgrok.models.shared_rows import IndexedTokens, SharedRows
from modgrok.models.shared_rows_network import SharedRowsNetwork

Edit = Callable[[list[SharedRows], IndexedTokens], list[SharedRows]]
"""Makes, of an activation at each position and the tokens, what takes its place."""


class EditedNetwork(SharedRowsNetwork):
    """A network that goes on with edited activations; its weights are those of the network itself.

    It is scored, run with a cache and read like the network, but not written to a checkpoint.

    Args:
        network: the network whose activations are edited.
        edits: the edits by the activation's name.

    Example:
        >>> import torch
        >>> from modgrok import Transformer
        >>> from modgrok.models import EditedNetwork
        >>> network = Transformer(12, 11, 3, d_model=8, d_mlp=16, n_heads=2)
        >>> edited = EditedNetwork(network, {"blocks.0.mlp.hook_post": lambda rows, tokens: rows})
        >>> bool((edited(torch.tensor([[3, 4, 11]])) == network(torch.tensor([[3, 4, 11]]))).all())
        True
    """

    def __init__(self, network: SharedRowsNetwork, edits: Mapping[str, Edit]) -> None:
        super().__init__()
        self.network, self.edits = network, dict(edits)
        self.sees_order = network.sees_order
        self.train(network.training)

    def forward_shared(self, tokens: IndexedTokens, point: HookPoint) -> Tensor:
        """Compute the logits, (n, p); `point` sees the activations as they were edited."""

        def edited(name: str, rows: list[SharedRows], dim: int = 1) -> list[SharedRows]:
            if name in self.edits:
                rows = self.edits[name](rows, tokens)
            return point(name, rows, dim)

        return self.network.forward_shared(tokens, edited)

    @property
    def readout_paths(self) -> ReadoutPaths | None:
        """What the analysis looks at in the network."""
        return self.network.readout_paths
