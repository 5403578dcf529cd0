"""Tables that are a function of a sum: labels T(i, j) = h(a(i) + b(j)) with a and b in a cyclic group ℤ/q.

`cyclic_positions` finds a and b from the labels alone, whatever h is. Rows and columns of the table are distinct; a
label −1 stands for a cell that is not defined. Four methods propose a and b, each where the others fail, and nothing
is returned that the whole table does not confirm:

- by translation, where the rows fill a subgroup and the columns whole cosets of it, or the reverse: adding the
  subgroup's generator to a and subtracting it from b changes no label, so it permutes the rows. The permutation is
  found from the joint histograms of two and three rows.
- by labels, where h is injective, or enough labels have one position only: a(i) + b(j) = s(T(i, j)) is a system of
  linear equations over ℤ/q.
- by degree, where q is a prime and h is a polynomial of a degree D less than the numbers of rows and columns: the rows
  then span the polynomials in b of degree up to D.
- by search, for small q.

What is missed: an h without labels of one position and of high degree, where q is not small and neither rows nor
columns fill cosets.
"""

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from modgrok.tasks.linear_equations import Solutions
from modgrok.tasks.residues import Integers, inverse_table, is_prime

Positions = tuple[Integers, Integers]

LARGEST_SEARCH = 13
_NODES = 20_000  # of the search, before it gives up
_ATTEMPTS = 60  # combinations of solutions that are tried


def cyclic_positions(table: Integers, order: int) -> Positions | None:
    """Find a and b with T(i, j) = h(a(i) + b(j)) for some h.

    Args:
        table: (r, c) labels from 0, −1 where not defined.
        order: q.

    Returns:
        a (r,) and b (c,), 0 … q − 1; None if there are none, or none that `explains` accepts.
    """
    if min(table.shape) < 2 or max(table.shape) > order:  # distinct rows need distinct positions
        return None
    proposals = (_by_translation, _by_labels, _by_degree, _by_search)
    for propose in proposals:
        for a, b in propose(table, order):
            if explains(table, a, b, order):
                return a, b
    return None


def explains(table: Integers, a: Integers, b: Integers, order: int) -> bool:
    """Say whether the labels are a function of a + b that takes fewer numbers to write down than the table.

    a, b and h are counted without what can be chosen freely: the origins of a and b, and the unit of both. Without
    this condition every table small enough would be h(a + b), with a position of its own for each cell.
    """
    defined = table >= 0
    sums = (a[:, None] + b) % order
    labels = np.full(order, -1)
    labels[sums[defined]] = table[defined]
    if (labels[sums] != table)[defined].any():
        return False
    cells = np.unique((a[:, None] * order + b)[defined]).size
    return bool(np.unique(a).size + np.unique(b).size - 3 + np.count_nonzero(labels >= 0) < cells)


def _by_translation(table: Integers, order: int) -> Iterator[Positions]:
    yield from _rows_translated(table, order)
    yield from ((a, b) for b, a in _rows_translated(table.T, order))


def _rows_translated(table: Integers, order: int) -> Iterator[Positions]:
    """Propose positions where the rows fill a subgroup and the columns whole cosets of it.

    Σ_j u(T(i, j))·v(T(k, j))·w(T(l, j)) mod 2⁶⁴ with random u, v, w is a fingerprint of the joint histogram of the
    rows i, k, l, and does not change where the three are translated together.
    """
    r = len(table)
    if order % r:
        return
    weights = np.random.default_rng(0).integers(2**63, size=(3, int(table.max()) + 2), dtype=np.uint64)
    u, v, w = weights[:, table]
    if np.unique(u.sum(axis=1)).size > 1:
        return
    from_0 = v @ u[0]
    for row in range(1, r):
        triples = w @ (u[0] * v[row])
        for image in np.flatnonzero(v @ u[row] == from_0[row]):
            translated = w @ (u[row] * v[image])
            translation = np.empty(r, dtype=np.int64)
            translation[triples.argsort()] = translated.argsort()
            if (translated[translation] == triples).all() and (cycle := _cycle(translation)) is not None:
                a = np.empty(r, dtype=np.int64)
                a[cycle] = np.arange(r) * (order // r)
                if (b := _columns_on_cycle(table[cycle], order)) is not None:
                    yield a, b


def _cycle(permutation: Integers) -> Integers | None:
    """List the places in the order in which the permutation visits them from 0; None where it misses one."""
    cycle = np.zeros(len(permutation), dtype=np.int64)
    for k in range(1, len(permutation)):
        cycle[k] = permutation[cycle[k - 1]]
        if cycle[k] == 0:
            return None
    return cycle


def _columns_on_cycle(table: Integers, order: int) -> Integers | None:
    """Find b where row i stands at i·q/r: columns of one coset are rotations of each other."""
    r, c = table.shape
    step = order // r
    weights = np.random.default_rng(0).integers(2**63, size=(int(table.max()) + 2, r), dtype=np.uint64)
    rotated = (np.arange(r)[:, None] + np.arange(r)) % r
    hashes = weights[table.T, np.arange(r)].sum(axis=1)  # (c,)
    b = np.full(c, -1)
    for coset in range(step + 1):
        unknown = np.flatnonzero(b < 0)
        if not len(unknown):
            return b
        if coset == step:
            break
        rotations = weights[table[:, unknown[0]][rotated], np.arange(r)].sum(axis=1)  # (r,)
        by_hash = dict(zip(rotations.tolist(), range(r), strict=True))
        for column in unknown:
            if (shift := by_hash.get(int(hashes[column]))) is not None:
                b[column] = coset + shift * step
    return None


def _by_labels(table: Integers, order: int) -> Iterator[Positions]:
    """Propose positions where h is injective, or from the labels that are at most once in each row and column.

    A label of one position is so, since rows and columns are distinct; where h is injective all labels are, unless
    cells that are not defined keep equal rows apart.
    """
    n_labels = int(table.max()) + 1
    single = np.ones(n_labels + 1, dtype=np.bool_)
    single[-1] = False
    for lines in (table, table.T):
        for line in lines:
            single[:-1] &= np.bincount(line[line >= 0], minlength=n_labels) < 2
    defined, used = table >= 0, single[table]
    if (used == defined).all() or not defined.all():
        yield from _linear(table, order, defined)
    if (used != defined).any():
        yield from _linear(table, order, used)


def _linear(table: Integers, order: int, used: NDArray[np.bool_]) -> Iterator[Positions]:
    """Solve a(i) + b(j) = s(T(i, j)) over the cells that are used, and propose solutions with an injective s.

    Fewer cells than unknowns, but for the two origins and the unit, leave the positions open.
    """
    if used.sum() < max(1, sum(table.shape) + np.unique(table[used]).size - 3):
        return
    labels, numbers = np.unique(np.where(used, table, -1), return_inverse=True)
    numbers, n_labels = numbers.reshape(table.shape) - (labels[0] < 0), len(labels) - int(labels[0] < 0)
    r, c = table.shape
    # the unknowns are s, a and b; those of the first column and row follow from s, with a = 0 at one row
    row = int(used.sum(axis=1).argmax())
    column = int(np.where(used[row], used.sum(axis=0), -1).argmax())
    free = [i for i in range(r) if not used[i, column]], [j for j in range(c) if not used[row, j]]
    n_free = n_labels + len(free[0]) + len(free[1])
    solutions = Solutions(np.eye(n_free, dtype=np.int64), order)

    def positions() -> tuple[Integers, Integers, Integers]:
        known = solutions.generators
        s = known[:n_labels]
        a, b = np.empty((r, known.shape[1]), dtype=np.int64), np.empty((c, known.shape[1]), dtype=np.int64)
        a[free[0]], b[free[1]] = np.split(known[n_labels:], [len(free[0])])
        a[used[:, column]] = s[numbers[used[:, column], column]] - s[numbers[row, column]]
        b[used[row]] = s[numbers[row, used[row]]]
        return s, a, b

    for i in range(r):
        s, a, b = positions()
        solutions.impose((a[i] + b[used[i]] - s[numbers[i, used[i]]]) % order)
    generators = positions()
    draws = np.random.default_rng(0)
    for _ in range(_ATTEMPTS):
        combination = draws.integers(order, size=solutions.generators.shape[1])
        s, a, b = (values @ combination % order for values in generators)
        if np.unique(s).size == n_labels:
            yield a, b


def _by_degree(table: Integers, prime: int) -> Iterator[Positions]:
    """Propose positions where h is a polynomial over ℤ/p of a degree D below r and c.

    T(i, j) = Σ_m h⁽ᵐ⁾(b(j))·a(i)ᵐ/m!, so the rows span W = {1, b, …, b^D} and their differences W' = {1, …, b^(D−1)}.
    The functions v of the columns with v·W' in W are those of degree at most 1: b, but for its origin and unit. The
    coefficient of b^(D−1) in row i is then linear in a(i).
    """
    r, c = table.shape
    if not is_prime(prime) or (table < 0).any() or table.max() >= prime:
        return
    draws = np.random.default_rng(0)
    annihilators = Solutions(np.eye(c, dtype=np.int64), prime)
    for row in table:
        annihilators.impose(row[None] @ annihilators.generators % prime)
    degree = c - annihilators.generators.shape[1] - 1
    if not 1 < degree <= min(r - 1, c - 2):
        return
    m = degree + 9  # random combinations that span W and W', and twice as many conditions on v
    span = draws.integers(prime, size=(m, r)) @ table % prime
    differences = draws.integers(prime, size=(2 * m, r - 1)) @ (table[1:] - table[0]) % prime
    conditions = annihilators.generators @ draws.integers(prime, size=(c - degree - 1, 2 * m)) % prime
    products = Solutions(np.eye(m, dtype=np.int64), prime)
    products.impose(conditions.T * differences % prime @ span.T % prime)
    functions = (span.T @ products.generators % prime).T  # (…, c), each v at the columns
    functions = (functions - functions[:, :1]) % prime
    for b in functions[functions.any(axis=1)][:1]:
        if np.unique(b).size < c:
            return
        inverses, divided = inverse_table(prime), table.T[: degree + 1]
        for k in range(1, degree + 1):  # Newton's divided differences of every row, at D + 1 columns
            slopes = (divided[k:] - divided[k - 1 : -1]) * inverses[
                (b[k : degree + 1] - b[: degree + 1 - k]) % prime, None
            ]
            divided = np.concatenate([divided[:k], slopes % prime])
        leading = divided[degree]
        coefficient = (divided[degree - 1] - leading * b[:degree].sum()) % prime
        yield (coefficient - coefficient[0]) * inverses[degree * leading[0] % prime] % prime, b


def _by_search(table: Integers, order: int) -> Iterator[Positions]:
    """Propose every assignment that no cell contradicts, a row or a column at a time, up to origins and units."""
    if order > LARGEST_SEARCH:
        return
    r, c = table.shape
    cells = np.full((r + c, r + c), -1)  # of lines: the rows, then the columns
    cells[:r, r:], cells[r:, :r] = table, table.T
    nodes = itertools.count()

    def search(positions: Integers, labels: Integers) -> Iterator[Positions]:
        unknown = positions < 0
        if next(nodes) > _NODES:
            return
        if not unknown.any():
            yield positions[:r], positions[r:]
            return
        found = labels[(np.arange(order)[:, None] + positions[~unknown]) % order]  # (q, known lines)
        known = cells[unknown][:, None, ~unknown]
        allowed = ((found < 0) | (known < 0) | (found == known)).all(axis=2)  # (unknown lines, q)
        line = int(allowed.sum(axis=1).argmin())
        values = np.flatnonzero(allowed[line])
        if positions.max() == 0:  # the unit is free: the first position besides 0 may divide q
            values = values[order % np.maximum(values, 1) == 0]
        number = int(np.flatnonzero(unknown)[line])
        for value in values:
            extended, with_line = labels.copy(), positions.copy()
            with_line[number] = value
            defined = ~unknown & (cells[number] >= 0)
            extended[(value + positions[defined]) % order] = cells[number, defined]
            yield from search(with_line, extended)

    origin = np.full(r + c, -1)
    origin[[0, r]] = 0
    labels = np.full(order, -1)
    labels[0] = table[0, 0]
    return (yield from search(origin, labels))
