"""How the losses of single pairs add up to a batch's."""

import torch
from torch import Tensor


def pair_weights(task_index: Tensor, n_tasks: int) -> Tensor:
    """Return the weights, (n,) float64, under which pair losses add up to the sum of the tasks' means.

    Args:
        task_index: (n,) the task of each pair.
        n_tasks: number of tasks.
    """
    return torch.bincount(task_index, minlength=n_tasks).double().reciprocal()[task_index]
