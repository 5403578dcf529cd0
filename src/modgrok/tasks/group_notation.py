"""The notation of finite groups: S4, A5, D59, Q8, C12, C2 x S4.

The numbering of the elements; the identity is always 0:

- `Cn`, cyclic of order n: the residues mod n.
- `Sn`, `An`, symmetric and alternating: permutations of n things in lexicographic order; a·b is "first a, then b", as
  in the code of Power et al. 2022.
- `Dn`, dihedral of order 2n, the symmetries of a regular n-gon: k is rᵏ and n + k is rᵏ·s, with s·r·s = r⁻¹.
- `Dicn`, dicyclic of order 4n: k is aᵏ and 2n + k is aᵏ·x, with x² = aⁿ and x·a = a⁻¹·x; `Qm` is Dic(m/4), so that Q8
  is 1, i, −1, −i, j, k, −j, −k.
- `Fm`, Frobenius of order m = q·k with a prime q and a divisor k > 1 of q − 1: the maps t ↦ u·t + v of ℤ/q with uᵏ = 1.
- a product `G x H`: |H|·g + h is (g, h).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

from modgrok.errors import InputError, brief, integer
from modgrok.tasks.group import Group
from modgrok.tasks.residues import Integers, is_prime, primitive_root

MAX_ORDER = 2000
"""Larger groups are refused: the analysis sums over the n³ logits of all pairs, 8·10⁹ of them at this order."""

_FACTOR = re.compile(r"([A-Z][a-z]*)_?(\d{1,9})")
_PRODUCT = re.compile(r"\s*[x×]\s*")


class Family(NamedTuple):
    """Groups that differ in a number.

    Attributes:
        order: the number of elements for a number, 0 where there is no such group.
        table: their Cayley table.
        elements: the names of the elements.
        such_as: the numbers that there are, in words.
    """

    order: Callable[[int], int]
    table: Callable[[int], Integers]
    elements: Callable[[int], list[str]]
    such_as: str = "n must be ≥ 1"


def _permutations(n: int, even: bool) -> Integers:
    """The permutations of n things in lexicographic order, or the even ones, one in a row: i ↦ row[i]."""
    every = np.array(list(itertools.permutations(range(n))), dtype=np.int64).reshape(-1, n)
    if not even:
        return every
    inversions = sum((every[:, i] > every[:, j]).astype(np.int64) for i in range(n) for j in range(i + 1, n))
    return every[inversions % 2 == 0] if n > 1 else every


def _composition(permutations: Integers) -> Integers:
    n = permutations.shape[1]
    place_values = n ** np.arange(n - 1, -1, -1)
    keys = permutations @ place_values  # ascending, since the rows are in lexicographic order
    return np.stack([np.searchsorted(keys, permutations[:, a] @ place_values) for a in permutations])


def _cycles(permutation: Sequence[int]) -> str:
    """Write a permutation in cycles on 1 … n, such as (1 2)(3 5); the identity is ()."""
    seen: set[int] = set()
    written = ""
    for start in range(len(permutation)):
        cycle, i = [], start
        while i not in seen:
            seen.add(i)
            cycle.append(str(i + 1))
            i = permutation[i]
        written += f"({' '.join(cycle)})" if len(cycle) > 1 else ""
    return written or "()"


def _cyclic(n: int) -> Integers:
    return np.add.outer(np.arange(n), np.arange(n)) % n


def _powers(letter: str, n: int) -> list[str]:
    return ["1", letter, *(f"{letter}^{k}" for k in range(2, n))][:n]


def _with_reflections(n: int, square: int) -> Integers:
    """The products of rᵏ·sᵉ with s·r = r⁻¹·s and s² = r^square, numbered k + n·e."""
    k, e = np.tile(np.arange(n), 2), np.repeat([0, 1], n)
    signs = np.where(e == 1, -1, 1)
    rotations = (k[:, None] + signs[:, None] * k + square * (e[:, None] & e)) % n
    return rotations + n * (e[:, None] ^ e)


def _reflected(rotations: list[str], letter: str) -> list[str]:
    return [*rotations, letter, *(f"{rotation} {letter}" for rotation in rotations[1:])]


def frobenius_kernel(m: int) -> int:
    """Return the prime q of the Frobenius group of order m = q·k, m's largest prime factor; 0 where k does not fit."""
    q = max((q for q in range(2, m + 1) if m % q == 0 and is_prime(q)), default=0)
    return q if q and m > q and (q - 1) % (m // q) == 0 else 0


def _maps(m: int) -> list[tuple[int, int]]:
    q = frobenius_kernel(m)
    k = m // q
    unit = pow(primitive_root(q), (q - 1) // k, q)
    return [(pow(unit, i, q), v) for i in range(k) for v in range(q)]


def _affine(m: int) -> Integers:
    """First t ↦ u·t + v, then t ↦ u'·t + v'."""
    maps, q = _maps(m), frobenius_kernel(m)
    place = {pair: i for i, pair in enumerate(maps)}
    return np.array([[place[u * w % q, (v * w + z) % q] for w, z in maps] for u, v in maps], dtype=np.int64)


def _quaternions(m: int) -> list[str]:
    if m == 8:
        return ["1", "i", "-1", "-i", "j", "k", "-j", "-k"]
    return _reflected(_powers("a", m // 2), "x")


FAMILIES = {
    "C": Family(lambda n: n, _cyclic, lambda n: [str(k) for k in range(n)]),
    "D": Family(
        lambda n: 2 * n,
        lambda n: _with_reflections(n, 0),
        lambda n: _reflected(_powers("r", n), "s"),
    ),
    "S": Family(
        math.factorial,
        lambda n: _composition(_permutations(n, even=False)),
        lambda n: [_cycles(a) for a in _permutations(n, even=False).tolist()],
    ),
    "A": Family(
        lambda n: max(1, math.factorial(n) // 2),
        lambda n: _composition(_permutations(n, even=True)),
        lambda n: [_cycles(a) for a in _permutations(n, even=True).tolist()],
    ),
    "Q": Family(
        lambda m: m if m >= 8 and m % 4 == 0 else 0,
        lambda m: _with_reflections(m // 2, m // 4),
        _quaternions,
        "n must be 8, 12, 16, …",
    ),
    "Dic": Family(
        lambda n: 4 * n,
        lambda n: _with_reflections(2 * n, n),
        lambda n: _reflected(_powers("a", 2 * n), "x"),
    ),
    "F": Family(
        lambda m: m if frobenius_kernel(m) else 0,
        _affine,
        lambda m: [f"{u}t + {v}" for u, v in _maps(m)],
        "n must be q·k with a prime q and a divisor k > 1 of q − 1, such as 20 or 21",
    ),
}

GRAMMAR = "a group is C, D, S, A, Q, Dic or F with a number, such as S4, or a product, such as C2 x S4"


def parse_group(text: str) -> str:
    """Read the notation of a group, without making its table.

    Returns:
        The notation in one form: "C2 x S4" for " C_2×S_4".

    Raises:
        InputError: if there is no such group, or it has one element or more than `MAX_ORDER`.

    Example:
        >>> from modgrok.tasks import parse_group
        >>> parse_group("C2 x S4")
        'C2 x S4'
    """
    factors = [_FACTOR.fullmatch(factor) for factor in _PRODUCT.split(text.strip())]
    order = 1
    for factor, written in zip(factors, _PRODUCT.split(text.strip()), strict=True):
        if factor is None or factor[1] not in FAMILIES:
            raise InputError(f"task: {brief(written)} is no group; {GRAMMAR}")
        family, n = FAMILIES[factor[1]], int(factor[2])
        if n > MAX_ORDER:
            raise InputError(f"task: {written} is too large; a group may have at most {MAX_ORDER:,} elements")
        if not (own := family.order(n) if n else 0):
            raise InputError(f"task: there is no group {written}; {family.such_as}")
        order *= own
    notation = " x ".join(f"{factor[1]}{int(factor[2])}" for factor in factors if factor)
    if order > MAX_ORDER:
        raise InputError(
            f"task: {notation} has {integer(order)} elements; a group may have at most {MAX_ORDER:,}, as S6 and A6 do"
        )
    if order == 1:
        raise InputError(f"task: {notation} has only one element; a group needs two or more, such as C2")
    return notation


def order_of(notation: str) -> int:
    """Count the elements of a group in the form that `parse_group` returns."""
    return math.prod(FAMILIES[name].order(int(n)) for name, n in _FACTOR.findall(notation))


@lru_cache(maxsize=8)
def make_group(notation: str) -> Group:
    """Make the group of a notation in the form that `parse_group` returns.

    Example:
        >>> from modgrok.tasks import make_group
        >>> make_group("D5").order
        10
    """
    tables = [FAMILIES[name].table(int(n)) for name, n in _FACTOR.findall(notation)]
    return Group(notation, np.ascontiguousarray(reduce(_product, tables), dtype=np.int64))


def _product(left: Integers, right: Integers) -> Integers:
    m = len(right)
    return (left[:, None, :, None] * m + right[None, :, None, :]).reshape(len(left) * m, -1)


def element_names(notation: str) -> list[str]:
    """Name the elements of a group in their order: (1 2) for a transposition, r^2 s for a reflection.

    Example:
        >>> from modgrok.tasks import element_names
        >>> element_names("S3")
        ['()', '(2 3)', '(1 2)', '(1 2 3)', '(1 3 2)', '(1 3)']
    """
    factors = [FAMILIES[name].elements(int(n)) for name, n in _FACTOR.findall(notation)]
    if len(factors) == 1:
        return factors[0]
    return [f"[{', '.join(names)}]" for names in itertools.product(*factors)]
