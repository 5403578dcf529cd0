"""Composition in the symmetric group S5 (Power et al. 2022)."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from modgrok.errors import InputError
from modgrok.tasks.operation import Operation
from modgrok.tasks.residues import Integers

PERMUTATIONS = np.array(list(itertools.permutations(range(5))), dtype=np.int64)
"""(120, 5): symbol s stands for i ↦ PERMUTATIONS[s, i], in lexicographic order, so that 0 is the identity."""
_ORDER = len(PERMUTATIONS)


def composition_table() -> Integers:
    """Compose every two permutations.

    Returns:
        (120, 120): at (a, b) the symbol of "first a, then b", which is i ↦ b(a(i)), as in OpenAI's grok code.
    """
    a, b = np.ogrid[:_ORDER, :_ORDER]
    composed = PERMUTATIONS[b[..., None], PERMUTATIONS[a]]  # (120, 120, 5)
    place_values = 5 ** np.arange(4, -1, -1)
    # read as numbers in base 5, permutations in lexicographic order are sorted
    return np.searchsorted(PERMUTATIONS @ place_values, composed @ place_values).astype(np.int64)


@dataclass(frozen=True)
class PermutationWord(Operation):
    """A product of the permutations x and y and their inverses, composed from left to right.

    There are 120 symbols and 120 answers, so the modulus must be 120.

    Attributes:
        letters: the factors in order, each "x", "y", "x⁻¹" or "y⁻¹".
    """

    letters: tuple[str, ...]
    unstructured: ClassVar[str] = "the symbols are the permutations of five things, which do not commute"

    def __str__(self) -> str:
        return f"{'·'.join(self.letters)} in S5"

    def n_symbols(self, modulus: int) -> int:
        """Count the permutations.

        Raises:
            InputError: if the modulus is not 120.
        """
        if modulus != _ORDER:
            raise InputError(f"modulus: {self} has {_ORDER} permutations as symbols, so it must be {_ORDER}")
        return _ORDER

    def evaluate(self, operands: Sequence[Integers], modulus: int) -> tuple[Integers, NDArray[np.bool_]]:
        """Compose the word for every pair of symbols."""
        compose = composition_table()
        inverse = np.argmin(compose, axis=1)  # the identity is symbol 0
        x, y = operands
        factors = {"x": x, "y": y, "x⁻¹": inverse[x], "y⁻¹": inverse[y]}
        product = np.zeros((1, 1), dtype=np.int64)
        for letter in self.letters:
            product = compose[product, factors[letter]]
        return product, np.ones((1, 1), dtype=np.bool_)
