"""The figures of what runs have memorized."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import torch

from modgrok.capacity.measuring.measure import capacity_of, compare_schemes, slope_of
from modgrok.capacity.measuring.memorized import Measurement
from modgrok.capacity.measuring.probe import Probe
from modgrok.figures import Axis, Bars, Figure, Heatmap, Line, Panel

ALLEN_ZHU, MORRIS = 2.0, 3.6
"""Bits per parameter that Allen-Zhu & Li (2024) and Morris et al. (2025) report."""


def by_budget(measurements: Sequence[Measurement]) -> list[tuple[int, list[Measurement]]]:
    """Group measurements by the updates of their runs, the shortest runs first."""
    ordered = sorted(measurements, key=lambda m: (m.updates, m.parameters, m.n))
    return [(updates, list(group)) for updates, group in groupby(ordered, key=lambda m: m.updates)]


def plateau_figure(measurements: Sequence[Measurement]) -> Figure:
    """Bits against people, a panel for each number of updates."""
    panels = []
    for updates, group in by_budget(measurements):
        entropy = {m.n: m.reachable["total"] for m in sorted(group, key=lambda m: m.n)}
        traces = [Line(list(entropy), list(entropy.values()), "muted", "all that can be known", dotted=True)]
        for place, (parameters, runs) in enumerate(groupby(group, key=lambda m: m.parameters)):
            of_network = list(runs)
            bits = [m.bits["total"] for m in of_network]
            color = f"key{place % 8}"
            name = f"{parameters:,} parameters"
            traces.append(Line([m.n for m in of_network], bits, color, name, markers=True))
        top = 1.15 * max(m.bits["total"] for m in measurements)
        panels.append(
            Panel(
                f"after {updates:,} updates",
                traces,
                Axis("people", log=True),
                Axis("bits memorized", range=(0.0, top)),
            )
        )
    return Figure(
        "Bits memorized, against people",
        panels,
        "Each network follows the dotted line, all that can be known, up to its capacity and then levels off. It "
        "falls again where people are so many that each is seen too rarely in the updates there are.",
    )


def capacity_figure(measurements: Sequence[Measurement]) -> Figure:
    """Capacity against parameters, a panel for each number of updates."""
    panels = []
    for updates, group in by_budget(measurements):
        capacity = capacity_of(group)
        if len(capacity) < 2:
            continue
        ends = [0.0, float(max(capacity))]
        slope = slope_of(group).bits_per_parameter
        panels.append(
            Panel(
                f"after {updates:,} updates",
                [
                    *(
                        Line(
                            ends, [0.0, ratio * ends[1]], "muted", f"{ratio} bits per parameter", dotted=True
                        )
                        for ratio in (ALLEN_ZHU, MORRIS)
                    ),
                    Line(ends, [0.0, slope * ends[1]], "key1", f"fit, {slope:.2f} bits per parameter"),
                    Line(
                        list(capacity), list(capacity.values()), "key0", "most bits memorized", markers=True
                    ),
                ],
                Axis("parameters", from_zero=True),
                Axis("bits", from_zero=True),
            )
        )
    return Figure(
        "Capacity, against parameters",
        panels,
        "The most bits that a network has memorized of any number of people. 2 bits per parameter is what Allen-Zhu & "
        "Li report, 3.6 what Morris et al. do.",
    )


def exposure_figure(measurements: Sequence[Measurement]) -> Figure:
    """Bits per parameter against exposures, a panel for each number of updates."""
    panels = []
    for updates, group in by_budget(measurements):
        traces = []
        for place, (parameters, runs) in enumerate(groupby(group, key=lambda m: m.parameters)):
            of_network = list(runs)
            exposures = [m.exposures for m in of_network]
            ratios = [m.bits_per_parameter for m in of_network]
            traces.append(
                Line(exposures, ratios, f"key{place % 8}", f"{parameters:,} parameters", markers=True)
            )
        x = Axis("exposures of each fact", log=True)
        panels.append(
            Panel(f"after {updates:,} updates", traces, x, Axis("bits per parameter", from_zero=True))
        )
    return Figure(
        "Bits per parameter, against exposures",
        panels,
        "On the right few people are seen often and there is little to know; on the left many are seen rarely.",
    )


def encoding_figure(measurements: Sequence[Measurement]) -> Figure:
    """Two-hop losses of runs, and what each encoding predicts."""
    runs = [m for m in measurements if m.guess is not None]
    order = sorted(range(len(runs)), key=lambda i: runs[i].n)
    people = [runs[i].n for i in order]
    traces = [
        Line(people, [fit.predicted[i] for i in order], f"key{place + 1}", fit.encoding, dotted=True)
        for place, fit in enumerate(compare_schemes(measurements))
    ]
    traces.append(Line(people, [runs[i].losses["two_hop"] for i in order], "key0", "measured", markers=True))
    return Figure(
        "Which encoding predicts the two-hop losses",
        [Panel("", traces, Axis("people", log=True), Axis("bits per trained question", from_zero=True))],
        "For each encoding the capacity that fits best. It answers all questions while there is room for what it "
        "stores, and a share of them beyond.",
    )


def scheme_figure(measurement: Measurement) -> Figure:
    """Capacity of a run by every estimator, published and corrected."""
    schemes = list(measurement.corrected)
    corrected = Bars(schemes, list(measurement.corrected.values()), "key0", "corrected")
    published = Bars(schemes, list(measurement.published.values()), "key1", "published")
    traces = [published, corrected] if measurement.published else [corrected]
    return Figure(
        f"Estimators side by side, {measurement.run}",
        [Panel("encoding, selection", traces, Axis(), Axis("bits"), shape="wide")],
        f"Bits that each scheme says the network holds; it has {measurement.parameters:,} parameters.",
    )


def loss_figure(measurement: Measurement) -> Figure:
    """Losses of all scored sets over a run."""
    updates = [entry["update"] for entry in measurement.history]
    panels = []
    for key, title in (("loss", "bits per answer"), ("accuracy", "share of answers right")):
        traces = [
            Line(
                updates,
                [entry[f"{name}/{key}"] for entry in measurement.history],
                f"key{i % 8}",
                name,
                markers=True,
            )
            for i, name in enumerate(measurement.losses)
        ]
        panels.append(Panel(title, traces, Axis("updates"), Axis(title, from_zero=True)))
    return Figure(
        f"Questions trained on and held out, {measurement.run}",
        panels,
        "A network that composes facts answers the held-out questions too; one that memorizes answers them wrongly, "
        "and is sure of it.",
    )


def probe_figure(run: str, probes: Sequence[Probe]) -> Figure:
    """What probes know at every layer and position, a map for each target."""
    panels = []
    for probe in probes:
        bits = torch.tensor(probe.bits).clamp(min=0)
        positions = [str(position) for position in probe.positions]
        layers = ["embedding", *(f"layer {i}" for i in range(1, len(bits)))]
        control = max(map(max, probe.control))
        panels.append(
            Panel(
                f"{probe.target}: of {probe.entropy:.2f} bits; control at most {control:.2f}",
                [Heatmap(bits, "bits", positions, layers)],
                Axis("position"),
                Axis(),
            )
        )
    return Figure(
        f"What can be read off, {run}",
        panels,
        "Bits about people that the probe was not fitted on. Positions count back from the first token of the answer, "
        "or forward in biographies. The control is a target shuffled between people.",
    )
