import pytest
import torch

from modgrok.analysis import principal_components, singular_values


def test_singular_values_beside_a_random_matrix_of_the_same_norm() -> None:
    generator = torch.Generator().manual_seed(10)
    low_rank = torch.randn(31, 4, generator=generator) @ torch.randn(4, 20, generator=generator)
    values, random = singular_values(low_rank)
    assert values.shape == random.shape == (20,)
    assert values[4] < 1e-5 * values[0]
    assert random[-1] > 0.05 * random[0]
    assert random.norm().item() == pytest.approx(values.norm().item())
    assert values.norm().item() == pytest.approx(low_rank.norm().item(), rel=1e-6)
    assert torch.equal(singular_values(low_rank)[1], random), "the same seed draws the same matrix"
    assert not torch.equal(singular_values(low_rank, seed=1)[1], random)


def test_principal_components_are_those_of_the_covariance() -> None:
    matrix = torch.randn(30, 6, generator=torch.Generator().manual_seed(11), dtype=torch.float64) + 5.0
    found = principal_components(matrix)
    values, vectors = torch.linalg.eigh(torch.cov(matrix.T))
    torch.testing.assert_close(found.variance_explained, values.flip(0) / values.sum())
    centered = matrix - matrix.mean(dim=0)
    torch.testing.assert_close(found.scores.abs(), (centered @ vectors.flip(1)).abs())
    assert (found.scores.amax(dim=0) >= -found.scores.amin(dim=0)).all()
    torch.testing.assert_close(found.project(matrix), found.scores)


def test_equal_rows_have_no_components() -> None:
    assert not principal_components(torch.ones(5, 3)).variance_explained.any()
