"""An operation that is nothing but the table of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modgrok.tasks.operation import Operation
from modgrok.tasks.residues import Integers


@dataclass(frozen=True, eq=False)
class ListedAnswers(Operation):
    """A table written out.

    Attributes:
        name: the name of the table.
        answers: (n_symbols,) * r, the answer of every tuple, from 0; −1 where there is none.
    """

    name: str
    answers: Integers

    def __str__(self) -> str:
        return self.name

    @property
    def n_operands(self) -> int:
        """The number of operands: the table's dimensions."""
        return self.answers.ndim

    @property
    def only_modulus(self) -> int:
        """The number of symbols: the rows of the table."""
        return len(self.answers)

    def n_answers(self, modulus: int) -> int:
        """Count the possible answers: 0 up to the largest of the table."""
        return int(self.answers.max()) + 1

    def evaluate(self, operands: Sequence[Integers], modulus: int) -> tuple[Integers, NDArray[np.bool_]]:
        """Look every tuple up."""
        answers = self.answers[tuple(operands)]
        return np.maximum(answers, 0), answers >= 0
