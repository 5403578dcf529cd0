"""Whether the answers of tasks depend on the order of their tokens."""

from __future__ import annotations

import torch

from modgrok.data.modular_data import ModularData
from modgrok.tasks import VARIABLES


def order_dependence(data: ModularData) -> str | None:
    """Name two examples of different answers that have the same tokens in another order; None if there are none."""
    tokens, answers, task_index, _ = data.pairs
    collection = torch.zeros_like(answers)  # the same number for the same tokens in any order
    for column in tokens.sort(dim=1).values.unbind(1):
        _, collection = torch.unique(collection * data.vocabulary_size + column, return_inverse=True)
    lowest = torch.empty_like(answers).scatter_reduce(0, collection, answers, "amin", include_self=False)
    other = answers != lowest[collection]
    if not other.any():
        return None
    second = other.nonzero()[0, 0]
    first = ((collection == collection[second]) & ~other).nonzero()[0, 0]
    one, another = (
        f"{', '.join(f'{name} = {value}' for name, value in zip(VARIABLES, data.operands[i].tolist(), strict=False))}"
        f" gives {int(answers[i])}"
        for i in (first, second)
    )
    return f"{data.tasks[int(task_index[second])].name} depends on it: {one}, {another}"
