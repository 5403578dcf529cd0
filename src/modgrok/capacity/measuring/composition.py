"""Which runs composed: by trained questions per fact, and by how far the answers outgrow the memory of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from modgrok.capacity.measuring.capacity_points import each_once
from modgrok.capacity.measuring.memorized import Measurement
from modgrok.capacity.measuring.scheme_comparison import measured_capacities
from modgrok.capacity.questions.two_hops import INFERRED
from modgrok.figures import Axis, Figure, Panel, Points
from modgrok.figures.figure import SYMBOLS

COMBINATIONS = ("in_in", "complete_two_hop")
"""The sets of which only the combination of two facts is new; the first that was scored counts."""


@dataclass(frozen=True)
class Composition:
    """The held-out combinations of a run, and whether they came to be answered.

    Attributes:
        run: The measurement.
        questions: The set of questions of two facts that were trained on.
        name: The set of held-out combinations.
        load: Bits of the facts and of every trained answer, in capacities of the network; None where that is unknown.
    """

    run: Measurement
    questions: str
    name: str
    load: float | None

    @property
    def phi(self) -> float:
        """Trained questions of two facts per fact."""
        return self.run.phi or 0.0

    @property
    def right(self) -> float:
        """The share of the combinations that were right at the end."""
        return self.run.accuracies[self.name]

    @property
    def composed_at(self) -> int | None:
        """The first validation at which they were right; None if the run is censored."""
        return self.run.composed_at[self.name]


def compositions(measurements: Sequence[Measurement]) -> list[Composition]:
    """Return the `Composition` of every run that held combinations out, by φ."""
    runs, found = each_once(measurements), []
    capacities = measured_capacities(runs)
    for m in runs:
        name = next((name for name in COMBINATIONS if name in m.losses), None)
        if name is None or m.inferred is None or m.phi is None:
            continue
        capacity, load = capacities.get(m.parameters), None
        if capacity and m.stored:
            load = m.stored.stored["2-hop-big-hash"] / capacity.bits(m.parameters)
        found.append(Composition(m, m.inferred, name, load))
    return sorted(found, key=lambda one: (one.questions, one.phi, one.run.parameters, one.run.n))


def by_questions(found: Sequence[Composition]) -> list[list[Composition]]:
    """Return what was found of two-hop questions, and of comparisons."""
    return [list(group) for _, group in groupby(found, key=lambda one: one.questions)]


def compositions_in_words(found: Sequence[Composition]) -> str:
    """Return how many runs composed, by φ, where they were trained on the same kind of questions."""
    counts = []
    for phi, group in groupby(found, key=lambda one: round(one.phi, 1)):
        runs = list(group)
        composed = sum(one.composed_at is not None for one in runs)
        counts.append(f"{composed} of {len(runs)} at φ = {phi:g}")
    return f"Runs that composed held-out {INFERRED[found[0].questions]}: {', '.join(counts)}."


def composition_figure(found: Sequence[Composition]) -> Figure:
    """The share of held-out combinations that were right, against φ and against the load of the memory if known."""
    panels = []
    axes = (
        (f"φ, trained {INFERRED[found[0].questions]} per fact", lambda one: one.phi),
        ("bits of facts and answers, in capacities of the network", lambda one: one.load),
    )
    sizes = sorted({(one.run.parameters, one.run.n) for one in found})
    for title, x in axes:
        traces = []
        for place, (parameters, n) in enumerate(sizes):
            of_size = [one for one in found if (one.run.parameters, one.run.n) == (parameters, n)]
            shown = [one for one in of_size if x(one) is not None]
            if shown:
                name = f"{parameters:,} parameters, {n:,} people"
                at, right = [x(one) for one in shown], [one.right for one in shown]
                mark = SYMBOLS[place % len(SYMBOLS)]
                traces.append(Points(at, right, f"key{place % 8}", name, symbol=mark))
        if traces:
            y = Axis("held-out combinations right", range=(0.0, 1.0))
            panels.append(Panel("", traces, Axis(title, from_zero=True), y))
    return Figure(
        f"Where composition begins: {INFERRED[found[0].questions]}",
        panels,
        "If a number of trained questions per fact decides, the networks rise together on the left; if it is the "
        "answers outgrowing the memory, they rise together on the right. The memory is measured on one-hop questions "
        "of the same networks.",
    )
