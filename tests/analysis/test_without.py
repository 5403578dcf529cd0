"""A network without some of its parts, on networks whose parts are known."""

import pytest
import torch
from torch import Tensor

from modgrok import MLP, Transformer
from modgrok.analysis import analyze, causal_worth
from modgrok.data import ModularData
from modgrok.errors import InputError
from modgrok.interop import read_weights
from modgrok.runs import History, Snapshot


def circuit_of(kind, task="x + y", modulus=11, **variant):
    torch.manual_seed(0)
    data = ModularData(task, modulus, 0.5)
    network = kind(**data.network_shape, **{"d_model": 16, "d_mlp": 20, **variant}).eval()
    return analyze(Snapshot(network, data, 0, History()))[0], data


def answers_of_nothing(network: Transformer, tokens: Tensor, **zeroed: Tensor) -> Tensor:
    """The same by writing zeros into the weights: a head's W_O, a neuron's W_out."""
    weights = {name: weight.clone() for name, weight in network.state_dict().items()}
    for name, index in zeroed.items():
        weights[name.replace("__", ".")][index] = 0
    changed = Transformer(**network.config)
    changed.load_state_dict(weights)
    with torch.no_grad():
        return changed.eval()(tokens)


def test_a_head_or_neuron_taken_away_is_one_with_zeros_behind_it() -> None:
    circuit, data = circuit_of(Transformer, n_heads=2, biases=True, n_layers=2)
    tokens = data.pairs.tokens
    cut = circuit.without(heads=[1])
    torch.testing.assert_close(
        cut(tokens), answers_of_nothing(circuit.network, tokens, blocks__1__attn__W_O=torch.tensor([1]))
    )
    cut = circuit.without(neurons=[3, 7])
    torch.testing.assert_close(
        cut(tokens), answers_of_nothing(circuit.network, tokens, blocks__1__mlp__W_out=torch.tensor([3, 7]))
    )
    torch.testing.assert_close(circuit.without()(tokens), circuit.network(tokens))


@pytest.mark.parametrize(
    ("kind", "variant"),
    [
        (Transformer, {"n_heads": 2}),
        (MLP, {"input": "sum"}),
        (MLP, {"input": "concatenation"}),
        (MLP, {"input": "two_hot", "d_model": 128}),
    ],
)
@pytest.mark.parametrize("task", ["x + y", "x*y", "x**2 + y**3"])
def test_a_frequency_taken_away_leaves_the_embedding_without_its_waves(kind, variant, task) -> None:
    circuit, data = circuit_of(kind, task, 13, **variant)
    cut = circuit.without(frequencies=[2, 3])
    tokens = data.pairs.tokens
    _, cache = cut.run_with_cache(tokens)
    _, before = circuit.network.run_with_cache(tokens)
    for position, basis in enumerate(circuit.view.clocked_pairs.operand_bases):
        table = torch.zeros(13, before["hook_embed"].shape[-1])
        whole = table.clone()
        table[data.operands[:, position]] = cache["hook_embed"][:, position]
        whole[data.operands[:, position]] = before["hook_embed"][:, position]
        planes = basis.planes[[2, 3]].flatten(0, 1)
        assert (planes @ table.double()).abs().max() < 1e-5
        assert (planes @ whole.double()).abs().max() > 0.01
        # what is left is untouched: the difference lies in the planes
        q, r = torch.linalg.qr(planes.T)
        q = q[:, r.diagonal().abs() > 1e-6]
        difference = (whole - table).double()
        torch.testing.assert_close(q @ (q.T @ difference), difference, rtol=0, atol=1e-5)
    assert torch.equal(cache["hook_embed"][:, 2], before["hook_embed"][:, 2])


def test_any_pairs_can_be_scored_in_any_order() -> None:
    circuit, data = circuit_of(Transformer, n_heads=2)
    cut = circuit.without(frequencies=[1], heads=[0], neurons=[5])
    some = torch.tensor([7, 3, 3, 50])
    torch.testing.assert_close(cut(data.pairs.tokens[some]), cut(data.pairs.tokens)[some])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"frequencies": [6]}, "frequencies: 6 is not one of 1 to 5"),
        ({"frequencies": [0]}, "frequencies: 0 is not one of 1 to 5"),
        ({"heads": [2]}, "heads: the last layer has 2, numbered from 0"),
        ({"neurons": [-1]}, "neurons: the last layer has 20, numbered from 0"),
    ],
)
def test_a_part_that_is_not_there_is_named(parts, message) -> None:
    circuit, data = circuit_of(Transformer, n_heads=2)
    with pytest.raises(InputError, match=message):
        circuit.without(**parts)(data.pairs.tokens)


def test_an_irrep_taken_away_leaves_the_embedding_without_its_entries() -> None:
    torch.manual_seed(0)
    data = ModularData("x * y in S4")
    network = MLP(**data.network_shape, d_model=16, d_mlp=20, input="concatenation").eval()
    (circuit,) = analyze(Snapshot(network, data, 0, History()))
    pairs = circuit.view.group_pairs
    _, cache = circuit.without(irreps=[1, 3]).run_with_cache(data.pairs.tokens)
    for position in (0, 1):
        table = torch.zeros(24, 16, dtype=torch.float64)
        elements = (pairs.first, pairs.second)[position]
        table[elements] = cache["hook_embed"][:, position].double()
        parts = pairs.parts(table).sum(1)
        whole = torch.zeros_like(table)
        whole[elements] = network.embed.W_E[data.operands[:, position]].detach().double()
        expected = pairs.parts(whole).sum(1)
        assert parts[[1, 3]].abs().max() < 1e-10
        kept = [i for i in range(len(parts)) if i not in (1, 3)]
        torch.testing.assert_close(parts[kept], expected[kept], rtol=1e-5, atol=1e-8)
    with pytest.raises(InputError, match="irreps: the task's group has 5, numbered from 0; got 5"):
        circuit.without(irreps=[5])
    with pytest.raises(InputError, match="irreps: the task's group has 0"):
        circuit_of(MLP)[0].without(irreps=[0])


def test_the_worth_of_a_group_network_is_by_irrep(reference) -> None:
    told = read_weights(reference("groups/S5_MLP_seed2/model.pt"), "x * y in S5", 120)
    (circuit,) = analyze(told.snapshot)
    worth = {one.part: one for one in causal_worth(circuit)}
    assert worth["nothing"].accuracy == 1
    assert worth["the standard irrep"].accuracy < 0.2
    assert worth["the sign irrep"].accuracy == 1  # a key irrep that no answer depends on
    sizes = {one.part: one.size for one in worth.values() if one.kind == "neurons"}
    assert (sizes["neurons of the sign irrep"], sizes["neurons of the standard irrep"]) == (7, 119)
    assert worth["other neurons"].accuracy == 1


def test_an_mlp_has_no_heads() -> None:
    with pytest.raises(InputError, match="heads: the network has none"):
        circuit_of(MLP)[0].without(heads=[0])


def test_the_worth_of_a_part_is_what_is_left_without_it(reference) -> None:
    snapshot = read_weights(reference("pizza/model_p99zdpze5l.pt"), "x + y", 59).snapshot
    (circuit,) = analyze(snapshot)
    worth = {one.part: one for one in causal_worth(circuit)}
    assert worth["nothing"].accuracy == 1
    assert worth["frequency 15"].accuracy < 0.9
    assert worth["neurons of frequency 3"].size == int((circuit.tuning.clusters == 3).sum())
    assert [one.trained for one in worth.values()] == [None] * len(worth)


def test_training_known_and_new_pairs_are_counted_apart() -> None:
    circuit, data = circuit_of(Transformer, n_heads=2)
    for one in causal_worth(circuit):
        known = circuit.view.known & ~circuit.view.training
        right = one.trained * data.trained_on.sum()
        right += one.known * known.sum() + one.new * (~circuit.view.known).sum()
        assert float(right) == pytest.approx(one.accuracy * 121)
