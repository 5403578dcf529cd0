from math import log2

import numpy as np
import pytest

from modgrok.capacity.estimators.schemes import STEPS, TwoHopBits, compare, name_loss

PEOPLE = (100, 200, 400, 800)
SCHEMES = ("optimal", "2-hop-double", "2-hop-big-hash")
CAPACITY = 25_000.0


def two_hops(n):
    """Four attributes of 6 bits and four relations, which are second subjects too; nine tenths are trained on."""
    pointer = log2(n)
    return TwoHopBits(
        facts=n * (24 + 4 * pointer),
        copies=4 * n * pointer,
        answers=0.9 * n * 4 * (24 + 4 * pointer),
        guess=(24 + 4 * pointer) / 8,
        facts_first=True,
    )


def test_the_encodings_store_what_they_say():
    stored = two_hops(100)
    assert stored.stored["optimal"] < stored.stored["2-hop-double"] < stored.stored["2-hop-big-hash"]
    for scheme, bits in stored.stored.items():
        assert stored.loss(scheme, bits) == pytest.approx(0, abs=1e-9)
        assert stored.loss(scheme, 0.0) == pytest.approx(stored.guess)
        losses = [stored.loss(scheme, share * bits) for share in np.linspace(0, 1, 11)]
        assert losses == sorted(losses, reverse=True)
    assert stored.loss("2-hop-big-hash", stored.facts) == stored.guess  # the facts come first


def test_names_cost_what_a_selection_stores():
    n, names = 1000, 2**18
    assert name_loss("independent", n, names, 1e9) == 18
    for selection in ("optimal", "enumerate"):
        assert name_loss(selection, n, names, 1e9) == pytest.approx(log2(n))
        assert name_loss(selection, n, names, 0.0) == 18
    full = n * log2(names / n)
    assert name_loss("optimal", n, names, full) == pytest.approx(log2(n))
    assert name_loss("enumerate", n, names, full) > log2(n) + 4


def simulate(scheme, rng, deviation=0.05, seeds=2):
    """Compare the schemes on losses that one of them made, with a measured capacity that is off by chance."""
    data = [two_hops(n) for n in PEOPLE for _ in range(seeds)]
    groups = [n for n in PEOPLE for _ in range(seeds)]
    measured = [max(0.0, one.loss(scheme, CAPACITY) + rng.normal(0, 0.05) * one.guess) for one in data]
    mean = CAPACITY * (1 + rng.normal(0, deviation))
    predictions = {
        name: np.array([[one.loss(name, mean * (1 + step * deviation)) for one in data] for step in STEPS])
        for name in SCHEMES
    }
    return compare(predictions, measured, [one.guess for one in data], groups)


@pytest.mark.parametrize("true", SCHEMES)
def test_the_encoding_that_made_the_losses_is_found(true):
    found = simulate(true, np.random.default_rng(0))
    assert found.best == true
    assert found.decided
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.misfits[true] == min(found.misfits.values())


@pytest.mark.slow
@pytest.mark.parametrize("true", SCHEMES)
def test_the_power_of_the_comparison(true):
    rng = np.random.default_rng(1)
    found = [simulate(true, rng) for _ in range(200)]
    right = np.array([one.best == true for one in found])
    decided = np.array([one.decided for one in found])
    assert right.mean() > 0.97
    assert (right & decided).mean() > 0.8
    assert (~right & decided).mean() < 0.01
    unknown = [simulate(true, rng, deviation=0.5) for _ in range(200)]
    assert np.mean([one.decided for one in unknown]) < 0.3


def test_it_is_undecided_where_the_schemes_predict_the_same():
    predictions = {name: np.full((len(STEPS), 4), 3.0) for name in SCHEMES}
    found = compare(predictions, [3.0, 3.1, 2.9, 3.0], [6.0] * 4, [1, 2, 3, 4])
    assert not found.decided
    assert list(found.probabilities.values()) == pytest.approx([1 / 3] * 3)
