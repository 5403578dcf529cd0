"""The networks whose answers can be proved, evaluated in balls: one-block transformers, and MLPs, with ReLU."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.certificate.balls import (
    Ball,
    divided,
    dot,
    exact,
    matmul,
    mixed_with_one,
    relu,
    softmax,
    total,
)
from modgrok.errors import InputError
from modgrok.models import MLP, Network, Transformer, class_path


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A network in balls, up to the linear map that makes the logits.

    Attributes:
        last: makes, of tokens (n, t), a ball of what the unembedding reads, (n, d).
        unembedding: W_U, (d, p).
        bias: b_U, (p,), or None.
    """

    last: Callable[[Tensor], Ball]
    unembedding: Tensor
    bias: Tensor | None

    def logits(self, tokens: Tensor) -> Ball:
        """A ball of the logits, (n, p)."""
        return _plus_bias(matmul(self.last(tokens), self.unembedding), self.bias)


def check_provable(network: Network) -> None:
    """Raise an InputError, naming what is not covered, unless a network's answers can be proved."""
    if type(network) not in (Transformer, MLP):
        raise InputError(f"certificate: {class_path(network)} is not covered; Transformer and MLP are")
    config = network.config
    activation = config["activation"]
    if activation != "relu":
        raise InputError(f"certificate: activation {activation} is not covered, only relu")
    if config.get("normalization"):
        raise InputError("certificate: layer normalization is not covered")
    if isinstance(network, Transformer) and config["n_layers"] > 1:
        raise InputError(f"certificate: {config['n_layers']} blocks are not covered, only one")


def evaluation(network: Network, units: Sequence[float]) -> Evaluation:
    """Return the evaluation of a network in several arithmetics.

    Args:
        network: the network whose weights are read; what depends on single tokens is computed here, once.
        units: the unit roundoff of each arithmetic.

    Raises:
        InputError: if the network is not covered.
    """
    check_provable(network)
    weights = {name: weight.detach().cpu() for name, weight in network.state_dict().items()}
    if isinstance(network, MLP):
        last = _mlp(network, weights, units)
    else:
        assert isinstance(network, Transformer)
        last = _transformer(network, weights, units)
    return Evaluation(last, weights["unembed.W_U"], weights.get("unembed.b_U"))


def _affine(x: Ball, weights: dict[str, Tensor], W: str, b: str) -> Ball:
    return _plus_bias(matmul(x, weights[W]), weights.get(b))


def _plus_bias(x: Ball, b: Tensor | None) -> Ball:
    return x if b is None else total([x, exact(b.expand_as(x.mid), x.units)])


def _mlp(network: MLP, weights: dict[str, Tensor], units: Sequence[float]) -> Callable[[Tensor], Ball]:
    t, n_layers = network.config["context_length"], network.config["n_layers"]
    W_in = weights["layers.0.W_in"]
    matrices = list(W_in) if W_in.dim() == 3 else [W_in] * t
    if "embed.W_E" in weights:
        rows = [matmul(exact(weights["embed.W_E"], units), W) for W in matrices]  # of each token, (v, m)
    else:
        rows = [exact(W, units) for W in matrices]  # a one-hot vector times a matrix is a row of it, exactly

    def evaluate(tokens: Tensor) -> Ball:
        x = total([of_position[column] for of_position, column in zip(rows, tokens.unbind(1), strict=True)])
        x = relu(_plus_bias(x, weights.get("layers.0.b_in")))
        for i in range(1, n_layers):
            x = relu(_affine(x, weights, f"layers.{i}.W_in", f"layers.{i}.b_in"))
        return x

    return evaluate


def _transformer(
    network: Transformer, weights: dict[str, Tensor], units: Sequence[float]
) -> Callable[[Tensor], Ball]:
    rate, attention = network.config["attention_rate"], "blocks.0.attn"
    t = network.config["context_length"]
    W_O = weights[f"{attention}.W_O"]
    h, k, _ = W_O.shape
    embedded = exact(weights["embed.W_E"], units)
    positions = weights.get("pos_embed.W_pos")
    rows = [_plus_bias(embedded, None if positions is None else positions[i]) for i in range(t)]  # (v, d)

    def projected(x: Ball, letter: str) -> Ball:
        """Every head side by side, (v, h·k)."""
        W = weights[f"{attention}.W_{letter}"].permute(1, 0, 2).flatten(1)
        b = weights.get(f"{attention}.b_{letter}")
        return _plus_bias(matmul(x, W), None if b is None else b.flatten())

    queries = projected(rows[-1], "Q")
    keys, values = ([projected(x, letter) for x in rows] for letter in "KV")

    def heads(x: Ball) -> Ball:
        return Ball(x.mid.unflatten(-1, (h, k)), x.radius.unflatten(-1, (h, k)), x.units)

    def evaluate(tokens: Tensor) -> Ball:
        columns = tokens.unbind(1)
        q = heads(queries[columns[-1]])
        scores = [dot(q, heads(of_position[c])) for of_position, c in zip(keys, columns, strict=True)]
        scaled = _stack([divided(s, math.sqrt(k)) for s in scores])
        pattern = mixed_with_one(softmax(scaled), rate)  # (n, h, t)
        seen = _stack([heads(of_position[c]) for of_position, c in zip(values, columns, strict=True)])
        z = dot(_expand(pattern, k), seen)  # (n, h, k), a sum over the t positions
        z = Ball(z.mid.flatten(1), z.radius.flatten(2), z.units)
        out = _plus_bias(matmul(z, W_O.flatten(0, 1)), weights.get(f"{attention}.b_O"))
        resid = total([rows[-1][columns[-1]], out])
        if "blocks.0.mlp.W_in" in weights:
            neurons = relu(_affine(resid, weights, "blocks.0.mlp.W_in", "blocks.0.mlp.b_in"))
            resid = total([resid, _affine(neurons, weights, "blocks.0.mlp.W_out", "blocks.0.mlp.b_out")])
        return resid

    return evaluate


def _stack(balls: Sequence[Ball]) -> Ball:
    """Balls of one shape side by side on a last axis."""
    return Ball(
        torch.stack([ball.mid for ball in balls], -1),
        torch.stack([ball.radius for ball in balls], -1),
        balls[0].units,
    )


def _expand(pattern: Ball, k: int) -> Ball:
    """Repeat a pattern, (n, h, t), for each of k numbers of a head: (n, h, k, t)."""
    return Ball(
        pattern.mid[:, :, None].expand(-1, -1, k, -1),
        pattern.radius[:, :, :, None].expand(-1, -1, -1, k, -1),
        pattern.units,
    )
