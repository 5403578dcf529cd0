import itertools
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modgrok import memory
from modgrok.errors import InputError
from modgrok.tasks import make_task

HUGE = pytest.param(10**5000, id="huge")  # longer than what Python writes out


def test_the_table_is_row_major_int64() -> None:
    pairs, answers = make_task("x + 2*y", 5).table()
    assert [tuple(pair) for pair in pairs.tolist()] == list(itertools.product(range(5), repeat=2))
    assert pairs.dtype == answers.dtype == np.int64
    assert pairs.flags.c_contiguous
    assert answers.flags.writeable


def test_a_task_is_named_as_it_was_written() -> None:
    assert make_task(" x2_y2 ", 5).name == "x2_y2"
    assert make_task("x **2\n + y", 5).name == "x **2 + y"


@pytest.mark.parametrize(
    "text", ["x - y", "x / y", "random", "x - y + z", "only_add", "even_add_odd_multiply"]
)
@pytest.mark.parametrize("nonzero", [False, True])
@pytest.mark.parametrize("unordered", [False, True])
def test_a_narrower_domain_keeps_the_answers(text: str, nonzero: bool, unordered: bool) -> None:
    whole = make_task(text, 7).table()
    narrowed = make_task(text, 7, nonzero_operands=nonzero, unordered_pairs=unordered).table()
    kept = [
        (pair, answer)
        for pair, answer in zip(whole.pairs.tolist(), whole.answers.tolist(), strict=True)
        if not (nonzero and 0 in pair) and not (unordered and pair != sorted(pair))
    ]
    assert list(zip(narrowed.pairs.tolist(), narrowed.answers.tolist(), strict=True)) == kept


def test_random_labels_are_fixed_by_their_seed() -> None:
    answers = [make_task("random", 97, label_seed=seed).table().answers for seed in (0, 0, 1)]
    assert (answers[0] == answers[1]).all()
    assert (answers[0] != answers[2]).mean() > 0.9
    assert set(answers[0].tolist()) == set(range(97))


def test_random_labels_never_change() -> None:
    # a checkpoint holds the seed and not the labels, so these must hold on every machine and numpy
    assert make_task("random", 97, label_seed=598).table().answers[:5].tolist() == [15, 31, 3, 86, 26]


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, True, HUGE])
def test_an_impossible_label_seed_is_refused(seed: Any) -> None:
    with pytest.raises(InputError, match="label_seed must be an integer from 0 to"):
        make_task("random", 97, label_seed=seed)


@pytest.mark.parametrize("modulus", [1, 0, -97, pytest.param(-(10**5000), id="-huge")])
def test_a_modulus_below_two_is_refused(modulus: int) -> None:
    with pytest.raises(InputError, match="modulus must be an integer from 2, such as 97; got"):
        make_task("x + y", modulus)


@pytest.mark.parametrize("modulus", [97.0, "97", True, [97]])
def test_a_modulus_that_is_not_an_integer_is_refused(modulus: Any) -> None:
    with pytest.raises(InputError, match="modulus must be an integer from 2"):
        make_task("x + y", modulus)


@pytest.mark.parametrize("text", ["x + y", "x + y + z", "random", "only_add", "even_add_odd_multiply"])
@pytest.mark.parametrize("modulus", [10**6, 10**18, HUGE])
def test_a_table_that_cannot_fit_in_memory_is_refused(text: str, modulus: int) -> None:
    with pytest.raises(
        InputError, match=r"modulus: .* need .* GiB of memory; this machine has .* GiB"
    ) as caught:
        make_task(text, modulus)
    assert len(str(caught.value)) < 250


def test_the_memory_that_is_named_is_the_memory_that_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    modulus = 400
    tracemalloc.start()
    make_task("(x*y + x) * (x + y)", modulus)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    named = 3 * modulus**2 * 3 * 8
    assert named / 3 < peak <= named

    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "CGROUP_LIMIT", limit)
    limit.write_text(f"{2 * named}\n")
    make_task("x + y", modulus)
    limit.write_text(f"{2 * named - 2}\n")
    with pytest.raises(InputError, match=r"modulus: 400 makes 160,000 pairs, which need 0\.0 GiB"):
        make_task("x + y", modulus)


def test_an_empty_domain_is_refused() -> None:
    with pytest.raises(InputError, match="leaves no pair mod 6; a divisor must be invertible"):
        make_task("x / (2*y)", 6)
    with pytest.raises(InputError, match="leaves no pair mod 2"):
        make_task("1 / (x*y + 1)", 2, nonzero_operands=True)
