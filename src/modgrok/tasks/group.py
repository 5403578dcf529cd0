"""Finite groups as Cayley tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from modgrok.errors import InputError
from modgrok.tasks.residues import Integers


@dataclass(frozen=True, eq=False)
class Group:
    """A finite group on the elements 0 … n − 1.

    Attributes:
        name: the name in the notation of `group_notation`, such as "S4"; "" for a group that has no name there.
        table: (n, n): the product a·b at (a, b).

    Example:
        >>> from modgrok.tasks import make_group
        >>> group = make_group("S4")
        >>> group.order, group.n_classes, group.is_abelian
        (24, 5, False)
    """

    name: str
    table: Integers

    def __str__(self) -> str:
        return self.name or f"a group of order {self.order}"

    @property
    def order(self) -> int:
        """The number of elements, n."""
        return len(self.table)

    @cached_property
    def identity(self) -> int:
        """The element that changes no other."""
        return int(np.flatnonzero((self.table == np.arange(self.order)).all(axis=1))[0])

    @cached_property
    def inverses(self) -> Integers:
        """(n,): the inverse of each element."""
        return (self.table == self.identity).argmax(axis=1).astype(np.int64)

    @cached_property
    def is_abelian(self) -> bool:
        """Whether a·b = b·a for all elements."""
        return bool((self.table == self.table.T).all())

    @cached_property
    def is_cyclic(self) -> bool:
        """Whether the powers of one element are the whole group."""
        return bool((self.element_orders == self.order).any())

    @cached_property
    def element_orders(self) -> Integers:
        """(n,): the least k ≥ 1 with aᵏ = 1 for each element a."""
        orders = np.zeros(self.order, dtype=np.int64)
        elements = np.arange(self.order)
        powers, exponent = elements, 1
        while not orders.all():
            orders[(powers == self.identity) & (orders == 0)] = exponent
            powers, exponent = self.table[powers, elements], exponent + 1
        return orders

    @cached_property
    def classes(self) -> Integers:
        """(n,): the conjugacy class of each element, numbered by their first elements."""
        labels = np.full(self.order, -1, dtype=np.int64)
        for element in range(self.order):
            if labels[element] < 0:
                conjugates = self.table[self.table[:, element], self.inverses]  # h·g·h⁻¹
                labels[conjugates] = labels.max() + 1
        return labels

    @property
    def n_classes(self) -> int:
        """The number of conjugacy classes."""
        return int(self.classes.max()) + 1

    def power(self, elements: Integers, exponent: int) -> Integers:
        """Raise elements to an integer power of any size or sign."""
        base = self.inverses[elements] if exponent < 0 else elements
        exponent = abs(exponent) % int(np.lcm.reduce(np.unique(self.element_orders)))
        product = np.full_like(elements, self.identity)
        while exponent:
            if exponent & 1:
                product = self.table[product, base]
            base, exponent = self.table[base, base], exponent >> 1
        return product

    def generated_by(self, generators: Sequence[int]) -> Integers:
        """List the elements of the subgroup that some elements generate, in ascending order."""
        reached = np.zeros(self.order, dtype=np.bool_)
        reached[self.identity] = True
        new = np.array([self.identity])
        while new.size:
            products = np.unique(self.table[np.ix_(new, np.asarray(generators, dtype=np.int64))])
            new = products[~reached[products]]
            reached[new] = True
        return np.flatnonzero(reached)

    @cached_property
    def generators(self) -> tuple[int, ...]:
        """A few elements that generate the group, each outside of what those before it generate."""
        return tuple(_generators(self.table, self.identity))

    def subgroup(self, elements: Integers) -> Group:
        """Return the subgroup on some elements, ascending and closed under products, numbered in their order."""
        return Group("", np.searchsorted(elements, self.table[np.ix_(elements, elements)]))


def group_from_table(table: Integers, name: str = "") -> Group:
    """Check that a table is a group.

    Associativity is checked by Light's test, on generators alone, (x·s)·y = x·(s·y) for all x and y: n² comparisons
    for each of at most log₂ n of them (Clifford and Preston, The Algebraic Theory of Semigroups, section 1.2).

    Args:
        table: (n, n) integers.
        name: the name of the group, if it has one.

    Raises:
        InputError: if it is none; the message names the entry, the pair or the triple that breaks it.

    Example:
        >>> import numpy as np
        >>> from modgrok.tasks import group_from_table
        >>> group_from_table(np.array([[0, 1], [1, 0]])).is_cyclic
        True
    """
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not table.size:
        raise InputError(
            f"a Cayley table has as many rows as columns, got {' × '.join(map(str, table.shape))}"
        )
    n, elements = len(table), np.arange(len(table))
    if (bad := np.argwhere((table < 0) | (table >= n))).size:
        a, b = map(int, bad[0])
        raise InputError(
            f"row {a}, column {b} has {table[a, b]}; the elements of a table of {n} rows are 0 … {n - 1}"
        )
    for law, lines in (("{0}·{1} = {0}·{2} = {3}", table), ("{1}·{0} = {2}·{0} = {3}", table.T)):
        if (repeats := np.flatnonzero((np.sort(lines, axis=1) != elements).any(axis=1))).size:
            line = lines[repeats[0]]
            twice = int(np.flatnonzero(np.bincount(line, minlength=n) > 1)[0])
            first, second = np.flatnonzero(line == twice)[:2]
            raise InputError(
                f"the table is no group: {law.format(repeats[0], first, second, twice)}, "
                "where a group has different products"
            )
    identities = np.flatnonzero((table == elements).all(axis=1))
    if not identities.size:
        raise InputError("the table is no group: no element e has e·x = x for every x")
    identity = int(identities[0])
    if (moved := np.flatnonzero(table[:, identity] != elements)).size:
        x = int(moved[0])
        raise InputError(
            f"the table is no group: {identity}·x = x for every x, but {x}·{identity} = {table[x, identity]}"
        )
    for s in _generators(table, identity):
        different = np.argwhere(table[table[:, s]] != table[:, table[s]])
        if different.size:
            x, y = map(int, different[0])
            raise InputError(
                f"the table is no group: ({x}·{s})·{y} = {table[table[x, s], y]}, "
                f"but {x}·({s}·{y}) = {table[x, table[s, y]]}"
            )
    return Group(name, np.ascontiguousarray(table, dtype=np.int64))


def _generators(table: Integers, identity: int) -> list[int]:
    """Choose elements until their products, in any bracketing, are all elements."""
    reached = np.zeros(len(table), dtype=np.bool_)
    reached[identity] = True
    chosen: list[int] = []
    while not reached.all():
        chosen.append(int(np.argmin(reached)))
        reached[chosen[-1]] = True
        before = 0
        while (count := int(reached.sum())) > before:
            before, inside = count, np.flatnonzero(reached)
            reached[table[inside[:, None], chosen]] = True
    return chosen
