"""Bits memorized: the entropy of the source minus the loss, each part of the data by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import log2
from typing import Any

from modgrok.capacity.memorizing.part_scores import Scores
from modgrok.capacity.people.profiles import Profiles
from modgrok.capacity.people.source_entropy import source_entropy
from modgrok.capacity.questions.dictionary import Dictionary, names_shown


@dataclass(frozen=True)
class Bits:
    """Bits of a data set by part: those it holds, or those a network has memorized.

    Memorized bits are negative where the network is worse than a guess that knows the source.

    Attributes:
        names: Bits of the set of names.
        attributes: Bits of all people's values, by attribute.
        relations: Bits of all people's relations, by relation.
        dictionary: Bits of the strings that the values of an attribute are written as, by attribute.
    """

    names: float
    attributes: dict[str, float]
    relations: dict[str, float]
    dictionary: dict[str, float]

    @property
    def parts(self) -> dict[str, float]:
        """Names, attributes, relations and dictionary; within a part nothing counts as less than a guess."""
        parts = {"attributes": self.attributes, "relations": self.relations, "dictionary": self.dictionary}
        sums = {part: sum(max(0.0, bits) for bits in values.values()) for part, values in parts.items()}
        return {"names": max(0.0, self.names), **sums}

    @property
    def total(self) -> float:
        """Everything together. A coder would say with one bit for each subject where to guess instead."""
        return sum(self.parts.values())

    def plain(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {**asdict(self), "parts": self.parts, "total": self.total}


def reachable_bits(
    profiles: Profiles, dictionaries: Mapping[str, Dictionary], score_names: bool = True
) -> Bits:
    """Return the bits that a network can be seen to have memorized: the entropy, but for the order of sets.

    A network that knows N names gives each the probability 1/N, which is N·log2(M/N) bits, and up to 1.44 bits a
    name fewer than log2 C(M, N); the same holds of the words of a dictionary.

    Args:
        profiles: The people.
        dictionaries: The dictionaries of attributes.
        score_names: Whether names are scored; if not, only answers about relations show them.
    """
    entropy = source_entropy(profiles)
    n, names = len(profiles), profiles.space.names
    answered = dict.fromkeys(profiles.relation_names, 0.0)
    return Bits(
        n * log2(names / n) if score_names else names_shown(n, names, answered, profiles.targets),
        entropy.attributes,
        entropy.relations,
        {name: dictionary.known(0.0) for name, dictionary in dictionaries.items()},
    )


def memorized_bits(profiles: Profiles, dictionaries: Mapping[str, Dictionary], scores: Scores) -> Bits:
    """Return the bits that a network has memorized of the profiles.

    N·(log2 M − loss) for names, N·(H − loss) for the values of an attribute. A relation is worth its share of
    what a guess among all people costs: H·(1 − loss/log2 N), with H = N·log2 N where relations are uniform. Who
    answers with names must know those that are answers; see `names_shown`.

    Args:
        profiles: The people.
        dictionaries: The dictionaries of attributes.
        scores: Scores of the one-hop facts.
    """
    n, space = len(profiles), profiles.space
    entropy = source_entropy(profiles)
    losses = dict(zip(profiles.subjects, scores.losses, strict=True))
    known = {name: loss for name, loss in losses.items() if loss is not None}
    answered = {name: known[name] for name in profiles.relation_names if name in known}
    shown = names_shown(n, space.names, answered, profiles.targets)
    measured = shown if scores.name_loss is None else n * (log2(space.names) - scores.name_loss)
    return Bits(
        max(measured, shown) if shown else measured,
        {name: n * (space.entropy(name) - known[name]) for name in space.attributes if name in known},
        {
            name: entropy.relations[name] * (1 - known[name] / log2(n))
            for name in profiles.relation_names
            if name in known
        },
        {name: dictionary.known(known[name]) for name, dictionary in dictionaries.items() if name in known},
    )
