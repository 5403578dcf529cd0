from math import log, log2

import numpy as np
import pytest

from modgrok.capacity.estimators.other_papers import capacity_ratio, highest_ratio, surprise_bits
from modgrok.capacity.estimators.published_estimators import (
    Observed,
    capacity_by_subject,
    date_selection,
    name_selection,
    observe,
    single_hop_loss,
)
from modgrok.capacity.people.profiles import generate_profiles
from modgrok.capacity.people.space import RELATIONS
from modgrok.errors import InputError

# N = 1000, R = 17, as printed by the published system's notebook (two_hop_optimization.ipynb, cell 4)
TARGETS = (636, 635, 633, 598, 620, 625, 653, 643, 641, 637, 630, 643, 639, 611, 651, 631, 629)
PRINTED = Observed(
    1000,
    29.587093,
    {"birth_date": 993, "birth_city": 220, "university": 100, "employer": 73},
    dict(zip(RELATIONS, TARGETS, strict=True)),
)
ZERO = dict.fromkeys(PRINTED.distinct, 0.0)


def test_the_golden_numbers():
    older_dates = 993 * log2(73_048)
    assert older_dates == pytest.approx(16_043.461, abs=5e-4)
    hashed = capacity_by_subject(PRINTED, ZERO, 2, "2-hop-big-hash", "enumerate", older_dates)
    assert hashed["birth_date"] == pytest.approx(185_289.5097, abs=5e-5)
    assert hashed["birth_city"] == pytest.approx(132_283.1151, abs=5e-5)
    assert hashed["university"] == pytest.approx(112_945.5552, abs=5e-5)
    assert hashed["employer"] == pytest.approx(105_227.0175, abs=5e-5)
    assert hashed["parent"] == pytest.approx(160_059.4275, abs=5e-5)
    # M_obs is printed to three decimals: the total can be no closer
    assert sum(hashed.values()) == pytest.approx(3_254_457.7384, abs=1e-3)


def test_the_golden_numbers_of_the_last_version():
    assert date_selection(PRINTED, "enumerate") == pytest.approx(7_574.022, abs=5e-4)
    totals = {
        (hops, encoding, selection): sum(
            capacity_by_subject(PRINTED, ZERO, hops, encoding, selection).values()
        )
        for hops, encoding, selection in (
            (2, "2-hop-big-hash", "enumerate"),
            (1, "optimal", "enumerate"),
            (1, "optimal", "optimal"),
            (2, "2-hop-double", "enumerate"),
        )
    }
    golden = (3_245_988.298, 225_915.655, 215_949.871, 384_099.505)
    assert list(totals.values()) == pytest.approx(golden, abs=1e-3)


@pytest.mark.parametrize("p", [0.05, 0.3, 0.9, 1.0])
def test_the_loss_of_one_hop_is_found_again(p):
    n = 50
    two_hop = -log2(p * p + (1 - p) / n)
    assert single_hop_loss(two_hop, n) == pytest.approx(-log2(p))


def test_one_hop_is_never_worse_than_guessing():
    assert single_hop_loss(20.0, 64) == 6
    assert single_hop_loss(log2(64), 64) == pytest.approx(6)


def test_what_is_observed_of_profiles():
    profiles = generate_profiles(500, 2)
    observed = observe(profiles)
    assert observed.n == 500
    assert list(observed.distinct) == list(profiles.subjects)
    assert observed.attributes["university"] == 100 == len(set(profiles.attributes[:, 2].tolist()))
    assert 2**observed.possible_names >= 500


def test_bad_choices_are_refused():
    with pytest.raises(InputError, match="encoding: 'hash' is not one of optimal"):
        capacity_by_subject(PRINTED, ZERO, 2, "hash", "optimal")
    with pytest.raises(InputError, match="selection: 'best' is not one of"):
        capacity_by_subject(PRINTED, ZERO, 1, "optimal", "best")
    with pytest.raises(InputError, match="none for birth_date"):
        capacity_by_subject(PRINTED, {}, 1, "optimal", "optimal")


def test_allen_zhu_ratio():
    data = {"n": 1000, "names": 18.0, "value_bits": 48.0, "parameters": 10_000}
    assert highest_ratio(**data) == pytest.approx((1000 * (18 - log2(1000)) + 48_000) / 10_000)
    untrained = capacity_ratio(**data, name_loss=18 * log(2), value_loss=48 * log(2))
    assert untrained == pytest.approx(0)
    words = {"dictionary_words": 400, "dictionary_bits": 6.0}
    assert highest_ratio(**data, **words) - highest_ratio(**data) == pytest.approx(0.24)


def test_morris_bits_are_never_negative():
    bits = surprise_bits(np.array([0.0, 30.0, 70.0]), 48.0)
    assert bits.tolist() == [48.0, 18.0, 0.0]


def test_the_published_branches_of_a_subject_worse_than_guessing():
    losses = {name: log2(distinct) + 1 for name, distinct in PRINTED.distinct.items()}
    capacity = capacity_by_subject(PRINTED, losses, 2, "2-hop-big-hash", "enumerate")
    assert capacity["birth_date"] == pytest.approx(date_selection(PRINTED, "enumerate") - 1000)
    assert capacity["employer"] == pytest.approx(-17_000)
    assert capacity["hero"] == pytest.approx((name_selection(PRINTED, "enumerate") - 1000) / 17)
