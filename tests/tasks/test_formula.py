import contextlib
import json
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from exact import exact_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modgrok.errors import InputError
from modgrok.tasks import make_task
from modgrok.tasks.catalog import NAMES
from modgrok.tasks.formula import MAX_LENGTH


def check_against_exact(text: str, modulus: int) -> None:
    """Compare a task's whole table with the independent one; only a formula without any answer is refused."""
    n_operands = 3 if "z" in text else 2
    expected = exact_rows(text, modulus)
    if not expected:
        with pytest.raises(InputError, match="leaves no pair"):
            make_task(text, modulus)
        return
    task = make_task(text, modulus)
    assert (task.n_operands, task.n_symbols, task.n_answers) == (n_operands, modulus, modulus)
    table = task.table()
    assert [tuple(pair) for pair in table.pairs.tolist()] == [values for values, _ in expected]
    assert table.answers.tolist() == [answer for _, answer in expected]


exponents = st.integers(0, 5) | st.integers(0, 10**30)
leaves = st.sampled_from("xyz") | st.integers(0, 12).map(str) | st.integers(0, 10**30).map(str)
formulas = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from([" + ", "-", "*", "/", " * "]), inner).map("".join),
        inner.map(lambda text: f"({text})"),
        inner.map(lambda text: f"-{text}"),
        st.tuples(inner, exponents).map(lambda pair: f"({pair[0]})**{pair[1]}"),
        st.tuples(leaves, exponents).map(lambda pair: f"{pair[0]}**{pair[1]}"),
    ),
    max_leaves=8,
).filter(lambda text: len(text) <= MAX_LENGTH)


@settings(max_examples=150, deadline=None)
@given(text=formulas, modulus=st.integers(2, 6))
def test_random_formulas_have_exactly_the_answers_of_python_integers(text: str, modulus: int) -> None:
    check_against_exact(text, modulus)


texts = (
    st.text(max_size=30)
    | st.text("xyz019+-*/() ", max_size=30)
    | st.text("xyzw_.,=<%^2'\n+-*/() ", max_size=30)
    | st.builds(
        lambda text, cut, insert: text[:cut] + insert + text[cut:], formulas, st.integers(0, 9), st.text()
    )
).filter(lambda text: text.strip() not in NAMES)


def check_any_text(text: str) -> None:
    """Any text gives an exact task or a clear error."""
    try:
        task = make_task(text, 3)
    except InputError as error:
        message = str(error)
        assert message.startswith("task: ")
        assert len(message) < 400
        assert "\n" not in message
    else:
        check_against_exact(task.name, 3)


@settings(max_examples=200, deadline=None)
@given(text=texts)
def test_any_text_gives_an_exact_task_or_a_clear_error(text: str) -> None:
    check_any_text(text)


@pytest.mark.slow
@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=texts)
def test_a_hundred_thousand_texts_give_exact_tasks_or_clear_errors(text: str) -> None:
    check_any_text(text)


@pytest.mark.parametrize(
    "text", json.loads((Path(__file__).parent / "inputs.json").read_text()), ids=lambda text: ascii(text)[:24]
)
def test_what_the_fuzzer_found_worth_keeping(text: str) -> None:
    check_any_text(text)


HEAVY = {
    "a sum of 250": "x" + "+y" * 249,
    "a product of 250": "x*y" + "/y*x" * 124,
    "an exponent of 497 digits": "x**" + "9" * 497,
    "sums inside sums": "x*y+(" * 80 + "x*y" + ")" * 80,
    "fractions inside fractions": "1/(x*y+" * 60 + "x" + ")" * 60,
    "a minus of 499": "-" * 499 + "x",
    "a power of a power": "(" * 99 + "x" + ")**99" * 66,
    "parentheses": "(" * 100_000,
    "digits": "9" * 100_000,
    "digits in an exponent": "x**" + "9" * 100_000,
    "digits of another alphabet": "٣" * 100_000,
    "powers of powers": "x" + "**x" * 100_000,
    "nulls": "\0" * 100_000,
    "spaces": " " * 1_000_000 + "x",
    "a million names": "x " * 1_000_000,
}


@pytest.mark.parametrize("modulus", [2, 113, 10**18, 10**3000], ids=["2", "113", "10^18", "10^3000"])
@pytest.mark.parametrize("text", HEAVY.values(), ids=HEAVY)
def test_no_formula_takes_long_or_much_memory(text: str, modulus: int) -> None:
    tracemalloc.start()
    start = time.process_time()
    with contextlib.suppress(InputError):
        make_task(text, modulus)
    seconds, (_, bytes_) = time.process_time() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < 0.4  # a tenth of a second, and four times that while memory is traced
    assert bytes_ < 100 * 2**20


def test_division_leaves_out_the_pairs_without_an_inverse() -> None:
    pairs, answers = make_task("x / y", 97).table()
    assert len(pairs) == 97 * 96
    x, y = pairs.T
    assert (answers * y % 97 == x).all()
    assert (y != 0).all()


def test_division_by_a_composite_modulus_needs_an_invertible_divisor() -> None:
    pairs, answers = make_task("x / y", 12).table()
    assert set(pairs[:, 1].tolist()) == {1, 5, 7, 11}
    assert (answers * pairs[:, 1] % 12 == pairs[:, 0]).all()


@pytest.mark.parametrize("exponent", [100, 123456789012345678901234567890])
def test_a_large_exponent_is_exact_and_quick(exponent: int) -> None:
    start = time.process_time()
    pairs, answers = make_task(f"x**{exponent} + y", 113).table()
    assert time.process_time() - start < 1
    assert answers.tolist() == [(pow(x, exponent, 113) + y) % 113 for x, y in pairs.tolist()]


def test_nothing_overflows_before_it_is_reduced() -> None:
    pairs, answers = make_task("(x + 400)**9 * (y - 3)**9 * 10**40", 499).table()
    for x, y, answer in np.column_stack([pairs, answers])[::997].tolist():
        assert answer == (x + 400) ** 9 * (y - 3) ** 9 * 10**40 % 499


def test_python_precedence() -> None:
    pairs, answers = make_task("-x**2 - y/2*3", 7).table()
    assert answers.tolist() == [(-(x**2) - y * pow(2, -1, 7) * 3) % 7 for x, y in pairs.tolist()]


def test_zero_to_the_zero_is_one() -> None:
    assert set(make_task("x**0", 5).table().answers.tolist()) == {1}


@pytest.mark.parametrize(("text", "n_operands"), [("x", 2), ("y", 2), ("7", 2), ("z", 3), ("x - z", 3)])
def test_a_formula_has_two_operands_unless_it_names_z(text: str, n_operands: int) -> None:
    task = make_task(text, 3)
    assert task.n_operands == n_operands
    assert task.table().pairs.shape == (3**n_operands, n_operands)


def test_the_deepest_and_longest_formulas_work() -> None:
    long = "x" + "+x" * ((MAX_LENGTH - 1) // 2)
    assert make_task(long, 5).table().answers.tolist() == [250 * x % 5 for x in range(5) for _ in range(5)]
    deep = "-" * (MAX_LENGTH - 1) + "x"
    assert make_task(deep, 5).table().answers.tolist() == [-x % 5 for x in range(5) for _ in range(5)]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty"),
        (" \n ", "is empty"),
        ("x +", "cannot be read"),
        ("(x + y", "cannot be read"),
        ("x y", "cannot be read"),
        ("x ** ", "cannot be read"),
        ("x < y", "'<' at character 3"),
        ("x == y", "'=' at character 3"),
        ("x.real", "'.' at character 2"),
        ("'x'", "at character 1"),
        ("1.5*x", "'.' at character 2"),
        ("1e3*x", "'1e3' at character 1"),
        ("0x1f*x", "'0x1f' at character 1"),
        ("2x + y", "'2x' at character 1"),
        ("x^2", "'^' at character 2"),
        ("x*y % 97", "'%' at character 5"),
        ("x + y # sum", "'#' at character 7"),
        ("x\0", "'\\x00' at character 2"),
        ("ⅹ + y", "'ⅹ' at character 1"),
        ("x + \ud800", "'\\ud800' at character 5"),
        ("[x, y]", "'[' at character 1"),
        ("__import__('os')", '"\'" at character 12'),
        ("__import__(x)", "'__import__(x)' at character 1"),
        ("1 + abs(x)", "'abs(x)' at character 5"),
        ("x(y + 1)", "'x(y + 1)' at character 1"),
        ("x if y else z", "'x if y else z' at character 1"),
        ("x or y", "'x or y' at character 1"),
        ("y + (lambda)", "cannot be read"),
        ("x + None", "'None' at character 5"),
        ("x // y", "'x // y' at character 1"),
        ("+x", "'+x' at character 1"),
        ("9**9**9", "exponent '9**9' at character 4"),
        ("x**y", "exponent 'y'"),
        ("x**-1", "exponent '-1'"),
        ("x**(1 + 1)", "exponent '1 + 1'"),
        ("x**True", "exponent 'True'"),
        ("x + w", "unknown variable 'w' at character 5; did you mean 'x'"),
        ("X + y", "unknown variable 'X' at character 1; did you mean 'x'"),
        ("x + y1", "unknown variable 'y1' at character 5; did you mean 'y'"),
        ("x + add", "unknown variable 'add'"),
        ("x" * 400, "unknown variable"),
        ("(" * 240 + "x" + ")" * 240, "cannot be read: too many nested parentheses"),
        ("(" * 10_000 + "x" + ")" * 10_000, "20,001 characters; a formula has at most 500"),
        ("-" * 10_000 + "x", "10,001 characters"),
        ("x" + "+x" * 50_000, "100,001 characters"),
        (" " * 100_000, "100,000 characters"),
        ("1/0", "leaves no pair mod 97"),
        ("x / (y*97)", "leaves no pair mod 97"),
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_what_is_not_a_formula_is_refused_quickly_and_says_why(text: str, part: str) -> None:
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        make_task(text, 97)
    assert time.process_time() - start < 0.5
    message = str(caught.value)
    assert message.startswith("task: ")
    assert part in message
    assert len(message) < 300


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(InputError, match="task: 5 is not text"):
        make_task(5, 97)  # type: ignore[arg-type]
