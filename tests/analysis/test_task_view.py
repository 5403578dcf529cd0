"""On which clock a task is looked at."""

import torch

from modgrok.analysis.task_view import task_views
from modgrok.data import ModularDataModule


def test_a_map_of_a_sum_is_looked_at_as_a_task_without_structure() -> None:
    (view,) = task_views(ModularDataModule("(x + y)**3", 7))
    assert (view.fits, view.domain.clock.law) == (False, "additive")
    assert "h(f(x) + g(y) mod 7)" in view.reason
    assert "fallback" in view.reason
    assert torch.equal(view.domain.operand_positions, view.domain.pairs)
