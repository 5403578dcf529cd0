import math

import pytest
import torch
from torch import Tensor

from modgrok.analysis import (
    ClockedPairs,
    cross_entropy,
    excluded_loss,
    logit_directions,
    restricted_loss,
    sum_logits_by_class,
    sum_of_squared_weights,
    trigonometric_loss,
)


def logits_of(domain: ClockedPairs) -> Tensor:
    generator = torch.Generator().manual_seed(5)
    logits = torch.randn(len(domain.pairs), domain.clock.modulus, generator=generator, dtype=torch.float64)
    logits[torch.arange(len(logits)), domain.answers] += 4.0
    return logits


def loss(logits: Tensor, answers: Tensor) -> float:
    return float((logits.logsumexp(dim=1) - logits[torch.arange(len(logits)), answers]).mean())


def slow_parts(logits: Tensor, domain: ClockedPairs, frequencies: list[int]) -> tuple[Tensor, Tensor]:
    """Mean and waves of the logits over all pairs, by least squares on columns written out over the pairs."""
    on = domain.sums >= 0
    constants = torch.stack([on, ~on], dim=1).double()
    angles = 2 * torch.pi * domain.sums[:, None] * torch.tensor(frequencies) / domain.clock.size
    waves = torch.cat([angles.cos(), angles.sin()], dim=1).double() * on[:, None]

    def fit(columns: Tensor) -> Tensor:
        return columns @ torch.linalg.lstsq(columns, logits, driver="gelsd").solution

    mean = fit(constants)
    return mean, fit(torch.cat([constants, waves], dim=1)) - mean


@pytest.mark.parametrize("frequencies", [[1], [2, 3], [1, 2, 3]])
def test_restricted_and_excluded_loss_are_those_of_least_squares(
    any_domain: ClockedPairs, frequencies: list[int]
) -> None:
    logits = logits_of(any_domain)
    mean, waves = slow_parts(logits, any_domain, frequencies)
    classes = sum_logits_by_class(logits, any_domain)
    restricted = loss(mean + waves, any_domain.answers)
    assert restricted_loss(classes, frequencies) == pytest.approx(restricted, abs=1e-6)
    excluded = loss(logits - waves, any_domain.answers)
    assert excluded_loss(logits, classes, frequencies) == pytest.approx(excluded, abs=1e-6)


def test_excluded_loss_projects_on_all_pairs_and_counts_the_given_ones(any_domain: ClockedPairs) -> None:
    logits = logits_of(any_domain)
    training = torch.randperm(len(logits), generator=torch.Generator().manual_seed(6))[: len(logits) // 3]
    rest = (logits - slow_parts(logits, any_domain, [2])[1])[training]
    expected = loss(rest, any_domain.answers[training])
    classes = sum_logits_by_class(logits, any_domain)
    assert excluded_loss(logits, classes, [2], training) == pytest.approx(expected, abs=1e-6)
    mask = torch.zeros(len(logits), dtype=torch.bool)
    mask[training] = True
    assert excluded_loss(logits, classes, [2], mask) == pytest.approx(expected, abs=1e-6)


def test_trigonometric_loss_is_that_of_the_fitted_cube(any_domain: ClockedPairs) -> None:
    logits = logits_of(any_domain)
    classes = sum_logits_by_class(logits, any_domain)
    on = any_domain.sums >= 0
    fitted = torch.zeros(int(on.sum()), any_domain.clock.size, dtype=torch.float64)
    for k in (1, 3):
        difference = any_domain.sums[on][:, None] - torch.arange(any_domain.clock.size)
        cube = torch.cos(2 * torch.pi * k * difference.double() / any_domain.clock.size)
        fitted += logit_directions(classes).coefficients[k - 1] * cube
    assert trigonometric_loss(classes, [1, 3]) == pytest.approx(loss(fitted, any_domain.sums[on]))


def test_without_frequencies_nothing_is_kept_and_nothing_is_taken(any_domain: ClockedPairs) -> None:
    logits = logits_of(any_domain)
    classes = sum_logits_by_class(logits, any_domain)
    mean = slow_parts(logits, any_domain, [])[0]
    assert restricted_loss(classes, []) == pytest.approx(loss(mean, any_domain.answers))
    assert excluded_loss(logits, classes, []) == pytest.approx(loss(logits, any_domain.answers))
    assert trigonometric_loss(classes, []) == pytest.approx(math.log(any_domain.clock.size))


def test_cross_entropy_is_exact_where_float32_is_not() -> None:
    logits = torch.tensor([[30.0, 0.0]])
    assert cross_entropy(logits, torch.tensor([0])) == pytest.approx(math.log1p(math.exp(-30)), rel=1e-2)
    logits = torch.randn(5000, 7, generator=torch.Generator().manual_seed(7))
    answers = torch.arange(5000) % 7
    assert cross_entropy(logits, answers) == pytest.approx(loss(logits.double(), answers))


def test_the_sum_of_squares_is_over_every_weight() -> None:
    assert (
        sum_of_squared_weights([torch.tensor([3.0, 4.0]), torch.tensor([[2.0]], requires_grad=True)]) == 29.0
    )
    assert sum_of_squared_weights([]) == 0.0
