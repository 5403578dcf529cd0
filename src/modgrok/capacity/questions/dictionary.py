"""Strings that a network has to know besides which of them is meant: the words of attributes, and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dictionary:
    """Words written as strings, each set of strings equally likely; data show the strings of the words that occur.

    Attributes:
        words: The number of words, D.
        strings: The number of possible strings, S.
        occurring: The number of words that occur in the data, u.
    """

    words: int
    strings: int
    occurring: int

    @property
    def entropy(self) -> float:
        """Bits of the strings that occur, log2 of S·(S−1)…(S−u+1) / D·(D−1)…(D−u+1); log2 C(S, D) for u = D."""
        before = np.arange(self.occurring, dtype=np.float64)
        return float((np.log2(self.strings - before) - np.log2(self.words - before)).sum())

    def known(self, loss: float) -> float:
        """Return the bits of the strings that a network must know whose loss is `loss` bits per value.

        u·(log2(S/D) − loss), or 0 (Allen-Zhu & Li 2024, Theorem 3.2, third term, for the words that occur): the
        average answer gives each of them at least the probability 2^−loss / D.
        """
        return self.occurring * max(0.0, log2(self.strings / self.words) - loss)


def names_shown(
    n: int, names: int, losses: Mapping[str, float], targets: Mapping[str, NDArray[np.int32]]
) -> float:
    """Return the bits of names that answers show to be known: those of the people that relations lead to.

    Names are a dictionary of N words among M strings, of which the people who are an answer occur. Several relations
    show more people than one, at the loss of the one answered worst; the most is returned that any of them show.

    Args:
        n: The number of people, N.
        names: The number of possible names, M.
        losses: The mean loss of the answers by relation, bits.
        targets: The people that are answers, by relation.
    """
    shown, people = 0.0, np.empty(0, np.int32)
    for relation in sorted(losses, key=lambda name: losses[name]):
        people = np.union1d(people, targets[relation])
        shown = max(shown, Dictionary(n, names, len(people)).known(losses[relation]))
    return shown
