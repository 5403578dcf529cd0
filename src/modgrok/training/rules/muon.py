"""Muon on the matrices of a network, AdamW on the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW, Muon, Optimizer

from modgrok.errors import InputError
from modgrok.training.rules.weight_matrices import as_matrix, from_matrix

NOT_HIDDEN = ("embed", "lm_head")
"""What the names of embeddings and readouts have in them, in modgrok's networks and in those of transformers."""


class NamedWeights(list[nn.Parameter]):
    """Weights in a list, as optimizers take them, with their names for one that treats weights by their name."""

    def __init__(self, named: Iterable[tuple[str, nn.Parameter]]) -> None:
        self.names: list[str] = []
        for name, weight in named:
            self.names.append(name)
            self.append(weight)


class MuonAdamW(Optimizer):
    """`torch.optim.Muon` on the matrices between the embeddings, `torch.optim.AdamW` on everything else.

    Muon is meant for hidden layers: embeddings, unembedding (weights with `embed` or `lm_head` in their name) and
    vectors go to AdamW (K. Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024). The first layer of
    an MLP with two-hot input counts as hidden: often it is the only one. TransformerLens's head weights
    are orthogonalized for all heads of a layer together, W_Q, W_K and W_V each as a (d, h·k) matrix and W_O as
    (h·k, d). An update is scaled to the size of AdamW's (Liu et al. 2025, arXiv 2502.16982, section 2.2), so that
    one learning rate and one weight decay serve both.

    Args:
        params: the weights with their names: a `NamedWeights`, or `network.named_parameters()`.
        lr: learning rate.
        momentum: Muon's.
        betas: AdamW's coefficients for the running averages.
        weight_decay: decoupled, of all weights.

    Raises:
        InputError: if there is no matrix for Muon, or the weights have no names.

    Example:
        >>> from modgrok import Transformer
        >>> from modgrok.training import MuonAdamW
        >>> network = Transformer(12, 11, 3, d_model=8, d_mlp=16, n_heads=2)
        >>> len(MuonAdamW(network.named_parameters()).param_groups)
        2
    """

    def __init__(
        self,
        params: Iterable[tuple[str, nn.Parameter]] | NamedWeights,
        lr: float = 1e-3,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.98),
        weight_decay: float = 1.0,
    ) -> None:
        if isinstance(params, NamedWeights):
            params = zip(params.names, params, strict=True)
        named = list(params)
        if not all(isinstance(each, tuple) for each in named):
            raise InputError("MuonAdamW needs the weights' names: give network.named_parameters()")
        hidden = {
            name: weight
            for name, weight in named
            if weight.ndim > 1 and not any(word in name for word in NOT_HIDDEN)
        }
        if not hidden:
            raise InputError(
                "MuonAdamW needs a matrix to train besides embeddings and unembedding; take AdamW"
            )
        self._matrices = {
            weight: (name, nn.Parameter(as_matrix(name, weight.detach()).clone()))
            for name, weight in hidden.items()
            if weight.ndim > 2
        }
        # those of two dimensions first, as checkpoints number them
        weights = sorted(hidden.values(), key=lambda weight: weight.ndim)
        muon = Muon(
            [self._stand_in(weight) for weight in weights],
            lr=lr,
            momentum=momentum,
            weight_decay=weight_decay,
            adjust_lr_fn="match_rms_adamw",
        )
        rest = [weight for name, weight in named if name not in hidden]
        parts: list[Optimizer] = [muon]
        if rest:
            parts.append(AdamW(rest, lr=lr, betas=betas, weight_decay=weight_decay, fused=True))
        self._parts = parts
        groups = [{**part.param_groups[0]} for part in parts]
        groups[0]["params"] = weights
        super().__init__(groups, {})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make one update of every weight that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for weight, (name, matrix) in self._matrices.items():
            matrix.copy_(as_matrix(name, weight))
            matrix.grad = None if weight.grad is None else as_matrix(name, weight.grad).contiguous()
        for part, group in zip(self._parts, self.param_groups, strict=True):
            stand_ins = [(weight, self._stand_in(weight)) for weight in group["params"]]
            part.param_groups = [{**group, "params": [stand_in for _, stand_in in stand_ins]}]
            part.state = defaultdict(dict, {s: self.state[w] for w, s in stand_ins if w in self.state})
            part.step()
            self.state.update({w: part.state[s] for w, s in stand_ins if s in part.state})
        for weight, (name, matrix) in self._matrices.items():
            weight.copy_(from_matrix(name, matrix, weight.shape))
        return loss

    def _stand_in(self, weight: nn.Parameter) -> nn.Parameter:
        """Return the matrix that a weight of more than two dimensions is, and any other weight itself."""
        return self._matrices[weight][1] if weight in self._matrices else weight
