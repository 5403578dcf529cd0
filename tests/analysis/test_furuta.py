import pytest
import torch

from modgrok.analysis import (
    additive_clock,
    characters,
    fourier_coefficient_ratio,
    fourier_frequency_density,
    multiplicative_clock,
)


def from_coefficients(clock, cosines: dict[int, float], sines: dict[int, float]) -> torch.Tensor:
    """The matrix (p, 2) whose cos and sin coefficient vectors have these norms; the constant is large."""
    basis = characters(clock)
    coefficients = torch.zeros(basis.dimension, 2, dtype=torch.float64)
    coefficients[0] = 100.0
    for wave, norms in (("cos", cosines), ("sin", sines)):
        for k, norm in norms.items():
            coefficients[basis.names.index(f"{wave} {k}")] = norm * torch.tensor(
                [0.6, 0.8], dtype=torch.float64
            )
    return basis.rows.T @ coefficients


def test_density_counts_the_waves_above_half_of_the_largest() -> None:
    clock = additive_clock(9)  # four frequencies
    # of the cosines 4 and 3 exceed half of 4, of the sines only 1 exceeds half of 1
    matrix = from_coefficients(clock, {1: 4.0, 2: 3.0, 3: 1.9, 4: 0.1}, {1: 1.0, 2: 0.4, 3: 0.3, 4: 0.1})
    assert fourier_frequency_density(matrix, characters(clock)) == pytest.approx((2 + 1) / 8)
    assert fourier_frequency_density(matrix, characters(clock), threshold=0.35) == pytest.approx((3 + 2) / 8)


def test_ratio_is_the_smaller_over_the_larger() -> None:
    clock = additive_clock(9)
    matrix = from_coefficients(clock, {1: 4.0, 2: 3.0, 3: 2.0}, {1: 1.0, 2: 3.0, 3: 5.0})
    assert fourier_coefficient_ratio(matrix, characters(clock)) == pytest.approx((1 / 4 + 1 + 2 / 5 + 0) / 4)


def test_the_frequency_without_a_sine_has_no_ratio_and_one_wave() -> None:
    clock = multiplicative_clock(7)  # q = 6: frequencies 1, 2, 3, and sin 3 vanishes
    matrix = from_coefficients(clock, {1: 1.0, 2: 1.0, 3: 1.0}, {1: 1.0, 2: 0.2})
    assert fourier_coefficient_ratio(matrix, characters(clock)) == pytest.approx((1 + 0.2) / 2)
    assert fourier_frequency_density(matrix, characters(clock)) == pytest.approx((3 + 1) / 5)


def test_a_matrix_of_zeros_has_neither() -> None:
    basis = characters(additive_clock(7))
    assert fourier_frequency_density(torch.zeros(7, 3), basis) == 0.0
    assert fourier_coefficient_ratio(torch.zeros(7, 3), basis) == 0.0
    assert fourier_coefficient_ratio(torch.ones(3, 3), characters(multiplicative_clock(3))) == 0.0
