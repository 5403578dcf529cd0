import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modgrok.tasks import CATALOG, Structure, Task, make_task, structure_of
from modgrok.tasks.cyclic_positions import cyclic_positions, explains
from modgrok.tasks.operation import Operation

INVERSES_MOD_11 = [-1, *(pow(y, -1, 11) for y in range(1, 11))]


@dataclass(frozen=True)
class Given(Operation):
    """A table written out, −1 where nothing is defined."""

    answers: NDArray[np.int64]

    def __str__(self) -> str:
        return "given"

    @property
    def n_operands(self) -> int:
        return self.answers.ndim

    def evaluate(
        self, operands: Sequence[NDArray[np.int64]], modulus: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        answers = self.answers[tuple(operands)]
        return np.maximum(answers, 0), answers >= 0


def assert_exact(task: Task, structure: Structure) -> None:
    """h of the parts of every defined tuple gives its answer, and symbols of no defined tuple have no part."""
    answers, defined = task.grid()
    seen = [set[int]() for _ in structure.parts]
    answer_map = range(task.n_answers) if structure.answer_map is None else structure.answer_map
    reached = set()
    for operands in itertools.product(range(task.n_symbols), repeat=task.n_operands):
        if defined[operands]:
            parts = [int(part[s]) for part, s in zip(structure.parts, operands, strict=True)]
            assert min(parts) >= 0
            combined = (sum(parts) if structure.kind == "additive" else prod(parts)) % task.n_answers
            assert answer_map[combined] == answers[operands]
            reached.add(combined)
            for symbols, s in zip(seen, operands, strict=True):
                symbols.add(s)
    for part, symbols in zip(structure.parts, seen, strict=True):
        assert part.dtype == np.int64
        assert set(np.flatnonzero(part >= 0).tolist()) == symbols
    if structure.answer_map is not None:
        assert structure.answer_map.dtype == np.int64
        assert set(np.flatnonzero(structure.answer_map >= 0).tolist()) == reached


@pytest.mark.parametrize(
    ("text", "f", "g"),
    [
        ("x**8 + y**9", [pow(x, 8, 11) for x in range(11)], [pow(y, 9, 11) for y in range(11)]),
        ("3 - y + x**2", [(3 + x * x) % 11 for x in range(11)], [-y % 11 for y in range(11)]),
        ("(x**2 - y**2) / (x - y)", list(range(11)), list(range(11))),
        ("x + 1/y", [(x + 1) % 11 for x in range(11)], [-1, *((i - 1) % 11 for i in INVERSES_MOD_11[1:])]),
        ("x**2", [x * x % 11 for x in range(11)], [0] * 11),
        ("4", [4] * 11, [0] * 11),
    ],
)
def test_a_sum_has_the_parts_that_a_reader_expects(text: str, f: list[int], g: list[int]) -> None:
    structure = structure_of(make_task(text, 11))
    assert structure.kind == "additive"
    assert [part.tolist() for part in structure.parts] == [f, g]


@pytest.mark.parametrize(
    ("text", "f", "g"),
    [
        ("x * y", list(range(11)), list(range(11))),
        ("x / y", list(range(11)), INVERSES_MOD_11),
        ("x**2 * y", [x * x % 11 for x in range(11)], list(range(11))),
        ("(x + 1) * (y + 1)", [(x + 1) % 11 for x in range(11)], [(y + 1) % 11 for y in range(11)]),
        ("x*y + 2*y", [(x + 2) % 11 for x in range(11)], list(range(11))),
        ("x * y / (x*y)**2", INVERSES_MOD_11, INVERSES_MOD_11),
    ],
)
def test_a_product_has_the_parts_that_a_reader_expects(text: str, f: list[int], g: list[int]) -> None:
    structure = structure_of(make_task(text, 11))
    assert structure.kind == "multiplicative"
    assert [part.tolist() for part in structure.parts] == [f, g]


@pytest.mark.parametrize(
    ("text", "modulus", "kind"),
    [
        ("x*y + 1", 11, "multiplicative"),
        ("x**2 + x*y + y**2", 11, "neither"),
        ("(x + y)**2", 11, "additive"),
        ("(x + y)**2", 12, "additive"),
        ("(x**2 + y**2)**2", 23, "additive"),
        ("(x**2 + y)**3", 31, "additive"),
        ("(x**2*y + 1)**2", 23, "multiplicative"),
        ("(x**2 + 1)*(y + 3) + 1", 23, "multiplicative"),
        ("x*y + x + y", 23, "multiplicative"),
        ("(x + y + z)**3", 13, "additive"),
        ("(x*y*z + 1)**2", 11, "multiplicative"),
        ("x**3 + x*y", 23, "neither"),
        ("(x + y)**2", 2, "additive"),
        ("x / (x + y)", 11, "neither"),
        ("x - y", 12, "additive"),
        ("x*y", 12, "neither"),
        ("x / y", 12, "neither"),
        ("x * y", 2, "multiplicative"),
        ("x + y*z", 5, "neither"),
        ("x - y**2 + 2*z", 5, "additive"),
        ("x * y / z", 5, "multiplicative"),
        ("(x + 1) * (y + 2) * z**2", 5, "multiplicative"),
        ("random", 11, "neither"),
        ("s5conj", 120, "neither"),
        ("even_add_odd_multiply", 11, "neither"),
        ("odd_divide_even_subtract", 11, "neither"),
    ],
)
def test_kinds(text: str, modulus: int, kind: str) -> None:
    task = make_task(text, modulus)
    structure = structure_of(task)
    assert structure.kind == kind
    assert bool(structure.parts) == (kind != "neither")
    if structure.parts:
        assert_exact(task, structure)


def test_a_sum_without_a_modulus_is_a_sum() -> None:
    structure = structure_of(make_task("only_add", 7))
    assert structure.kind == "additive"
    assert [part.tolist() for part in structure.parts] == [list(range(7))] * 2


@pytest.mark.parametrize("text", ["x + y", "x / y", "x**2 * y", "x*y + 1"])
def test_a_narrower_domain_does_not_hide_the_structure(text: str) -> None:
    whole = structure_of(make_task(text, 7))
    narrowed = structure_of(make_task(text, 7, nonzero_operands=True, unordered_pairs=True))
    assert narrowed.kind == whole.kind
    assert [part.tolist() for part in narrowed.parts] == [part.tolist() for part in whole.parts]


def test_many_to_one_parts_are_counted() -> None:
    structure = structure_of(make_task("x**8 + y**9", 113))
    assert [len(np.unique(part)) for part in structure.parts] == [15, 113]
    assert (
        structure.reason
        == "Every answer is f(x) + g(y) mod 113 (number of values: 15 for f(x), 113 for g(y))."
    )
    assert "97 for f(x), 96 for g(y)" in structure_of(make_task("x / y", 97)).reason


@pytest.mark.parametrize(
    ("text", "modulus", "words"),
    [
        ("x / y", 97, "f(x)·g(y) mod 97"),
        ("only_add", 97, "f(x) + g(y) (number"),
        ("x + y*z", 5, "no h(f(x) + g(y) + k(z)) and no h(f(x)·g(y)·k(z))"),
        ("(x + y)**3", 97, "h(f(x) + g(y) mod 97) with a map h, 97 values to 33 answers (number"),
        ("x*y + x + y", 97, "h(f(x)·g(y) mod 97) with a map h, one-to-one (number"),
        ("x*y", 12, "mod a prime only"),
        ("random", 97, "drawn at random"),
        ("s5", 120, "products in S5"),
        ("s5aba", 120, "the elements of S5 do not commute"),
    ],
)
def test_the_reason_is_a_sentence(text: str, modulus: int, words: str) -> None:
    reason = structure_of(make_task(text, modulus)).reason
    assert words in reason
    assert reason.endswith(".")
    assert "\n" not in reason


parts = st.sampled_from([2, 3, 5, 7, 11]).flatmap(
    lambda p: st.tuples(st.just(p), *[st.lists(st.integers(0, p - 1), min_size=p, max_size=p)] * 2)
)


@settings(max_examples=100, deadline=None)
@given(parts=parts, data=st.data(), multiplicative=st.booleans())
def test_what_separates_is_found(
    parts: tuple[int, list[int], list[int]], data: st.DataObject, multiplicative: bool
) -> None:
    p, f, g = parts
    combine = np.multiply if multiplicative else np.add
    answers = combine.outer(np.array(f, dtype=np.int64), np.array(g, dtype=np.int64)) % p
    holes = data.draw(st.lists(st.tuples(st.integers(0, p - 1), st.integers(0, p - 1)), max_size=p * p - 1))
    for x, y in holes:
        answers[x, y] = -1
    task = Task("given", p, Given(answers))
    structure = structure_of(task)
    assert structure.kind == "additive" or (multiplicative and structure.kind == "multiplicative")
    assert_exact(task, structure)


@settings(max_examples=60, deadline=None)
@given(parts=parts, h=st.data(), multiplicative=st.booleans())
def test_a_map_of_what_separates_is_found(
    parts: tuple[int, list[int], list[int]], h: st.DataObject, multiplicative: bool
) -> None:
    p, f, g = parts
    combine = np.multiply if multiplicative else np.add
    combined = combine.outer(np.array(f, dtype=np.int64), np.array(g, dtype=np.int64)) % p
    labels = np.array(h.draw(st.lists(st.integers(0, p - 1), min_size=p, max_size=p)), dtype=np.int64)
    task = Task("given", p, Given(labels[combined]))
    structure = structure_of(task)
    if structure.kind == "neither":  # too few different symbols or answers for the parts to explain anything
        assert not _explained_by(labels[combined], np.array(f), np.array(g), p, multiplicative)
    else:
        assert_exact(task, structure)


def _explained_by(
    table: NDArray[np.int64], f: NDArray[np.int64], g: NDArray[np.int64], p: int, multiplicative: bool
) -> bool:
    """Whether these parts are fewer numbers than the table, 0 aside, once equal rows and columns are one."""
    rows, row = np.unique(table, axis=0, return_index=True)
    columns = np.unique(table, axis=1, return_index=True)[1]
    f, g, merged = f[row], g[columns], rows[:, columns]
    if multiplicative:
        f, g = f[f > 0], g[g > 0]
    pairs = {(a, b) for a in f.tolist() for b in g.tolist()}
    sums = {(a * b if multiplicative else a + b) % p for a, b in pairs}
    assert merged.size >= len(pairs)
    return min(len(set(f)), len(set(g))) > 1 and len(set(f)) + len(set(g)) - 3 + len(sums) < len(pairs)


@pytest.mark.parametrize("p", [59, 97])
@pytest.mark.parametrize("multiplicative", [False, True])
@pytest.mark.parametrize("injective", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_a_random_map_of_random_parts_is_found(
    p: int, multiplicative: bool, injective: bool, full: bool
) -> None:
    draws = np.random.default_rng(p)
    f, g = (draws.permutation(p) if full else draws.integers(p, size=p) for _ in "fg")
    h = draws.permutation(p) if injective else draws.integers(p, size=p)
    combined = (np.multiply if multiplicative else np.add).outer(f, g) % p
    task = Task("given", p, Given(h[combined]))
    structure = structure_of(task)
    assert structure.kind == ("multiplicative" if multiplicative else "additive")
    assert_exact(task, structure)
    # equal up to origin and unit: equal sums are where they were
    parts = structure.parts
    again = (np.multiply if multiplicative else np.add).outer(*parts) % p
    assert len(np.unique(np.stack([combined.ravel(), again.ravel()]), axis=1)[0]) == len(np.unique(combined))


@pytest.mark.parametrize("n_labels", [2, 3, 23])
@pytest.mark.parametrize("seed", range(5))
def test_random_labels_are_not_structured(n_labels: int, seed: int) -> None:
    answers = np.random.default_rng(seed).integers(n_labels, size=(23, 23))
    assert structure_of(Task("given", 23, Given(answers))).kind == "neither"


@pytest.mark.parametrize("order", [3, 4, 5])
def test_the_search_finds_what_trying_all_finds(order: int) -> None:
    draws = np.random.default_rng(order)
    found = 0
    for _ in range(60):
        labels, a, b = (draws.integers(order, size=n) for n in (order, 3, 3))
        table = labels[(a[:, None] + b) % order] if draws.random() < 0.5 else draws.integers(3, size=(3, 3))
        table = np.unique(np.unique(table, axis=0), axis=1)
        values = [np.array(v) for n in table.shape for v in [list(itertools.product(range(order), repeat=n))]]
        expected = min(table.shape) > 1 and any(
            explains(table, a, b, order) for a in values[0] if a[0] == 0 for b in values[1] if b[0] == 0
        )
        positions = cyclic_positions(table, order)
        assert (positions is not None) == expected
        found += expected
    assert found > 5


@settings(max_examples=60, deadline=None)
@given(answers=st.lists(st.integers(-1, 2), min_size=9, max_size=9).filter(lambda a: max(a) >= 0))
def test_what_does_not_separate_is_not_found(answers: list[int]) -> None:
    table = np.array(answers, dtype=np.int64).reshape(3, 3)
    vectors = np.array(list(itertools.product(range(3), repeat=3)))
    separable = [
        ((combine(vectors[:, None, :, None], vectors[None, :, None, :]) % 3 == table) | (table < 0))
        .all(axis=(2, 3))
        .any()
        for combine in (np.add, np.multiply)
    ]
    expected = "additive" if separable[0] else "multiplicative" if separable[1] else "neither"
    task = Task("given", 3, Given(table))
    structure = structure_of(task)
    if structure.answer_map is None:
        assert structure.kind == expected
    else:
        assert expected == "neither"
        assert_exact(task, structure)


def test_published_operations() -> None:
    structures = {name: structure_of(make_task(name, 13)) for name in CATALOG if not name.startswith("s5")}
    kinds = {name: structure.kind for name, structure in structures.items()}
    multiplicative = {
        *("multiply", "divide", "multiply_non_zero", "multiply_z", "xy_y", "xy_m_y", "xy_x_y", "xy_x_m_y")
    }
    neither = {
        *("x2_xy_y2", "x2_xy_y2_x", "x3_xy", "x3_xy2_y", "random"),
        *("odd_divide_even_subtract", "even_add_odd_multiply", "even_add_odd_subtract"),
    }
    mapped = {
        *("xy_x_y", "xy_x_m_y", "x2_2xy_y2", "x2_m_2xy_y2", "x2_2xy_y2_x_y"),
        *("_x_y__3", "_x_y__4", "_x_m_y__3", "_x_m_y__4"),
    }
    assert {name for name, kind in kinds.items() if kind == "multiplicative"} == multiplicative
    assert {name for name, kind in kinds.items() if kind == "neither"} == neither
    assert {name for name, structure in structures.items() if structure.answer_map is not None} == mapped
