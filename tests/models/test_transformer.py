import importlib.util
import math
from pathlib import Path

import pytest
import torch

from modgrok import Transformer
from modgrok.errors import InputError
from modgrok.models import index_tokens

spec = importlib.util.spec_from_file_location("plain", Path(__file__).with_name("plain_transformer.py"))
plain = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plain)

VOCABULARY, ANSWERS = 16, 11
TEMPLATES = {
    "x y =": lambda x, y: [x, y, torch.full_like(x, 11)],
    "x op y": lambda x, y: [x, torch.full_like(x, 12), y],
    "x op y =, two operators": lambda x, y: [x, 12 + y % 2, y, torch.full_like(x, 11)],
    "x * x + y =": lambda x, y: [x, 0 * x + 13, x, 0 * x + 14, y, 0 * x + 11],
}
VARIANTS = [
    {},
    {"n_layers": 2},
    {"n_layers": 3, "normalization": True, "biases": True, "activation": "gelu"},
    {"positional_embedding": False, "d_head": 5, "n_heads": 3},
    {"attention_rate": 0.3, "biases": "mlp", "n_layers": 2},
    {"attention_rate": 0.0},
]


def make_tokens(template, n=60):
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randint(0, 11, (2, n), generator=generator)
    return torch.stack(TEMPLATES[template](x, y), 1)


def make_network(t, **variant):
    torch.manual_seed(0)
    network = Transformer(VOCABULARY, ANSWERS, t, d_model=16, d_mlp=24, **{"n_heads": 2, **variant}).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return network


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("template", TEMPLATES)
def test_equals_the_plain_transformer_in_values_and_gradients(template, variant):
    tokens = make_tokens(template)
    network = make_network(tokens.shape[1], **variant)
    weights = {name: w.detach().clone().requires_grad_() for name, w in network.named_parameters()}
    expected = plain.plain_logits(weights, network.config, tokens)
    logits = network(tokens)
    torch.testing.assert_close(logits, expected, rtol=1e-10, atol=1e-10)
    mixed = torch.linspace(-1, 1, logits.numel(), dtype=torch.float64).view_as(logits)
    (expected * mixed).sum().backward()
    (logits * mixed).sum().backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, weights[name].grad, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("template", TEMPLATES)
def test_cache_run_gives_the_same_logits(template, variant):
    tokens = make_tokens(template)
    network = make_network(tokens.shape[1], **variant)
    logits, cache = network.run_with_cache(tokens)
    torch.testing.assert_close(logits, network(tokens), rtol=1e-10, atol=1e-10)
    last = f"blocks.{network.config['n_layers'] - 1}"
    n, t = tokens.shape
    h = network.config["n_heads"]
    assert cache["hook_embed"].shape == (n, t, 16)
    assert cache[f"{last}.attn.hook_pattern"].shape == (n, h, 1, t)
    assert cache[f"{last}.mlp.hook_post"].shape == (n, 1, 24)
    seen = torch.arange(1, t + 1)[-cache["blocks.0.attn.hook_pattern"].shape[2] :].double()
    rate = network.config["attention_rate"]
    torch.testing.assert_close(
        cache["blocks.0.attn.hook_pattern"].sum(-1), (rate + (1 - rate) * seen).expand(n, h, -1)
    )


def test_patterns_of_a_deep_network_are_causal():
    tokens = make_tokens("x y =")
    _, cache = make_network(3, n_layers=2).run_with_cache(tokens)
    pattern = cache["blocks.0.attn.hook_pattern"]
    assert pattern.shape == (60, 2, 3, 3)
    assert pattern.triu(1).count_nonzero() == 0


def test_every_activation_can_be_replaced():
    tokens = make_tokens("x op y =, two operators")
    network = make_network(4, n_layers=2, normalization=True)
    logits, cache = network.run_with_cache(tokens)
    for name in cache:
        same, _ = network.run_with_cache(tokens, {name: lambda a: a.clone()})
        torch.testing.assert_close(same, logits)
        changed, kept = network.run_with_cache(
            tokens, {name: lambda a: a * 1.5 + torch.linspace(0, 1, len(a)).view(-1, *[1] * (a.ndim - 1))}
        )
        assert not torch.allclose(changed, logits), name
        assert not torch.allclose(kept[name], cache[name])


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_what_is_cached_is_what_is_used(variant):
    """A hook that edits in place changes the logits as one that returns; the logits have a gradient by every name."""
    tokens = make_tokens("x op y =, two operators")
    network = make_network(4, **variant)
    _, cache = network.run_with_cache(tokens)
    for name in cache:

        def halve(a):
            a.mul_(0.5)

        in_place, kept = network.run_with_cache(tokens, {name: halve})
        returned, expected = network.run_with_cache(tokens, {name: lambda a: a * 0.5})
        torch.testing.assert_close(in_place, returned)
        torch.testing.assert_close(kept[name], expected[name])
        logits, kept = network.run_with_cache(tokens)
        (gradient,) = torch.autograd.grad(logits.square().sum(), kept[name], allow_unused=True)
        if name.endswith(("hook_attn_scores", "hook_q", "hook_k")) and variant.get("attention_rate") == 0:
            assert gradient is None or not gradient.any()
        else:
            assert gradient.shape == kept[name].shape
            assert gradient.any(), name


def test_hook_that_returns_nothing_only_looks():
    tokens = make_tokens("x y =")
    network = make_network(3)
    seen = []
    logits, _ = network.run_with_cache(tokens, {"blocks.0.mlp.hook_post": seen.append})
    torch.testing.assert_close(logits, network(tokens))
    assert seen[0].shape == (60, 1, 24)


def test_hook_errors_name_what_there_is():
    tokens, network = make_tokens("x y ="), make_network(3)
    with pytest.raises(InputError, match=r"blocks\.0\.mlp\.hook_post"):
        network.run_with_cache(tokens, {"blocks.0.mlp.hook_pst": lambda a: a})
    with pytest.raises(InputError, match=r"shape \(60, 24\), not \(60, 1, 24\)"):
        network.run_with_cache(tokens, {"blocks.0.mlp.hook_post": lambda a: a[:, 0]})


def test_equal_examples_and_a_single_one():
    network = make_network(3)
    tokens = make_tokens("x y =")
    assert network(tokens[:1].repeat(5, 1)).shape == (5, ANSWERS)
    torch.testing.assert_close(network(tokens[:1]), network(tokens)[:1])


@pytest.mark.parametrize("like", [None, "x y =", "x op y"])
def test_indexed_tokens_give_the_tokens_back(like):
    """Also in the rows of other examples, and at positions where those lack a token."""
    tokens = make_tokens("x y =")
    indexed = index_tokens(tokens, like and index_tokens(make_tokens(like)))
    for column, distinct, index in zip(tokens.unbind(1), indexed.distinct, indexed.indices, strict=True):
        assert torch.equal(distinct[index.row], column)
        assert torch.equal(index.order.sort().values, torch.arange(60))
        ends = [*index.starts[1:].tolist(), 60]
        for row, (start, end) in enumerate(zip(index.starts.tolist(), ends, strict=True)):
            assert torch.equal(index.order[start:end], (index.row == row).nonzero().flatten())


def test_batches_indexed_in_the_rows_of_all_examples_have_one_shape_and_the_same_logits():
    tokens, network = make_tokens("x * x + y ="), make_network(6)
    every = network.prepare(tokens)
    for batch in tokens.split(6):  # fewer pairs than symbols
        prepared = network.prepare(batch, every)
        assert [len(rows) for rows in prepared.distinct] == [len(rows) for rows in every.distinct]
        torch.testing.assert_close(network(prepared), network(batch))


@pytest.mark.parametrize(
    ("initialization", "special", "special_scale", "scale"),
    [
        ("transformer_lens", None, None, 0.8 / math.sqrt(128)),
        ("nanda", "unembed.W_U", 1 / math.sqrt(114), 1 / math.sqrt(128)),
        ("furuta", "embed.W_E", 1 / math.sqrt(114), 1 / math.sqrt(128)),
        ("zhong", "unembed.W_U", 1 / math.sqrt(114), 1 / math.sqrt(128)),
    ],
)
def test_initializations_have_the_published_scales(initialization, special, special_scale, scale):
    torch.manual_seed(0)
    network = Transformer(114, 113, 3, biases=True, normalization=True, initialization=initialization)
    for name, parameter in network.named_parameters():
        leaf = name.rpartition(".")[2]
        if leaf.startswith("W"):
            expected = special_scale if name == special else scale
            if initialization == "zhong" and leaf == "W_in":
                expected = 1 / math.sqrt(512)
            spread = 4 / math.sqrt(2 * parameter.numel())  # four standard errors of a standard deviation
            assert parameter.std().item() == pytest.approx(expected, rel=spread), name
        else:
            assert torch.equal(
                parameter, torch.ones_like(parameter) if leaf == "w" else torch.zeros_like(parameter)
            )


def test_names_and_shapes_are_those_of_transformer_lens():
    shapes = {name: tuple(w.shape) for name, w in Transformer(114, 113, 3, biases=True).state_dict().items()}
    assert shapes == {
        "embed.W_E": (114, 128),
        "pos_embed.W_pos": (3, 128),
        **{f"blocks.0.attn.W_{c}": (4, 128, 32) for c in "QKV"},
        **{f"blocks.0.attn.b_{c}": (4, 32) for c in "QKV"},
        "blocks.0.attn.W_O": (4, 32, 128),
        "blocks.0.attn.b_O": (128,),
        "blocks.0.mlp.W_in": (128, 512),
        "blocks.0.mlp.b_in": (512,),
        "blocks.0.mlp.W_out": (512, 128),
        "blocks.0.mlp.b_out": (128,),
        "unembed.W_U": (128, 113),
        "unembed.b_U": (113,),
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_heads": 3}, "3 heads do not divide d_model = 128"),
        ({"n_layers": 0}, "n_layers must be a positive integer, got 0"),
        ({"d_mlp": -5}, "d_mlp must be a positive integer, got -5"),
        ({"activation": "tanh"}, "'tanh' is not one of relu, gelu"),
        ({"attention_rate": 1.5}, "attention_rate must be from 0 to 1, got 1.5"),
        ({"biases": "attention"}, "biases must be true, false or mlp, got 'attention'"),
    ],
)
def test_wrong_sizes_are_named(wrong, message):
    with pytest.raises(InputError, match=message):
        Transformer(114, 113, 3, **wrong)
