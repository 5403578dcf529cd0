"""Profiles of invented people: names, attributes, and relations to one another, as integer arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.people.dates import as_dates
from modgrok.capacity.people.space import Space, relation_names
from modgrok.capacity.people.streams import Stream, generator
from modgrok.capacity.people.words import draw_words
from modgrok.errors import InputError

MOST_PEOPLE = 4_000_000
ABSENT = -1
"""The mark of a relation that a person does not have."""
MATCHED = ("best_friend", "worst_enemy")
"""The relations that are symmetric where relations are bipartite."""


@dataclass(frozen=True)
class Profiles:
    """N people. Every value is a number; the text of a value is in `name_words` and `attribute_words`.

    Attributes:
        space: The space that the profiles were drawn from.
        names: (N, 3) numbers of the first, middle and last name; no two people share all three.
        attributes: (N, A) numbers of values, in the order of `space.attributes`.
        relations: (N, R) people, as their numbers; `ABSENT` where a person does not have the relation.
        relation_names: The names of the R relations.
        bipartite: Whether parent, child, best friend and worst enemy are matchings.
        name_words: Three lists of words.
        attribute_words: The words of each attribute but `birth_date`.
        generated: Whether the words were drawn by `words`, so that their entropy is known.
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
        """The subjects of questions about a person: the attributes, then the relations."""
        return (*self.space.attributes, *self.relation_names)

    @property
    def targets(self) -> dict[str, NDArray[np.int32]]:
        """The people that each relation leads to, each of them once."""
        columns = zip(self.relation_names, self.relations.T, strict=True)
        return {name: np.unique(people[people != ABSENT]) for name, people in columns}

    @cached_property
    def full_names(self) -> list[str]:
        """Every person's name as text."""
        first, middle, last = self.name_words
        return [f"{first[i]} {middle[j]} {last[k]}" for i, j, k in self.names.tolist()]

    @property
    def facts(self) -> NDArray[np.int32]:
        """(N, S) values and people, in the order of `subjects`; `ABSENT` where there is no such fact."""
        return np.concatenate([self.attributes, self.relations], axis=1)

    @property
    def holders(self) -> dict[str, int]:
        """The number of people who have a fact about each subject."""
        return dict(zip(self.subjects, (self.facts != ABSENT).sum(0).tolist(), strict=True))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of every name, value and relation, and of the words that they are written with."""
        digest = sha256()
        for numbers in (self.names, self.attributes, self.relations):
            digest.update(numbers.astype("<i4").tobytes())
        for words in (*self.name_words, *self.attribute_words.values(), self.subjects):
            digest.update("\n".join(words).encode())
        return digest.hexdigest()

    def value_texts(self, attribute: str) -> list[str]:
        """Return the text of every value of an attribute; dates are in ISO form."""
        if attribute == "birth_date":
            return as_dates(np.arange(self.space.values(attribute))).astype(str).tolist()
        return self.attribute_words[attribute]


def generate_profiles(
    n: int,
    relations: int = 4,
    bipartite: bool = False,
    space: Space | None = None,
    seed: int = 0,
    out_degree: int | None = None,
) -> Profiles:
    """Draw profiles.

    Uniform relations are drawn from all people with replacement, the person included. Where they are bipartite,
    `best_friend` and `worst_enemy` are perfect matchings, and a random half of the people are parents, each
    matched with one child of the other half. So that every profile is complete, a parent is its own `parent` and
    a child its own `child`, which says which half they are in and nothing else.

    Args:
        n: The number of people, N.
        relations: The number of relations of a profile, R; the first 17 are the published ones.
        bipartite: Whether the first four relations are matchings.
        space: The space of names and attributes; the published sizes if None.
        seed: Decides the words and the profiles.
        out_degree: The number of relations that each person has, a random choice of the R; all of them if None.

    Raises:
        InputError: if `n` is less than 2, odd where people are matched, or larger than the number of names.
    """
    space = space or Space()
    related = relation_names(relations)
    if not 2 <= n <= MOST_PEOPLE:
        raise InputError(f"n must be from 2 to {MOST_PEOPLE:,} people, got {n:,}")
    if n > space.names:
        raise InputError(f"n must be ≤ {space.names:,}, the names that name_words make; got {n:,}")
    if bipartite and n % 2:
        raise InputError(f"n must be even where bipartite relations pair people up, got {n:,}")
    if bipartite and not relations:
        raise InputError("bipartite needs relations: give relations ≥ 1, got 0")
    if out_degree is not None and not 1 <= out_degree <= relations:
        raise InputError(f"out_degree must be from 1 to relations = {relations}, got {out_degree}")
    if out_degree is not None and bipartite:
        raise InputError("out_degree: bipartite relations are had by everybody; give one of the two")
    if seed < 0:
        raise InputError(f"seed must be ≥ 0, got {seed}")
    words, people = generator(seed, Stream.WORDS), generator(seed, Stream.PEOPLE)
    return Profiles(
        space=space,
        names=_draw_names(n, space, people),
        attributes=np.array([space.draw(name, n, people) for name in space.attributes], np.int32).T.reshape(
            n, -1
        ),
        relations=_leave_out(_draw_relations(n, related, bipartite, people), out_degree, seed),
        relation_names=tuple(related),
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


def _leave_out(relations: NDArray[np.int32], out_degree: int | None, seed: int) -> NDArray[np.int32]:
    """Leave each person a random choice of `out_degree` relations."""
    if out_degree is None or out_degree == relations.shape[1]:
        return relations
    ranks = generator(seed, Stream.OUT_DEGREE).random(relations.shape).argsort(1).argsort(1)
    return np.where(ranks < out_degree, relations, ABSENT).astype(np.int32)


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
