"""The transformer of the grokking literature, read from top to bottom in the order the data takes.

Weights and activations have TransformerLens's names and shapes. Shapes are written with n pairs (or, before pairs
differ, r rows: see `shared_rows`), t context length, d d_model, h heads, k d_head, m d_mlp, v vocabulary, p answers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from einops import einsum
from torch import Tensor, nn

from modgrok.errors import InputError, check_choice
from modgrok.models.hooks import HookPoint
from modgrok.models.initialization import Initialization, initialize, scale_weights
from modgrok.models.layers import (
    ACTIVATIONS,
    Dropout,
    Embed,
    Unembed,
    add_bias,
    check_dropout,
    check_sizes,
    empty_parameter,
    optional_bias,
)
from modgrok.models.readout_paths import ReadoutPaths
from modgrok.models.shared_rows import IndexedTokens, SharedRows, map_rows
from modgrok.models.shared_rows_network import SharedRowsNetwork

Activation = Literal["relu", "gelu"]
Normalized = Literal["attention", "mlp", "unembedding"]


class PosEmbed(nn.Module):
    """Learned positional embedding."""

    def __init__(self, t: int, d: int) -> None:
        super().__init__()
        self.W_pos = empty_parameter(t, d)


class LayerNorm(nn.Module):
    """Layer normalization (Ba et al. 2016, arXiv 1607.06450), with the scale as an activation of its own."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(d))
        self.b = nn.Parameter(torch.zeros(d))

    def forward(self, x: list[SharedRows], name: str, point: HookPoint) -> list[SharedRows]:
        """Normalize each position of x, each (r, d)."""
        centered = [map_rows(lambda x: x - x.mean(-1, keepdim=True), rows) for rows in x]
        scale = [
            map_rows(lambda c: (c.square().mean(-1, keepdim=True) + 1e-5).sqrt(), rows) for rows in centered
        ]
        scale = point(f"{name}.hook_scale", scale)  # (n, t, 1)
        normalized = [
            map_rows(lambda c, s: c / s * self.w + self.b, *pair)
            for pair in zip(centered, scale, strict=True)
        ]
        return point(f"{name}.hook_normalized", normalized)  # (n, t, d)


class Attention(nn.Module):
    """Causal multi-head attention, whose pattern is ρ·softmax(scores) + (1 − ρ) at the positions up to the query's."""

    def __init__(self, d: int, h: int, k: int, biases: bool, rate: float = 1.0) -> None:
        super().__init__()
        self.rate = rate
        self.W_Q, self.W_K, self.W_V = (empty_parameter(h, d, k) for _ in range(3))
        self.W_O = empty_parameter(h, k, d)
        self.b_Q, self.b_K, self.b_V = (optional_bias(biases, h, k) for _ in range(3))
        self.b_O = optional_bias(biases, d)

    def forward(self, x: list[SharedRows], queries: range, name: str, point: HookPoint) -> list[SharedRows]:
        """Attend from the positions `queries` of x, each (r, d), to every position up to their own."""

        def project(rows: SharedRows, W: Tensor, b: nn.Parameter | None) -> SharedRows:
            return map_rows(lambda x: add_bias(einsum(x, W, "r d, h d k -> r h k"), b), rows)

        q = point(f"{name}.hook_q", [project(x[i], self.W_Q, self.b_Q) for i in queries])  # (n, t, h, k)
        k = point(f"{name}.hook_k", [project(rows, self.W_K, self.b_K) for rows in x])  # (n, t, h, k)
        v = point(f"{name}.hook_v", [project(rows, self.W_V, self.b_V) for rows in x])  # (n, t, h, k)

        def dot(q: Tensor, k: Tensor) -> Tensor:
            return (q * k).sum(-1) / math.sqrt(self.W_Q.shape[-1])  # (r, h)

        def side_by_side(*scores: Tensor) -> Tensor:
            seen = torch.stack(torch.broadcast_tensors(*scores), -1)
            return F.pad(seen, (0, len(x) - len(scores)), value=-math.inf)  # (r, h, t)

        scores = [
            map_rows(side_by_side, *(map_rows(dot, q_i, k_j) for k_j in k[: i + 1]))
            for i, q_i in zip(queries, q, strict=True)
        ]
        scores = point(f"{name}.hook_attn_scores", scores, dim=2)  # (n, h, t, t)

        def weigh(s: Tensor, seen: int) -> Tensor:
            if self.rate == 1:
                return s.softmax(-1)
            constant = F.pad(s.new_full((seen,), 1 - self.rate), (0, s.shape[-1] - seen))
            return self.rate * s.softmax(-1) + constant  # (r, h, t)

        pattern = [
            map_rows(partial(weigh, seen=i + 1), rows) for i, rows in zip(queries, scores, strict=True)
        ]
        pattern = point(f"{name}.hook_pattern", pattern, dim=2)  # (n, h, t, t)

        def mix(a: Tensor, *v: Tensor) -> Tensor:
            mixed = a[:, :, 0, None] * v[0]
            for j, v_j in enumerate(v[1:], start=1):
                mixed = mixed + a[:, :, j, None] * v_j
            return mixed  # (r, h, k)

        z = [map_rows(mix, a_i, *v[: i + 1]) for i, a_i in zip(queries, pattern, strict=True)]
        z = point(f"{name}.hook_z", z)  # (n, t, h, k)
        return [
            map_rows(lambda z: add_bias(einsum(z, self.W_O, "r h k, h k d -> r d"), self.b_O), rows)
            for rows in z
        ]


class FeedForward(nn.Module):
    """The block's MLP."""

    def __init__(self, d: int, m: int, activation: str, biases: bool) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.W_in, self.b_in = empty_parameter(d, m), optional_bias(biases, m)
        self.W_out, self.b_out = empty_parameter(m, d), optional_bias(biases, d)

    def forward(self, x: list[SharedRows], name: str, point: HookPoint) -> list[SharedRows]:
        """Transform each position of x, each (r, d), by itself."""
        pre = [map_rows(lambda x: add_bias(x @ self.W_in, self.b_in), rows) for rows in x]
        pre = point(f"{name}.hook_pre", pre)  # (n, t, m)
        post = point(f"{name}.hook_post", [map_rows(self.activation, rows) for rows in pre])  # (n, t, m)
        return [map_rows(lambda x: add_bias(x @ self.W_out, self.b_out), rows) for rows in post]


class Block(nn.Module):
    """Attention, then the MLP where there is one, each added to the residual stream."""

    def __init__(
        self,
        d: int,
        h: int,
        k: int,
        m: int,
        activation: str,
        normalized: Sequence[Normalized],
        biases: bool | Literal["mlp"],
        rate: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.ln1 = LayerNorm(d) if "attention" in normalized else None
        self.attn = Attention(d, h, k, biases is True, rate)
        self.ln2 = LayerNorm(d) if "mlp" in normalized else None
        self.mlp = FeedForward(d, m, activation, bool(biases)) if m else None
        self.drop = Dropout(dropout)

    def forward(
        self, resid: list[SharedRows], queries: range, name: str, point: HookPoint
    ) -> list[SharedRows]:
        """Return the residual stream, each position (r, d), at the positions `queries`."""
        resid = point(f"{name}.hook_resid_pre", resid)  # (n, t, d)
        x = self.ln1(resid, f"{name}.ln1", point) if self.ln1 else resid
        out = self.drop(self.attn(x, queries, f"{name}.attn", point))
        out = point(f"{name}.hook_attn_out", out)  # (n, t, d)
        mid = [map_rows(torch.add, resid[i], out_i) for i, out_i in zip(queries, out, strict=True)]
        if self.mlp is None:
            return point(f"{name}.hook_resid_post", mid)  # (n, t, d)
        mid = point(f"{name}.hook_resid_mid", mid)  # (n, t, d)
        x = self.ln2(mid, f"{name}.ln2", point) if self.ln2 else mid
        out = point(f"{name}.hook_mlp_out", self.drop(self.mlp(x, f"{name}.mlp", point)))  # (n, t, d)
        post = [map_rows(torch.add, *pair) for pair in zip(mid, out, strict=True)]
        return point(f"{name}.hook_resid_post", post)  # (n, t, d)


class Transformer(SharedRowsNetwork):
    """A causal transformer over the tokens of one example; the defaults are the grokking papers'.

    Args:
        vocabulary_size: number of tokens, v.
        n_answers: number of answers, p.
        context_length: number of tokens of an example, t.
        n_layers: number of blocks.
        d_model: width of the residual stream, d.
        n_heads: attention heads, h.
        d_head: width of a head, k; d_model / n_heads unless given.
        d_mlp: neurons of each block, m; 0 for blocks of attention alone.
        activation: the activation function of the neurons; not to be given without neurons.
        normalization: whether attention, MLP and unembedding have layer normalization before them, or which of them.
        biases: whether every linear map has a bias; `mlp`, whether those of the MLPs alone have one.
        positional_embedding: whether each position has a learned embedding.
        attention_rate: ρ from 0 to 1, how much of the attention is learned: the pattern is ρ·softmax(scores) + (1 − ρ),
            so that at 0 each position seen has the weight 1 (Zhong et al. 2023, arXiv 2306.17844, section 5).
        initialization: the scheme of the initial weights; see `initialization`.
        initialization_scale: a factor on all initial weight matrices; see `scale_weights`.
        dropout: the share of what attention and MLP add to the residual stream that is dropped while training.

    Raises:
        InputError: if a size is not a positive integer, there is no such activation or place of a normalization, a
            number is out of its range, something is asked of an MLP that is not there, or without `d_head` if `n_heads`
            does not divide `d_model`.

    Example:
        >>> import torch
        >>> from modgrok import Transformer
        >>> network = Transformer(vocabulary_size=12, n_answers=11, context_length=3, d_model=8, d_mlp=16, n_heads=2)
        >>> network(torch.tensor([[3, 4, 11]])).shape
        torch.Size([1, 11])
    """

    def __init__(
        self,
        vocabulary_size: int,
        n_answers: int,
        context_length: int,
        n_layers: int = 1,
        d_model: int = 128,
        n_heads: int = 4,
        d_head: int | None = None,
        d_mlp: int = 512,
        activation: Activation = "relu",
        normalization: bool | list[Normalized] = False,
        biases: bool | Literal["mlp"] = False,
        positional_embedding: bool = True,
        attention_rate: float = 1.0,
        initialization: Initialization = "transformer_lens",
        initialization_scale: float = 1.0,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_sizes(
            vocabulary_size=vocabulary_size,
            n_answers=n_answers,
            context_length=context_length,
            n_layers=n_layers,
            d_model=d_model,
            n_heads=n_heads,
            d_head=d_head,
            d_mlp=d_mlp or None,
        )
        check_choice("activation", activation, Activation)
        check_dropout(dropout)
        everywhere = [place for place in get_args(Normalized) if place != "mlp" or d_mlp]
        normalized = (
            (everywhere if normalization else []) if isinstance(normalization, bool) else normalization
        )
        for place in normalized:
            check_choice("normalization", place, Normalized)
        if not d_mlp and (biases == "mlp" or "mlp" in normalized or activation != "relu"):
            raise InputError(
                "d_mlp is 0, so that no MLP can have biases, a normalization before it or an activation"
            )
        if not 0 <= attention_rate <= 1:
            raise InputError(f"attention_rate must be from 0 to 1, got {attention_rate}")
        if biases not in (True, False, "mlp"):
            raise InputError(f"biases must be true, false or mlp, got {biases!r}")
        if d_head is None and d_model % n_heads:
            raise InputError(
                f"n_heads: {n_heads} heads do not divide d_model = {d_model}; give d_head, or other sizes"
            )
        d_head = d_head or d_model // n_heads
        self.embed = Embed(vocabulary_size, d_model)
        self.pos_embed = PosEmbed(context_length, d_model) if positional_embedding else None
        self.blocks = nn.ModuleList(
            Block(d_model, n_heads, d_head, d_mlp, activation, normalized, biases, attention_rate, dropout)
            for _ in range(n_layers)
        )
        self.ln_final = LayerNorm(d_model) if "unembedding" in normalized else None
        self.unembed = Unembed(d_model, n_answers, biases is True)
        initialize(self, initialization, d_model, vocabulary_size)
        scale_weights(self, initialization_scale)

    def part_of(self, parameter_name: str) -> str:
        """Return the part that a parameter belongs to: embedding, transformer or unembedding."""
        child = super().part_of(parameter_name)
        return {"embed": "embedding", "unembed": "unembedding"}.get(child, "transformer")

    def forward_shared(self, tokens: IndexedTokens, point: HookPoint) -> Tensor:
        """Compute the logits, (n, p), calling `point(name, rows)` on every named activation."""
        t = len(tokens.distinct)
        resid = self.embed(tokens, point)
        if self.pos_embed is not None:
            positions = [
                SharedRows(W_j.expand_as(rows.values), rows.index)
                for W_j, rows in zip(self.pos_embed.W_pos, resid, strict=True)
            ]
            positions = point("hook_pos_embed", positions)  # (n, t, d)
            resid = [map_rows(torch.add, *pair) for pair in zip(resid, positions, strict=True)]
        for i, block in enumerate(self.blocks):
            last = i + 1 == len(self.blocks)
            resid = block(resid, range(t - 1, t) if last else range(t), f"blocks.{i}", point)
        if self.ln_final is not None:
            resid = self.ln_final(resid, "ln_final", point)
        return self.unembed(resid[-1])

    @property
    def readout_paths(self) -> ReadoutPaths | None:
        """What the analysis looks at, in the last block; None without neurons."""
        if self.blocks[-1].mlp is None:
            return None
        last = f"blocks.{len(self.blocks) - 1}"

        def weights(*paths: str) -> dict[str, Tensor]:
            return {path.rpartition(".")[2]: self.get_parameter(path) for path in paths}

        return ReadoutPaths(
            layer="block",
            neurons=f"{last}.mlp.hook_post",
            W_E=self.embed.W_E,
            to_logits=weights(f"{last}.mlp.W_out", "unembed.W_U"),
            to_neurons=weights(f"{last}.attn.W_V", f"{last}.attn.W_O", f"{last}.mlp.W_in"),
            attention=(f"{last}.attn.hook_attn_scores", f"{last}.attn.hook_pattern"),
            heads=f"{last}.attn.hook_z",
            embedding=("hook_embed", self.embed.W_E),
            inputs=f"{last}.mlp.hook_pre",
        )
