"""The transformer written the plain way, every position of every pair, to hold the real one against."""

import math

import torch


def layer_norm(x, w, b):
    x = x - x.mean(-1, keepdim=True)
    return x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt() * w + b


def plain_logits(weights, config, tokens):
    """Logits at the last position from a state dict, in the arithmetic of its dtype."""

    def get(name):
        return weights.get(name, torch.zeros(()))

    t = tokens.shape[1]
    x = weights["embed.W_E"][tokens]
    if config["positional_embedding"]:
        x = x + weights["pos_embed.W_pos"][:t]
    act = {"relu": torch.relu, "gelu": torch.nn.functional.gelu}[config["activation"]]
    future = torch.full((t, t), -math.inf).triu(1).to(x.dtype)
    for i in range(config["n_layers"]):
        a, m = f"blocks.{i}.attn.", f"blocks.{i}.mlp."

        def norm(x, which, i=i):
            if not config["normalization"]:
                return x
            return layer_norm(x, weights[f"blocks.{i}.{which}.w"], weights[f"blocks.{i}.{which}.b"])

        y = norm(x, "ln1")
        q, k, v = (torch.einsum("ntd,hdk->nthk", y, weights[f"{a}W_{c}"]) + get(f"{a}b_{c}") for c in "QKV")
        scores = torch.einsum("nihk,njhk->nhij", q, k) / math.sqrt(q.shape[-1]) + future
        rate = config["attention_rate"]
        pattern = rate * scores.softmax(-1) + (1 - rate) * (future == 0).to(x.dtype)
        z = torch.einsum("nhij,njhk->nihk", pattern, v)
        x = x + torch.einsum("nthk,hkd->ntd", z, weights[f"{a}W_O"]) + get(f"{a}b_O")
        y = norm(x, "ln2")
        x = x + act(y @ weights[f"{m}W_in"] + get(f"{m}b_in")) @ weights[f"{m}W_out"] + get(f"{m}b_out")
    if config["normalization"]:
        x = layer_norm(x, weights["ln_final.w"], weights["ln_final.b"])
    return (x @ weights["unembed.W_U"] + get("unembed.b_U"))[:, -1]
