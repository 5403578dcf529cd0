import numpy as np
import pytest
import torch
from torch import Tensor, nn

from modgrok.data import ModularData
from modgrok.interop.own_numbering import in_own_numbering
from modgrok.tasks import make_group, structure_of


class Answering(nn.Module):
    """Answers a table, whatever its training; a few more answers than the task has are never given."""

    def __init__(self, table: np.ndarray) -> None:
        super().__init__()
        self.table = torch.from_numpy(table)

    def forward(self, tokens: Tensor) -> Tensor:
        answers = self.table[tokens[:, 0], tokens[:, 1]]
        return nn.functional.one_hot(answers, len(self.table) + 2).float()


def renamed(notation: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    table = make_group(notation).table
    rows, columns, answers = (rng.permutation(len(table)) for _ in range(3))
    return answers[table[np.ix_(rows, columns)]]


@pytest.mark.parametrize("notation", ["S4", "Q8", "D7", "C2 x C4"])
def test_a_network_may_number_the_elements_as_it_likes(notation: str) -> None:
    data = ModularData(f"x * y in {notation}")
    table = renamed(notation, 0)
    own = in_own_numbering(Answering(table), data)
    assert own is not None
    assert own.tasks[0].name == f"x * y in {notation}"
    assert (own.tasks[0].grid()[0] == table).all()
    assert structure_of(own.tasks[0]).group.name == notation
    assert {name: value for name, value in own.config.items() if name != "answer_tables"} == {
        name: value for name, value in data.config.items() if name != "answer_tables"
    }


def test_another_task_is_not_taken_for_it() -> None:
    data = ModularData("x * y in D4")
    one_wrong = renamed("D4", 1)
    one_wrong[2, 3] = (one_wrong[2, 3] + 1) % 8
    for table in (renamed("Q8", 1), renamed("C8", 1), one_wrong, np.zeros((8, 8), dtype=np.int64)):
        assert in_own_numbering(Answering(table), data) is None
    assert in_own_numbering(Answering(renamed("C8", 1)), ModularData("x + y", 8)) is None
    without = ModularData("x * y in D4", nonzero_operands=True)
    assert in_own_numbering(Answering(renamed("D4", 1)), without) is None
