"""The page of what runs have memorized, and everything on it as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from modgrok.capacity.estimators.corrected_estimators import difference_in_words
from modgrok.capacity.measuring.capacity_figures import (
    capacity_figure,
    comparison_figure,
    exposure_figure,
    growth_figure,
    loss_figure,
    plateau_figure,
    probe_figure,
    scheme_figure,
    what_is_left_figure,
)
from modgrok.capacity.measuring.capacity_points import Group, capacity_points, comparable, each_once, slope_of
from modgrok.capacity.measuring.composition import (
    Composition,
    by_questions,
    composition_figure,
    compositions,
    compositions_in_words,
)
from modgrok.capacity.measuring.measure_table import RUN_TITLES, run_rows
from modgrok.capacity.measuring.memorized import Measurement
from modgrok.capacity.measuring.probe import Probe
from modgrok.capacity.measuring.scheme_comparison import (
    SchemeComparison,
    compare_encodings,
    compare_selections,
)
from modgrok.capacity.questions.two_hops import INFERRED
from modgrok.figures.numbers import decimals
from modgrok.report import Section, render_page, write_page

FILES = ("index.html", "measurements.json")
SPELLED_OUT = 4
"""The most runs that are told of one by one."""


def write_measurements(
    measurements: Sequence[Measurement], probes: Mapping[str, Sequence[Probe]], directory: Path
) -> None:
    """Write index.html and measurements.json, replacing an earlier page.

    Args:
        measurements: The measurements of all runs.
        probes: The probes by run.
        directory: The directory of the page.

    Raises:
        InputError: if the directory contains anything else, or cannot be written.
    """
    plain = {
        "runs": [m.plain() for m in measurements],
        "probes": {run: [probe.plain() for probe in of_run] for run, of_run in probes.items()},
    }
    contents = (measure_page(measurements, probes), json.dumps(plain, indent=1))
    write_page(directory, dict(zip(FILES, contents, strict=True)))


def measure_page(
    measurements: Sequence[Measurement],
    probes: Mapping[str, Sequence[Probe]],
    question: str = "Memory capacity",
) -> str:
    """Return the page as HTML, under the question that the runs answer."""
    return render_page(
        "capacity/measuring/measure_page.html.jinja",
        sections(measurements, probes),
        question=question,
        opening=opening(measurements),
        difference=difference_in_words() if any(m.relations for m in measurements) else "",
        columns=RUN_TITLES,
        rows_of_runs=run_rows(each_once(measurements)),
    )


def sections(measurements: Sequence[Measurement], probes: Mapping[str, Sequence[Probe]]) -> list[Section]:
    """Return the figures of the page under their headings; those without panels are left out."""
    runs = each_once(measurements)
    groups, composed = comparable(m for m in runs if m.facts_alone), by_questions(compositions(runs))
    left = [what_is_left_figure(m) for m in runs if m.earlier and len(m.history) > 1]
    several = [plateau_figure(groups), capacity_figure(groups), exposure_figure(groups)]
    growth = [growth_figure(m) for m in runs if len(m.history) > 1] if len(runs) <= SPELLED_OUT else []
    return [
        Section("plateau", "Bits", [figure for figure in (*several, *growth) if figure.panels]),
        Section("earlier", "People before", left),
        Section("encodings", "Encodings", [comparison_figure(found) for found in comparisons(runs)]),
        Section("composition", "Composition", [composition_figure(one) for one in composed if len(one) > 1]),
        Section("losses", "Losses", [loss_figure(m) for m in runs if len(m.losses) > 1 and m.history]),
        Section("schemes", "Estimators", [scheme_figure(m) for m in runs if m.relations]),
        Section("probes", "Probes", [probe_figure(run, of_run) for run, of_run in probes.items()]),
    ]


def comparisons(measurements: Sequence[Measurement]) -> list[SchemeComparison]:
    """Return the comparisons of schemes that the runs allow."""
    both = (compare_encodings(measurements), compare_selections(measurements))
    return [found for found in both if found is not None]


def opening(measurements: Sequence[Measurement]) -> str:
    """Return in words what was found."""
    runs = each_once(measurements)
    if len(runs) == 1:
        (m,) = runs
        share = m.bits["total"] / m.reachable["total"] if m.reachable["total"] else 0.0
        text = (
            f"After {m.updates:,} updates and {m.exposures:,.0f} exposures of each fact, this network of "
            f"{m.parameters:,} parameters has memorized {m.bits['total']:,.0f} bits of {m.n:,} people, {share:.1%} of "
            f"what can be known, {m.bits_per_parameter:.2f} bits per parameter."
        )
    else:
        alone = [m for m in runs if m.facts_alone]  # others hold other bits besides
        text = " ".join([f"{len(runs)} runs.", *map(_capacity_in_words, comparable(alone))])
    rising = sum(m.converged is False for m in runs)
    if rising and len(runs) == 1:
        text += " It had not converged: a longer run would show more."
    elif rising:
        text += f" {rising} of the {len(runs)} runs had not converged: a longer run would show more."
    if len(runs) <= SPELLED_OUT:
        text += "".join(_what_is_left_in_words(m) for m in runs)
    composed = compositions(runs)
    if len(composed) > SPELLED_OUT:
        text += "".join(f" {compositions_in_words(found)}" for found in by_questions(composed))
    else:
        text += "".join(_composition_in_words(one) for one in composed)
    return " ".join([text, *(found.words for found in comparisons(runs))])


def _capacity_in_words(group: Group) -> str:
    points = capacity_points(group.runs)
    best, slope = max(points, key=lambda point: point.bits / point.parameters), slope_of(points)
    ratio = best.bits / best.parameters
    text = f"{group.title[0].upper()}{group.title[1:]}, "
    if slope is None:
        return f"{text}none was full: {ratio:.2f} bits per parameter is less than such a network can hold."
    text += f"the most is {ratio:.2f} bits per parameter"
    if slope.interval:
        low, high = slope.interval
        text += (
            f", and capacity grows by {slope.bits_per_parameter:.2f} bits with every parameter "
            f"(95% interval {decimals(low, 2)} to {decimals(high, 2)}, over the {sum(p.full for p in points)} "
            "networks that were full)"
        )
    return text + "."


def _what_is_left_in_words(m: Measurement) -> str:
    text = ""
    for left in m.left:
        before = next((entry[f"bits/{left.name}"] for entry in m.history if entry["update"] == 0), None)
        began = "" if before is None else f" ({before:,.0f} when it began)"
        text += (
            f" Of the {left.n:,} people that {left.run} was trained on, {left.bits:,.0f} of {left.reachable:,.0f} bits "
            f"are left in {m.run}{began}; {left.shared_names:,} of its {m.n:,} names are theirs too."
        )
    if m.left:
        total = m.bits["total"] + sum(left.bits for left in m.left)
        text += f" With its own people it knows {total:,.0f} bits, {total / m.parameters:.2f} per parameter."
    return text


def _composition_in_words(one: Composition) -> str:
    m, at, trained = one.run, one.composed_at, one.questions
    learned = f"composed at update {at:,}" if at is not None else f"not composed within {m.updates:,} updates"
    return (
        f" In {m.run}, at φ = {one.phi:.1f}, {INFERRED[trained]} that were trained on cost {m.losses[trained]:.3f} "
        f"bits each, {m.accuracies[trained]:.1%} right; combinations held out ({one.name}) cost "
        f"{m.losses[one.name]:.1f} bits each, {one.right:.1%} right, {learned}."
    )
