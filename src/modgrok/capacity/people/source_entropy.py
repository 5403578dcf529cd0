"""Bits in profiles, known from how they were drawn and not from the sample."""

from __future__ import annotations

from dataclasses import dataclass
from math import lgamma, log

import numpy as np

from modgrok.capacity.people.profiles import MATCHED, Profiles

LN2 = log(2)


def log2_factorial(n: float) -> float:
    """Return log2 n!."""
    return lgamma(n + 1) / LN2


def log2_binomial(n: int, k: int) -> float:
    """Return log2 of the number of ways to choose k of n, exact also where n is huge and k is not."""
    k = min(k, n - k)
    return float(np.log2(n - np.arange(k, dtype=np.float64)).sum()) - log2_factorial(k)


def log2_perfect_matchings(n: int) -> float:
    """Return log2 (n−1)!!, of the number of ways to pair n people up."""
    return log2_directed_matchings(n) - n / 2


def log2_directed_matchings(n: int) -> float:
    """Return log2 (n! / (n/2)!), of the number of ways to pair n people up as parent and child."""
    return log2_factorial(n) - log2_factorial(n / 2)


@dataclass(frozen=True)
class Entropy:
    """Bits of a whole data set.

    Attributes:
        names: Bits of the set of names, log2 C(M, N).
        attributes: Bits of all values of each attribute.
        relations: Bits of all values of each relation, given the relations before it.
    """

    names: float
    attributes: dict[str, float]
    relations: dict[str, float]

    @property
    def total(self) -> float:
        """Everything together."""
        return self.names + sum(self.attributes.values()) + sum(self.relations.values())


def source_entropy(profiles: Profiles) -> Entropy:
    """Return the entropy of the source that drew the profiles, for their N and R."""
    n = len(profiles)
    relations = {}
    for name in profiles.relation_names:
        if profiles.bipartite and name == "parent":
            relations[name] = log2_directed_matchings(n)
        elif profiles.bipartite and name == "child":
            relations[name] = 0.0  # the parents say who the children are
        elif profiles.bipartite and name in MATCHED:
            relations[name] = log2_perfect_matchings(n)
        else:
            relations[name] = profiles.holders[name] * float(np.log2(n))
    return Entropy(
        log2_binomial(profiles.space.names, n),
        {name: n * profiles.space.entropy(name) for name in profiles.space.attributes},
        relations,
    )
