"""Operations: what a task computes from a tuple of symbols."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modgrok.tasks.residues import Integers


class Operation(ABC):
    """A rule that gives each tuple of symbols its answer.

    Unless it says otherwise, symbols and answers are the residues mod p.
    """

    @abstractmethod
    def __str__(self) -> str:
        """Return the rule as a reader knows it: a formula, or a few words."""

    @property
    def unstructured(self) -> str | None:
        """The reason why modular structure is not searched for, or None if it is."""
        return None

    @property
    def only_modulus(self) -> int | None:
        """The only modulus that the operation exists for, such as the order of a group; None if there are others."""
        return None

    @property
    def n_operands(self) -> int:
        """The number of operands, r."""
        return 2

    def n_symbols(self, modulus: int) -> int:
        """Count the symbols that an operand is drawn from."""
        return modulus

    def n_answers(self, modulus: int) -> int:
        """Count the possible answers."""
        return modulus

    @abstractmethod
    def evaluate(self, operands: Sequence[Integers], modulus: int) -> tuple[Integers, NDArray[np.bool_]]:
        """Answer all tuples at once.

        Args:
            operands: one array of symbols per operand; they broadcast against each other.
            modulus: p.

        Returns:
            The answers and where they are defined, two arrays that broadcast against the operands. An answer
            that is not defined has no meaning.
        """
