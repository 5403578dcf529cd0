"""What other people's files say of their networks, in our words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from modgrok.errors import InputError, brief

OURS = {
    "act_fn": "activation",
    "act_type": "activation",
    "normalization_type": "normalization",
    "use_ln": "normalization",
    "attn_coeff": "attention_rate",
    "n_layers": "n_layers",
    "num_layers": "n_layers",
    "d_model": "d_model",
    "n_heads": "n_heads",
    "num_heads": "n_heads",
    "d_head": "d_head",
    "d_mlp": "d_mlp",
    "d_vocab": "vocabulary_size",
    "d_vocab_out": "n_answers",
    "n_ctx": "context_length",
    "p": "modulus",
    "C": "modulus",
    "tokens": "tokens",
}
"""Our name of each setting of TransformerLens 2, of Nanda et al. 2023 and of Zhong et al. 2023."""

_NORMALIZATIONS = {None: "none", False: "none", True: "LN", "LN": "LN", "LNPre": "LNPre"}

_ONLY: Mapping[str, tuple[Any, ...]] = {
    "positional_embedding_type": ("standard",),
    "parallel_attn_mlp": (False,),
    "use_attn_scale": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "use_local_attn": (False,),
    "gated_mlp": (False,),
    "num_experts": (None,),
    "n_key_value_heads": (None,),
    "use_qk_norm": (False,),
    "use_normalization_before_and_after": (False,),
    "attn_scores_soft_cap": (-1.0, None),
    "output_logits_soft_cap": (-1.0, None),
    "eps": (1e-5,),
    "diff_vocab": (0, False),
}
"""Settings under which a network computes something else than ours, and the values under which it does not."""


def translate(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Put what a file says of its network into our words; what has no bearing on the logits is left out.

    Returns:
        Those of `activation` (in small letters), `normalization` (`none`, `LN` or `LNPre`), `attention_rate`, the sizes
        by our names and `modulus` that the file tells.

    Raises:
        InputError: if it says something that our networks do not have, or says two things of one setting.
    """
    theirs = {name: value for name, value in theirs.items() if _is_plain(value)}
    for name, allowed in _ONLY.items():
        if name in theirs and theirs[name] not in allowed:
            raise InputError(
                f"its config has {name} = {brief(theirs[name])}, which modgrok's networks do not have"
            )
    scale, width = theirs.get("attn_scale", -1), theirs.get("d_head")
    if isinstance(scale, float) and scale > 0 and width and not math.isclose(scale, math.sqrt(width)):
        raise InputError(f"its config has attn_scale = {scale:g}, which is not the root of d_head = {width}")
    if theirs.get("attention_dir") == "bidirectional" and theirs.get("n_layers", 1) > 1:
        raise InputError("its config has bidirectional attention in several layers; modgrok's is causal")
    found: dict[str, Any] = {}
    for name, ours in OURS.items():
        if name not in theirs or (theirs[name] is None and ours != "normalization"):
            continue
        if ours == "activation" and theirs.get("attn_only"):
            continue
        value = theirs[name]
        if ours == "activation":
            value = str(value).lower()
        elif ours == "normalization":
            value = _normalization(value)
        elif ours == "tokens":
            if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
                raise InputError(f"its tokens are {brief(value)} and should be a list of words")
        elif isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError(f"its config has {name} = {brief(value)}, which is no number")
        if found.setdefault(ours, value) != value:
            raise InputError(f"its config says {ours} is {brief(found[ours])}, and {name} = {brief(value)}")
    return found


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str | list)


def _normalization(value: Any) -> str:
    try:
        return _NORMALIZATIONS[value]
    except (KeyError, TypeError):
        raise InputError(
            f"its config has normalization {brief(value)}; modgrok's networks have LN, LNPre or none"
        ) from None


def agreed(sources: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Join what several sources say.

    Args:
        sources: the name of each and what it says, in our words.

    Raises:
        InputError: if two of them contradict each other.
    """
    joined: dict[str, Any] = {}
    by: dict[str, str] = {}
    for source, said in sources:
        for name, value in said.items():
            if name in joined and joined[name] != value:
                raise InputError(f"{name}: {by[name]} says {joined[name]}, and {source} says {value}")
            joined[name], by[name] = value, by.get(name, source)
    return joined
