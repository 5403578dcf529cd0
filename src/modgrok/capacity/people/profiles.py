"""Profiles of invented people: names, attributes, and relations to one another, as integer arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.people.dates import as_dates
from modgrok.capacity.people.space import Space, check_relations
from modgrok.capacity.people.words import draw_words
from modgrok.errors import InputError

MOST = 4_000_000
MATCHED = ("best_friend", "worst_enemy")
"""The relations that are symmetric where relations are bipartite."""


@dataclass(frozen=True)
class Profiles:
    """N people. Every value is a number; the text of a value is in `name_words` and `attribute_words`.

    Attributes:
        space: what they were drawn from.
        names: (N, 3) numbers of the first, middle and last name; no two people share all three.
        attributes: (N, A) numbers of values, in the order of `space.attributes`.
        relations: (N, R) people.
        relation_names: R names.
        bipartite: whether parent, child, best friend and worst enemy are matchings.
        name_words: three lists of words.
        attribute_words: the words of each attribute but `birth_date`.
        generated: whether the words were drawn by `words`, so that their entropy is known.
    """

    space: Space
    names: NDArray[np.int32]
    attributes: NDArray[np.int32]
    relations: NDArray[np.int32]
    relation_names: tuple[str, ...]
    bipartite: bool
    name_words: tuple[list[str], list[str], list[str]]
    attribute_words: dict[str, list[str]]
    generated: bool

    def __len__(self) -> int:
        return len(self.names)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What can be asked about a person: the attributes, then the relations."""
        return (*self.space.attributes, *self.relation_names)

    @cached_property
    def full_names(self) -> list[str]:
        """Every person's name as text."""
        first, middle, last = self.name_words
        return [f"{first[i]} {middle[j]} {last[k]}" for i, j, k in self.names.tolist()]

    def value_texts(self, attribute: str) -> list[str]:
        """Return the text of every value of an attribute; dates are in ISO form."""
        if attribute == "birth_date":
            return as_dates(np.arange(self.space.values(attribute))).astype(str).tolist()
        return self.attribute_words[attribute]


def generate_profiles(
    n: int, relations: int = 4, bipartite: bool = False, space: Space | None = None, seed: int = 0
) -> Profiles:
    """Draw profiles.

    Uniform relations are drawn from all people with replacement, the person included. Where they are bipartite,
    `best_friend` and `worst_enemy` are perfect matchings, and a random half of the people are parents, each
    matched with one child of the other half. So that every profile is complete, a parent is its own `parent` and
    a child its own `child`, which says which half they are in and nothing else.

    Args:
        n: the number of people.
        relations: how many of the published relations a profile has.
        bipartite: whether the first four relations are matchings.
        space: what names and attributes are drawn from; the published sizes if None.
        seed: of the words and of the profiles.

    Raises:
        InputError: if `n` is less than 2, odd where people are matched, or larger than the number of names.
    """
    space = space or Space()
    relation_names = check_relations(relations)
    if not 2 <= n <= MOST:
        raise InputError(f"n: from 2 to {MOST:,} people, not {n:,}")
    if n > space.names:
        raise InputError(f"n: {n:,} people need as many names, and name_words make {space.names:,}")
    if bipartite and n % 2:
        raise InputError(f"n: bipartite relations pair people up, so it must be even, not {n:,}")
    if bipartite and not relations:
        raise InputError("bipartite: it needs relations, and there are none")
    if seed < 0:
        raise InputError(f"seed: it must be 0 or more, not {seed}")
    words, people = (np.random.default_rng([seed, stream]) for stream in range(2))
    return Profiles(
        space=space,
        names=_draw_names(n, space, people),
        attributes=np.array([space.draw(name, n, people) for name in space.attributes], np.int32).T.reshape(
            n, -1
        ),
        relations=_draw_relations(n, relation_names, bipartite, people),
        relation_names=tuple(relation_names),
        bipartite=bipartite,
        name_words=tuple(draw_words(size, words) for size in space.name_words),  # type: ignore[arg-type]
        attribute_words={
            name: draw_words(size, words) for name, size in space.attributes.items() if name != "birth_date"
        },
        generated=True,
    )


def _draw_names(n: int, space: Space, rng: np.random.Generator) -> NDArray[np.int32]:
    numbers = np.empty(0, np.int64)
    if 4 * n > space.names:
        numbers = rng.permutation(space.names)[:n]
    while len(numbers) < n:  # in the order of drawing, repeats left out
        numbers = np.concatenate([numbers, rng.integers(space.names, size=n - len(numbers))])
        numbers = numbers[np.sort(np.unique(numbers, return_index=True)[1])]
    return np.stack(np.unravel_index(numbers, space.name_words), axis=1).astype(np.int32)


def _draw_relations(
    n: int, names: Sequence[str], bipartite: bool, rng: np.random.Generator
) -> NDArray[np.int32]:
    relations = rng.integers(n, size=(n, len(names)), dtype=np.int32)
    if not bipartite:
        return relations
    parents, children = rng.permutation(n).astype(np.int32).reshape(2, -1)
    for column, name in enumerate(names):
        if name in ("parent", "child"):
            related, people = (parents, children) if name == "parent" else (children, parents)
            relations[people, column] = relations[related, column] = related
        elif name in MATCHED:
            these, those = rng.permutation(n).astype(np.int32).reshape(2, -1)
            relations[these, column], relations[those, column] = those, these
    return relations
