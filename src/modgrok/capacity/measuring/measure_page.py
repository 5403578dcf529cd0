"""The page of what runs have memorized, and everything on it as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from modgrok.capacity.estimators.corrected_estimators import difference_in_words
from modgrok.capacity.measuring.capacity_figures import (
    by_budget,
    capacity_figure,
    exposure_figure,
    loss_figure,
    plateau_figure,
    probe_figure,
    scheme_figure,
)
from modgrok.capacity.measuring.measure import compare_schemes, slope_of, table_rows
from modgrok.capacity.measuring.memorized import Measurement
from modgrok.capacity.measuring.probe import Probe
from modgrok.figures import Figure
from modgrok.report import Section, render_page, write_page

FILES = ("index.html", "measurements.json")


def write_measurements(
    measurements: Sequence[Measurement], probes: Mapping[str, Sequence[Probe]], directory: Path
) -> None:
    """Write index.html and measurements.json, replacing an earlier page.

    Args:
        measurements: of all runs.
        probes: by run.
        directory: of the page.

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
    titles, *rows = table_rows(measurements)
    sections = [
        Section("plateau", "Bits", _of_several(measurements)),
        Section(
            "losses", "Losses", [loss_figure(m) for m in measurements if len(m.losses) > 1 and m.history]
        ),
        Section("schemes", "Estimators", [scheme_figure(m) for m in measurements if m.relations]),
        Section("probes", "Probes", [probe_figure(run, of_run) for run, of_run in probes.items()]),
    ]
    return render_page(
        "capacity/measuring/measure_page.html.jinja",
        sections,
        question=question,
        opening=opening(measurements),
        difference=difference_in_words() if any(m.relations for m in measurements) else "",
        columns=titles,
        rows_of_runs=rows,
    )


def _of_several(measurements: Sequence[Measurement]) -> list[Figure]:
    if len({m.n for m in measurements}) < 2:
        return []
    figures = [plateau_figure(measurements), capacity_figure(measurements), exposure_figure(measurements)]
    return [figure for figure in figures if figure.panels]


def opening(measurements: Sequence[Measurement]) -> str:
    """Return in words what was found."""
    if len(measurements) == 1:
        (m,) = measurements
        share = m.bits["total"] / m.reachable["total"]
        text = (
            f"After {m.updates:,} updates and {m.exposures:,.0f} exposures of each fact, this network of "
            f"{m.parameters:,} parameters has memorized {m.bits['total']:,.0f} bits of {m.n:,} people, {share:.1%} of "
            f"what can be known, {m.bits_per_parameter:.2f} bits per parameter."
        )
    else:
        text = f"{len(measurements)} runs. " + " ".join(
            _capacity_in_words(updates, group) for updates, group in by_budget(measurements)
        )
    rising = sum(m.converged is False for m in measurements)
    if rising and len(measurements) == 1:
        text += " It had not converged: a longer run would show more."
    elif rising:
        text += f" {rising} of the {len(measurements)} runs had not converged: a longer run would show more."
    for m in measurements:
        if "complete_two_hop" in m.losses:
            at = m.half_right_at("complete_two_hop")
            rise = "and never half of them" if at is None else f"half of them by update {at:,}"
            text += (
                f" In {m.run}, two-hop questions that were trained on cost {m.losses['two_hop']:.3f} bits each, "
                f"{m.accuracies['two_hop']:.1%} right; combinations held out cost "
                f"{m.losses['complete_two_hop']:.1f} bits each, {m.accuracies['complete_two_hop']:.1%} right, {rise}."
            )
    if fits := compare_schemes(measurements):
        misfits = ", ".join(f"{fit.encoding} {fit.misfit:.2f}" for fit in fits)
        text += (
            f" Of the encodings, {fits[0].encoding} predicts the losses of trained two-hop questions best, with "
            f"{fits[0].bits_per_parameter:.2f} bits per parameter (misfits in bits per question: {misfits})."
        )
    return text


def _capacity_in_words(updates: int, group: Sequence[Measurement]) -> str:
    best = max(group, key=lambda m: m.bits_per_parameter)
    slope = slope_of(group)
    text = f"After {updates:,} updates the most is {best.bits_per_parameter:.2f} bits per parameter"
    if slope.interval:
        low, high = slope.interval
        text += (
            f", and capacity grows by {slope.bits_per_parameter:.2f} bits with every parameter "
            f"(95% interval {low:.2f} to {high:.2f})"
        )
    return text + "."
