"""All pairs of the tasks, split and written as tokens."""

from __future__ import annotations

from functools import cached_property
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from modgrok.data.examples import Examples
from modgrok.data.task_tables import TaskTables


class ModularData(TaskTables):
    """The pairs of one or several tasks as tensors, which are made when they are first asked for.

    It has the arguments of `TaskTables`.

    Example:
        >>> from modgrok.data import ModularData
        >>> data = ModularData("x + y", modulus=11, train_fraction=0.3)
        >>> data.training_pairs.size, data.heldout_pairs.size
        (36, 85)
    """

    @cached_property
    def operands(self) -> Tensor:
        """(n, r) the operands of all pairs of all tasks, row-major task by task."""
        return torch.cat([torch.from_numpy(table.pairs) for table in self.tables])

    @cached_property
    def pairs(self) -> Examples:
        """All pairs, in the same order."""
        tables = list(zip(self.tables, self.tasks, strict=True))
        return Examples(
            torch.cat([torch.from_numpy(self.template.write(table.pairs, task)) for table, task in tables]),
            torch.cat([torch.from_numpy(table.answers) for table, _ in tables]),
            torch.cat([torch.full((len(table.answers),), i) for i, (table, _) in enumerate(tables)]),
            torch.cat([torch.from_numpy(known) for known in self.known]),
        )

    @cached_property
    def training_index(self) -> Tensor:
        """(n,) which of all pairs are trained on, in their order."""
        starts = [0, *accumulate(len(table.answers) for table in self.tables)]
        return torch.cat(
            [
                torch.from_numpy(start + np.sort(drawn))
                for start, drawn in zip(starts, self.training, strict=False)
            ]
        )

    @cached_property
    def trained_on(self) -> Tensor:
        """(n,) whether each of all pairs is trained on."""
        trained_on = torch.zeros(self.pairs.size, dtype=torch.bool)
        trained_on[self.training_index] = True
        return trained_on

    @property
    def training_pairs(self) -> Examples:
        """The pairs trained on, row-major."""
        return self.pairs.select(self.training_index)

    @property
    def heldout_pairs(self) -> Examples:
        """The pairs held out, row-major."""
        return self.pairs.select(~self.trained_on)
