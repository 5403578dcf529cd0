"""The published estimators put right: only questions that were trained on count, and every name is paid for.

They differ from `published` in three ways. A question that is held out of training stores nothing, so the entropy of
an encoding sums over trained questions, where the published one multiplies by all N·R. Entropies are those of the
source, where the published ones are of the values that happen to occur. And names are worth what a loss shows to be
known, where the published ones are credited in full to a network that guesses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log2
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray

from modgrok.capacity.estimators.published_estimators import (
    Encoding,
    Selection,
    check_choice,
    single_hop_loss,
)
from modgrok.capacity.people.profiles import Profiles
from modgrok.capacity.questions.notation import Dictionary
from modgrok.capacity.questions.two_hops import TRAINED


@dataclass(frozen=True)
class Trained:
    """How many facts an encoding of the trained two-hop questions has to store.

    Attributes:
        questions: trained two-hop questions, by second subject.
        first_hops: (person, relation) pairs that occur in them.
        second_hops: (bridge, subject) pairs that occur in them, by second subject.
    """

    questions: dict[str, int]
    first_hops: int
    second_hops: dict[str, int]


def count_trained(relations: NDArray[np.int32], split: NDArray[np.uint8], subjects: list[str]) -> Trained:
    """Count the facts of the trained questions.

    Args:
        relations: (N, R) people.
        split: (N, R, S2) sets of questions.
        subjects: names of the S2 second subjects.
    """
    trained = torch.from_numpy(split == TRAINED)
    hops = torch.zeros(len(relations), len(subjects), dtype=torch.int32)
    for relation, people in enumerate(torch.from_numpy(relations.astype(np.int64)).T):
        hops.index_add_(0, people, trained[:, relation].int())
    return Trained(
        dict(zip(subjects, trained.sum((0, 1)).tolist(), strict=True)),
        int(trained.any(2).sum()),
        dict(zip(subjects, (hops > 0).sum(0).tolist(), strict=True)),
    )


def corrected_capacity(
    profiles: Profiles,
    losses: Mapping[str, float],
    encoding: Encoding,
    selection: Selection,
    name_loss: float | None = None,
    trained: Trained | None = None,
) -> dict[str, float]:
    """Return the bits that an encoding stores: of `names`, and of the `values` of questions.

    Args:
        profiles: the people.
        losses: mean loss of the trained questions, bits per question, by subject: of one hop, or of two hops and
            then by second subject.
        encoding: `optimal` for one hop; of two hops, `2-hop-big-hash` stores every trained question by itself and
            `2-hop-double` every fact of a first hop and every fact of a second hop.
        selection: `optimal` stores a set of names, `enumerate` a list of them, both with pointers from relations
            to names; `independent` stores no names but those that relations lead to, each by itself.
        name_loss: mean loss of a name where it is scored, bits.
        trained: facts of the trained two-hop questions; None for one hop.

    Raises:
        InputError: if there is no such encoding or selection.
    """
    check_choice("encoding", encoding, Encoding)
    check_choice("selection", selection, Selection)
    n = len(profiles)
    all_names = log2(profiles.space.names)
    pointer = all_names if selection == "independent" else log2(n)
    related = [loss for subject, loss in losses.items() if subject in profiles.relation_names]
    shown = [loss for loss in related if selection != "independent"]
    known = max(
        0.0 if name_loss is None else n * (all_names - name_loss),
        max((Dictionary(n, profiles.space.names).known(loss) for loss in shown), default=0.0),
    )
    share = known / (n * log2(profiles.space.names / n)) if profiles.space.names > n else 0.0
    values = 0.0
    for subject, loss in losses.items():
        entropy = pointer if subject in profiles.relation_names else profiles.space.entropy(subject)
        if trained is None or encoding == "optimal":
            values += n * max(0.0, entropy - loss)
        elif encoding == "2-hop-big-hash":
            values += trained.questions[subject] * max(0.0, entropy - loss)
        else:
            values += trained.second_hops[subject] * max(
                0.0, entropy - single_hop_loss(loss, round(2**entropy))
            )
    if trained is not None and encoding == "2-hop-double":
        mean = sum(losses.values()) / len(losses)
        values += trained.first_hops * max(0.0, pointer - single_hop_loss(mean, n))
    return {"names": known + (share * n * log2(n) if selection == "enumerate" else 0.0), "values": values}


def difference_in_words() -> str:
    """Return in a sentence how the corrected forms differ from the published ones, and why."""
    return (
        "The published estimators count two-hop questions that were never trained on, take entropies from the values "
        "that happen to occur, and credit all names even to a network that guesses; the corrected ones count trained "
        "questions only, take entropies from the source, and credit names as far as a loss shows them to be known."
    )


def all_estimates(estimate: Callable[[Encoding, Selection], float], hops: int) -> dict[str, float]:
    """Return `estimate(encoding, selection)` for every pair that fits the hops, by "encoding, selection"."""
    encodings: tuple[Encoding, ...] = ("2-hop-big-hash", "2-hop-double") if hops == 2 else ("optimal",)
    selections: tuple[Selection, ...] = get_args(Selection)
    return {
        f"{encoding}, {selection}": estimate(encoding, selection)
        for encoding in encodings
        for selection in selections
    }
