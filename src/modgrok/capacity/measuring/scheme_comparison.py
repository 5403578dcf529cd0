"""Which encoding of two-hop questions, and which selection of names, explains what runs came to know?

The capacity of a network is measured on one-hop questions, and held fixed with its uncertainty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2, prod
from typing import Any

import numpy as np

from modgrok.capacity.estimators.published_estimators import Encoding, Selection
from modgrok.capacity.estimators.schemes import STEPS, Comparison, compare, name_loss
from modgrok.capacity.measuring.capacity_points import capacity_points, each_once
from modgrok.capacity.measuring.memorized import Measurement

LEAST_DEVIATION = 0.05
"""The capacity counts as no better known than to this share of it: data differ in how well they can be stored."""

ENCODINGS: dict[Encoding, str] = {
    "optimal": "every fact once",
    "2-hop-double": "the facts of both hops twice",
    "2-hop-big-hash": "every answer by itself",
}

SELECTIONS: dict[Selection, str] = {
    "optimal": "a set of names",
    "enumerate": "a list of names",
    "independent": "no names",
}


@dataclass(frozen=True)
class Capacity:
    """Bits per parameter of a network that was full of one-hop facts, and their standard deviation over runs."""

    mean: float
    deviation: float

    def bits(self, parameters: int, step: float = 0.0) -> float:
        """Return the bits of a network, `step` deviations from the mean."""
        return max(0.0, self.mean + step * self.deviation) * parameters


@dataclass(frozen=True)
class SchemeComparison:
    """A comparison of schemes over runs.

    Attributes:
        question: What is compared, in words.
        schemes: The schemes, in words.
        runs: The runs that were predicted.
        measured: Their losses, bits.
        predicted: The losses that each scheme predicts at the measured capacity.
        capacities: The capacity by number of parameters.
        comparison: The probabilities of the schemes.
    """

    question: str
    schemes: dict[str, str]
    runs: list[Measurement]
    measured: list[float]
    predicted: dict[str, list[float]]
    capacities: dict[int, Capacity]
    comparison: Comparison

    @property
    def words(self) -> str:
        """The finding in a sentence or two."""
        found = self.comparison
        each = ", ".join(
            f"{self.schemes[name]} {share:.2f} (misfit {found.misfits[name]:.2f} bits)"
            for name, share in sorted(found.probabilities.items(), key=lambda one: -one[1])
        )
        capacities = ", ".join(
            f"{one.mean:.2f} ± {one.deviation:.2f} bits per parameter for {parameters:,} parameters"
            for parameters, one in self.capacities.items()
        )
        verdict = self.schemes[found.best] if found.decided else "undecided"
        return (
            f"{self.question}: {verdict}. With the capacity measured on facts alone ({capacities}), the "
            f"probabilities over {len(self.runs)} runs are: {each}."
        )


def is_names_only(m: Measurement) -> bool:
    """Whether names are all that there was to know."""
    return not m.relations and not m.bits["attributes"]


def measured_capacities(runs: Sequence[Measurement]) -> dict[int, Capacity]:
    """Return the capacity by number of parameters, of networks that were full of one-hop facts.

    It is that at the number of people of whom they came to know most: of more, each is seen too rarely.
    """
    one_hop = [m for m in runs if m.facts_alone and not is_names_only(m)]
    return {
        point.parameters: Capacity(
            point.bits / point.parameters,
            max(LEAST_DEVIATION * point.bits, (point.high - point.low) / 2) / point.parameters,
        )
        for point in capacity_points(one_hop)
        if point.full
    }


def compare_encodings(measurements: Sequence[Measurement]) -> SchemeComparison | None:
    """Compare the encodings by the two-hop losses of runs; None without a measured capacity."""

    def loss(m: Measurement, scheme: Encoding, capacity: float) -> float:
        assert m.stored is not None
        return m.stored.loss(scheme, capacity)

    return _compare(
        "Which encoding",
        [m for m in measurements if m.stored is not None],
        measurements,
        ENCODINGS,
        lambda m: m.losses["two_hop"],
        lambda m: m.two_hops["guess"] if m.two_hops else 0.0,
        loss,
    )


def compare_selections(measurements: Sequence[Measurement]) -> SchemeComparison | None:
    """Compare the selections by the losses of names where there is nothing else to know."""

    def names(m: Measurement) -> int:
        return prod(m.data["name_words"])

    def predicted(m: Measurement, scheme: Selection, capacity: float) -> float:
        return name_loss(scheme, m.n, names(m), capacity)

    return _compare(
        "Which selection of names",
        [m for m in measurements if is_names_only(m)],
        measurements,
        SELECTIONS,
        lambda m: log2(names(m)) - m.bits["names"] / m.n,
        lambda m: log2(names(m)),
        predicted,
    )


def _compare(
    question: str,
    predicted: Sequence[Measurement],
    measurements: Sequence[Measurement],
    schemes: Mapping[Any, str],
    measured: Callable[[Measurement], float],
    guess: Callable[[Measurement], float],
    loss: Callable[..., float],
) -> SchemeComparison | None:
    capacities = measured_capacities(each_once(measurements))
    runs = sorted(
        (m for m in each_once(predicted) if m.parameters in capacities),
        key=lambda m: (m.parameters, m.n, m.phi or 0.0),
    )
    groups = [(m.parameters, m.n, m.relations, m.phi, m.updates) for m in runs]
    if len(set(groups)) < 2:
        return None
    predictions = {
        scheme: np.array(
            [
                [loss(m, scheme, capacities[m.parameters].bits(m.parameters, step)) for m in runs]
                for step in STEPS
            ]
        )
        for scheme in schemes
    }
    losses = [measured(m) for m in runs]
    return SchemeComparison(
        question,
        dict(schemes),
        runs,
        losses,
        {scheme: found[len(STEPS) // 2].tolist() for scheme, found in predictions.items()},
        {parameters: capacities[parameters] for parameters in sorted({m.parameters for m in runs})},
        compare(predictions, losses, [guess(m) for m in runs], groups),
    )
