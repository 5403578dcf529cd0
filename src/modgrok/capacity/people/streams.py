"""The random streams of a seed: one generator for each thing that is drawn, so that none depends on another."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """The things that are drawn; their numbers are part of the meaning of a seed and never change."""

    WORDS = 0
    PEOPLE = 1
    CODES = 2
    SPLIT = 3
    ONE_HOP_ORDER = 4
    TWO_HOP_ORDER = 5
    PROBE = 6
    OUT_OF_DISTRIBUTION = 7
    COMBINATIONS = 8
    SAMPLE = 9
    OUT_DEGREE = 10
    TEMPLATES = 11


def generator(seed: int, stream: Stream, *more: int) -> np.random.Generator:
    """Return the generator of a stream; `more` numbers tell apart what is drawn again and again, such as epochs."""
    return np.random.default_rng([seed, int(stream), *more])
