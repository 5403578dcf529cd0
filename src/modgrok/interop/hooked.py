"""The state dict of TransformerLens 2's HookedTransformer, whose names and shapes are this project's too.

That class always has biases, and in each attention a mask and the number it masks with; here biases are an option
and the mask is code. Normalization is "LN" or none; what was folded into the weights ("LNPre") is not read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import Tensor

from modgrok.errors import InputError
from modgrok.models import Transformer, build, class_path, restore

_TRANSFORMER = class_path(Transformer)
_BUFFERS = ("mask", "IGNORE")
_IN_A_BLOCK = re.compile(r"blocks\.([0-9]{1,9})\.")


def to_transformer(state: Mapping[str, Tensor], activation: str = "relu") -> Transformer:
    """Build the network that has these weights.

    Args:
        state: HookedTransformer's state dict, biases and buffers or not.
        activation: of the neurons, which a state dict does not tell.

    Raises InputError where a weight is missing, surplus or of the wrong shape.
    """
    state = {name: weight for name, weight in state.items() if name.rpartition(".")[2] not in _BUFFERS}
    blocks = [int(match[1]) for name in state if (match := _IN_A_BLOCK.match(name))]
    try:
        v, d = state["embed.W_E"].shape
        h, _, k = state["blocks.0.attn.W_Q"].shape
        m = state["blocks.0.mlp.W_in"].shape[1]
        p = state["unembed.W_U"].shape[1]
        t = state["pos_embed.W_pos"].shape[0]
    except KeyError as error:
        raise InputError(
            f"not the state dict of a HookedTransformer with an MLP: it has no {error}"
        ) from None
    except (ValueError, IndexError):
        raise InputError(
            "not the state dict of a HookedTransformer: a weight has too few dimensions"
        ) from None
    biases = any(name.rpartition(".")[2].startswith("b_") for name in state)
    config: dict[str, Any] = {
        "vocabulary_size": v,
        "n_answers": p,
        "context_length": t,
        "n_layers": 1 + max(blocks),
        "d_model": d,
        "n_heads": h,
        "d_head": k,
        "d_mlp": m,
        "activation": activation,
        "normalization": "ln_final.w" in state,
        "biases": biases,
    }
    # a bias that only some formats have is zero in the others, as in a new network
    zeros = {name: bias for name, bias in build(_TRANSFORMER, config).state_dict().items() if ".b_" in name}
    return cast(Transformer, restore(_TRANSFORMER, config, zeros | state))


def from_transformer(network: Transformer) -> dict[str, Tensor]:
    """The state dict that `HookedTransformer(config).load_state_dict` takes, strictly; see `hooked_config`.

    Raises InputError where HookedTransformer has no such network: without positional embedding.
    """
    if network.pos_embed is None:
        raise InputError("HookedTransformer has no network without positional embedding")
    config = network.config
    t, h, d = config["context_length"], config["n_heads"], config["d_model"]
    k, m = config["d_head"] or d // h, config["d_mlp"]
    state = {name: weight.detach().cpu().contiguous() for name, weight in network.state_dict().items()}
    for i in range(config["n_layers"]):
        attention, mlp = f"blocks.{i}.attn", f"blocks.{i}.mlp"
        for name in ("b_Q", "b_K", "b_V"):
            state.setdefault(f"{attention}.{name}", torch.zeros(h, k))
        state.setdefault(f"{attention}.b_O", torch.zeros(d))
        state.setdefault(f"{mlp}.b_in", torch.zeros(m))
        state.setdefault(f"{mlp}.b_out", torch.zeros(d))
        state[f"{attention}.mask"] = torch.ones(t, t).tril().bool()
        state[f"{attention}.IGNORE"] = torch.tensor(-math.inf)
    state.setdefault("unembed.b_U", torch.zeros(config["n_answers"]))
    return state


def hooked_config(network: Transformer) -> dict[str, Any]:
    """The arguments of the HookedTransformerConfig that makes this network in TransformerLens."""
    config = network.config
    return {
        "n_layers": config["n_layers"],
        "d_model": config["d_model"],
        "n_ctx": config["context_length"],
        "d_head": config["d_head"] or config["d_model"] // config["n_heads"],
        "n_heads": config["n_heads"],
        "d_mlp": config["d_mlp"],
        "d_vocab": config["vocabulary_size"],
        "d_vocab_out": config["n_answers"],
        "act_fn": config["activation"],
        "normalization_type": "LN" if config["normalization"] else None,
    }
