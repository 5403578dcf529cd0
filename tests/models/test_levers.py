"""Dropout, the scale of the initial weights, blocks of attention alone, normalization in single places."""

import pytest
import torch
import torch.nn.functional as F

from modgrok import MLP, ModularDataModule, Transformer
from modgrok.errors import InputError
from modgrok.models import restore

SHAPE = {"vocabulary_size": 8, "n_answers": 7, "context_length": 3, "d_model": 16, "d_mlp": 32}
TOKENS = ModularDataModule("x + y", 7).pairs.tokens


def built(kind, **options):
    torch.manual_seed(0)
    return kind(**{**SHAPE, **options})


@pytest.mark.parametrize("kind", [Transformer, MLP])
def test_the_scale_multiplies_every_weight_matrix_and_nothing_else(kind):
    normalized = {"normalization": True} if kind is Transformer else {}
    plain, scaled = built(kind, **normalized), built(kind, **normalized, initialization_scale=3.0)
    for name, weight in plain.named_parameters():
        factor = 3.0 if name.rpartition(".")[2].startswith("W") else 1.0
        assert torch.equal(scaled.get_parameter(name), factor * weight), name
    with pytest.raises(InputError, match="initialization_scale must be positive, got 0"):
        built(kind, initialization_scale=0)


@pytest.mark.parametrize("place", ["attention", "mlp", "unembedding"])
def test_normalization_in_one_place_is_there_and_nowhere_else(place):
    network = built(Transformer, normalization=[place])
    norm = {"attention": "blocks.0.ln1", "mlp": "blocks.0.ln2", "unembedding": "ln_final"}[place]
    assert {name.rpartition(".")[0] for name in network.state_dict() if "ln" in name} == {norm}
    _, cache = network.run_with_cache(TOKENS)
    entered = {
        "attention": cache["blocks.0.hook_resid_pre"],
        "mlp": cache["blocks.0.hook_resid_mid"],
        "unembedding": cache["blocks.0.hook_resid_post"],
    }[place]
    torch.testing.assert_close(cache[f"{norm}.hook_normalized"], F.layer_norm(entered, (16,)))


def test_normalization_by_true_is_everywhere():
    places = ["attention", "mlp", "unembedding"]
    everywhere, listed = built(Transformer, normalization=True), built(Transformer, normalization=places)
    assert torch.equal(everywhere(TOKENS), listed(TOKENS))
    assert "ln" not in "".join(built(Transformer, normalization=[]).state_dict())


def test_attention_alone_adds_its_output_to_the_residual_stream():
    network = built(Transformer, d_mlp=0, n_layers=2, normalization=True)
    assert not [name for name in network.state_dict() if "mlp" in name or "ln2" in name]
    logits, cache = network.run_with_cache(TOKENS)
    assert logits.shape == (49, 7)
    expected = cache["blocks.0.hook_resid_pre"] + cache["blocks.0.hook_attn_out"]
    torch.testing.assert_close(cache["blocks.0.hook_resid_post"], expected)
    assert network.readout_paths is None
    again = restore("modgrok.Transformer", network.config, network.state_dict())
    torch.testing.assert_close(again(TOKENS), logits)


@pytest.mark.parametrize(("kind", "activation"), [(Transformer, "attn"), (Transformer, "mlp"), (MLP, "post")])
def test_dropout_is_drawn_for_each_pair_and_keeps_the_mean(kind, activation):
    name = {"attn": "blocks.0.hook_attn_out", "mlp": "blocks.0.hook_mlp_out", "post": "layers.0.hook_post"}[
        activation
    ]
    network, plain = built(kind, dropout=0.25).train(), built(kind)
    _, cache = network.run_with_cache(TOKENS)
    _, kept = plain.run_with_cache(TOKENS)
    if activation != "mlp":  # which depends on what attention dropped
        whole = cache[name] != 0
        torch.testing.assert_close(cache[name][whole], (kept[name] / 0.75)[whole])
    alive = kept[name] != 0
    share = float((cache[name][alive] == 0).double().mean())
    assert abs(share - 0.25) < 5 * (0.25 * 0.75 / int(alive.sum())) ** 0.5
    assert (cache[name] == 0).float().std(0).max() > 0, "all pairs lost the same"
    assert not torch.equal(network(TOKENS), network(TOKENS))
    assert torch.equal(network.eval()(TOKENS), plain(TOKENS))


def test_rows_that_pairs_share_are_dropped_for_each_pair_by_itself():
    """In the first of two blocks, position 0 has one row for all pairs of one x."""
    network = built(Transformer, n_layers=2, dropout=0.5).train()
    dropped = []
    network.blocks[0].drop.register_forward_hook(lambda module, given, rows: dropped.extend(rows))
    network(TOKENS)
    first = dropped[0].values
    assert len(first) == 49
    assert len(torch.unique(first[:7] == 0, dim=0)) > 1  # the pairs with x = 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.0}, "dropout must be ≥ 0 and below 1, got 1.0"),
        ({"dropout": -0.1}, "dropout must be"),
        ({"normalization": ["attn"]}, "normalization: 'attn' is not one of attention, mlp, unembedding"),
        ({"d_mlp": 0, "biases": "mlp"}, "d_mlp is 0, so that no MLP can have biases"),
        ({"d_mlp": 0, "normalization": ["mlp"]}, "d_mlp is 0"),
        ({"d_mlp": -1}, "d_mlp must be a positive integer, got -1"),
    ],
)
def test_what_cannot_be_is_refused(options, message):
    with pytest.raises(InputError, match=message):
        built(Transformer, **options)
