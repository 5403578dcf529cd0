"""The state dict of TransformerLens 2's HookedTransformer, whose names and shapes are this project's too.

That class always has biases, and in each attention a mask and the number it masks with; here biases are an option
and the mask is code. Normalization is "LN", none, or "LNPre", whose scale and shift were folded into other weights.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.interop.blueprint import Blueprint, shape_of
from modgrok.models import Transformer, class_path

_BUFFERS = ("mask", "IGNORE")
_IN_A_BLOCK = re.compile(r"blocks\.([0-9]{1,9})\.")


def describe_hooked(state: Mapping[str, Tensor]) -> Blueprint:
    """Describe the network that has these weights.

    Args:
        state: HookedTransformer's state dict, biases and buffers or not.

    Raises:
        InputError: if a weight that tells a size is missing or has too few dimensions, or the normalization has a scale
            and no shift.
    """
    weights = {name: weight for name, weight in state.items() if name.rpartition(".")[2] not in _BUFFERS}
    v, d = shape_of(weights, "embed.W_E", 2)
    h, _, k = shape_of(weights, "blocks.0.attn.W_Q", 3)
    t, _ = shape_of(weights, "pos_embed.W_pos", 2)
    _, p = shape_of(weights, "unembed.W_U", 2)
    m = shape_of(weights, "blocks.0.mlp.W_in", 2)[1] if any(".mlp." in name for name in weights) else 0
    blocks = [int(match[1]) for name in weights if (match := _IN_A_BLOCK.match(name))]
    biases = {name.rpartition(".")[2] for name in weights if name.rpartition(".")[2].startswith("b_")}
    normalized = _normalized(weights)
    if any(name.endswith(".w") and f"{name[:-1]}b" not in weights for name in weights):
        raise InputError("it has a normalization without a shift (RMS), which modgrok's networks do not have")
    config = {
        "vocabulary_size": v,
        "n_answers": p,
        "context_length": t,
        "n_layers": 1 + max(blocks),
        "d_model": d,
        "n_heads": h,
        "d_head": k,
        "d_mlp": m,
        "normalization": len(normalized) == (3 if m else 2) or normalized,
        "biases": "mlp" if biases and biases <= {"b_in", "b_out"} else bool(biases),
    }
    settings = {
        "activation": ("relu", "gelu") if m else ("relu",),
        "normalization": ("LN",) if normalized else ("none", "LNPre"),
        "attention_rate": (1.0,),
    }
    return Blueprint(class_path(Transformer), config, weights, settings).without_copies()


def _normalized(weights: Mapping[str, Tensor]) -> list[str]:
    """Before what there is layer normalization, by the names of its weights."""
    places = {"attention": "blocks.0.ln1.w", "mlp": "blocks.0.ln2.w", "unembedding": "ln_final.w"}
    return [place for place, name in places.items() if name in weights]


def from_transformer(network: Transformer) -> dict[str, Tensor]:
    """The state dict that `HookedTransformer(config).load_state_dict` takes, strictly; see `hooked_config`.

    Raises InputError where HookedTransformer has no such network: without positional embedding, or with an attention
    rate below 1.
    """
    if network.pos_embed is None:
        raise InputError("HookedTransformer has no network without positional embedding")
    config = network.config
    if config["attention_rate"] != 1:
        raise InputError(
            f"HookedTransformer has no network with attention_rate {config['attention_rate']}, only with 1"
        )
    t, h, d = config["context_length"], config["n_heads"], config["d_model"]
    k, m = config["d_head"] or d // h, config["d_mlp"]
    state = {name: weight.detach().cpu().contiguous() for name, weight in network.state_dict().items()}
    for i in range(config["n_layers"]):
        attention, mlp = f"blocks.{i}.attn", f"blocks.{i}.mlp"
        for name in ("b_Q", "b_K", "b_V"):
            state.setdefault(f"{attention}.{name}", torch.zeros(h, k))
        state.setdefault(f"{attention}.b_O", torch.zeros(d))
        if m:
            state.setdefault(f"{mlp}.b_in", torch.zeros(m))
            state.setdefault(f"{mlp}.b_out", torch.zeros(d))
        state[f"{attention}.mask"] = torch.ones(t, t).tril().bool()
        state[f"{attention}.IGNORE"] = torch.tensor(-math.inf)
    state.setdefault("unembed.b_U", torch.zeros(config["n_answers"]))
    return state


def hooked_config(network: Transformer) -> dict[str, Any]:
    """The arguments of the HookedTransformerConfig that makes this network in TransformerLens.

    Raises InputError where it has no such normalization: before some parts and not before others.
    """
    config, places = network.config, _normalized(network.state_dict())
    if len(places) not in (0, 3 if config["d_mlp"] else 2):
        raise InputError(
            f"HookedTransformer has no network with normalization before {' and '.join(places)} alone"
        )
    return {
        "n_layers": config["n_layers"],
        "d_model": config["d_model"],
        "n_ctx": config["context_length"],
        "d_head": config["d_head"] or config["d_model"] // config["n_heads"],
        "n_heads": config["n_heads"],
        "d_mlp": config["d_mlp"] or None,
        "attn_only": config["d_mlp"] == 0,
        "d_vocab": config["vocabulary_size"],
        "d_vocab_out": config["n_answers"],
        "act_fn": config["activation"],
        "normalization_type": "LN" if places else None,
    }
