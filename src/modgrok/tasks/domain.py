"""Domains: which tuples of operands a task keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from modgrok.tasks.residues import Integers


@dataclass(frozen=True)
class Domain:
    """Conditions that a tuple must meet to be part of the task; the same for every operation.

    Attributes:
        nonzero_operands: keep only tuples without the symbol 0.
        unordered_pairs: keep each unordered pair once, as x ≤ y (with three operands x ≤ y ≤ z).

    Example:
        >>> import numpy as np
        >>> from modgrok.tasks import Domain
        >>> Domain(nonzero_operands=True).contains([np.arange(3)]).tolist()
        [False, True, True]
    """

    nonzero_operands: bool = False
    unordered_pairs: bool = False

    def contains(self, operands: Sequence[Integers]) -> NDArray[np.bool_]:
        """Say which tuples are kept; operands and result broadcast against each other."""
        kept = np.ones((1,) * len(operands), dtype=np.bool_)
        if self.nonzero_operands:
            for operand in operands:
                kept = kept & (operand != 0)
        if self.unordered_pairs:
            for left, right in pairwise(operands):
                kept = kept & (left <= right)
        return kept


EVERYWHERE = Domain()
"""Every tuple."""
