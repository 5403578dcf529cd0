import sys

import pytest
import torch
from torch.nn import functional as F

from modgrok.capacity.memorizing.part_scores import token_loss
from modgrok.capacity.networks.llama import Llama
from modgrok.capacity.networks.transformers_llama import TransformersLlama
from modgrok.errors import InputError

SIZES = {"vocabulary_size": 31, "context_length": 12, "d_model": 24, "n_layers": 2, "d_head": 8}
TOKENS = torch.randint(31, (5, 12), generator=torch.Generator().manual_seed(0))


KINDS = {
    "untied": {},
    "tied": {"tie_word_embeddings": True},
    "attention only": {"d_mlp": 0},
    "layers applied twice": {"n_loops": 2},
}


@pytest.fixture(params=KINDS.values(), ids=KINDS)
def pair(request):
    """Our Llama and transformers', from the same weights, in float64."""
    torch.manual_seed(1)
    ours = Llama(**SIZES, **request.param, initializer_range=None).double()
    theirs = TransformersLlama(**SIZES, **request.param).double()
    weights = ours.state_dict()
    assert theirs.llama.load_state_dict(weights, strict="n_loops" not in request.param).unexpected_keys == []
    return ours, theirs


def loss(network):
    return F.cross_entropy(network(TOKENS[:, :-1]).flatten(0, 1), TOKENS[:, 1:].flatten())


def test_it_computes_what_the_library_computes(pair):
    ours, theirs = pair
    # theirs takes the sines of its positions in float32: about 1e-6 of logits of 4, more or less with the kernels
    torch.testing.assert_close(ours(TOKENS), theirs(TOKENS), rtol=0, atol=1e-5)
    for our_stream, their_stream in zip(
        ours.residual_stream(TOKENS), theirs.residual_stream(TOKENS), strict=True
    ):
        torch.testing.assert_close(our_stream, their_stream, rtol=0, atol=1e-5)


def test_both_have_the_same_parameters(pair):
    ours, theirs = (sum(weight.numel() for weight in network.parameters()) for network in pair)
    assert ours == theirs


def test_a_network_is_made_again_from_its_hyperparameters(pair):
    for network in pair:
        again = type(network)(SIZES["vocabulary_size"], SIZES["context_length"], **network.hparams)
        assert again.shape == network.shape


def test_its_gradients_are_the_librarys(pair):
    ours, theirs = pair
    loss(ours).backward()
    loss(theirs).backward()
    expected = dict(theirs.llama.named_parameters())
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight.grad, expected[name].grad, rtol=0, atol=1e-6, msg=name)


def test_the_compiled_attention_is_the_same(pair, monkeypatch):
    ours, _ = pair
    usual = ours(TOKENS)
    monkeypatch.setattr("torch.compiler.is_compiling", lambda: True)
    torch.testing.assert_close(ours(TOKENS), usual, rtol=0, atol=1e-12)


def test_logits_at_some_positions(pair):
    positions = torch.tensor([[3, 1]]).expand(5, -1)
    for network in pair:
        torch.testing.assert_close(network(TOKENS, positions), network(TOKENS)[:, [3, 1]])


def test_the_loss_is_that_of_the_scored_tokens(pair):
    parts = torch.zeros_like(TOKENS)
    parts[:, 4], parts[::2, 7:9] = 1, 2
    network = pair[0]
    log_probabilities = network(TOKENS).log_softmax(-1)
    expected = [-log_probabilities[i, t - 1, TOKENS[i, t]] for i, t in parts.nonzero().tolist()]
    torch.testing.assert_close(token_loss(network, TOKENS, parts, 4), torch.stack(expected).mean().float())


def test_later_tokens_do_not_reach_earlier_ones(pair):
    for network in pair:
        changed = TOKENS.clone()
        changed[:, 7:] = 0
        torch.testing.assert_close(network(TOKENS)[:, :7], network(changed)[:, :7])


def test_parameters_are_counted_as_in_the_published_system():
    for d_model, parameters in ((32, 257_824), (48, 435_888), (64, 646_720)):
        network = Llama(3000, 20, d_model)
        assert sum(weight.numel() for weight in network.parameters()) == parameters


@pytest.mark.parametrize(
    "sizes", [{"d_head": 3}, {"d_model": 20}, {"n_layers": 0}, {"d_mlp": -1}, {"n_loops": 0}]
)
@pytest.mark.parametrize("network", [Llama, TransformersLlama])
def test_impossible_sizes_are_refused(network, sizes):
    with pytest.raises(InputError, match=next(iter(sizes))):
        network(**SIZES | sizes)


def test_without_transformers_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r"pip install '\.\[capacity\]'"):
        TransformersLlama(**SIZES)
