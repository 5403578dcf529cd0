import copy

import pytest
import torch
from torch import nn

from modgrok import MLP, Transformer
from modgrok.errors import InputError
from modgrok.models import Network, build, check_readable, class_path, network_class, restore


class Recurrent(Network):
    """A module as people write it: a tied weight, a buffer outside the state dict, a value read while building."""

    def __init__(self, vocabulary_size, n_answers, context_length, width=8, rates=(), **options):
        super().__init__()
        self.embed = nn.Embedding(vocabulary_size, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocabulary_size, bias=False)
        self.head.weight = self.embed.weight
        self.register_buffer("scale", torch.full((1,), 0.5), persistent=False)
        self.shift = torch.linspace(0, 1, 3)[1].item()
        self.n_answers = n_answers

    def forward(self, tokens):
        hidden, _ = self.rnn(self.embed(tokens))
        return self.head(hidden[:, -1])[:, : self.n_answers] * self.scale + self.shift


class Sharper(Transformer):
    """A subclass of a built-in with arguments of its own."""

    def __init__(self, vocabulary_size, n_answers, context_length, sharpness):
        super().__init__(vocabulary_size, n_answers, context_length, d_model=16, d_mlp=24)
        self.sharpness = sharpness

    def forward(self, tokens):
        return self.sharpness * super().forward(tokens)


class Growing(Network):
    """Its shapes are not those of its arguments."""

    built = 0

    def __init__(self, vocabulary_size, n_answers, context_length):
        super().__init__()
        Growing.built += 1
        self.embed = nn.Embedding(vocabulary_size, Growing.built)

    def forward(self, tokens):
        return self.embed(tokens)


TOKENS = torch.randint(0, 12, (20, 3), generator=torch.Generator().manual_seed(0))
NETWORKS = {
    "transformer": lambda: Transformer(12, 11, 3, d_model=16, d_mlp=24, n_layers=2, biases=True),
    "mlp": lambda: MLP(12, 11, 3, d_model=16, d_mlp=24),
    "own module": lambda: Recurrent(12, 11, 3, dropout=0.0),
    "subclass": lambda: Sharper(12, 11, 3, sharpness=2.5),
}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_what_is_readable_is_read_back(make):
    torch.manual_seed(3)
    network = make().eval()
    if isinstance(network, Recurrent):
        network.config["rates"] = []
    state = torch.get_rng_state()
    check_readable(network)
    again = restore(class_path(network), network.config, network.state_dict())
    assert torch.equal(torch.get_rng_state(), state)
    assert type(again) is type(network)
    assert again.config == network.config
    assert torch.equal(again(TOKENS), network(TOKENS))
    assert len(list(again.parameters())) == len(list(network.parameters()))


def test_config_is_that_of_the_outermost_constructor_and_survives_a_copy():
    network = NETWORKS["subclass"]()
    assert network.config == {
        "vocabulary_size": 12,
        "n_answers": 11,
        "context_length": 3,
        "sharpness": 2.5,
    }
    assert copy.deepcopy(network).config == network.config
    assert Recurrent(12, 11, 3, dropout=0.1).config["dropout"] == 0.1


def test_class_paths():
    assert class_path(Transformer) == "modgrok.Transformer"
    assert network_class("modgrok.MLP") is MLP
    assert class_path(NETWORKS["subclass"]()) == f"{__name__}.Sharper"
    for path in ("mylab.Net", "modgrok.SharedRowsNetwork", "os.system", "Transformer"):
        with pytest.raises(InputError, match=r"import the module that defines it first"):
            network_class(path)


def test_networks_that_could_not_be_read_back_are_refused_with_the_reason():
    class Local(Recurrent):
        pass

    for network, reason in (
        (Local(12, 11, 3), "defined inside a function"),
        (Recurrent(12, 11, 3), r"rates = \(\) is not JSON data"),
        (Recurrent(12, 11, 3, rates=[torch.relu]), "rates = .* is not JSON data"),
        (Growing(12, 11, 3), r"embed.weight has the shape \(12, 1\), not \(12, 2\)"),
    ):
        with pytest.raises(InputError, match=reason):
            check_readable(network)
    network = NETWORKS["transformer"]()
    network.config = {"d_model": 16}
    with pytest.raises(InputError, match=r"cannot be built from its config: TypeError: .*vocabulary_size"):
        check_readable(network)


def test_restore_names_the_weight_that_is_wrong():
    network = NETWORKS["mlp"]()
    path, config, weights = class_path(network), network.config, network.state_dict()
    for wrong, reason in (
        ({k: w for k, w in weights.items() if k != "embed.W_E"}, "lacks embed.W_E"),
        (weights | {"x": torch.zeros(1)}, "has a surplus x"),
        (
            weights | {"embed.W_E": weights["embed.W_E"].T},
            r"embed.W_E has the shape \(16, 12\), not \(12, 16\)",
        ),
        (weights | {"embed.W_E": weights["embed.W_E"].long()}, "embed.W_E has the type torch.int64"),
        (weights | {"embed.W_E": weights["embed.W_E"] / 0}, "embed.W_E has values that are not finite"),
    ):
        with pytest.raises(InputError, match=reason):
            restore(path, config, wrong)
    for config, reason in (
        ({"d_model": 16}, "TypeError: "),
        (network.config | {"d_model": "wide"}, "TypeError: "),
        (network.config | {"d_model": 0}, "d_model must be a positive integer, got 0"),
        (network.config | {"d_model": 10**30}, "modgrok.MLP cannot be built from its config"),
    ):
        with pytest.raises(InputError, match=reason):
            build(path, config)


def test_parts_are_the_top_level_children_unless_a_class_names_them():
    assert Recurrent(12, 11, 3).parts == ("embed", "rnn")  # the head's weight is the embedding's
    assert NETWORKS["transformer"]().parts == ("embedding", "transformer", "unembedding")
    assert NETWORKS["mlp"]().parts == ("embedding", "layers", "unembedding")
    network = NETWORKS["subclass"]()
    assert {network.part_of(name) for name, _ in network.named_parameters()} == set(network.parts)


def test_an_own_module_needs_nothing_else():
    network = Recurrent(12, 11, 3)
    assert network.prepare(TOKENS) is TOKENS
    assert network.readout_paths is None
    assert network.sees_order
