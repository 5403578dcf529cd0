"""Which group a table is, where only names of symbols and answers hide it."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from modgrok.errors import InputError
from modgrok.tasks.group import Group, group_from_table
from modgrok.tasks.group_notation import FAMILIES, frobenius_kernel, make_group
from modgrok.tasks.residues import Integers

Profile = Counter[tuple[int, int]]
"""How many elements have each order and each size of their conjugacy class: equal for isomorphic groups."""

_MAX_PAIRS = 2000


@dataclass(frozen=True, eq=False)
class Relabelling:
    """A table of two operands as a group: answer = answer_at[parts[0][x]·parts[1][y]].

    Attributes:
        group: the group, in its own numbering where it has a name.
        parts: two (n,) arrays, the element that each symbol of x and of y stands for.
        answer_at: (n,), the answer that stands for each element.
    """

    group: Group
    parts: tuple[Integers, Integers]
    answer_at: Integers


def recognize(table: Integers, known: Group | None = None) -> Relabelling | None:
    """Find the group that a table is under a relabelling of its rows, columns and entries, if it is one.

    With f(x) = T[x, 0] and g(y) = T[0, y] the law f(x)∘g(y) = T[x, y] is a loop; it is a group exactly where the
    table is isotopic to a group, and then isomorphic to it (Albert 1943, Quasigroups I, theorem 2).

    Args:
        table: (n, n) integers 0 … n − 1, no entry undefined.
        known: a group that is tried before others.
    """
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.min() < 0 or table.max() >= len(table):
        return None
    first, second = table[:, 0], table[0]
    try:
        loop = group_from_table(table[np.ix_(np.argsort(first), np.argsort(second))])
    except InputError:
        return None
    group, answer_at = identify(loop, known)
    element = np.argsort(answer_at)
    return Relabelling(group, (element[first], element[second]), answer_at)


def identify(group: Group, known: Group | None = None) -> tuple[Group, Integers]:
    """Find a group's name, and the elements that stand for those of the group with that name.

    Tried are the families of `group_notation` and their products, in the order of `_candidates`.

    Returns:
        The group of that name, and for each of its elements, (n,), the one of `group`; `group` itself where it is
        none of them.
    """
    if known is not None and (known.table.shape == group.table.shape) and (known.table == group.table).all():
        return known, np.arange(known.order)
    profile = profile_of(group)
    names = () if known is None or not known.name else (known.name,)
    for notation in (*names, *_candidates(group.order)):
        if _profile(notation) == profile:
            candidate = make_group(notation)
            if (images := isomorphism(candidate, group)) is not None:
                return candidate, images
    return group, np.arange(group.order)


def profile_of(group: Group) -> Profile:
    """Count the elements by their order and the size of their class."""
    sizes = np.bincount(group.classes)[group.classes]
    return Counter(zip(group.element_orders.tolist(), sizes.tolist(), strict=True))


def isomorphism(group: Group, other: Group) -> Integers | None:
    """Find an isomorphism between two groups of the same profile.

    Returns:
        (n,): the image in `other` of each element of `group`; None where there is none.
    """
    generators = _few_generators(group)
    kinds, others = _kinds(group), _kinds(other)
    # what a first generator is taken to matters only up to conjugation
    _, representatives = np.unique(other.classes, return_index=True)
    choices = [np.flatnonzero(others == kinds[g]) for g in generators]
    choices[0] = np.intersect1d(choices[0], representatives)
    pending: list[tuple[int, ...]] = [()]
    while pending:
        images = pending.pop()
        mapped = _extend(group, other, generators[: len(images)], images)
        if mapped is None:
            continue
        if len(images) == len(generators):
            return mapped
        pending += [(*images, int(image)) for image in choices[len(images)][::-1]]
    return None


def _kinds(group: Group) -> Integers:
    sizes = np.bincount(group.classes)[group.classes]
    return group.element_orders * (group.order + 1) + sizes


def _extend(
    group: Group, other: Group, generators: tuple[int, ...], images: tuple[int, ...]
) -> Integers | None:
    """Extend a choice of images to the subgroup that the generators generate; None where it is no injection.

    Returns:
        (n,), −1 outside of the subgroup.
    """
    mapped = np.full(group.order, -1, dtype=np.int64)
    mapped[group.identity] = other.identity
    new = np.array([group.identity])
    while new.size:
        reached = []
        for generator, image in zip(generators, images, strict=True):
            products, expected = group.table[new, generator], other.table[mapped[new], image]
            fresh = mapped[products] < 0
            mapped[products[fresh]] = expected[fresh]
            if (mapped[products] != expected).any():
                return None
            reached.append(products[fresh])
        new = np.concatenate(reached) if reached else np.empty(0, dtype=np.int64)
    inside = mapped[mapped >= 0]
    return mapped if len(np.unique(inside)) == len(inside) else None


def _few_generators(group: Group) -> tuple[int, ...]:
    """Choose one or two generators where that many are enough and found soon; otherwise a few more."""
    if group.is_cyclic:
        return (int(group.element_orders.argmax()),)
    if not group.is_abelian:
        _, representatives = np.unique(group.classes, return_index=True)
        pairs = itertools.product(representatives.tolist(), range(group.order))
        for pair in itertools.islice(pairs, _MAX_PAIRS):
            if len(group.generated_by(pair)) == group.order:
                return pair
    return group.generators


def _candidates(order: int) -> Iterator[str]:
    """Name groups of an order: symmetric and alternating ones, cyclic, dihedral, dicyclic, Frobenius, products."""
    yield from _families(order)
    for factors in _factorizations(order, 2):
        if len(factors) > 1:
            for names in itertools.product(*map(_families, factors)):
                yield " x ".join(names)


def _factorizations(n: int, least: int) -> Iterator[tuple[int, ...]]:
    """List the ways to write n as a product of ascending factors, those of few factors first."""
    found: list[tuple[int, ...]] = [(n,)]
    for factor in range(least, math.isqrt(n) + 1):
        if n % factor == 0:
            found += [(factor, *rest) for rest in _factorizations(n // factor, factor)]
    yield from sorted(found, key=len)


@lru_cache
def _families(order: int) -> tuple[str, ...]:
    """Name the groups of an order in the families, each once: D3 is S3, A3 is C3, F10 is D5, Dic2 is Q8."""
    names = [
        f"{family}{n}"
        for family, least in (("S", 3), ("A", 4))
        for n in range(least, 8)
        if FAMILIES[family].order(n) == order
    ]
    names.append(f"C{order}")
    if order % 2 == 0 and order > 6:
        names.append(f"D{order // 2}")
    if order % 4 == 0 and order > 4:
        names.append(f"Q{order}" if order & (order - 1) == 0 else f"Dic{order // 4}")
    if (kernel := frobenius_kernel(order)) and order > 2 * kernel:
        names.append(f"F{order}")
    return tuple(names)


@lru_cache(maxsize=4096)
def _profile(notation: str) -> Profile:
    """Compute the profile of a group in notation, for a product from those of its factors."""
    first, _, rest = notation.partition(" x ")
    if not rest:
        return profile_of(make_group(notation))
    profile: Profile = Counter()
    for ((a, b), count), ((c, d), times) in itertools.product(
        _profile(first).items(), _profile(rest).items()
    ):
        profile[math.lcm(a, c), b * d] += count * times
    return profile
