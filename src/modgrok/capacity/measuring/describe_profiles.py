"""What a data set is, before any training: bits by part and by scheme, questions by set."""

from __future__ import annotations

from modgrok.capacity.estimators.corrected_estimators import (
    all_estimates,
    corrected_capacity,
    count_trained,
    difference_in_words,
)
from modgrok.capacity.estimators.published_estimators import capacity_by_subject, observe
from modgrok.capacity.memorizing.bits import reachable_bits
from modgrok.capacity.people.source_entropy import log2_binomial, source_entropy
from modgrok.capacity.questions.profiles_data_module import ProfilesDataModule
from modgrok.capacity.questions.questions import Questions


def describe(data: ProfilesDataModule) -> str:
    """Return the description as text."""
    people = data.people
    n, space = len(people), people.space
    entropy = source_entropy(people)
    reachable = reachable_bits(people, data.notation.dictionaries, data.config["score_names"])
    dictionary = sum(d.entropy for d in data.notation.dictionaries.values())
    lines = [
        f"{n:,} people, {len(space.attributes)} attributes, {len(people.relation_names)} relations"
        f"{', bipartite' if people.bipartite else ''}; {space.names:,} possible names",
        "",
        "bits of the source",
        f"  names          {entropy.names:14,.0f}   {log2_binomial(space.names, n) / n:.3f} a name, as a set",
        *(
            f"  {name:<15}{bits:14,.0f}   {bits / n:.3f} a person"
            for name, bits in entropy.attributes.items()
        ),
        *(f"  {name:<15}{bits:14,.0f}   {bits / n:.3f} a person" for name, bits in entropy.relations.items()),
        f"  dictionary     {dictionary:14,.0f}   of the strings that values are written with",
        f"  total          {entropy.total + dictionary:14,.0f}   of which {reachable.total:,.0f} show in losses",
        "",
        f"{data.questions.n_one_hop:,} one-hop rows of {data.context_length} tokens, "
        f"vocabulary {data.vocabulary_size:,}",
    ]
    trained = None
    if data.hops == 2:
        assert isinstance(data.questions, Questions)
        seconds = [people.subjects[i] for i in data.questions.second_subjects.tolist()]
        trained = count_trained(people.relations, data.split.numpy(), seconds)
        lines += [f"{data.questions.n_two_hop:,} two-hop questions:"]
        for name in data.scored_sets[1:]:
            count = len(data.chunks(name).numbers)
            share = count / data.questions.n_two_hop
            lines.append(f"  {'trained' if name == 'two_hop' else name:<30} {count:12,}  {share:.1%}")
    asked = tuple(trained.questions) if trained else people.subjects
    zero = dict.fromkeys(asked, 0.0)
    corrected = all_estimates(
        lambda encoding, selection: sum(
            corrected_capacity(people, zero, encoding, selection, trained=trained).values()
        ),
        data.hops,
    )
    published: dict[str, float] = {}
    if len(asked) == len(people.subjects):
        observed = observe(people)
        published = all_estimates(
            lambda encoding, selection: sum(
                capacity_by_subject(observed, zero, data.hops, encoding, selection).values()
            ),
            data.hops,
        )
    lines += ["", f"{'bits by scheme, at zero loss':<32}{'published':>14}{'corrected':>14}"]
    for scheme, bits in corrected.items():
        as_published = f"{published[scheme]:,.0f}" if published else "-"
        lines.append(f"  {scheme:<30}{as_published:>14}{bits:14,.0f}")
    return "\n".join([*lines, "", difference_in_words()])
