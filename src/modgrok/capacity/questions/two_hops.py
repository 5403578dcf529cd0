"""The choice of two-hop questions that are trained on and held out.

Seven sets are those of the published system. Four more tell composition from memory, as Wang et al. 2024 (arXiv
2405.15071) do: facts out of distribution are asked in one hop only, so that a question with such a fact in its first
or second hop is held out, and of the questions whose facts are both in distribution `phi` a fact are trained on.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.people.profiles import ABSENT
from modgrok.capacity.people.streams import Stream, generator
from modgrok.errors import InputError

TRAINED = 0
NO_QUESTION = 255
"""The mark in a split where a person lacks the relation, or the person it leads to the second subject."""
PUBLISHED = (
    "first_people",
    "relations",
    "second_attributes",
    "person_relation_pairs",
    "second_people",
    "second_person_attribute_pairs",
    "complete_two_hop",
)
COMPOSED = ("in_out", "out_in", "out_out", "in_in")
"""Sets by their two hops, each a fact in or out of distribution; of `in_in` only the combination is new."""
INFERRED = {"two_hop": "two-hop questions", "comparison": "comparisons"}
"""Sets of questions of two facts that are trained on, in words: the inferred facts of Wang et al. A run has one set."""
HELD_OUT = (*PUBLISHED, *COMPOSED)
"""The sets, in the order in which they are taken out; set i has the number i + 1."""

SHARES = {
    "first_people": 0.02,
    "person_relation_pairs": 0.02,
    "second_people": 0.02,
    "second_person_attribute_pairs": 0.02,
    "complete_two_hop": 0.1,
}
"""Shares unless others are given. Whole relations and subjects are held out on demand: one of four is a quarter."""

MOST_QUESTIONS = 2**31
SLAB = 10_000


def split_two_hops(
    relations: NDArray[np.int32],
    n_subjects: int,
    shares: Mapping[str, float],
    seed: int,
    second_facts: NDArray[np.int32] | None = None,
) -> NDArray[np.uint8]:
    """Return the set of every two-hop question, (N, R, S2), `TRAINED` or the number of a held-out set.

    A share is that of the things a set is named after, which is also the share of all two-hop questions that it
    would take by itself: people never asked about, relations never a first hop, subjects never a second hop, first
    hops (person, relation) never composed, people never a bridge, second hops (bridge, subject) never composed, and
    questions of which only the combination is new. A question belongs to the first set that takes it.

    Args:
        relations: (N, R) people.
        n_subjects: The number of subjects of a second hop, S2.
        shares: Shares by the name of a published set; 0 for those not named.
        seed: Decides the choice.
        second_facts: (N, S2) facts about the second subjects, `ABSENT` where there is none; all are there if None.

    Raises:
        InputError: if there is no such set, a share is out of range or takes nothing, or nothing is left.
    """
    n, n_relations = relations.shape
    if n_relations == 0:
        raise InputError("hops: two-hop questions need relations: give relations ≥ 1, got 0")
    if n_subjects == 0:
        raise InputError("second_subjects must name at least one subject, got []")
    if n * n_relations * n_subjects >= MOST_QUESTIONS:
        raise InputError(
            f"n must make fewer than 2**31 two-hop questions; {n:,} people make {n * n_relations * n_subjects:,}"
        )
    split = np.full((n, n_relations, n_subjects), TRAINED, np.uint8)
    if (relations == ABSENT).any():
        split[relations == ABSENT] = NO_QUESTION
    if second_facts is not None and (second_facts == ABSENT).any():
        split[(second_facts == ABSENT)[relations]] = NO_QUESTION
    sizes = {
        "first_people": n,
        "relations": n_relations,
        "second_attributes": n_subjects,
        "person_relation_pairs": n * n_relations,
        "second_people": n,
        "second_person_attribute_pairs": n * n_subjects,
        "complete_two_hop": int((split == TRAINED).sum()),
    }
    check_shares(shares, sizes)
    rng = generator(seed, Stream.SPLIT)
    for number, name in enumerate(PUBLISHED, start=1):
        count = round(shares.get(name, 0.0) * sizes[name])
        if count == 0:
            continue
        if name == "complete_two_hop":
            free = numbers_of(split, TRAINED)
            rng.shuffle(free)
            split.reshape(-1)[free[:count]] = number
            continue
        chosen = np.zeros(sizes[name], bool)
        chosen[rng.choice(sizes[name], count, replace=False)] = True
        for start in range(0, n, SLAB):  # of people, so that no second array of all questions is needed
            people = slice(start, start + SLAB)
            part = split[people]
            taken = np.broadcast_to(_taken(name, chosen, people, relations), part.shape)
            part[taken & (part == TRAINED)] = number
    if not (split == TRAINED).any():
        raise InputError("held_out: the shares leave no two-hop question to train on; give smaller ones")
    return split


def draw_facts_out(facts: NDArray[np.int32], share: float, seed: int) -> NDArray[np.bool_]:
    """Return which facts (N, S) are out of distribution; one choice serves both hops.

    Raises:
        InputError: if the share is not in [0, 1), or is of no fact.
    """
    if not 0 <= share < 1:
        raise InputError(f"out_of_distribution must be a share in [0, 1), got {share}")
    there = np.flatnonzero(facts.reshape(-1) != ABSENT)
    if share and round(share * len(there)) == 0:
        raise InputError(
            f"out_of_distribution must be 0 or ≥ {1 / len(there):.3g}, one of {len(there):,} facts; got {share}"
        )
    out = np.zeros(facts.shape, bool)
    if share:
        rng = generator(seed, Stream.OUT_OF_DISTRIBUTION)
        out.reshape(-1)[there[rng.choice(len(there), round(share * len(there)), replace=False)]] = True
    return out


def hold_out_facts(
    split: NDArray[np.uint8],
    relations: NDArray[np.int32],
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
) -> None:
    """Take the questions with a fact out of distribution out of training, in place.

    Args:
        split: (N, R, S2) sets of questions.
        relations: (N, R) people.
        first: (N, R) whether the fact of a first hop is out of distribution.
        second: (N, S2) whether the fact of a second hop is.
    """
    for start in range(0, len(split), SLAB):
        people = slice(start, start + SLAB)
        hold_out(split[people], first[people, :, None], second[relations[people]])


def hold_out(part: NDArray[np.uint8], one: NDArray[np.bool_], two: NDArray[np.bool_]) -> None:
    """Take the questions of which fact `one` or fact `two` is out of distribution out of training, in place."""
    for name, taken in (("in_out", ~one & two), ("out_in", one & ~two), ("out_out", one & two)):
        part[taken & (part == TRAINED)] = set_number(name)


def keep_trained(split: NDArray[np.uint8], phi: float, facts: int, seed: int) -> None:
    """Leave `phi` trained two-hop questions for every fact in distribution; the others become `in_in`, in place.

    Args:
        split: (N, R, S2) sets of questions.
        phi: Trained two-hop questions per fact.
        facts: The number of facts in distribution.
        seed: Decides the choice.

    Raises:
        InputError: if there are not that many questions, or `phi` leaves none.
    """
    free = numbers_of(split, TRAINED)
    count = trained_count(phi, facts, len(free), "two-hop questions")
    generator(seed, Stream.COMBINATIONS).shuffle(free)
    split.reshape(-1)[free[count:]] = set_number("in_in")


def trained_count(phi: float, facts: int, there: int, questions: str) -> int:
    """Return how many of the questions that there are `phi` a fact makes.

    Raises:
        InputError: if there are not that many, or it makes none.
    """
    count = round(phi * facts)
    if not 0 < count <= there:
        raise InputError(
            f"phi must be > 0 and ≤ {there / max(1, facts):.4g}, {there:,} {questions} for {facts:,} facts; got {phi:g}"
        )
    return count


def _taken(
    name: str, chosen: NDArray[np.bool_], people: slice, relations: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Return which questions of some people a set takes, in a shape that broadcasts to (people, R, S2)."""
    n, n_relations = relations.shape
    match name:
        case "first_people":
            return chosen[people, None, None]
        case "relations":
            return chosen[None, :, None]
        case "second_attributes":
            return chosen[None, None, :]
        case "person_relation_pairs":
            return chosen.reshape(n, n_relations)[people, :, None]
        case "second_people":
            return chosen[relations[people], None]
        case _:
            return chosen.reshape(n, -1)[relations[people]]


def set_number(name: str) -> int:
    """Return the number of a set: of the trained questions, or of a held-out set."""
    return TRAINED if name in INFERRED else HELD_OUT.index(name) + 1


def numbers_of(split: NDArray[np.uint8], number: int) -> NDArray[np.int32]:
    """Return the numbers of the questions in a set, as int32, in order."""
    flat = split.reshape(-1)
    starts = range(0, len(flat), 100 * SLAB)
    found = (start + np.flatnonzero(flat[start : start + starts.step] == number) for start in starts)
    return np.concatenate([numbers.astype(np.int32) for numbers in found])


def check_shares(shares: Mapping[str, float], sizes: Mapping[str, int]) -> None:
    """Raise an InputError unless every share is of a known set, in [0, 1), and takes at least one thing."""
    for name, share in shares.items():
        if name not in sizes:
            raise InputError(f"held_out: no set is called {name!r}; there are {', '.join(PUBLISHED)}")
        if not 0 <= share < 1:
            raise InputError(f"held_out.{name} must be a share in [0, 1), got {share}")
        if share and round(share * sizes[name]) == 0:
            raise InputError(
                f"held_out.{name} must be 0 or ≥ {1 / sizes[name]:.3g}, one of {sizes[name]:,}; got {share}"
            )
        if share and round(share * sizes[name]) == sizes[name]:
            raise InputError(
                f"held_out.{name} must leave something; {share} of {sizes[name]:,} is all of them"
            )
