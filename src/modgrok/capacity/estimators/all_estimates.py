"""The capacity of a run by every encoding and selection: as published, and corrected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from modgrok.capacity.estimators.corrected_estimators import Trained, corrected_capacity, count_trained
from modgrok.capacity.estimators.published_estimators import (
    Encoding,
    Selection,
    capacity_by_subject,
    observe,
)
from modgrok.capacity.questions.profiles_data import ProfilesData
from modgrok.capacity.questions.questions import Questions

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
SELECTIONS: tuple[Selection, ...] = get_args(Selection)

ONE_HOP_TOO = ", and one hop"
"""What the names of schemes end with where the one-hop facts are counted beside two hops."""


@dataclass(frozen=True)
class Estimates:
    """Capacity in bits by "encoding, selection"; for two hops also with the one-hop facts beside.

    Attributes:
        published: The published estimators; empty where a subject is not asked about, since they know no such data.
        corrected: The corrected estimators.
    """

    published: dict[str, float]
    corrected: dict[str, float]


def trained_facts(data: ProfilesData) -> Trained | None:
    """Return the facts that the trained two-hop questions of data ask; None for one hop."""
    if data.hops == 1:
        return None
    assert isinstance(data.questions, Questions)
    seconds = [data.people.subjects[number] for number in data.questions.second_subjects.tolist()]
    return count_trained(data.people, data.split, seconds)


def all_estimates(
    data: ProfilesData,
    trained: Trained | None,
    one_hop: Mapping[str, float],
    two_hop: Mapping[str, float],
    name_loss: float | None = None,
) -> Estimates:
    """Return every estimate.

    Args:
        data: The data of a run.
        trained: Its `trained_facts`.
        one_hop: The mean loss of the one-hop questions by subject, bits.
        two_hop: The mean loss of the trained two-hop questions by second subject; empty for one hop.
        name_loss: The mean loss of a name where names are scored, bits.
    """
    people, observed = data.people, observe(data.people)
    published: dict[str, float] = {}
    corrected: dict[str, float] = {}
    asked = two_hop if data.hops == 2 else one_hop
    for encoding in ENCODINGS if data.hops == 2 else ("optimal",):
        for selection in SELECTIONS:
            scheme = f"{encoding}, {selection}"
            parts = corrected_capacity(people, asked, encoding, selection, name_loss, trained)
            corrected[scheme] = sum(parts.values())
            if data.hops == 2:  # the published row "2.1": one hop too, with the selection of names left out
                values = corrected_capacity(people, one_hop, "optimal", selection)["values"]
                corrected[scheme + ONE_HOP_TOO] = corrected[scheme] + values
            if len(asked) < len(people.subjects):
                continue
            published[scheme] = sum(
                capacity_by_subject(observed, asked, data.hops, encoding, selection).values()
            )
            if data.hops == 2:
                values = sum(capacity_by_subject(observed, one_hop, 1, "optimal", "independent").values())
                published[scheme + ONE_HOP_TOO] = published[scheme] + values
    return Estimates(published, corrected)
