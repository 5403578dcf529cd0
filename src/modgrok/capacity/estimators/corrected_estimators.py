"""The published estimators put right: only questions that were trained on count, and every name is paid for.

They differ from `published_estimators` in three ways. A question that is held out of training stores nothing, so the
entropy of an encoding sums over trained questions, where the published one multiplies by all N·R. Entropies are those
of the source, where the published ones are of the values that happen to occur. And names are worth what a loss shows
to be known, where the published ones are credited in full to a network that guesses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
import torch
from numpy.typing import NDArray

from modgrok.capacity.estimators.published_estimators import Encoding, Selection, single_hop_loss
from modgrok.capacity.people.profiles import Profiles
from modgrok.capacity.questions.dictionary import names_shown
from modgrok.capacity.questions.two_hops import TRAINED
from modgrok.errors import check_choice


@dataclass(frozen=True)
class Trained:
    """The facts that the trained two-hop questions ask.

    Attributes:
        questions: The number of trained two-hop questions, by second subject.
        first_hops: The number of (person, relation) pairs that occur in them.
        second_hops: The number of (bridge, subject) pairs that occur in them, by second subject.
        both: The number of facts that are a first hop of one question and the second hop of another.
        targets: The people that are answers, by second subject that is a relation.
    """

    questions: dict[str, int]
    first_hops: int
    second_hops: dict[str, int]
    both: int
    targets: dict[str, NDArray[np.int32]]


def count_trained(profiles: Profiles, split: NDArray[np.uint8], subjects: Sequence[str]) -> Trained:
    """Count the facts of the trained questions.

    Args:
        profiles: The people.
        split: (N, R, S2) sets of questions.
        subjects: The names of the S2 second subjects.
    """
    trained = torch.from_numpy(split == TRAINED)
    hops = torch.zeros(len(profiles), len(subjects), dtype=torch.int32)
    for relation, people in enumerate(torch.from_numpy(profiles.relations.astype(np.int64)).clamp(min=0).T):
        hops.index_add_(0, people, trained[:, relation].int())
    first, second = trained.any(2).numpy(), (hops > 0).numpy()
    relations = {
        name: profiles.relation_names.index(name) for name in subjects if name in profiles.relation_names
    }
    return Trained(
        questions=dict(zip(subjects, trained.sum((0, 1)).tolist(), strict=True)),
        first_hops=int(first.sum()),
        second_hops=dict(zip(subjects, second.sum(0).tolist(), strict=True)),
        both=sum(int((first[:, r] & second[:, subjects.index(name)]).sum()) for name, r in relations.items()),
        targets={
            name: np.unique(profiles.relations[second[:, subjects.index(name)], r])
            for name, r in relations.items()
        },
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

    Where an encoding looks up the two hops of a question one after the other, a loss says by `single_hop_loss` how
    well each hop is known: L′ of log2 n bits, n the number of values of the subject. A fact of a second hop is then
    known to log2 n − L′ bits, and the facts of first hops to a share 1 − L′/log2 n of log2 N bits, the mean of that
    share over the questions.

    Args:
        profiles: The people.
        losses: The mean loss of the trained questions, bits per question, by subject: of one hop, or of two hops and
            then by second subject.
        encoding: `optimal` stores every fact once; for two hops, `2-hop-big-hash` stores every trained question by
            itself and `2-hop-double` every fact of a first hop and every fact of a second hop.
        selection: `optimal` stores a set of names, `enumerate` a list of them, both with pointers from relations
            to names; `independent` stores no names but those that relations lead to, each by itself.
        name_loss: The mean loss of a name where it is scored, bits.
        trained: The facts of the trained two-hop questions; None for one hop.

    Raises:
        InputError: if there is no such encoding or selection.
    """
    check_choice("encoding", encoding, Encoding)
    check_choice("selection", selection, Selection)
    n, names = len(profiles), profiles.space.names
    pointer = log2(names) if selection == "independent" else log2(n)
    targets = profiles.targets if trained is None else trained.targets
    answered = {name: loss for name, loss in losses.items() if name in targets and selection != "independent"}
    known = max(
        0.0 if name_loss is None else n * (log2(names) - name_loss), names_shown(n, names, answered, targets)
    )
    share = known / (n * log2(names / n)) if names > n else 0.0
    bits = {name: pointer if name in targets else profiles.space.entropy(name) for name in losses}
    if trained is None:
        holders = profiles.holders
        values = sum(holders[name] * max(0.0, bits[name] - loss) for name, loss in losses.items())
    elif encoding == "2-hop-big-hash":
        values = sum(trained.questions[name] * max(0.0, bits[name] - loss) for name, loss in losses.items())
    else:
        left = {name: single_hop_loss(loss, round(2 ** bits[name])) for name, loss in losses.items()}
        values = sum(trained.second_hops[name] * max(0.0, bits[name] - left[name]) for name in losses)
        asked = sum(trained.questions[name] * max(0.0, 1 - left[name] / bits[name]) for name in losses)
        copies = trained.first_hops - (trained.both if encoding == "optimal" else 0)
        values += copies * pointer * asked / sum(trained.questions.values())
    return {"names": known + (share * n * log2(n) if selection == "enumerate" else 0.0), "values": values}


def difference_in_words() -> str:
    """Return in a sentence how the corrected forms differ from the published ones, and why."""
    return (
        "The published estimators count two-hop questions that were never trained on, take entropies from the values "
        "that happen to occur, and credit all names even to a network that guesses; the corrected ones count trained "
        "questions only, take entropies from the source, and credit names as far as a loss shows them to be known."
    )
