"""Pronounceable words, drawn so that the entropy of a list of them is known."""

from __future__ import annotations

import numpy as np

SYLLABLES = tuple(consonant + vowel for consonant in "bdfghjklmnprstvz" for vowel in "aeiou")


def syllables_per_word(count: int) -> int:
    """Return how many syllables the words of a list have: the fewest that leave most words unused, at least two."""
    length = 2
    while len(SYLLABLES) ** length < 2 * count:
        length += 1
    return length


def draw_words(count: int, rng: np.random.Generator) -> list[str]:
    """Draw `count` distinct words, uniformly among all words of `syllables_per_word(count)` syllables."""
    length = syllables_per_word(count)
    numbers = rng.choice(len(SYLLABLES) ** length, count, replace=False)
    digits = numbers[:, None] // len(SYLLABLES) ** np.arange(length) % len(SYLLABLES)
    return ["".join(SYLLABLES[i] for i in word).capitalize() for word in digits]
