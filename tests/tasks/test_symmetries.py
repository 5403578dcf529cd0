import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modgrok.tasks import Domain, Task, make_task, symmetries_of
from modgrok.tasks.listed_answers import ListedAnswers


def task_of(table: NDArray[np.int64], **domain: bool) -> Task:
    return Task("given", len(table), ListedAnswers("given", table), Domain(**domain))


def classes_by_brute_force(table: NDArray[np.int64], pairs: Sequence[tuple[int, ...]]) -> list[set[int]]:
    """Join every two pairs that one step carries into each other, where each step is judged over the whole table."""
    r, n = table.ndim, len(table)
    everything = list(itertools.product(range(n), repeat=r))
    value = {at: int(table[at]) for at in everything}

    def same_rows(operand: int, a: int, b: int) -> bool:
        def at(rest: tuple[int, ...], symbol: int) -> tuple[int, ...]:
            return (*rest[:operand], symbol, *rest[operand:])

        others = itertools.product(range(n), repeat=r - 1)
        return all(value[at(rest, a)] == value[at(rest, b)] for rest in others)

    alike = {(i, a, b): same_rows(i, a, b) for i in range(r) for a in range(n) for b in range(n)}
    orders = [
        order
        for order in itertools.permutations(range(r))
        if all(value[tuple(at[i] for i in order)] == value[at] for at in everything)
    ]
    group = {at: {at} for at in everything}
    for one, other in itertools.combinations(everything, 2):
        places = [i for i in range(r) if one[i] != other[i]]
        by_row = len(places) == 1 and alike[places[0], one[places[0]], other[places[0]]]
        if by_row or any(tuple(one[i] for i in order) == other for order in orders):
            joined = group[one] | group[other]
            for at in joined:
                group[at] = joined
    return [{i for i, other in enumerate(pairs) if other in group[at]} for at in pairs]


def assert_as_by_brute_force(task: Task, table: NDArray[np.int64]) -> None:
    pairs = task.table().pairs
    classes = symmetries_of(task).classes(pairs)
    expected = classes_by_brute_force(table, [tuple(pair) for pair in pairs.tolist()])
    assert [set(np.flatnonzero(classes == number).tolist()) for number in classes] == expected
    assert set(classes.tolist()) == set(range(classes.max() + 1))


@st.composite
def tables(draw: st.DrawFn) -> NDArray[np.int64]:
    """Random tables of few answers, −1 for none, of which some have equal rows and can be transposed."""
    r = draw(st.integers(2, 3))
    n = draw(st.integers(2, 5 if r == 2 else 3))
    answers = draw(st.lists(st.integers(-1, 2), min_size=n**r, max_size=n**r))
    table = np.array(answers, dtype=np.int64).reshape((n,) * r)
    for operand in range(r):
        copied = draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
        if draw(st.booleans()):
            table = table.take(copied, axis=operand)
    orders = list(itertools.permutations(range(r)))
    for order in draw(st.lists(st.sampled_from(orders), max_size=2)):
        cycle = [table]
        while len(cycle) < 6:
            cycle.append(cycle[-1].transpose(order))
        table = np.max(cycle, axis=0)
    if table.max() < 0:
        table[(0,) * r] = 0
    return table


@settings(max_examples=200, deadline=None)
@given(table=tables())
def test_classes_of_random_tables_are_those_of_trying_all_pairs(table: NDArray[np.int64]) -> None:
    assert_as_by_brute_force(task_of(table), table)


@settings(max_examples=60, deadline=None)
@given(table=tables().filter(lambda table: table[(slice(1, None),) * table.ndim].max() >= 0))
def test_operands_that_are_left_out_do_not_tell_symbols_apart(table: NDArray[np.int64]) -> None:
    without = np.full_like(table, -1)
    inner = (slice(1, None),) * table.ndim
    without[inner] = table[inner]
    assert_as_by_brute_force(task_of(table, nonzero_operands=True), without)


@settings(max_examples=60, deadline=None)
@given(table=tables())
def test_unordered_pairs_have_the_classes_of_the_whole_table(table: NDArray[np.int64]) -> None:
    task = task_of(table, unordered_pairs=True)
    if len(task.table().answers):
        assert_as_by_brute_force(task, table)


@pytest.mark.parametrize(
    ("text", "modulus", "words", "n_classes"),
    [
        ("x**2 + y**2", 97, "x ~ −x, y ~ −y, x ↔ y", 49 * 50 // 2),
        ("x + y", 113, "x ↔ y", 113 * 114 // 2),
        ("x - y", 113, "", 113**2),
        ("x**7 + y**4", 113, "x ~ 16·x, y ~ 15·y", 17 * 29),
        ("x**2 + x + y", 97, "x ~ 96 − x", 49 * 97),
        ("(x + 1)**3 + y", 7, "x in 3 groups of alike symbols", 3 * 7),
        ("x**2", 97, "x ~ −x, any y", 49),
        ("x + y + z", 5, "x ↔ y ↔ z", 35),
        ("x*y**2*z", 5, "y ~ −y, x ↔ z", 5 * 6 // 2 * 3),
        ("x**2*y + y**2*z + z**2*x", 5, "x → y → z → x", (125 + 2 * 5) // 3),
        ("random", 97, "", 97**2),
        ("s5", 120, "", 120**2),
    ],
)
def test_symmetries_in_words(text: str, modulus: int, words: str, n_classes: int) -> None:
    task = make_task(text, modulus)
    symmetries = symmetries_of(task)
    assert str(symmetries) == words
    assert len(set(symmetries.classes(task.table().pairs).tolist())) == n_classes
