from collections.abc import Callable

import pytest
import torch

from modgrok.analysis import ClockedPairs, additive_clock, multiplicative_clock, place_on_clock
from modgrok.errors import InputError


def test_every_task_that_separates_is_seen_to(any_domain: ClockedPairs) -> None:
    assert any_domain.separates


def test_a_product_does_not_separate_on_the_additive_clock(
    odd_domains: Callable[[str], ClockedPairs],
) -> None:
    products = odd_domains("products with 0")
    identity = torch.arange(11)
    fallback = place_on_clock(additive_clock(11), [identity] * 2, products.pairs, products.answers)
    assert not fallback.separates


def test_zero_is_off_the_multiplicative_clock(odd_domains: Callable[[str], ClockedPairs]) -> None:
    domain = odd_domains("products with 0")
    assert torch.equal(domain.sums < 0, domain.answers == 0)
    assert torch.equal(domain.operand_positions < 0, domain.pairs == 0)


def test_an_operand_without_a_value_is_off_the_clock() -> None:
    pairs = torch.tensor([[1, 0], [1, 2]])
    inverse = torch.tensor([-1, 1, 3, 2, 4])
    domain = place_on_clock(multiplicative_clock(5), [torch.arange(5), inverse], pairs, torch.tensor([0, 3]))
    assert domain.operand_positions[0, 1] == -1
    assert domain.operand_positions[1, 1] == domain.clock.position[3]


def test_shapes_and_values_are_checked() -> None:
    clock, identity = multiplicative_clock(5), torch.arange(5)
    with pytest.raises(InputError, match=r"pairs of shape \(3, 2\).*\(3, 1\)"):
        place_on_clock(clock, [identity], torch.ones(3, 2).long(), torch.ones(3).long())
    with pytest.raises(InputError, match="answers"):
        place_on_clock(clock, [identity], torch.ones(1, 1).long(), torch.tensor([5]))
    with pytest.raises(InputError, match="pairs"):
        place_on_clock(clock, [identity], torch.tensor([[-1]]), torch.tensor([1]))
