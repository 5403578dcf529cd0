from itertools import permutations
from math import comb, log2

import numpy as np
import pytest

from modgrok.capacity.people.profiles import generate_profiles
from modgrok.capacity.people.source_entropy import (
    log2_binomial,
    log2_directed_matchings,
    log2_perfect_matchings,
    source_entropy,
)
from modgrok.capacity.people.space import Space


@pytest.mark.parametrize(("n", "k"), [(10, 3), (10, 8), (50, 25), (10**12, 2)])
def test_log2_binomial(n, k):
    assert log2_binomial(n, k) == pytest.approx(log2(comb(n, k)))


def test_matchings_are_counted():
    partners = [p for p in permutations(range(6)) if all(p[p[i]] == i != p[i] for i in range(6))]
    assert log2_perfect_matchings(6) == pytest.approx(log2(len(partners)))
    pairs = {frozenset(zip(p[:3], p[3:], strict=True)) for p in permutations(range(6))}
    assert log2_directed_matchings(6) == pytest.approx(log2(len(pairs)))


def test_the_published_sizes_have_the_entropies_of_the_published_system():
    space = Space()
    assert log2(space.names) == pytest.approx(41.106, abs=5e-4)
    assert space.entropy("birth_date") == pytest.approx(15.950, abs=5e-4)
    assert sum(space.entropy(a) for a in ("birth_city", "university", "employer")) == pytest.approx(
        20.635, abs=1e-3
    )
    # CAPACITY: the true source of the published data sets, Mbit
    for n, relations, megabits in ((1_000, 17, 0.239), (25_000, 4, 3.074), (50_000, 4, 6.298)):
        entropy = source_entropy(generate_profiles(n, relations))
        assert entropy.total / 1e6 == pytest.approx(megabits, abs=5e-4)


def test_bipartite_relations_have_fewer_bits():
    entropy = source_entropy(generate_profiles(1000, 5, bipartite=True))
    assert entropy.relations["best_friend"] == pytest.approx(500 * log2(1000 / np.e) + 0.5, abs=0.01)
    assert entropy.relations["child"] == 0
    assert entropy.relations["sibling"] == pytest.approx(1000 * log2(1000))
