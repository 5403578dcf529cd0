"""Whether a network can tell the examples of a task apart."""

from __future__ import annotations

import torch

from modgrok.data import ModularDataModule
from modgrok.errors import InputError
from modgrok.models import Network


def check_order(network: Network, data: ModularDataModule) -> None:
    """Raise an InputError if two examples of different answers differ only in an order the network does not see."""
    if network.sees_order:
        return
    tokens, answers, task = data.pairs
    collection = torch.zeros_like(answers)  # the same number for the same tokens in any order
    for column in tokens.sort(dim=1).values.unbind(1):
        _, collection = torch.unique(collection * data.vocabulary_size + column, return_inverse=True)
    lowest = torch.empty_like(answers).scatter_reduce(0, collection, answers, "amin", include_self=False)
    other = answers != lowest[collection]
    if not other.any():
        return
    second = other.nonzero()[0, 0]
    first = ((collection == collection[second]) & ~other).nonzero()[0, 0]
    one, another = (
        f"{', '.join(f'{name} = {value}' for name, value in zip('xyz', data.operands[i].tolist(), strict=False))}"
        f" gives {int(answers[i])}"
        for i in (first, second)
    )
    raise InputError(
        f"model.network: {type(network).__name__} does not see the order of its tokens, and "
        f"{data.tasks[int(task[second])].name} depends on it: {one}, {another}; take modgrok.Transformer, or a "
        "data.template that shows the operands a different number of times, such as [x, x, y]"
    )
