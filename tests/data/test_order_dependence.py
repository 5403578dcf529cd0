"""Which tasks a network without a sense of order is refused, held against a comparison of all examples."""

from itertools import combinations

import pytest
from lightning.pytorch import Trainer

from modgrok import MLP, GrokkingModule, ModularDataModule
from modgrok.data.order_dependence import order_dependence
from modgrok.errors import InputError

TASKS = [
    ({"task": "x + y"}, True),
    ({"task": "x**2 + x*y + y**2"}, True),
    ({"task": "x*y + z", "modulus": 3}, False),
    ({"task": "x + y + z", "modulus": 3}, True),
    ({"task": "x - y"}, False),
    ({"task": "x / y"}, False),
    ({"task": "random"}, False),
    ({"task": "x - y", "unordered_pairs": True}, True),
    ({"task": "x - y", "modulus": 2}, True),
    ({"task": "x - y", "template": ["x", "x", "y"]}, True),
    ({"task": "x - y", "template": ["x", "y", "x", "y"]}, False),
    ({"task": ["x + y", "x * y"]}, True),
    ({"task": ["x + y", "x - y"]}, False),
]


@pytest.mark.parametrize(("arguments", "learnable"), TASKS, ids=str)
def test_exactly_the_tasks_that_need_an_order_are_refused(arguments, learnable):
    data = ModularDataModule(**{"modulus": 5, **arguments})
    examples = list(zip(data.pairs.tokens.tolist(), data.pairs.answers.tolist(), strict=True))
    same = [(a, b) for a, b in combinations(examples, 2) if sorted(a[0]) == sorted(b[0])]
    assert learnable == all(a[1] == b[1] for a, b in same)
    assert (order_dependence(data) is None) == learnable


def test_a_fit_from_python_is_refused_too(tmp_path):
    data = ModularDataModule("x - y", 5)
    trainer = Trainer(max_steps=2, logger=False, default_root_dir=tmp_path, accelerator="cpu")
    with pytest.raises(InputError, match="x - y depends on it: x = 1, y = 0 gives 1, x = 0, y = 1 gives 4"):
        trainer.fit(GrokkingModule(MLP(**data.network_shape)), data)
