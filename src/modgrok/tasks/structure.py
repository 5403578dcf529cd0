"""The algebra of a task: whether its answers separate into one part per operand, and into which.

A task is additive where answer = h(f(x) + g(y)), multiplicative where answer = h(f(x)·g(y)), with a map h of the
residues that is most often the identity; with three operands there is a k(z) too. Both are decided from the table of
all answers and not from the formula, so that `(x**2 - y**2) / (x - y)` counts as the sum that it computes, and
`x*y + x + y` as a product: it is h((x + 1)·(y + 1)) with h(s) = s − 1.

A task of two operands is a group where answer = h(f(x)·g(y)) with the product of a finite group and f, g and h
one-to-one: x * y in S4, or a table that is one under other names of its symbols and answers. A cyclic group is a sum.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from modgrok.tasks.cyclic_positions import cyclic_positions
from modgrok.tasks.group import Group
from modgrok.tasks.group_recognition import recognize
from modgrok.tasks.group_word import GroupWord
from modgrok.tasks.residues import Integers, discrete_logarithms, exponentials, is_prime
from modgrok.tasks.task import Task

Kind = Literal["additive", "multiplicative"]

_PARTS = ("f(x)", "g(y)", "k(z)")


@dataclass(frozen=True)
class Structure:
    """How a task's answers separate.

    Attributes:
        kind: "additive", "multiplicative", "group" or "neither".
        parts: one (n_symbols,) array per operand with f(x), g(y) and, if there are three, k(z); −1 where a
            part is undefined, as at y = 0 in x/y. Empty for "neither".
        reason: why, in a sentence for the user.
        answer_map: h, (n,) for sums or products mod n: the answer at each residue s = f(x) + g(y), or f(x)·g(y), or at
            each element of the group; −1 where no tuple has that s. None where h is the identity.
        group: the group whose product it is, where the kind is "group".

    Example:
        >>> from modgrok.tasks import make_task, structure_of
        >>> structure_of(make_task("x**2 + y", 5)).parts
        (array([0, 1, 4, 4, 1]), array([0, 1, 2, 3, 4]))
    """

    kind: Kind | Literal["group", "neither"]
    parts: tuple[Integers, ...]
    reason: str
    answer_map: Integers | None = None
    group: Group | None = None


def structure_of(task: Task) -> Structure:
    """Find how a task's answers separate, wherever its operation is defined: also outside the task's domain.

    The simplest structure is returned: with h the identity, then with an injective h, then with any h; a sum before
    a product, since a sum needs no prime modulus and no exception for 0. A product needs a prime modulus: only there
    does every nonzero residue have a discrete logarithm. The parts, and h, give the answers exactly.

    With h the identity, the parts are made unique by g = k = 0 (in a sum) or g = k = 1 (in a product) at the first
    symbol where that can be: x**8 and y**9 for x**8 + y**9, x and 1/y for x/y. Such parts may be missed with three
    operands where divisors leave only a few scattered tuples; with two operands, never.

    With another h, what counts is that the sums f(x) + g(y), or the discrete logarithms of the products, explain the
    table: f, g and h must be fewer numbers than the table of distinct rows and columns (see `explains`); otherwise
    every small table would be structured. `cyclic_positions` lists how they are found and what can be missed. Such
    parts are unique but for the origin and unit of the positions, and h changes with these; the first symbol of each
    operand has position 0. What has no h is never called structured.

    Sums are taken mod `task.sum_modulus`. That is p, but 2p − 1 for `only_add`, which no x + y reaches, so that
    nothing is reduced.

    Example:
        >>> from modgrok.tasks import make_task, structure_of
        >>> structure_of(make_task("x*y + x + y", 7)).kind  # (x + 1)·(y + 1) − 1
        'multiplicative'
    """
    answers, defined = task.grid()
    if (group := _group(task, answers, defined)) is not None:
        return group
    if task.operation.unstructured:
        return _neither(task.operation.unstructured)
    p, n = task.modulus, task.sum_modulus
    sum_, product = (operator.join(_PARTS[: task.n_operands]) for operator in (" + ", "·"))

    terms = _terms(answers, defined, n)
    if _agree(answers, _combined("additive", terms, n), defined):
        return _separated("additive", f"{sum_} mod {p}" if n == p else sum_, terms)
    if is_prime(p):
        factors = _factors(answers, defined, p)
        if _agree(answers, _combined("multiplicative", factors, p), defined):
            return _separated("multiplicative", f"{product} mod {p}", factors)

    table = np.where(defined, answers, -1)
    kinds: tuple[Kind, ...] = ("additive", "multiplicative") if n == p and is_prime(p) else ("additive",)
    found: list[Structure] = []
    for kind in kinds:
        if (structure := _mapped(kind, table, n)) is not None:
            if _injective(structure):
                return structure
            found.append(structure)
    if found:
        return found[0]
    if len(kinds) == 1:
        return _neither(f"no h({sum_}) gives them all, and products are looked for mod a prime only")
    return _neither(f"no h({sum_}) and no h({product}) gives them all")


def _group(task: Task, answers: Integers, defined: NDArray[np.bool_]) -> Structure | None:
    """Find the group that the table is; a cyclic one is left to be found as a sum."""
    operation = task.operation
    if task.n_operands != 2 or task.n_symbols != task.n_answers or not defined.all():
        return None
    found = recognize(answers, operation.group if isinstance(operation, GroupWord) else None)
    if found is None or found.group.is_cyclic:
        return None
    group, parts, answer_at = found.group, found.parts, found.answer_at
    elements = np.arange(group.order)
    if all((numbers == elements).all() for numbers in (*parts, answer_at)):
        return Structure("group", parts, f"The answers are the products in {group}.", None, group)
    reason = f"Every answer is h(f(x)·g(y)) with the product of {group} and one-to-one maps f, g and h."
    return Structure("group", parts, reason, answer_at, group)


def _mapped(kind: Kind, table: Integers, modulus: int) -> Structure | None:
    """Find parts of which the answers are a function.

    Args:
        kind: whether the parts are added or multiplied.
        table: (n_symbols,) * r answers, −1 where not defined.
        modulus: the modulus of the sum or the product.
    """
    lines = table.reshape(len(table), -1)  # y and z together are one operand
    rows, row_of = np.unique(lines, axis=0, return_inverse=True)
    merged, column_of = np.unique(rows, axis=1, return_inverse=True)
    for zero_rows, zero_columns in _zeros(kind, merged):
        undefined_rows, undefined_columns = (merged < 0).all(axis=1), (merged < 0).all(axis=0)
        on_rows, on_columns = ~(zero_rows | undefined_rows), ~(zero_columns | undefined_columns)
        order = modulus if kind == "additive" else modulus - 1
        positions = cyclic_positions(merged[on_rows][:, on_columns], order)
        if positions is None:
            continue
        row_residues, column_residues = (
            np.where(undefined, -1, 0) for undefined in (undefined_rows, undefined_columns)
        )
        row_residues[on_rows], column_residues[on_columns] = positions
        first, rest = row_residues[row_of.ravel()], column_residues[column_of.ravel()]
        on = on_rows[row_of.ravel()], on_columns[column_of.ravel()]
        first[on[0]], rest[on[1]] = _from_origin(first[on[0]], rest[on[1]], order)
        if kind == "multiplicative":
            powers = exponentials(modulus)
            first[on[0]], rest[on[1]] = powers[first[on[0]]], powers[rest[on[1]]]
        parts = [first]
        if table.ndim == 2:
            parts.append(rest)
        else:  # y and z are one operand no more
            of_others = rest.reshape(table.shape[1:])
            separate = _terms if kind == "additive" else _factors
            parts += list(separate(of_others, of_others >= 0, modulus))
        answers = _answer_map(kind, np.stack(parts), table, modulus)
        if answers is not None:
            return _with_map(kind, parts, answers, modulus)
    return None


def _zeros(kind: Kind, table: Integers) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Propose which rows and columns have the part 0 of a product: all their answers are h(0)."""
    if kind == "multiplicative":
        labels = [set(np.unique(line[line >= 0]).tolist()) for line in (*table, *table.T)]
        for label in sorted({next(iter(found)) for found in labels if len(found) == 1}):
            constant = (table == label) | (table < 0)
            yield constant.all(axis=1), constant.all(axis=0)
    yield np.zeros(len(table), dtype=np.bool_), np.zeros(table.shape[1], dtype=np.bool_)


def _from_origin(a: Integers, b: Integers, order: int) -> tuple[Integers, Integers]:
    """Move positions so that the first of each is 0, and the next of a that is not is 1 where a unit makes it so."""
    a, b = (a - a[0]) % order, (b - b[0]) % order
    second = int(a[np.argmax(a > 0)])
    unit = pow(second, -1, order) if np.gcd(second, order) == 1 else 1
    return a * unit % order, b * unit % order


def _answer_map(kind: Kind, parts: Integers, table: Integers, modulus: int) -> Integers | None:
    """Read h off the table; None where the answers are no function of the combined parts."""
    defined = table >= 0
    combined = _combined(kind, parts, modulus)
    answers = np.full(modulus, -1, dtype=np.int64)
    answers[combined[defined]] = table[defined]
    return answers if _agree(table, answers[combined], defined) else None


def _with_map(kind: Kind, parts: list[Integers], answers: Integers, modulus: int) -> Structure:
    names = _PARTS[: len(parts)]
    combined = (" + " if kind == "additive" else "·").join(names)
    reached, taken = np.count_nonzero(answers >= 0), _n_values(answers)
    map_ = "one-to-one" if reached == taken else f"{reached} values to {taken} answers"
    reason = f"Every answer is h({combined} mod {modulus}) with a map h, {map_} ({_counts(parts)})."
    return Structure(kind, tuple(parts), reason, answers)


def _injective(structure: Structure) -> bool:
    answers = structure.answer_map
    return answers is None or np.count_nonzero(answers >= 0) == _n_values(answers)


def _combined(kind: Kind, parts: Integers, modulus: int) -> Integers:
    """Add or multiply the parts of every tuple; no meaning where a part is undefined."""
    if kind == "additive":
        total: Integers = reduce(np.add, np.ix_(*parts)) % modulus
        return total
    return reduce(lambda left, right: left * right % modulus, np.ix_(*parts))


def _agree(answers: Integers, others: Integers, defined: NDArray[np.bool_]) -> bool:
    return not (defined & (answers != others)).any()


def _terms(answers: Integers, defined: NDArray[np.bool_], modulus: int) -> Integers:
    """Read parts off the table that sum to the defined answers, if any parts do.

    A tuple of which one part is unknown gives that part. To begin with, g and h are 0 at their first symbol;
    where no tuple connects what is known with the rest, one more part may be chosen.

    Returns:
        (r, n_symbols), −1 for a symbol that is in no defined tuple.
    """
    tuples, sums = np.argwhere(defined), answers[defined]
    operands = np.arange(answers.ndim)
    parts = np.full((answers.ndim, len(answers)), -1, dtype=np.int64)
    parts[operands[1:], tuples[:, 1:].min(axis=0)] = 0
    while True:
        values = parts[operands, tuples]  # (n, r)
        unknown = values < 0
        n_unknown = unknown.sum(axis=1)
        if (ready := n_unknown == 1).any():
            operand = unknown[ready].argmax(axis=1)
            rest = np.where(unknown, 0, values)[ready].sum(axis=1)
            parts[operand, tuples[ready, operand]] = (sums[ready] - rest) % modulus
        elif n_unknown.any():
            apart = np.argmax(n_unknown > 0)
            operand = operands[unknown[apart]][-1]
            parts[operand, tuples[apart, operand]] = 0
        else:
            return parts


def _factors(answers: Integers, defined: NDArray[np.bool_], prime: int) -> Integers:
    """Read parts off the table whose product mod the prime is the defined answers, if any parts do.

    The logarithms of the nonzero answers are sums mod p − 1. A symbol without nonzero answers has the part 0.

    Returns:
        (r, n_symbols), −1 for a symbol that is in no defined tuple.
    """
    nonzero = defined & (answers != 0)
    logarithms = _terms(discrete_logarithms(prime)[answers], nonzero, prime - 1)
    factors = np.where(logarithms >= 0, exponentials(prime)[logarithms], 0)
    for operand, symbols in enumerate(np.argwhere(defined).T):
        factors[operand, np.setdiff1d(np.arange(len(answers)), symbols)] = -1
    return factors


def _separated(kind: Kind, written: str, parts: Integers) -> Structure:
    return Structure(kind, tuple(parts), f"Every answer is {written} ({_counts(list(parts))}).")


def _counts(parts: list[Integers]) -> str:
    counts = ", ".join(f"{_n_values(part)} for {name}" for name, part in zip(_PARTS, parts, strict=False))
    return f"number of values: {counts}"


def _neither(why: str) -> Structure:
    return Structure("neither", (), f"The answers do not separate: {why}.")


def _n_values(part: Integers) -> int:
    return len(np.unique(part[part >= 0]))
