"""A data set described before any training: bits by part and by scheme, questions by set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from modgrok.capacity.estimators.all_estimates import all_estimates, trained_facts
from modgrok.capacity.memorizing.bits import reachable_bits
from modgrok.capacity.people.profiles import ABSENT
from modgrok.capacity.people.source_entropy import log2_binomial, source_entropy
from modgrok.capacity.questions.comparisons import Comparisons
from modgrok.capacity.questions.profiles_data import ProfilesData
from modgrok.capacity.questions.two_hops import INFERRED, NO_QUESTION


@dataclass(frozen=True)
class Description:
    """A data set in numbers and words.

    Attributes:
        title: The people, in words.
        bits: Rows of what there are bits of: the part, its bits, and a remark.
        questions: The rows that the network reads, in words.
        inferred: The questions of two facts, in words.
        sets: Rows of their sets: the name, the number of questions, and their share; empty where there are none.
        schemes: Rows of the encodings and selections: bits at zero loss, as published and corrected.
    """

    title: str
    bits: list[tuple[str, ...]]
    questions: str
    inferred: str
    sets: list[tuple[str, ...]]
    schemes: list[tuple[str, ...]]


def show(data: ProfilesData, people: int) -> list[str]:
    """Return the first profiles as text: every fact, and a question of each kind as the network reads it."""
    profiles, per_person, blocks = data.people, data.questions.rows_per_person, []
    for person in range(min(people, len(profiles))):
        lines = [profiles.full_names[person]]
        for column, name in enumerate(profiles.space.attributes):
            lines.append(f"  {name}: {profiles.value_texts(name)[profiles.attributes[person, column]]}")
        for column, name in enumerate(profiles.relation_names):
            if (related := profiles.relations[person, column]) != ABSENT:
                lines.append(f"  {name}: {profiles.full_names[related]}")
        ends = [person * per_person, (person + 1) * per_person]
        rows = []  # the first fact, in every template
        for numbers in data.questions.sets.values():
            first, end = np.searchsorted(numbers, ends)
            told = numbers[first:end].astype(np.int64)
            same = told // len(data.notation.of) == told[:1] // len(data.notation.of)
            rows.append(data.questions.one_hop(torch.from_numpy(told[same])))
        if data.inferred:
            asked = np.flatnonzero(data.split[person].reshape(-1) != NO_QUESTION)[:1]
            rows.append(data.of_two_facts(torch.from_numpy(asked + person * data.split[0].size)))
        lines += [f"  reads: {data.notation.text(tokens)}" for row in rows for tokens in row.tokens.tolist()]
        blocks.append("\n".join(lines))
    return blocks


def describe(data: ProfilesData) -> Description:
    """Describe data."""
    people = data.people
    n, space = len(people), people.space
    entropy = source_entropy(people)
    reachable = reachable_bits(people, data.notation.dictionaries, data.config["score_names"])
    dictionary = sum(one.entropy for one in data.notation.dictionaries.values())
    bits: list[tuple[str, ...]] = [
        ("names", f"{entropy.names:,.0f}", f"{log2_binomial(space.names, n) / n:.3f} a name, as a set")
    ]
    for name, value in (*entropy.attributes.items(), *entropy.relations.items()):
        bits.append((name, f"{value:,.0f}", f"{value / n:.3f} a person"))
    bits.append(
        ("dictionary", f"{dictionary:,.0f}", "of the strings that the values that occur are written as")
    )
    bits.append(
        ("total", f"{entropy.total + dictionary:,.0f}", f"of which {reachable.total:,.0f} show in losses")
    )
    trained = trained_facts(data)
    sets: list[tuple[str, ...]] = []
    if data.inferred:
        total = int((data.split != NO_QUESTION).sum())
        for name in (name for name in data.scored_sets if name not in data.questions.sets):
            count = data.size(name)
            sets.append(("trained" if name == data.inferred else name, f"{count:,}", f"{count / total:.1%}"))
        sets.append(("trained for every fact, φ", f"{data.phi:.2f}", ""))
        if isinstance(data.questions, Comparisons):
            answers = data.questions.answers(torch.from_numpy(data.numbers(data.inferred)).long()).bincount()
            most = int(answers.max())
            sets.append(("trained, most frequent answer", f"{most:,}", f"{most / int(answers.sum()):.1%}"))
    rows = ", ".join(
        f"{len(numbers):,} {name.replace('_', '-')}" for name, numbers in data.questions.sets.items()
    )
    zero = dict.fromkeys(people.subjects, 0.0)
    estimates = all_estimates(data, trained, zero, dict.fromkeys(trained.questions, 0.0) if trained else {})
    return Description(
        title=f"{n:,} people, {len(space.attributes)} attributes, {len(people.relation_names)} relations"
        f"{', bipartite' if people.bipartite else ''}; {space.names:,} possible names",
        bits=bits,
        inferred=INFERRED.get(data.inferred or "", ""),
        questions=f"{rows} rows of {data.context_length} tokens, vocabulary {data.vocabulary_size:,}",
        sets=sets,
        schemes=[
            (scheme, f"{estimates.published[scheme]:,.0f}" if estimates.published else "–", f"{value:,.0f}")
            for scheme, value in estimates.corrected.items()
        ],
    )
