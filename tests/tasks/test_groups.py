import itertools
from collections.abc import Callable
from functools import reduce
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modgrok.errors import InputError
from modgrok.tasks import (
    Group,
    element_names,
    group_from_table,
    make_group,
    make_task,
    parse_group,
    structure_of,
)
from modgrok.tasks.group_recognition import identify, isomorphism, recognize

# order and conjugacy classes, from the literature
KNOWN = {
    "S3": (6, 3),
    "S4": (24, 5),
    "S5": (120, 7),
    "S6": (720, 11),
    "A4": (12, 4),
    "A5": (60, 5),
    "D2": (4, 4),
    "D5": (10, 4),
    "D6": (12, 6),
    "D59": (118, 31),
    "Q8": (8, 5),
    "Q16": (16, 7),
    "Dic3": (12, 6),
    "F20": (20, 5),
    "F21": (21, 5),
    "C12": (12, 12),
    "C2 x S4": (48, 10),
    "C2 x C2 x C3": (12, 12),
}


@pytest.mark.parametrize("notation", KNOWN)
def test_every_notation_is_a_group(notation: str) -> None:
    group = group_from_table(make_group(notation).table)
    assert group.identity == 0
    assert (group.order, group.n_classes) == KNOWN[notation]
    elements = np.arange(group.order)
    assert (group.table[elements, group.inverses] == 0).all()
    assert (
        group.power(elements, -3) == group.inverses[group.table[elements, group.table[elements, elements]]]
    ).all()
    assert len(set(element_names(notation))) == group.order


def relations(group: Group, *words: tuple[int, ...]) -> bool:
    """Whether each word, a tuple of elements, is the identity."""
    return all(reduce(lambda a, b: int(group.table[a, b]), word) == 0 for word in words)


def test_the_elements_are_the_named_ones() -> None:
    dihedral, r, s = make_group("D7"), 1, 7
    assert relations(dihedral, (r,) * 7, (s, s), (s, r, s, r))
    assert [element_names("D7")[i] for i in (1, 2, 7, 8)] == ["r", "r^2", "s", "r s"]
    dicyclic, a, x = make_group("Dic3"), 1, 6
    assert relations(dicyclic, (a,) * 6, (x, x, a, a, a))
    assert dicyclic.table[x, a] == dicyclic.table[dicyclic.inverses[a], x]
    quaternions, i, j = make_group("Q8"), 1, 4
    names = element_names("Q8")
    assert names[quaternions.table[i, j]] == "k"
    assert names[quaternions.table[j, i]] == "-k"
    assert names[quaternions.table[i, i]] == "-1"
    symmetric = make_group("S4")
    first, then = (element_names("S4").index(cycle) for cycle in ("(1 2)", "(2 3)"))
    assert element_names("S4")[symmetric.table[first, then]] == "(1 3 2)"  # 1 goes to 2, and then to 3
    assert element_names("C2 x C3") == ["[0, 0]", "[0, 1]", "[0, 2]", "[1, 0]", "[1, 1]", "[1, 2]"]


@pytest.mark.parametrize(
    ("typed", "notation"), [(" S_4 ", "S4"), ("C2×S4", "C2 x S4"), ("C2xS4", "C2 x S4"), ("D07", "D7")]
)
def test_a_notation_has_one_form(typed: str, notation: str) -> None:
    assert parse_group(typed) == notation


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("D0", "there is no group D0; n must be ≥ 1"),
        ("S0", "there is no group S0"),
        ("S9", "S9 has 362,880 elements; a group may have at most 2,000"),
        ("S1999", r"S1999 has about 10\^5732 elements"),
        ("S7 x C2", "S7 x C2 has 10,080 elements"),
        ("C999999999", "C999999999 is too large"),
        ("C9999999999", "'C9999999999' is no group"),
        ("A2", "A2 has only one element"),
        ("E8", "'E8' is no group; a group is C, D, S, A, Q, Dic or F with a number"),
        ("S4 x", "'' is no group"),
        ("s4", "'s4' is no group"),
        ("Q10", "there is no group Q10; n must be 8, 12, 16"),
        ("F12", "there is no group F12"),
    ],
)
def test_what_is_no_group_is_refused(typed: str, message: str) -> None:
    with pytest.raises(InputError, match=f"task: {message}"):
        parse_group(typed)


def broken(change: Callable[[np.ndarray], None], notation: str = "S3") -> np.ndarray:
    table = make_group(notation).table.copy()
    change(table)
    return table


def set_entry(a: int, b: int, value: int) -> Callable[[np.ndarray], None]:
    def change(table: np.ndarray) -> None:
        table[a, b] = value

    return change


# the smallest loop that is no group has order 5
LOOP = np.array([[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros((3, 4), dtype=np.int64), "as many rows as columns, got 3 × 4"),
        (np.zeros((0, 0), dtype=np.int64), "as many rows as columns"),
        (broken(set_entry(2, 3, 6)), "row 2, column 3 has 6; the elements of a table of 6 rows are 0 … 5"),
        (broken(set_entry(1, 1, 1)), r"1·0 = 1·1 = 1, where a group has different products"),
        (make_group("S3").table[[1, 2, 3, 4, 5, 0]][:, [1, 2, 3, 4, 5, 0]], None),
        (make_group("S3").table[[1, 2, 3, 4, 5, 0]], r"5·x = x for every x, but 0·5 = "),
        ((np.arange(3)[:, None] - np.arange(3)) % 3, "no element e has e·x = x for every x"),
        (LOOP, r"the table is no group: \(\d·\d\)·\d = \d, but \d·\(\d·\d\) = \d"),
    ],
)
def test_a_table_that_is_no_group_is_refused_with_what_breaks_it(
    table: np.ndarray, message: str | None
) -> None:
    if message is None:
        table = np.argsort([1, 2, 3, 4, 5, 0])[table]
        assert identify(group_from_table(table))[0].name == "S3"
        return
    with pytest.raises(InputError, match=message):
        group_from_table(table)


def test_the_triple_that_is_named_breaks_the_table() -> None:
    with pytest.raises(InputError) as caught:
        group_from_table(LOOP)
    x, s, y = (int(c) for c in str(caught.value).split("(")[1][:6] if c.isdigit())
    assert LOOP[LOOP[x, s], y] != LOOP[x, LOOP[s, y]]


def is_associative(table: np.ndarray) -> bool:
    return bool((table[table] == table[:, table]).all())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_changed_square_is_found(data: st.DataObject) -> None:
    """Latin squares made of a group by exchanging two rows' entries in a subsquare, against all n³ triples."""
    notation = data.draw(st.sampled_from(["C4", "C6", "D4", "Q8", "C2 x C4"]))
    table = make_group(notation).table.copy()
    n = len(table)
    a, b = data.draw(st.sampled_from(list(itertools.combinations(range(n), 2))))
    # a cycle of the permutation that takes row a to row b: exchanging it keeps the square Latin
    start = data.draw(st.integers(0, n - 1))
    columns, column = [], start
    while column not in columns:
        columns.append(column)
        column = int(np.flatnonzero(table[a] == table[b, column])[0])
    table[np.ix_([a, b], columns)] = table[np.ix_([b, a], columns)]
    identities = [e for e in range(n) if (table[e] == range(n)).all() and (table[:, e] == range(n)).all()]
    if identities and is_associative(table):
        assert group_from_table(table).order == n
    else:
        with pytest.raises(InputError):
            group_from_table(table)


@pytest.mark.parametrize("notation", [n for n in KNOWN if n not in ("D2", "C12", "C2 x C2 x C3")])
def test_a_group_is_recognized_under_any_names(notation: str) -> None:
    group = make_group(notation)
    rng = np.random.default_rng(0)
    rows, columns, answers = (rng.permutation(group.order) for _ in range(3))
    table = answers[group.table[np.ix_(rows, columns)]]
    found = recognize(table)
    assert found is not None
    assert found.group.name == notation
    f, g = found.parts
    assert (found.answer_at[found.group.table[np.ix_(f, g)]] == table).all()


def test_groups_of_equal_order_are_told_apart() -> None:
    for order in range(2, 32):
        named = {}
        for notation in [f"C{order}", f"D{order // 2}" if order % 2 == 0 else f"C{order}"]:
            group, images = identify(Group("", make_group(notation).table))
            assert (make_group(notation).table[np.ix_(images, images)] == images[group.table]).all()
            named[group.name] = make_group(notation).is_abelian
        assert len(named) == (1 if order % 2 or order == 2 else 2)
    assert isomorphism(make_group("D4"), make_group("C2 x C4")) is None
    assert identify(Group("", make_group("C2 x C2 x C3").table))[0].name == "C2 x C6"


def test_a_group_without_a_name_is_still_one() -> None:
    # the Heisenberg group mod 3, of order 27, is in no family and no product of them
    triples = list(itertools.product(range(3), repeat=3))
    place = {triple: i for i, triple in enumerate(triples)}
    table = np.array(
        [[place[(a + d) % 3, (b + e) % 3, (c + f + a * e) % 3] for d, e, f in triples] for a, b, c in triples]
    )
    found = recognize(table)
    assert found is not None
    assert found.group.name == ""
    assert str(found.group) == "a group of order 27"


@pytest.mark.parametrize("table", [LOOP, np.zeros((2, 3), dtype=np.int64), np.full((2, 2), -1)])
def test_what_is_no_group_is_not_recognized(table: np.ndarray) -> None:
    assert recognize(table) is None


WORDS = {
    "x * y in D59": lambda t, x, y: t[x, y],
    "y*x in A5": lambda t, x, y: t[y, x],
    "x·y⁻¹ in Q8": lambda t, x, y: t[x, inverse(t, y)],
    "x**-1 * y * x in S4": lambda t, x, y: t[t[inverse(t, x), y], x],
    "x**2 * y**-3 in F20": lambda t, x, y: t[t[x, x], inverse(t, t[t[y, y], y])],
    "x*y^-1 in C2 x S3": lambda t, x, y: t[x, inverse(t, y)],
    "x**0 * y**101 in C100": lambda t, x, y: y,
}


def inverse(table: np.ndarray, a: int) -> int:
    return int(np.flatnonzero(table[a] == 0)[0])


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_multiplied_out(word: str) -> None:
    task = make_task(word)
    table = make_group(parse_group(word.split(" in ")[1])).table
    pairs, answers = task.table()
    assert task.modulus == task.n_symbols == task.n_answers == len(table)
    assert task.title == task.name == word
    assert answers.tolist() == [WORDS[word](table, x, y) for x, y in pairs.tolist()]
    assert make_task(str(task.operation)).operation == task.operation


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x * z in S4", "'x \\* z' has the letter 'z'; a word in a group has x, y"),
        ("x + y in S4", "'x \\+ y' cannot be read at character 3"),
        ("x y in S4", "cannot be read at character 3"),
        ("x ** y in S4", "cannot be read at character 3"),
        ("x * * y in S4", "cannot be read at character 5"),
        ("x**1.5 in S4", "cannot be read at character 5"),
        ("2 * x in S4", "cannot be read at character 1"),
        ("x * y in D0", "there is no group D0"),
        ("x * y in in S4", "is no group"),
        ("x * y in", "task"),
    ],
)
def test_what_is_no_word_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        make_task(text)
    assert len(str(caught.value)) < 250


def test_a_group_says_its_own_modulus() -> None:
    assert make_task("x * y in S4", 24).modulus == 24
    with pytest.raises(
        InputError, match=r"modulus: x \* y in S4 has 24 symbols, so it must be 24 or left out"
    ):
        make_task("x * y in S4", 97)
    with pytest.raises(InputError, match=r"modulus: x \+ y needs one"):
        make_task("x + y")


@pytest.mark.parametrize(
    ("text", "modulus", "kind", "group"),
    [
        ("x * y in S4", None, "group", "S4"),
        ("y * x in S4", None, "group", "S4"),
        ("x**-1 * y in D5", None, "group", "D5"),
        ("x * y in C2 x C2", None, "group", "C2 x C2"),
        ("x * y in C12", None, "additive", None),
        ("x**3 * y in C12", None, "additive", None),
        ("x * y * x**-1 in S4", None, "neither", None),
        ("x * y * x in S4", None, "neither", None),
        ("s5", 120, "group", "S5"),
        ("x + y", 11, "additive", None),
    ],
)
def test_the_structure_of_a_word(text: str, modulus: int | None, kind: str, group: str | None) -> None:
    task = make_task(text, modulus)
    structure = structure_of(task)
    assert structure.kind == kind
    assert (structure.group.name if structure.group else None) == group
    if structure.group:
        f, g = structure.parts
        products = structure.group.table[np.ix_(f, g)]
        answers = products if structure.answer_map is None else structure.answer_map[products]
        assert (answers == task.grid()[0]).all()


def write(path: Path, table: np.ndarray) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in table.tolist()) + "\n")
    return path


def test_a_word_in_a_cayley_table_from_a_file(tmp_path: Path) -> None:
    group, names = make_group("D4"), np.array([3, 0, 7, 1, 2, 6, 4, 5])
    table = np.empty((8, 8), dtype=np.int64)
    table[np.ix_(names, names)] = names[group.table]
    path = write(tmp_path / "mine.csv", table)
    task = make_task(f"x * y**-1 in {path}")
    assert task.modulus == task.n_symbols == task.n_answers == 8
    assert task.title == f"x * y**-1 in {path}"
    expected = np.empty((8, 8), dtype=np.int64)
    expected[np.ix_(names, names)] = names[group.table[:, group.inverses]]
    assert (task.grid()[0] == expected).all()
    structure = structure_of(task)
    assert structure.group is not None
    assert structure.group.name == "D4"
    # what a checkpoint holds makes the task again without the file
    answers = task.operation.answers
    path.unlink()
    assert (make_task(task.name, answers=answers.tolist()).grid()[0] == expected).all()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (LOOP, r"mine\.csv: the table is no group: \(\d·\d\)·\d = \d, but \d·\(\d·\d\) = \d"),
        (broken(set_entry(1, 1, 1)), r"mine\.csv: the table is no group: 1·0 = 1·1 = 1"),
        (np.array([[0, 1], [1, 2]]), r"mine\.csv: row 1, column 1 has 2"),
        (np.array([[1, 0], [1, 0]]), r"mine\.csv: the table is no group: 0·0 = 1·0 = 1"),
    ],
)
def test_a_file_that_is_no_group_is_refused_with_what_breaks_it(
    table: np.ndarray, message: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "mine.csv", table)
    with pytest.raises(InputError, match=message):
        make_task(f"x * y in {path}")
    if table.max() < len(table):
        assert structure_of(make_task(str(path))).group is None


def test_a_missing_or_a_large_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        make_task(f"x * y in {tmp_path}/none.csv")
    np.save(tmp_path / "large.npy", np.add.outer(np.arange(2001), np.arange(2001)) % 2001)
    with pytest.raises(InputError, match=r"large\.npy has 2,001 elements; a group may have at most 2,000"):
        make_task(f"x * y in {tmp_path}/large.npy")


def test_a_path_may_have_the_word_in(tmp_path: Path) -> None:
    path = write(tmp_path / "tables in here.csv", make_group("S3").table)
    assert make_task(str(path)).modulus == 6
