"""The real irreducible representations of a finite group, from its Cayley table alone.

A function on a group splits into parts by irreps as a function on ℤ/p splits into frequencies; for ℤ/p the irreps are
the frequencies, each with the plane of its cosine and sine. See Serre, Linear Representations of Finite Groups, parts
I and II.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from string import ascii_lowercase

import numpy as np
from numpy.typing import NDArray

from modgrok.tasks import Group

Floats = NDArray[np.float64]

FIELDS = {1: "real", 2: "complex", 4: "quaternionic"}
"""What the matrices that commute with an irrep form, by their dimension."""

# Eigenvalues of the random operators are equal where they differ by less than this of the largest: rounding leaves
# 1e-14, and two of at most 2,000 that are different have never been found within 1e-8.
_EQUAL = 1e-9

_MOST_NAMED = 12


@dataclass(frozen=True, eq=False)
class Irrep:
    """A real irreducible representation ρ of a group of order n.

    Attributes:
        name: unique within the group: trivial, sign, standard, "frequency 3", or its dimension, as in "5a".
        group: the group that it represents.
        dimension: D, that of the real matrices ρ(g).
        commutant: e, the dimension of the matrices that commute with every ρ(g): 1 for a real irrep; 2 for a complex
            one, which is two conjugate complex irreps of dimension D/2; 4 for a quaternionic one, twice a complex
            irrep of dimension D/2.
        basis: (n, D²/e), orthonormal: the functions on the group that the entries of ρ span.
        block: (n, D), orthonormal: the functions within `basis` on which left translation acts as ρ.

    Example:
        >>> from modgrok.analysis import real_irreps
        >>> from modgrok.tasks import make_group
        >>> [(irrep.name, irrep.dimension) for irrep in real_irreps(make_group("S3"))]
        [('trivial', 1), ('sign', 1), ('standard', 2)]
    """

    name: str
    group: Group
    dimension: int
    commutant: int
    basis: Floats
    block: Floats

    @cached_property
    def character(self) -> Floats:
        """(n,): the trace of ρ(g)."""
        scale = self.group.order * self.commutant / self.dimension
        return scale * (self.basis @ self.basis[self.group.identity])

    @cached_property
    def matrices(self) -> Floats:
        """(n, D, D): the orthogonal matrices ρ(g), with ρ(g)·ρ(h) = ρ(g·h)."""
        translated = self.block[self.group.table[self.group.inverses]]  # (g, x, D): block[g⁻¹·x]
        return np.einsum("xi,gxj->gij", self.block, translated, optimize=True)


def real_irreps(group: Group) -> tuple[Irrep, ...]:
    """Find every real irrep of a group, named and sorted: by dimension, then by their characters.

    A random symmetric operator that commutes with left translation, H[g, h] = w(g⁻¹h) with w(u) = w(u⁻¹), has the
    irreducible subrepresentations of the real functions on the group as its eigenspaces, almost surely. A random
    operator that commutes with left and right translation, the same with w constant on conjugacy classes, is a number
    on each irrep, and so tells which of them are equal. An irrep occurs D/e times.

    Time and memory grow with n³ and n²: 0.1 s for S5, seconds for n = 2,000.

    Example:
        >>> from modgrok.analysis import real_irreps
        >>> from modgrok.tasks import make_group
        >>> [irrep.dimension for irrep in real_irreps(make_group("S5"))]
        [1, 1, 4, 4, 5, 5, 6]
    """
    n, inverses = group.order, group.inverses
    quotients = group.table[inverses]  # g⁻¹·h
    seed = 0
    while True:
        # RandomState's stream is the same in every version of numpy
        random = np.random.RandomState(seed)
        weights, of_classes = (
            random.standard_normal(n),
            random.standard_normal(group.n_classes)[group.classes],
        )
        values, vectors = np.linalg.eigh((weights + weights[inverses])[quotients])
        central = (of_classes + of_classes[inverses])[quotients]
        numbers = np.einsum("gi,gi->i", vectors, central @ vectors)
        blocks = np.split(np.arange(n), _jumps(values))
        found = [
            _irrep(group, vectors, [blocks[i] for i in equal])
            for equal in _equal([float(numbers[block].mean()) for block in blocks])
        ]
        # fails where two random numbers are equal by chance
        if sum(irrep.basis.shape[1] for irrep in found) == n and all(
            irrep.basis.shape[1] * irrep.commutant == irrep.dimension**2 for irrep in found
        ):
            return tuple(_named(group, sorted(found, key=_order)))
        seed += 1


def list_irreps(irreps: Sequence[Irrep]) -> str:
    """List irreps in words with their dimensions, or count them by dimension where they are many."""
    if len(irreps) > _MOST_NAMED:
        counts = Counter(irrep.dimension for irrep in irreps)
        return ", ".join(f"{count} of dimension {dimension}" for dimension, count in counts.items())
    words = []
    for irrep in irreps:
        facts = [] if irrep.name[0].isdigit() or irrep.dimension == 1 else [str(irrep.dimension)]
        facts += [FIELDS[irrep.commutant]] if irrep.commutant > 1 else []
        words.append(f"{irrep.name} ({', '.join(facts)})" if facts else irrep.name)
    return ", ".join(words)


def _jumps(values: Floats) -> NDArray[np.int64]:
    """Where ascending values change."""
    return np.flatnonzero(np.diff(values) > _EQUAL * np.abs(values).max()) + 1


def _equal(numbers: Sequence[float]) -> Iterator[list[int]]:
    """Group the indices of equal numbers."""
    order = np.argsort(numbers)
    for members in np.split(order, _jumps(np.asarray(numbers)[order])):
        yield members.tolist()


def _irrep(group: Group, vectors: Floats, blocks: Sequence[NDArray[np.int64]]) -> Irrep:
    dimension = max(len(block) for block in blocks)
    commutant = dimension // len(blocks) or 1
    return Irrep("", group, dimension, commutant, vectors[:, np.concatenate(blocks)], vectors[:, blocks[0]])


def _order(irrep: Irrep) -> tuple[object, ...]:
    """Sort by dimension; then the trivial irrep first, and large characters of the first elements first."""
    return (irrep.dimension, *(-irrep.character).round(6).tolist())


def _named(group: Group, irreps: Sequence[Irrep]) -> Iterator[Irrep]:
    names = [_known_name(group, irrep) for irrep in irreps]
    if names.count("one-dimensional") == 1:
        names[names.index("one-dimensional")] = "sign"
    left = Counter(
        irrep.dimension for irrep, name in zip(irreps, names, strict=True) if name in ("", "one-dimensional")
    )
    used: Counter[int] = Counter()
    for irrep, name in zip(irreps, names, strict=True):
        if name in ("", "one-dimensional"):
            letter = _letter(used[irrep.dimension]) if left[irrep.dimension] > 1 else ""
            used[irrep.dimension] += 1
            name = f"{irrep.dimension}{letter}"
        yield Irrep(name, group, irrep.dimension, irrep.commutant, irrep.basis, irrep.block)


def _letter(number: int) -> str:
    """a … z, aa, ab, …"""
    more, last = divmod(number, 26)
    return (_letter(more - 1) if more else "") + ascii_lowercase[last]


def _known_name(group: Group, irrep: Irrep) -> str:
    """Name an irrep by its character; "" where it has no name of its own.

    In a group with a name, element 1 is the rotation or the transposition that decides: see `group_notation`.
    """
    family, _, number = group.name[:1], None, group.name[1:]
    character = irrep.character
    if irrep.dimension == 1:
        return "trivial" if character.min() > 0 else "one-dimensional"
    if not number.isdigit():
        return ""
    n, at_one = int(number), float(character[1])
    if family in "CD" and irrep.dimension == 2:
        return f"frequency {round(n * math.acos(max(-1.0, min(1.0, at_one / 2))) / (2 * math.pi))}"
    if family == "S" and irrep.dimension == n - 1 and n > 2:
        # χ(g) + 1 is the number of fixed points; times the sign it has the other value at a transposition
        if abs(at_one - (n - 3)) < 1e-6:
            return "standard"
        return "standard·sign" if abs(at_one + (n - 3)) < 1e-6 else ""
    if family == "A" and irrep.dimension == n - 1 and n > 3:
        # element 1 is a 3-cycle, which fixes n − 3 things
        return "standard" if abs(at_one - (n - 4)) < 1e-6 else ""
    return ""
