"""On which clock a task is looked at."""

import numpy as np
import pytest
import torch

from modgrok.analysis.task_view import task_views
from modgrok.data import ModularDataModule


@pytest.mark.parametrize(
    ("task", "p", "law"),
    [
        ("(x + y)**3", 11, "additive"),
        ("(x + y)**3", 7, "additive"),  # three-to-one
        ("x**2 + 2*x*y + y**2", 13, "additive"),
        ("x*y + x + y", 11, "multiplicative"),
    ],
)
def test_a_map_of_a_sum_or_a_product_is_looked_at_on_the_clock_of_its_parts(task, p, law) -> None:
    (view,) = task_views(ModularDataModule(task, p))
    pairs = view.clocked_pairs
    assert (view.matches_structure, pairs.clock.law) == (True, law)
    assert pairs.separates
    assert "h(f(x)" in view.reason
    assert "fallback" not in view.reason
    on = pairs.answer_positions >= 0
    assert torch.equal(pairs.answer_at[pairs.answer_positions[on]], pairs.answers[on])
    assert (pairs.answers[~on] == pairs.answer_off_clock).all()
    assert np.unique(pairs.answer_at[pairs.answer_at >= 0]).size == len(set(pairs.answers[on].tolist()))


def test_a_task_without_structure_is_looked_at_in_the_characters_of_its_operands() -> None:
    (view,) = task_views(ModularDataModule("x**2 + x*y + y**2", 13))
    assert (view.matches_structure, view.clocked_pairs.clock.law) == (False, "additive")
    assert "fallback" in view.reason
    assert torch.equal(view.clocked_pairs.operand_positions, view.clocked_pairs.operands)


def test_a_basis_chosen_by_hand_takes_no_map() -> None:
    (view,) = task_views(ModularDataModule("x*y + x + y", 11), "additive")
    assert not view.matches_structure
    assert torch.equal(view.clocked_pairs.answer_at, torch.arange(11))
