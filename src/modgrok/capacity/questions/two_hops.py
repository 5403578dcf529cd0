"""Which two-hop questions are trained on, and which are held out: the seven sets of the published system."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from modgrok.errors import InputError

TRAINED = 0
HELD_OUT = (
    "first_people",
    "relations",
    "second_attributes",
    "person_relation_pairs",
    "second_people",
    "second_person_attribute_pairs",
    "complete_two_hop",
)
"""The sets, in the order in which they are taken out; set i has the number i + 1."""

SHARES = {
    "first_people": 0.02,
    "person_relation_pairs": 0.02,
    "second_people": 0.02,
    "second_person_attribute_pairs": 0.02,
    "complete_two_hop": 0.1,
}
"""Shares unless others are given. Whole relations and subjects are held out on demand: one of four is a quarter."""

MOST = 2**31
SLAB = 10_000


def split_two_hops(
    relations: NDArray[np.int32], n_subjects: int, shares: Mapping[str, float], seed: int
) -> NDArray[np.uint8]:
    """Return the set of every two-hop question, (N, R, S2), `TRAINED` or the number of a held-out set.

    A share is that of the things a set is named after, which is also the share of all two-hop questions that it
    would take by itself: people never asked about, relations never a first hop, subjects never a second hop, first
    hops (person, relation) never composed, people never a bridge, second hops (bridge, subject) never composed, and
    questions of which only the combination is new. A question belongs to the first set that takes it.

    Args:
        relations: (N, R) people.
        n_subjects: S2, subjects of a second hop.
        shares: by the name of a set; 0 for those not named.
        seed: of the choice.

    Raises:
        InputError: if there is no such set, a share is out of range or takes nothing, or nothing is left.
    """
    n, n_relations = relations.shape
    if n_relations == 0 or n_subjects == 0:
        raise InputError("hops: two-hop questions need relations; give relations: 1 or more")
    if n * n_relations * n_subjects >= MOST:
        raise InputError(
            f"n: {n:,} people make {n * n_relations * n_subjects:,} two-hop questions, more than 2**31"
        )
    sizes = {
        "first_people": n,
        "relations": n_relations,
        "second_attributes": n_subjects,
        "person_relation_pairs": n * n_relations,
        "second_people": n,
        "second_person_attribute_pairs": n * n_subjects,
        "complete_two_hop": n * n_relations * n_subjects,
    }
    check_shares(shares, sizes)
    rng = np.random.default_rng([seed, 3])
    split = np.full((n, n_relations, n_subjects), TRAINED, np.uint8)
    for number, name in enumerate(HELD_OUT, start=1):
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
            raise InputError(f"held_out: no set is called {name!r}; there are {', '.join(HELD_OUT)}")
        if not 0 <= share < 1:
            raise InputError(f"held_out.{name}: a share from 0 up to, but not including, 1, not {share}")
        if share and round(share * sizes[name]) == 0:
            raise InputError(
                f"held_out.{name}: {share} of {sizes[name]} is none; the least is {1 / sizes[name]:.3g}"
            )
        if share and round(share * sizes[name]) == sizes[name]:
            raise InputError(
                f"held_out.{name}: {share} of {sizes[name]} is all of them, which leaves nothing"
            )
