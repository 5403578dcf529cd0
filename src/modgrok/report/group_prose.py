"""The circuit of a group in words and numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

from modgrok.analysis import Circuit, GroupMeasures
from modgrok.analysis.cosets import WITHIN
from modgrok.analysis.group_measures import KEY_SHARE
from modgrok.analysis.run_analysis import CheckpointScores
from modgrok.figures.numbers import listed, number, percent


def group_opening(circuit: Circuit, last: CheckpointScores, measures: GroupMeasures) -> list[str]:
    """The circuit, and the evidence for it, in sentences."""
    group, keys = circuit.view.structure.group, measures.key_irreps
    headline = (
        f"{percent(measures.bi_equivariant_share)} of the logits are bi-equivariant under {group}: they depend on "
        "a⁻¹·c·b⁻¹ alone"
    )
    if not keys:
        return [
            f"{headline}, and no nontrivial irrep has more than {percent(KEY_SHARE)} of them.",
            f"The loss over all pairs is {number(last.loss)}, where a guess has {number(circuit.guess)}.",
        ]
    shares = {irrep.name: irrep for irrep in measures.irreps}
    by_share = sorted(keys, key=lambda name: -shares[name].share)
    parts = [f"{percent(shares[name].share)} in {name}" for name in by_share]
    of_training = "of all pairs" if last.train_loss is None else "of the training pairs"
    return [
        f"{headline} ({listed(parts)}).",
        f"With the characters of {_these(keys)} alone the loss over all pairs is {number(measures.restricted_loss)} "
        f"(restricted loss), where the whole network's is {number(last.loss)}; without them the loss {of_training} is "
        f"{number(measures.excluded_loss)} (excluded loss), where a guess has {number(circuit.guess)}.",
    ]


def group_method() -> str:
    """How irreps, neurons and cosets are counted."""
    return (
        f"An irrep is key if it has more than {percent(KEY_SHARE)} of the logits; the trivial one never is. A neuron "
        f"belongs to the irrep that has the largest part of its inputs, and is constant on cosets if less than "
        f"{percent(WITHIN)} of the variance of its input from x lies within them."
    )


def group_facts(measures: GroupMeasures) -> dict[str, str]:
    """The numbers behind the opening, by name."""
    facts = {
        "Bi-equivariant share": percent(measures.bi_equivariant_share),
        "Class functions": percent(measures.class_function_share),
        "Logits explained": percent(measures.logits_explained),
        "Restricted loss": number(measures.restricted_loss),
        "Excluded loss": number(measures.excluded_loss),
        "Restricted loss, neurons": number(measures.hidden_restricted_loss),
        "Excluded loss, neurons": number(measures.hidden_excluded_loss),
    }
    if measures.purity is not None and measures.rank_one is not None:
        facts |= {"Median purity": f"{measures.purity:.4f}", "Median rank one": f"{measures.rank_one:.4f}"}
    return facts


def group_summary(circuit: Circuit) -> dict[str, Any]:
    """The group, its irreps and the neurons as data."""
    assert circuit.group is not None
    pairs, neurons = circuit.group.pairs, circuit.group_neurons
    return {
        "group": {
            "name": pairs.group.name or None,
            "order": pairs.group.order,
            "classes": pairs.group.n_classes,
            "irreps": [
                {"name": irrep.name, "dimension": irrep.dimension, "commutant": irrep.commutant}
                for irrep in pairs.irreps
            ],
        },
        "key_irreps": [pairs.irreps[key].name for key in circuit.keys],
        "active_neurons": None if neurons is None else int(neurons.active.sum()),
        "neurons_of_each": None if neurons is None else neurons.counts,
        "neurons_on_cosets": None
        if neurons is None
        else dict(Counter(found.subgroup for found in neurons.cosets if found is not None).most_common()),
    }


def _these(keys: tuple[str, ...]) -> str:
    return f"these {len(keys)} irreps" if len(keys) > 1 else "this irrep"


def neurons_by_irrep(circuit: Circuit, measures: GroupMeasures) -> list[str]:
    """What the neurons are tuned to, in sentences; none where their inputs are not known."""
    neurons = circuit.group_neurons
    if neurons is None or measures.purity is None or measures.rank_one is None:
        return []
    counts = [f"{count} on {name}" for name, count in neurons.counts.items()]
    constant = Counter(found.subgroup for found in neurons.cosets if found is not None and found.order > 1)
    words = [
        f"{int(neurons.active.sum())} neurons are active, {listed(counts)}; at the median {percent(measures.purity)} "
        f"of a neuron's inputs lie in its irrep, {percent(measures.rank_one)} of that of rank one."
    ]
    if constant:
        cosets = [f"{count} on those of {name}" for name, count in constant.most_common(4)]
        words.append(f"{constant.total()} are constant on the cosets of a subgroup: {listed(cosets)}.")
    return words
