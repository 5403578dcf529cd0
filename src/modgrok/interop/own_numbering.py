"""Networks that number the elements of a group otherwise than modgrok does."""

from __future__ import annotations

import torch

from modgrok.data import ModularData
from modgrok.models import Network
from modgrok.tasks import structure_of
from modgrok.tasks.group_recognition import recognize


def in_own_numbering(network: Network, data: ModularData) -> ModularData | None:
    """Return the pairs of a task with the answers that the network gives, where these are the task under other names.

    There is no order of a group's elements that all agree on. A table of n² answers that is the product of the same
    group, under other names of its operands and answers, is no accident: the network answers the task, and says how it
    numbers the elements.

    Args:
        network: the network whose answers these are.
        data: a single task, as the network reads it.

    Returns:
        The same with the network's answers as the table; None where the task has no group that is not cyclic, pairs are
        left out, or the answers are no such table.
    """
    (task,) = data.tasks
    group = structure_of(task).group
    if group is None or not group.name or data.pairs.size != group.order**2:
        return None
    with torch.no_grad():
        answers = network(data.pairs.tokens)[:, : group.order].argmax(dim=1)
    table = answers.view(group.order, group.order)
    found = recognize(table.numpy(), group)
    if found is None or found.group.name != group.name:
        return None
    return ModularData(**{**data.config, "answer_tables": {task.name: table.tolist()}})
