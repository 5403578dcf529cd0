import itertools
import math

import pytest
import torch

from modgrok.analysis import additive_clock, characters, multiplicative_clock, pullback
from modgrok.errors import InputError

PRIMES = [p for p in range(3, 201) if all(p % d for d in range(2, p))]


def assert_orthonormal(rows: torch.Tensor) -> None:
    identity = torch.eye(len(rows), dtype=torch.float64)
    torch.testing.assert_close(rows @ rows.T, identity, atol=1e-12, rtol=0)


@pytest.mark.parametrize("p", range(3, 201))
def test_additive_characters_are_orthonormal_and_complete(p: int) -> None:
    basis = characters(additive_clock(p))
    assert basis.rows.shape == (p, p)
    assert_orthonormal(basis.rows)
    assert basis.indistinguishable == ()
    assert basis.names[0] == "constant"
    assert basis.names[-1] == (f"cos {p // 2}" if p % 2 == 0 else f"sin {p // 2}")


@pytest.mark.parametrize("p", PRIMES)
def test_multiplicative_characters_are_orthonormal_and_keep_zero_apart(p: int) -> None:
    basis = characters(multiplicative_clock(p))
    assert basis.rows.shape == (p, p)
    assert_orthonormal(basis.rows)
    assert basis.names[-1] == "zero"
    assert basis.frequencies[-1] == -1
    zero = torch.zeros(p, dtype=torch.float64)
    zero[0] = 1.0
    assert torch.equal(basis.rows[-1], zero)
    assert not basis.rows[:-1, 0].any()


def test_rows_are_the_waves_they_are_named_after() -> None:
    basis = characters(additive_clock(7))
    row = basis.rows[basis.names.index("sin 2")]
    expected = torch.tensor([math.sin(2 * math.pi * 2 * x / 7) for x in range(7)], dtype=torch.float64)
    torch.testing.assert_close(row, expected * math.sqrt(2 / 7))
    # 3 is the smallest primitive root of 7, and its powers 1, 3, 2, 6, 4, 5 stand at 0…5
    logarithm = {1: 0, 3: 1, 2: 2, 6: 3, 4: 4, 5: 5}
    basis = characters(multiplicative_clock(7))
    row = basis.rows[basis.names.index("cos 1")]
    expected = torch.tensor([math.cos(2 * math.pi * logarithm[x] / 6) for x in range(1, 7)]).double()
    torch.testing.assert_close(row[1:], expected * math.sqrt(2 / 6), atol=1e-6, rtol=0)


@pytest.mark.parametrize("clock", [additive_clock(12), additive_clock(113), multiplicative_clock(113)])
def test_the_transform_round_trips(clock) -> None:
    basis = characters(clock)
    values = torch.randn(clock.modulus, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    coefficients = torch.einsum("rs,s...->r...", basis.rows, values)
    assert coefficients.shape == values.shape
    torch.testing.assert_close(
        torch.einsum("rs,r...->s...", basis.rows, coefficients), values, atol=1e-13, rtol=0
    )
    assert coefficients.square().sum().item() == pytest.approx(values.square().sum().item())


def test_a_permutation_only_renames_the_symbols() -> None:
    clock = additive_clock(11)
    cubes = torch.tensor([x**3 % 11 for x in range(11)])
    basis = pullback(clock, cubes)
    assert basis.dimension == 11
    torch.testing.assert_close(basis.rows, characters(clock).rows[:, cubes], atol=1e-13, rtol=0)


def test_eighth_powers_mod_113_take_15_values() -> None:
    eighth = torch.tensor([pow(x, 8, 113) for x in range(113)])
    additive = pullback(additive_clock(113), eighth)
    assert additive.dimension == len(set(eighth.tolist())) == 15
    assert_orthonormal(additive.rows)
    # functions of 15 values, written in 57 frequencies: any of them can stand in for the others
    assert additive.indistinguishable == (tuple(range(57)),)
    assert (
        "15 of 113 dimensions; frequencies 0…56 (0 is the constant) cannot be told apart"
        in additive.describe()
    )

    multiplicative = pullback(multiplicative_clock(113), eighth)
    assert multiplicative.dimension == 15
    assert multiplicative.names[-1] == "zero"
    # log x**8 = 8 log x mod 112, so frequency k sees k mod 14, and k and −k are one frequency
    expected: dict[int, list[int]] = {}
    for k in range(57):
        expected.setdefault(min(k % 14, -k % 14), []).append(k)
    assert multiplicative.indistinguishable == tuple(sorted(tuple(group) for group in expected.values()))
    ninth = pullback(additive_clock(113), torch.tensor([pow(x, 9, 113) for x in range(113)]))
    assert ninth.dimension == 113
    assert ninth.indistinguishable == ()


@pytest.mark.parametrize(
    ("modulus", "part"),
    [
        (12, [2 * x % 12 for x in range(12)]),
        (12, [3 * x % 12 for x in range(12)]),
        (9, [x**2 % 9 for x in range(9)]),
    ],
)
def test_indistinguishable_groups_are_the_finest_independent_ones(modulus: int, part: list[int]) -> None:
    clock = additive_clock(modulus)
    basis = pullback(clock, torch.tensor(part))
    waves = clock.waves(torch.tensor(part))

    def rank(frequencies: tuple[int, ...]) -> int:
        return int(torch.linalg.matrix_rank(waves[list(frequencies)].flatten(0, 1), rtol=1e-9))

    together = [k for group in basis.indistinguishable for k in group]
    groups = [*basis.indistinguishable, *[(k,) for k in range(modulus // 2 + 1) if k not in together]]
    assert sum(rank(group) for group in groups) == basis.dimension == rank(tuple(range(modulus // 2 + 1)))
    for group in basis.indistinguishable:
        halves = [c for size in range(1, len(group)) for c in itertools.combinations(group, size)]
        for half in halves:
            rest = tuple(k for k in group if k not in half)
            assert rank(half) + rank(rest) > rank(group), f"{group} falls apart into {half} and {rest}"


def test_planes_measure_a_frequency_by_itself() -> None:
    # Gram–Schmidt gives frequency 40 no rows of its own here, but its plane is still where it was
    clock = additive_clock(113)
    part = torch.tensor([pow(x, 8, 113) for x in range(113)])
    basis = pullback(clock, part)
    assert 40 not in basis.frequencies
    wave = 0.8 * clock.waves(part)[40, 0] - 0.6 * clock.waves(part)[40, 1]
    norm = (basis.planes[40] @ wave).norm()
    assert norm.item() == pytest.approx(wave.norm().item())
    assert (basis.planes[39] @ wave).norm() < 0.9 * norm


def test_undefined_symbols_are_outside_the_span() -> None:
    inverse = torch.tensor([-1] + [pow(y, -1, 11) for y in range(1, 11)])
    basis = pullback(multiplicative_clock(11), inverse)
    assert basis.dimension == 10
    assert "zero" not in basis.names
    assert not basis.rows[:, 0].any()


@pytest.mark.parametrize("part", [torch.zeros(11, 2).long(), torch.full((11,), 11), torch.full((11,), -2)])
def test_a_part_is_one_residue_for_each_symbol(part: torch.Tensor) -> None:
    with pytest.raises(InputError, match="needs a residue 0…10 for each symbol"):
        pullback(additive_clock(11), part)


def test_a_sum_that_no_modulus_reduces_has_fewer_symbols_than_residues() -> None:
    basis = pullback(additive_clock(21), torch.arange(11))
    assert basis.rows.shape == (11, 11)
    torch.testing.assert_close(basis.rows @ basis.rows.T, torch.eye(11, dtype=torch.float64))
    assert basis.planes.shape == (11, 2, 11)


def test_a_part_that_is_nowhere_on_the_clock_has_no_characters() -> None:
    with pytest.raises(InputError, match="no symbol"):
        pullback(multiplicative_clock(11), torch.zeros(11, dtype=torch.int64))
