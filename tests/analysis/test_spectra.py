import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from modgrok.analysis import additive_clock, characters, gini, multiplicative_clock, spectrum


def slow_gini(norms: list[float]) -> float:
    spread = sum(abs(a - b) for a in norms for b in norms)
    return spread / (2 * len(norms) * sum(norms))


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda norms: sum(norms) > 1e-6))
def test_gini_is_the_mean_difference(norms: list[float]) -> None:
    assert gini(torch.tensor(norms, dtype=torch.float64)) == pytest.approx(slow_gini(norms), abs=1e-9)


def test_gini_at_its_ends() -> None:
    assert gini(torch.zeros(5)) == 0.0
    assert gini(torch.ones(5)) == 0.0
    assert gini(torch.tensor([0.0, 0.0, 0.0, 2.0])) == pytest.approx(1 - 1 / 4)
    assert gini(torch.tensor([3.0])) == 0.0


@pytest.mark.parametrize("clock", [additive_clock(12), additive_clock(13), multiplicative_clock(13)])
def test_a_spectrum_joins_the_cosine_and_the_sine(clock) -> None:
    matrix = torch.randn(clock.modulus, 4, generator=torch.Generator().manual_seed(8))
    basis = characters(clock)
    norms = (basis.rows @ matrix.double()).norm(dim=1)
    joined = spectrum(matrix, basis)
    for k in range(clock.size // 2 + 1):
        own = [i for i, frequency in enumerate(basis.frequencies) if frequency == k]
        assert joined[k].item() == pytest.approx(norms[own].square().sum().sqrt().item())
    assert norms.square().sum().item() == pytest.approx(matrix.double().square().sum().item())


def test_the_additive_spectrum_is_that_of_the_fft() -> None:
    matrix = torch.randn(13, 4, generator=torch.Generator().manual_seed(9), dtype=torch.float64)
    power = torch.fft.fft(matrix, dim=0, norm="ortho").abs().square().sum(dim=1)
    expected = (power[1:7] + power.flip(0)[:6]).sqrt()
    torch.testing.assert_close(spectrum(matrix, characters(additive_clock(13)))[1:], expected)
