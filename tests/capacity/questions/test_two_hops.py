import numpy as np
import pytest

from modgrok.capacity.questions.two_hops import (
    HELD_OUT,
    PUBLISHED,
    SHARES,
    TRAINED,
    draw_facts_out,
    hold_out_facts,
    keep_trained,
    numbers_of,
    split_two_hops,
)
from modgrok.errors import InputError

RNG = np.random.default_rng(0)
N, R, S = 200, 4, 8
RELATIONS = RNG.integers(N, size=(N, R), dtype=np.int32)


def members(split, name):
    return split == HELD_OUT.index(name) + 1


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_share_is_the_share_of_the_questions_at_every_number_of_relations(name):
    for n_relations in (4, 16):
        relations = RNG.integers(1000, size=(1000, n_relations), dtype=np.int32)
        split = split_two_hops(relations, n_relations + 4, {name: 0.25}, 0)
        assert members(split, name).mean() == pytest.approx(0.25, abs=0.02)


def test_each_set_holds_out_what_it_is_named_after():
    def held(name, share=0.25):
        return members(split_two_hops(RELATIONS, S, {name: share}, 1), name)

    for name, axes in (("first_people", (1, 2)), ("relations", (0, 2)), ("second_attributes", (0, 1))):
        assert np.array_equal(held(name).any(axes), held(name).all(axes))
    pairs = held("person_relation_pairs")
    assert np.array_equal(pairs.any(2), pairs.all(2))
    people = held("second_people")
    bridges = set(RELATIONS[people.all(2)].tolist())
    assert not bridges & set(RELATIONS[~people.any(2)].tolist())
    hops = held("second_person_attribute_pairs")
    for subject in range(S):
        taken = set(RELATIONS[hops[:, :, subject]].tolist())
        assert not taken & set(RELATIONS[~hops[:, :, subject]].tolist())
    assert held("complete_two_hop", 0.1).sum() == N * R * S // 10


def test_the_published_shares_leave_the_questions_countable():
    split = split_two_hops(RELATIONS, S, SHARES, 2)
    assert np.array_equal(split, split_two_hops(RELATIONS, S, SHARES, 2))
    assert not np.array_equal(split, split_two_hops(RELATIONS, S, SHARES, 3))
    trained = numbers_of(split, TRAINED)
    assert trained.dtype == np.int32
    assert np.array_equal(trained, np.flatnonzero(split == TRAINED))
    assert 0.75 < len(trained) / split.size < 0.9
    assert members(split, "complete_two_hop").sum() == split.size // 10


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"everybody": 0.1}, "no set is called 'everybody'"),
        ({"relations": 0.02}, r"held_out.relations must be 0 or ≥ 0.25, one of 4; got 0.02"),
        ({"relations": 1.0}, "a share in"),
        ({"first_people": -0.1}, "a share in"),
        ({"first_people": 0.999}, "must leave something"),
        ({"first_people": 0.5, "second_people": 0.5, "complete_two_hop": 0.9}, "leave no two-hop question"),
    ],
)
def test_bad_shares_are_refused(shares, message):
    with pytest.raises(InputError, match=message):
        split_two_hops(RELATIONS, S, shares, 0)


def test_two_hops_need_relations():
    with pytest.raises(InputError, match="need relations"):
        split_two_hops(np.zeros((10, 0), np.int32), 4, {}, 0)


def test_two_hops_need_second_subjects():
    with pytest.raises(InputError, match=r"second_subjects must name at least one subject, got \[\]"):
        split_two_hops(RELATIONS, 0, {}, 0)


def composed(phi, share=0.1, seed=0):
    """A split by facts in and out of distribution, over subjects that are all relations."""
    relations = RNG.integers(N, size=(N, R), dtype=np.int32)
    out = draw_facts_out(relations, share, seed)
    split = split_two_hops(relations, R, {}, seed)
    hold_out_facts(split, relations, out, out)
    keep_trained(split, phi, int((~out).sum()), seed)
    return relations, out, split


def test_a_fact_out_of_distribution_is_in_no_trained_question():
    relations, out, split = composed(2.5)
    second_out = out[relations]  # (N, R, R)
    first_out = np.broadcast_to(out[:, :, None], split.shape)
    for name, first, second in (("in_out", 0, 1), ("out_in", 1, 0), ("out_out", 1, 1)):
        assert np.array_equal(members(split, name), (first_out == first) & (second_out == second))
    assert not (first_out | second_out)[members(split, "in_in") | (split == TRAINED)].any()


@pytest.mark.parametrize("phi", [0.5, 2.5])
def test_phi_is_the_trained_questions_of_a_fact(phi):
    _, out, split = composed(phi)
    assert out.sum() == round(0.1 * N * R)
    assert (split == TRAINED).sum() == round(phi * (~out).sum())


@pytest.mark.parametrize("phi", [0, 3.9])
def test_phi_out_of_reach_is_refused_with_the_most_there_is(phi):
    with pytest.raises(
        InputError, match=r"phi must be > 0 and ≤ 3\.\d+, [\d,]+ two-hop questions for 720 facts"
    ):
        composed(phi)


@pytest.mark.parametrize(("share", "message"), [(1.0, "a share in"), (1e-4, "must be 0 or ≥ 0.00125")])
def test_bad_shares_out_of_distribution_are_refused(share, message):
    with pytest.raises(InputError, match=message):
        draw_facts_out(RELATIONS, share, 0)
