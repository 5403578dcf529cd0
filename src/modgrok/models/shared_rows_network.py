"""Networks that compute each distinct row once, and let their activations be watched."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from torch import Tensor

from modgrok.models.hooks import ActivationRecorder, Hook, HookPoint, no_hooks
from modgrok.models.network import Network
from modgrok.models.shared_rows import IndexedTokens, index_tokens, unshared


class SharedRowsNetwork(Network):
    """A network whose activations are `SharedRows` and pass named hook points, as those of the built-ins do.

    Example:
        >>> import torch
        >>> from modgrok import Transformer
        >>> network = Transformer(12, 11, 3, d_model=8, d_mlp=16, n_heads=2)
        >>> logits, cache = network.run_with_cache(torch.tensor([[3, 4, 11]]))
        >>> cache["blocks.0.hook_resid_pre"].shape  # (n, t, d)
        torch.Size([1, 3, 8])
    """

    @abstractmethod
    def forward_shared(self, tokens: IndexedTokens, point: HookPoint) -> Tensor:
        """Compute the logits, (n, p), calling `point(name, rows)` on every named activation."""

    def forward(self, tokens: Tensor | IndexedTokens) -> Tensor:
        """Compute the logits, (n, p), of tokens (n, t), or of what `prepare` made of them."""
        if isinstance(tokens, Tensor):
            tokens = index_tokens(tokens)
        return self.forward_shared(tokens, no_hooks).expand(tokens.n_examples, -1)

    def prepare(self, tokens: Tensor, like: IndexedTokens | None = None) -> IndexedTokens:
        """Index tokens (n, t) once, so that `forward` need not do it each time."""
        return index_tokens(tokens, like)

    def run_with_cache(
        self, tokens: Tensor, hooks: Mapping[str, Hook] | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the logits and keep every named activation.

        The network goes on with the tensors of the cache. A hook therefore replaces an activation by changing it in
        place (`lambda pattern: pattern[:, 0].zero_()`) or by returning another of its shape, and
        `torch.autograd.grad(loss, cache[name])` is the gradient of a loss with respect to an activation.

        Args:
            tokens: (n, t).
            hooks: functions by activation name; each sees the activation, and what it returns, unless that is None,
                takes the activation's place.

        Returns:
            The logits, (n, p), and the activations by name. Those on the query side of the last block hold its last
            position only, since no other is read: `blocks.0.mlp.hook_post` of a one-layer network is (n, 1, m).

        Raises:
            InputError: if a hook names no activation or returns another shape.
        """
        recorder = ActivationRecorder(hooks or {})
        logits = self.forward_shared(unshared(tokens), recorder)
        return logits, recorder.finish()
