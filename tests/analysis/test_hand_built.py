"""The circuit is known, so what the analysis says about it must be exactly that."""

import math

import pytest
import torch
from torch.nn.functional import one_hot

from modgrok.analysis import (
    additive_clock,
    cross_entropy,
    excluded_loss,
    gini,
    logit_directions,
    place_on_clock,
    restricted_loss,
    spectrum,
    sum_logits_by_class,
    trigonometric_loss,
    tuning,
)

NETWORKS = [
    ("adding", (2, 5, 13)),
    ("multiplying", (1, 7, 11)),
    ("adding_powers", (3, 20, 41)),
    ("adding_cubes", (2, 5, 13)),
    ("multiplying_shifted", (1, 7, 11)),
]


@pytest.fixture(params=NETWORKS, ids=[name for name, _ in NETWORKS])
def network_and_frequencies(request: pytest.FixtureRequest):
    name, frequencies = request.param
    return request.getfixturevalue(name), frequencies


def test_the_network_is_right(network_and_frequencies) -> None:
    network, _ = network_and_frequencies
    assert torch.equal(network.logits.argmax(dim=1), network.domain.answers)
    assert network.domain.separates


def test_exactly_its_frequencies_are_found(network_and_frequencies) -> None:
    network, frequencies = network_and_frequencies
    tuned = tuning(network.neurons, network.domain)
    assert tuned.key_frequencies == frequencies
    assert tuned.tuned_fraction == 1.0
    expected = torch.tensor(frequencies).repeat_interleave(len(tuned.clusters) // len(frequencies))
    assert torch.equal(tuned.clusters, expected)


def test_the_losses_are_those_of_a_pure_circuit(network_and_frequencies) -> None:
    network, frequencies = network_and_frequencies
    classes = sum_logits_by_class(network.logits, network.domain)
    full = cross_entropy(network.logits, network.domain.answers)
    uniform = math.log(network.domain.clock.modulus)
    assert full < 0.5
    assert restricted_loss(classes, frequencies) <= full
    assert trigonometric_loss(classes, frequencies) <= full
    assert excluded_loss(network.logits, classes, frequencies) >= uniform
    for k in frequencies:
        alone = excluded_loss(network.logits, classes, [k])
        assert full < alone < excluded_loss(network.logits, classes, frequencies)
    other = next(k for k in range(1, 15) if k not in frequencies)
    assert restricted_loss(classes, [other]) >= 0.99 * uniform


def test_the_logits_are_its_cosines(network_and_frequencies) -> None:
    network, frequencies = network_and_frequencies
    found = logit_directions(sum_logits_by_class(network.logits, network.domain))
    index = torch.tensor(frequencies) - 1
    assert found.variance_explained[index].sum() > 0.8
    assert found.variance_explained.sum() - found.variance_explained[index].sum() < 1e-3
    assert (found.coefficients[index] > 0).all()


def test_its_read_out_is_sparse_in_the_basis_of_the_answer(network_and_frequencies) -> None:
    network, frequencies = network_and_frequencies
    norms = spectrum(network.W_logit.T, network.domain.answer_basis)
    assert set((norms > 1e-9 * norms.max()).nonzero().flatten().tolist()) == set(frequencies)
    # three frequencies, all alike
    assert gini(norms[1:]) == pytest.approx(1 - 3 / network.domain.clock.top_frequency)


@pytest.mark.parametrize(("name", "frequencies"), NETWORKS[:2])
def test_its_embedding_is_sparse_in_the_basis_of_the_operand(name, frequencies, request) -> None:
    network = request.getfixturevalue(name)
    norms = spectrum(network.W_E, network.domain.operand_bases[0])
    assert set((norms > 1e-9 * norms.max()).nonzero().flatten().tolist()) == set(frequencies)
    assert gini(norms[1:]) == pytest.approx(1 - 3 / 15)


def test_powers_need_the_characters_of_the_powers(adding_powers) -> None:
    # frequencies overlap in the pullback of x**8, and still the three that are there stand out
    pulled_back, _ = adding_powers.domain.operand_bases
    assert pulled_back.dimension == 15
    norms = spectrum(adding_powers.W_E, pulled_back)
    assert set(norms[1:].topk(3).indices.add(1).tolist()) == {3, 20, 41}
    answers = adding_powers.domain.answer_basis
    assert gini(norms[1:]) > gini(spectrum(adding_powers.W_E, answers)[1:])

    pairs = adding_powers.domain.operands
    wrong = place_on_clock(additive_clock(113), [torch.arange(113)] * 2, pairs, adding_powers.domain.answers)
    assert not wrong.separates
    assert tuning(adding_powers.neurons, wrong).key_frequencies == ()


def test_a_map_that_takes_s_and_minus_s_to_one_answer_leaves_the_even_half_of_a_clock() -> None:
    """(x + y)**2: the logits −Σ (cos w_k s − cos w_k c)² / 2 of c² are largest where c = ±s."""
    p, keys = 31, [2, 5, 13]
    pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    squares = torch.arange(p) ** 2 % p
    domain = place_on_clock(
        additive_clock(p), [torch.arange(p)] * 2, pairs, squares[pairs.sum(dim=1) % p], squares
    )
    assert domain.separates
    cosines = (2 * math.pi / p * torch.outer(torch.arange(p), torch.tensor(keys)).double()).cos()
    read_out = torch.full(
        (p, p), -10.0, dtype=torch.float64
    )  # of classes and answers, some of which are no squares
    read_out[:, squares] = -0.5 * (cosines[:, None] - cosines).square().sum(dim=2)
    logits = 200 * read_out[pairs.sum(dim=1) % p]
    assert torch.equal(logits.argmax(dim=1), domain.answers)

    classes = sum_logits_by_class(logits, domain)
    full = cross_entropy(logits, domain.answers)
    found = logit_directions(classes)
    index = torch.tensor(keys) - 1
    assert (found.coefficients[index] > 0).all()
    assert found.variance_explained.sum() - found.variance_explained[index].sum() < 0.1
    # twice a key frequency is in the squares of the cosines, which all answers share
    assert restricted_loss(classes, [*keys, 4, 10, 5]) == pytest.approx(full, abs=1e-9)
    assert excluded_loss(logits, classes, keys) > math.log(16) > trigonometric_loss(classes, keys)
    assert domain.answer_basis.dimension == 16


def test_multiplication_looks_like_nothing_on_the_additive_clock(multiplying) -> None:
    p = multiplying.domain.clock.modulus
    pairs, answers = multiplying.domain.operands, multiplying.domain.answers
    wrong = place_on_clock(additive_clock(p), [torch.arange(p)] * 2, pairs, answers)
    assert not wrong.separates
    assert tuning(multiplying.neurons, wrong).key_frequencies == ()
    assert gini(spectrum(multiplying.W_E, wrong.answer_basis)[1:]) < 0.2
    assert logit_directions(sum_logits_by_class(multiplying.logits, wrong)).variance_explained.max() < 0.1


def test_zero_is_kept_apart(multiplying) -> None:
    clock = multiplying.domain.clock
    p = clock.modulus
    everything = torch.cartesian_prod(torch.arange(p), torch.arange(p))
    domain = place_on_clock(clock, [torch.arange(p)] * 2, everything, everything.prod(dim=1) % p)
    nonzero = (everything > 0).all(dim=1)
    logits = 40.0 * one_hot(domain.answers, p).double()  # pairs with a 0 are answered by rote
    logits[nonzero] = multiplying.logits
    neurons = torch.full((p * p, multiplying.neurons.shape[1]), 9.0, dtype=torch.float64)
    neurons[nonzero] = multiplying.neurons
    assert tuning(neurons, domain).key_frequencies == (1, 7, 11)
    classes = sum_logits_by_class(logits, domain)
    share = float(nonzero.double().mean())
    alone = restricted_loss(sum_logits_by_class(multiplying.logits, multiplying.domain), [1, 7, 11])
    assert restricted_loss(classes, [1, 7, 11]) == pytest.approx(share * alone, abs=1e-9)
    assert excluded_loss(logits, classes, [1, 7, 11]) >= share * math.log(p - 1)
