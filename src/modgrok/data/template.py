"""Templates: how an example is written as tokens, which also fixes the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modgrok.errors import InputError
from modgrok.tasks import VARIABLES, Task
from modgrok.tasks.residues import Integers

OPERATOR = "op"


def default_template(n_operands: int, n_tasks: int) -> list[str]:
    """Return `x y =` (Nanda et al. 2023), with the operator between the operands where there are several tasks."""
    operands = list(VARIABLES[:n_operands])
    return [*operands[:1], OPERATOR, *operands[1:], "="] if n_tasks > 1 else [*operands, "="]


@dataclass(frozen=True)
class Vocabulary:
    """The operands' symbols, then the tasks' operators where the template shows them, then its other words.

    Example:
        >>> from modgrok.data import Vocabulary
        >>> vocabulary = Vocabulary(11, ("=",))
        >>> vocabulary.token("=")
        11
    """

    n_symbols: int
    special: tuple[str, ...]

    def __len__(self) -> int:
        return self.n_symbols + len(self.special)

    def token(self, word: str) -> int:
        """Return the token of a special word."""
        return self.n_symbols + self.special.index(word)


class Template:
    """The words of one example, such as `["x", "y", "="]` or `["x", "op", "y"]`; the answer is read at the last.

    `x`, `y`, `z` stand for the operands, `op` for the task's operator, any other word for a token of its own.

    Args:
        words: the words of an example, in the order the network reads them.
        tasks: the tasks whose examples use this template.

    Raises:
        InputError: if an operand of the tasks is missing, a word names an operand that they do not have, or several
            tasks cannot be told apart.

    Example:
        >>> from modgrok.data import ModularData
        >>> data = ModularData("x + y", 5, template=["x", "+", "y", "="])
        >>> data.training_pairs.tokens.shape[1]
        4
    """

    def __init__(self, words: Sequence[str], tasks: Sequence[Task]) -> None:
        operands = VARIABLES[: tasks[0].n_operands]
        shown = ", ".join(words)
        if missing := [name for name in operands if name not in words]:
            raise InputError(f"template: [{shown}] does not show the operand {missing[0]}")
        if surplus := [name for name in VARIABLES if name in words and name not in operands]:
            raise InputError(
                f"template: [{shown}] shows {surplus[0]}, but the operands are {', '.join(operands)}"
            )
        if len(tasks) > 1 and OPERATOR not in words:
            raise InputError(f'template: [{shown}] needs "op", which tells the {len(tasks)} tasks apart')
        self.words = tuple(words)
        operators = [f"op:{task.name}" for task in tasks] if OPERATOR in words else []
        others = [word for word in dict.fromkeys(words) if word not in (*VARIABLES, OPERATOR)]
        self.vocabulary = Vocabulary(max(task.n_symbols for task in tasks), (*operators, *others))

    def write(self, operands: Integers, task: Task) -> Integers:
        """Write the operands of n pairs, (n, r), of `task` as tokens, (n, t)."""

        def column(word: str) -> Integers:
            if word in VARIABLES:
                return operands[:, VARIABLES.index(word)]
            token = self.vocabulary.token(f"op:{task.name}" if word == OPERATOR else word)
            return np.full(len(operands), token)

        return np.stack([column(word) for word in self.words], axis=1)
