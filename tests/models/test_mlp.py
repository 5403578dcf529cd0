import pytest
import torch

from modgrok import MLP, ModularDataModule
from modgrok.analysis import analyze
from modgrok.errors import InputError
from modgrok.models.shared_rows import unshared
from modgrok.runs import History, Snapshot

VOCABULARY, ANSWERS = 16, 11
TEMPLATES = {
    "x y =": lambda x, y: [x, y, torch.full_like(x, 11)],
    "x op y": lambda x, y: [x, torch.full_like(x, 12), y],
    "x op y =, two operators": lambda x, y: [x, 12 + y % 2, y, torch.full_like(x, 11)],
    "x * x + y =": lambda x, y: [x, 0 * x + 13, x, 0 * x + 14, y, 0 * x + 11],
}
VARIANTS = [
    {},
    {"n_layers": 2, "biases": True},
    {"n_layers": 3, "activation": "gelu"},
]


def make_tokens(template, n=60):
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randint(0, 11, (2, n), generator=generator)
    return torch.stack(TEMPLATES[template](x, y), 1)


def make_network(t, **variant):
    torch.manual_seed(0)
    width = {} if variant.get("input") == "two_hot" else {"d_model": 16}
    network = MLP(VOCABULARY, ANSWERS, t, d_mlp=24, **width, **variant).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return network


def plain_logits(weights, config, tokens):
    """The MLP written the plain way."""
    act = {"relu": torch.relu, "gelu": torch.nn.functional.gelu}[config["activation"]]
    x = weights["embed.W_E"][tokens].sum(1)
    for i in range(config["n_layers"]):
        x = act(x @ weights[f"layers.{i}.W_in"] + weights.get(f"layers.{i}.b_in", 0))
    return x @ weights["unembed.W_U"] + weights.get("unembed.b_U", 0)


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("template", TEMPLATES)
def test_equals_the_plain_mlp_in_values_and_gradients(template, variant):
    tokens = make_tokens(template)
    network = make_network(tokens.shape[1], **variant)
    weights = {name: w.detach().clone().requires_grad_() for name, w in network.named_parameters()}
    expected = plain_logits(weights, network.config, tokens)
    logits = network(tokens)
    torch.testing.assert_close(logits, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(network(unshared(tokens)), expected, rtol=1e-10, atol=1e-10)
    mixed = torch.linspace(-1, 1, logits.numel(), dtype=torch.float64).view_as(logits)
    (expected * mixed).sum().backward()
    (logits * mixed).sum().backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, weights[name].grad, rtol=1e-8, atol=1e-9)


def test_cache_holds_what_the_names_say():
    tokens = make_tokens("x y =")
    network = make_network(3, n_layers=2, biases=True)
    logits, cache = network.run_with_cache(tokens)
    torch.testing.assert_close(logits, network(tokens), rtol=1e-10, atol=1e-10)
    assert {name: tuple(kept.shape) for name, kept in cache.items()} == {
        "hook_embed": (60, 3, 16),
        **{f"layers.{i}.{name}": (60, 1, 24) for i in range(2) for name in ("hook_pre", "hook_post")},
    }
    first, second = network.layers
    torch.testing.assert_close(cache["hook_embed"], network.embed.W_E[tokens])
    embedded = cache["hook_embed"].sum(1, keepdim=True)
    torch.testing.assert_close(cache["layers.0.hook_pre"], embedded @ first.W_in + first.b_in)
    torch.testing.assert_close(
        cache["layers.1.hook_pre"], cache["layers.0.hook_post"] @ second.W_in + second.b_in
    )
    torch.testing.assert_close(
        logits, cache["layers.1.hook_post"][:, 0] @ network.unembed.W_U + network.unembed.b_U
    )


def test_every_activation_can_be_replaced():
    tokens = make_tokens("x op y =, two operators")
    network = make_network(4, n_layers=2)
    logits, cache = network.run_with_cache(tokens)
    for name in cache:
        same, _ = network.run_with_cache(tokens, {name: lambda a: a.clone()})
        torch.testing.assert_close(same, logits)
        changed, kept = network.run_with_cache(tokens, {name: lambda a: a * 1.5 + 1})
        assert not torch.allclose(changed, logits), name
        torch.testing.assert_close(kept[name], cache[name] * 1.5 + 1)


def test_the_order_of_the_tokens_does_not_count():
    network, tokens = make_network(3), make_tokens("x y =")
    torch.testing.assert_close(network(tokens), network(tokens[:, [1, 2, 0]]))


def test_equal_examples_and_a_single_one():
    network, tokens = make_network(3), make_tokens("x y =")
    assert network(tokens[:1].repeat(5, 1)).shape == (5, ANSWERS)
    torch.testing.assert_close(network(tokens[:1]), network(tokens)[:1])


def test_names_and_shapes():
    shapes = {
        name: tuple(w.shape) for name, w in MLP(114, 113, 3, n_layers=2, biases=True).state_dict().items()
    }
    assert shapes == {
        "embed.W_E": (114, 128),
        "layers.0.W_in": (128, 512),
        "layers.0.b_in": (512,),
        "layers.1.W_in": (512, 512),
        "layers.1.b_in": (512,),
        "unembed.W_U": (512, 113),
        "unembed.b_U": (113,),
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_layers": 0}, "n_layers must be a positive integer, got 0"),
        ({"d_model": -1}, "d_model must be a positive integer, got -1"),
        ({"d_mlp": -5}, "d_mlp must be a positive integer, got -5"),
        ({"activation": "tanh"}, "'tanh' is not one of relu, gelu"),
    ],
)
def test_wrong_sizes_are_named(wrong, message):
    with pytest.raises(InputError, match=message):
        MLP(114, 113, 3, **wrong)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("kind", ["concatenation", "two_hot"])
def test_positions_side_by_side_are_one_long_input(template, kind):
    tokens = make_tokens(template)
    n, t = tokens.shape
    network = make_network(t, input=kind)
    one_hot = torch.nn.functional.one_hot(tokens, VOCABULARY).double()
    embedded = one_hot if kind == "two_hot" else one_hot @ network.embed.W_E
    neurons = torch.relu(embedded.reshape(n, -1) @ network.layers[0].W_in.reshape(-1, 24))
    torch.testing.assert_close(network(tokens), neurons @ network.unembed.W_U)


def test_only_the_sum_ignores_the_order():
    tokens = make_tokens("x y =")
    swapped = tokens[:, [1, 0, 2]]
    for kind in ("sum", "concatenation", "two_hot"):
        network = make_network(3, input=kind)
        assert network.sees_order != torch.allclose(network(tokens), network(swapped))


@pytest.mark.parametrize("p", [11, 23])
def test_the_analytic_solution_is_its_formula(p):
    data = ModularDataModule("x + y", p)
    torch.manual_seed(3)
    network = MLP(**data.network_shape, **ANALYTIC, d_mlp=40)
    torch.manual_seed(3)
    phases = 2 * torch.pi * torch.rand(2, 40, dtype=torch.float64)
    sigma = 1 + torch.arange(40) * ((p - 1) // 2) // 40
    assert set(sigma.tolist()) == set(range(1, (p - 1) // 2 + 1))
    x, y = data.operands.T.double()
    w = 2 * torch.pi * sigma / p
    neurons = ((w * x[:, None] + phases[0]).cos() + (w * y[:, None] + phases[1]).cos()) ** 2
    logits = neurons @ (w * torch.arange(p)[:, None] + phases.sum(0)).cos().T
    torch.testing.assert_close(network(data.pairs.tokens).double(), logits, rtol=1e-4, atol=1e-4)


def test_the_analytic_solution_adds_and_is_read_as_what_it_is():
    """Gromov 2023: right with enough neurons, each of one frequency in the sum of operands.

    Its square has that frequency in the operands by themselves too, doubled: the neuron's own explains 4/5 of its
    variance, (2 cos a cos b against (cos 2a + cos 2b) / 2).
    """
    data = ModularDataModule("x + y", 23)
    network = MLP(**data.network_shape, **ANALYTIC, d_mlp=256).eval()
    assert (network(data.pairs.tokens).argmax(-1) == data.pairs.answers).all()
    (circuit,) = analyze(Snapshot(network, data, 0, History()))
    assert circuit.tuning.frequencies.tolist() == [1 + k * 11 // 256 for k in range(256)]
    torch.testing.assert_close(circuit.tuning.fractions, torch.full((256,), 0.8, dtype=torch.float64))
    measures = circuit.measures(range(1, 12))
    assert measures.restricted_loss < 1e-3 < 1 < measures.excluded_loss


ANALYTIC = {"input": "two_hot", "activation": "square", "initialization": "gromov"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input": "product"}, "input: 'product' is not one of sum, concatenation, two_hot"),
        ({"initialization": "gromov"}, "gromov needs two_hot input, square activation"),
        ({**ANALYTIC, "n_layers": 2}, "gromov needs two_hot input, square activation, one layer"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        MLP(VOCABULARY, ANSWERS, 3, **arguments)
