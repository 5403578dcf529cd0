from dataclasses import replace

import numpy as np
import pytest

from modgrok.capacity.people.dates import DAYS_PER_MONTH, as_dates, clip_days, probabilities
from modgrok.capacity.people.profiles import ABSENT, generate_profiles
from modgrok.capacity.people.source_entropy import source_entropy
from modgrok.capacity.people.space import RELATIONS, Space
from modgrok.capacity.people.words import SYLLABLES, draw_words, syllables_per_word
from modgrok.errors import InputError

SMALL = Space((8, 8, 8), {"birth_date": 1000, "color": 10})


def column(profiles, relation):
    return profiles.relations[:, profiles.relation_names.index(relation)]


def test_words_are_distinct_and_made_of_syllables():
    words = draw_words(5000, np.random.default_rng(0))
    assert len(set(words)) == 5000
    length = syllables_per_word(5000)
    assert len(SYLLABLES) ** length >= 10_000
    for word in words[:200]:
        assert len(word) == 2 * length
        assert {word.lower()[i : i + 2] for i in range(0, len(word), 2)} <= set(SYLLABLES)


def test_dates_are_clipped_to_the_28th():
    days = np.arange(73_048)
    dates = np.datetime64("1900-01-01") + days
    clipped = as_dates(clip_days(days)).astype(str)
    expected = [f"{d[:8]}{min(int(d[8:]), 28):02d}" for d in dates.astype(str)]
    assert clipped.tolist() == expected
    assert len(set(expected)) == len(probabilities(73_048)) == 200 * 12 * DAYS_PER_MONTH
    assert probabilities(73_048).sum() == pytest.approx(1)


def test_profiles_are_what_was_asked_for():
    profiles = generate_profiles(300, 17, space=SMALL)
    assert len(np.unique(profiles.names, axis=0)) == len(set(profiles.full_names)) == 300
    assert profiles.names.min() >= 0
    assert profiles.names.max() < 8
    assert profiles.relation_names == RELATIONS
    assert profiles.subjects == ("birth_date", "color", *RELATIONS)
    assert profiles.relations.shape == (300, 17)
    assert set(np.unique(profiles.attributes[:, 1])) == set(range(10))
    assert len(generate_profiles(512, 0, space=SMALL)) == 512  # every name there is


def test_the_seed_decides():
    first, again, other = (generate_profiles(50, 2, seed=seed) for seed in (3, 3, 4))
    assert first.full_names == again.full_names
    assert np.array_equal(first.relations, again.relations)
    assert first.full_names != other.full_names


def test_bipartite_relations_are_matchings():
    profiles = generate_profiles(100, 5, bipartite=True)
    everyone = np.arange(100)
    for relation in ("best_friend", "worst_enemy"):
        partner = column(profiles, relation)
        assert np.array_equal(partner[partner], everyone)
        assert (partner != everyone).all()
    parent, child = column(profiles, "parent"), column(profiles, "child")
    parents, children = np.flatnonzero(parent == everyone), np.flatnonzero(child == everyone)
    assert sorted([*parents, *children]) == list(everyone)
    assert len(parents) == 50
    assert np.array_equal(parent[child[parents]], parents)
    assert np.array_equal(child[parent[children]], children)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 1}, "n must be from 2 .* got 1"),
        ({"n": 600}, "≤ 512, the names that name_words make; got 600"),
        ({"n": 9, "bipartite": True}, "even"),
        ({"n": 8, "relations": 0, "bipartite": True}, "needs relations"),
        ({"n": 8, "relations": 1001}, "0 to 1,000, got 1,001"),
        ({"n": 8, "relations": -1}, "got -1"),
        ({"n": 8, "seed": -1}, "seed"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        generate_profiles(**{"space": SMALL} | arguments)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (((8, 8), {}), "three numbers"),
        (((0, 8, 8), {}), "first"),
        (((8, 8, 8), {"color": 1}), "attributes.color"),
        (((8, 8, 8), {"parent": 5}), "parent"),
        (((8, 8, 8), {"birth_date": 73_049}), "birth_date"),
    ],
)
def test_bad_spaces_are_refused(space, message):
    with pytest.raises(InputError, match=message):
        Space(*space)


def test_relations_beyond_the_published_ones_have_numbers():
    profiles = generate_profiles(8, 19, space=SMALL)
    assert profiles.relation_names == (*RELATIONS, "relation_18", "relation_19")
    assert profiles.relations.shape == (8, 19)


def test_a_digest_tells_people_apart():
    profiles = generate_profiles(50, 2, space=SMALL)
    assert profiles.digest == generate_profiles(50, 2, space=SMALL).digest
    assert profiles.digest != generate_profiles(50, 2, space=SMALL, seed=1).digest
    for column in ("names", "attributes", "relations"):
        changed = getattr(profiles, column).copy()
        changed[7, 1] = (changed[7, 1] + 1) % 8
        assert replace(profiles, **{column: changed}).digest != profiles.digest, column
    words = {**profiles.attribute_words, "color": [f"{word}x" for word in profiles.attribute_words["color"]]}
    assert replace(profiles, attribute_words=words).digest != profiles.digest


def test_an_out_degree_is_the_number_of_relations_that_a_person_has():
    everything = generate_profiles(60, 9, space=SMALL)
    some = generate_profiles(60, 9, space=SMALL, out_degree=4)
    there = some.relations != ABSENT
    assert (there.sum(1) == 4).all()
    assert (there.sum(0) > 0).all()
    assert np.array_equal(some.relations[there], everything.relations[there])
    entropy = source_entropy(some)
    assert sum(entropy.relations.values()) == pytest.approx(60 * 4 * np.log2(60))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"out_degree": 10}, "from 1 to relations = 9, got 10"),
        ({"out_degree": 0}, "got 0"),
        ({"out_degree": 4, "bipartite": True}, "give one of the two"),
    ],
)
def test_bad_out_degrees_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        generate_profiles(60, 9, space=SMALL, **arguments)
