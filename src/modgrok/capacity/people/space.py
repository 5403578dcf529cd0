"""The spaces that names, attributes and relations are drawn from, the published ones by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.people import dates
from modgrok.errors import InputError

RELATIONS = (
    *("parent", "child", "best_friend", "worst_enemy", "sibling", "spouse", "cousin", "grandparent"),
    *("grandchild", "business_partner", "protege", "mentor", "betrayer", "debtor", "blackmailer", "hero"),
    "evil_twin",
)
"""The published relations, in their order. A data set with R relations has the first R; further ones have numbers."""

NAME_WORDS = (5_163, 5_163, 88_799)
ATTRIBUTES = {"birth_date": 73_048, "birth_city": 223, "university": 100, "employer": 73}
RESERVED = frozenset({"name", "index", "bio", *RELATIONS})
LARGEST = 500_000
MOST_RELATIONS = 1_000


@dataclass(frozen=True)
class Space:
    """How many first, middle and last names there are, and how many values each attribute has.

    `birth_date` counts days from 1900-01-01; those after the 28th of a month cannot occur (`dates`).

    Raises:
        InputError: if a size is out of range, or an attribute has the name of another column.
    """

    name_words: tuple[int, int, int] = NAME_WORDS
    attributes: Mapping[str, int] = field(default_factory=lambda: dict(ATTRIBUTES))

    def __post_init__(self) -> None:
        if len(self.name_words) != 3:
            raise InputError(
                "name_words must be three numbers, of first, middle and last names; "
                f"got {len(self.name_words)}"
            )
        for part, size in zip(("first", "middle", "last"), self.name_words, strict=True):
            _check_size(f"name_words ({part})", size, 1)
        for name, size in self.attributes.items():
            if name in RESERVED or name.startswith("relation_") or not name.isidentifier():
                raise InputError(f"attributes: {name!r} cannot be the name of an attribute")
            _check_size(f"attributes.{name}", size, 2)
        if self.attributes.get("birth_date", 0) > ATTRIBUTES["birth_date"]:
            raise InputError(
                f"attributes.birth_date must be ≤ {ATTRIBUTES['birth_date']:,} days (to 2099-12-30), "
                f"got {self.attributes['birth_date']:,}"
            )

    @property
    def names(self) -> int:
        """The number of different names, M."""
        return prod(self.name_words)

    def values(self, attribute: str) -> int:
        """Return how many values an attribute can have."""
        size = self.attributes[attribute]
        return len(dates.probabilities(size)) if attribute == "birth_date" else size

    def entropy(self, attribute: str) -> float:
        """Return the bits of one value of an attribute."""
        size = self.attributes[attribute]
        if attribute != "birth_date":
            return float(np.log2(size))
        p = dates.probabilities(size)
        return float(-(p[p > 0] * np.log2(p[p > 0])).sum())

    def draw(self, attribute: str, count: int, rng: np.random.Generator) -> NDArray[np.int32]:
        """Draw values of an attribute, as their numbers."""
        drawn = rng.integers(self.attributes[attribute], size=count)
        return dates.clip_days(drawn) if attribute == "birth_date" else drawn.astype(np.int32)


def _check_size(field: str, size: int, least: int) -> None:
    if not least <= size <= LARGEST:
        raise InputError(f"{field} must be from {least} to {LARGEST:,}, got {size:,}")


def relation_names(relations: int) -> Sequence[str]:
    """Return the names of `relations` relations: the published ones, then `relation_18` and so on.

    Raises:
        InputError: if `relations` is negative or too large.
    """
    if not 0 <= relations <= MOST_RELATIONS:
        raise InputError(f"relations must be from 0 to {MOST_RELATIONS:,}, got {relations:,}")
    further = range(len(RELATIONS) + 1, relations + 1)
    return (*RELATIONS[:relations], *(f"relation_{number}" for number in further))
