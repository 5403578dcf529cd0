import numpy as np
import pytest

from modgrok.capacity.questions.two_hops import HELD_OUT, SHARES, TRAINED, numbers_of, split_two_hops
from modgrok.errors import InputError

RNG = np.random.default_rng(0)
N, R, S = 200, 4, 8
RELATIONS = RNG.integers(N, size=(N, R), dtype=np.int32)


def members(split, name):
    return split == HELD_OUT.index(name) + 1


@pytest.mark.parametrize("name", HELD_OUT)
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
        ({"relations": 0.02}, r"held_out.relations: 0.02 of 4 is none; the least is 0.25"),
        ({"relations": 1.0}, "share from 0"),
        ({"first_people": -0.1}, "share from 0"),
        ({"first_people": 0.999}, "leaves nothing"),
        ({"first_people": 0.5, "second_people": 0.5, "complete_two_hop": 0.9}, "leave no two-hop question"),
    ],
)
def test_bad_shares_are_refused(shares, message):
    with pytest.raises(InputError, match=message):
        split_two_hops(RELATIONS, S, shares, 0)


def test_two_hops_need_relations():
    with pytest.raises(InputError, match="need relations"):
        split_two_hops(np.zeros((10, 0), np.int32), 4, {}, 0)
