"""A Llama in one file: the function of transformers' LlamaForCausalLM from the same weights, without transformers.

Compiled, it trains small networks on a CPU about a quarter faster: the attention of short rows is written as products
that are summed at once, which a compiler fuses, instead of multiplications of matrices of a few numbers each.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from modgrok.capacity.networks.llama_shape import LlamaNetwork, LlamaShape, at_positions, draw_weights

SHORT = 32  # positions


class Llama(LlamaNetwork):
    """`LlamaNetwork` written out in this file; it needs no other library.

    Example:
        >>> import torch
        >>> from modgrok.capacity import Llama
        >>> network = Llama(vocabulary_size=20, context_length=8, d_model=16, n_layers=1)
        >>> network(torch.zeros(2, 8, dtype=torch.long)).shape
        torch.Size([2, 8, 20])
    """

    def build(self, shape: LlamaShape) -> None:
        """Make the modules and draw their weights."""
        self.model = Decoder(shape)
        self.lm_head = nn.Linear(shape.d_model, shape.vocabulary_size, bias=False)
        draw_weights(self, shape)
        if shape.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight

    def forward(self, tokens: Tensor, positions: Tensor | None = None) -> Tensor:
        """Return the logits of the next token, (n, t, v), or at some positions, (n, s, v)."""
        return self.lm_head(at_positions(self.model.norm(self.model(tokens)[-1]), positions))

    def residual_stream(self, tokens: Tensor) -> list[Tensor]:
        """Return the residual stream after the embedding and after every layer, each (n, t, d)."""
        return self.model(tokens)


class Decoder(nn.Module):
    """All of the network but the readout of the logits."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: LlamaShape) -> None:
        super().__init__()
        self.n_loops = shape.n_loops
        self.embed_tokens = nn.Embedding(shape.vocabulary_size, shape.d_model)
        self.layers = nn.ModuleList(
            Layer(shape.d_model, shape.d_head, shape.d_mlp) for _ in range(shape.n_layers)
        )
        self.norm = Norm(shape.d_model)
        cosine, sine = rotary(shape.context_length, shape.d_head)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def forward(self, tokens: Tensor) -> list[Tensor]:
        """Return the residual stream after the embedding and after every layer, each (n, t, d)."""
        t = tokens.shape[1]
        stream = [self.embed_tokens(tokens)]
        for _ in range(self.n_loops):
            for layer in self.layers:
                stream.append(layer(stream[-1], self.cosine[:t], self.sine[:t]))
        return stream


class Layer(nn.Module):
    """Attention, then the MLP if there is one, each added to the residual stream."""

    def __init__(self, d_model: int, d_head: int, d_mlp: int) -> None:
        super().__init__()
        self.input_layernorm = Norm(d_model)
        self.self_attn = CausalAttention(d_model, d_head)
        self.has_mlp = d_mlp > 0
        if self.has_mlp:
            self.post_attention_layernorm = Norm(d_model)
            self.mlp = GatedMLP(d_model, d_mlp)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return the residual stream after the layer, (n, t, d)."""
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
        return x + self.mlp(self.post_attention_layernorm(x)) if self.has_mlp else x


class Norm(nn.Module):
    """Root-mean-square normalization."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Return x scaled to a mean square of 1, times the weight."""
        return self.weight * (x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-6))


class CausalAttention(nn.Module):
    """Causal attention with rotary positions."""

    def __init__(self, d_model: int, d_head: int) -> None:
        super().__init__()
        self.d_head = d_head
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (
            nn.Linear(d_model, d_model, bias=False) for _ in range(4)
        )

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """Return what the heads write to the residual stream, (n, t, d)."""
        n, t, d = x.shape
        q, k, v = (
            projection(x).view(n, t, -1, self.d_head).transpose(1, 2)  # (n, h, t, k)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        if t <= SHORT and torch.compiler.is_compiling():
            scores = (q[:, :, :, None] * k[:, :, None]).sum(-1)  # (n, h, t, t)
            pattern = masked_softmax(scores / sqrt(self.d_head))
            z = (pattern[..., None] * v[:, :, None]).sum(-2)  # (n, h, t, k)
        else:
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(z.transpose(1, 2).reshape(n, t, d))


class GatedMLP(nn.Module):
    """SwiGLU (Shazeer 2020)."""

    def __init__(self, d_model: int, d_mlp: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(d_model, d_mlp, bias=False)
        self.up_proj = nn.Linear(d_model, d_mlp, bias=False)
        self.down_proj = nn.Linear(d_mlp, d_model, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the MLP writes to the residual stream, (n, t, d)."""
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


def masked_softmax(scores: Tensor) -> Tensor:
    """Return the causal attention pattern of scores, (…, t, t)."""
    t = scores.shape[-1]
    later = torch.ones(t, t, dtype=torch.bool, device=scores.device).triu(1)
    return scores.masked_fill(later, -torch.inf).softmax(-1)


def rotary(context_length: int, d_head: int) -> tuple[Tensor, Tensor]:
    """Return cosines and sines of the rotation of every position, each (t, k), base 10,000 (Su et al. 2021)."""
    frequencies = 10_000 ** (-torch.arange(0, d_head, 2) / d_head)
    angles = torch.arange(context_length)[:, None] * torch.cat([frequencies, frequencies])
    return angles.cos(), angles.sin()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotate each pair of coordinates (i, i + k/2) of x (…, t, k) by its position's angle."""
    first, second = x.chunk(2, dim=-1)
    return x * cosine + torch.cat([-second, first], dim=-1) * sine
