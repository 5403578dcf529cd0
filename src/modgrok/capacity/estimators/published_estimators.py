"""The estimators of the published system (Johnston & Belrose, arXiv 2502.03490), exactly as its code has them.

They see the data only through counts: how many distinct values of each subject, and how many names could be made of
the name parts that occur. Losses are in bits per question. What is wrong in them is put right in
`corrected_estimators`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log2, sqrt
from typing import Literal

import numpy as np

from modgrok.capacity.people.profiles import Profiles
from modgrok.capacity.people.source_entropy import log2_binomial
from modgrok.capacity.people.space import ATTRIBUTES
from modgrok.errors import InputError, check_choice

Selection = Literal["optimal", "enumerate", "independent"]
Encoding = Literal["optimal", "2-hop-big-hash", "2-hop-double"]


@dataclass(frozen=True)
class Observed:
    """The counts of a data set that the estimators see.

    Attributes:
        n: The number of people, N.
        possible_names: log2 of M_obs, the number of names that its first, middle and last names could make.
        attributes: The number of distinct values of each attribute.
        relations: The number of distinct people that each relation leads to.
    """

    n: int
    possible_names: float
    attributes: Mapping[str, int]
    relations: Mapping[str, int]

    @property
    def distinct(self) -> dict[str, int]:
        """Distinct values of every subject, the attributes first."""
        return {**self.attributes, **self.relations}


def observe(profiles: Profiles) -> Observed:
    """Count what occurs in the profiles."""
    return Observed(
        len(profiles),
        sum(log2(len(np.unique(part))) for part in profiles.names.T),
        {
            name: len(np.unique(values))
            for name, values in zip(profiles.space.attributes, profiles.attributes.T, strict=True)
        },
        {name: len(people) for name, people in profiles.targets.items()},
    )


def name_selection(observed: Observed, selection: Selection) -> float:
    """Return S_name, the bits credited for the set of names (`measure_entropy.py`)."""
    check_choice("selection", selection, Selection)
    if selection == "independent":
        return 0.0
    bits = observed.n * observed.possible_names
    return bits - observed.n * log2(observed.n) if selection == "optimal" else bits


def date_selection(observed: Observed, selection: Selection) -> float:
    """Return S_date, the bits credited for which birth dates occur (`measure_entropy.py`)."""
    check_choice("selection", selection, Selection)
    if selection == "independent" or "birth_date" not in observed.attributes:
        return 0.0
    return log2_binomial(ATTRIBUTES["birth_date"], observed.attributes["birth_date"])


def capacity_by_subject(
    observed: Observed,
    losses: Mapping[str, float],
    hops: int,
    encoding: Encoding,
    selection: Selection,
    dates: float | None = None,
) -> dict[str, float]:
    """Return the bits of capacity of every subject; the published `--subjectwise`.

    Args:
        observed: The counts of the data set.
        losses: The mean loss of the questions about each subject, bits per question.
        hops: The hops of the questions, 1 or 2.
        encoding: What the network is supposed to store.
        selection: How the names are paid for.
        dates: S_date if not the present form; before 2025 it was u·log2 73,048 with u distinct dates.

    Raises:
        InputError: if there is no such encoding or selection, or a subject has no loss.
    """
    check_choice("encoding", encoding, Encoding)
    names = name_selection(observed, selection)
    dates = date_selection(observed, selection) if dates is None else dates
    n, n_relations = observed.n, len(observed.relations)
    capacity = {}
    for subject, distinct in observed.distinct.items():
        if subject not in losses:
            raise InputError(f"losses must have one for every subject, and has none for {subject}")
        loss = losses[subject]
        copies = 1
        if hops == 2 and encoding == "2-hop-big-hash":
            copies = n_relations
        elif hops == 2 and encoding == "2-hop-double":
            loss = single_hop_loss(loss, distinct)
            copies = 2 if subject in observed.relations else 1
        bits = n * (log2(distinct) - loss)
        if subject not in observed.relations:
            given = dates if subject == "birth_date" else 0.0
            copies = 1 if bits < 0 and subject == "birth_date" else copies
            capacity[subject] = copies * bits + given
        elif bits > 0:
            capacity[subject] = copies * bits + names / n_relations
        else:
            capacity[subject] = (bits + names) / n_relations
    return capacity


def single_hop_loss(loss: float, distinct: int) -> float:
    """Return the loss of one hop of a two-hop question whose hops are looked up one after the other.

    With p the probability of each hop and n values, the right answer comes with probability p² + (1 − p)/n.

    Args:
        loss: The loss of the two-hop question, bits.
        distinct: The number of values that the answer can have, n.
    """
    if loss > log2(distinct):
        return log2(distinct)
    chance = 1 / distinct
    return -log2((chance + sqrt(chance**2 - 4 * (chance - 2**-loss))) / 2)
