"""The figures of what runs have memorized."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from math import nan
from statistics import fmean

import torch

from modgrok.capacity.estimators.all_estimates import ONE_HOP_TOO
from modgrok.capacity.measuring.capacity_points import Group, capacity_points, slope_of
from modgrok.capacity.measuring.memorized import Measurement
from modgrok.capacity.measuring.probe import Probe
from modgrok.capacity.measuring.scheme_comparison import SchemeComparison
from modgrok.figures import Axis, Figure, Heatmap, Intervals, Line, Panel, Points
from modgrok.figures.figure import Symbol

ALLEN_ZHU, MORRIS = 2.0, 3.6
"""Bits per parameter that Allen-Zhu & Li (2024) and Morris et al. (2025) report."""


def _lines(runs: Sequence[Measurement], x: str, y: str) -> list[Line]:
    """Return a line for each size of network, over runs that differ in people; seeds are averaged."""
    lines = []
    for place, (parameters, of_size) in enumerate(groupby(runs, key=lambda m: m.parameters)):
        points = [list(group) for _, group in groupby(of_size, key=lambda m: m.n)]
        xs = [fmean(getattr(m, x) for m in group) for group in points]
        ys = [fmean(m.bits["total"] if y == "bits" else getattr(m, y) for m in group) for group in points]
        lines.append(Line(xs, ys, f"key{place % 8}", f"{parameters:,} parameters", markers=True))
    return lines


def plateau_figure(groups: Sequence[Group]) -> Figure:
    """Bits against people, a panel for each group of comparable runs that differ in people."""
    panels = []
    for group in groups:
        entropy = {m.n: m.reachable["total"] for m in sorted(group.runs, key=lambda m: m.n)}
        if len(entropy) < 2:
            continue
        known = Line(list(entropy), list(entropy.values()), "muted", "all that can be known", dotted=True)
        top = 1.15 * max(*(m.bits["total"] for m in group.runs), min(entropy.values()))
        panels.append(
            Panel(
                group.title,
                [known, *_lines(group.runs, "n", "bits")],
                Axis("people", log=True),
                Axis("bits memorized", range=(0.0, top)),
            )
        )
    return Figure(
        "Bits memorized, against people",
        panels,
        "Each network follows the dotted line, all that can be known, up to its capacity and then levels off. It "
        "falls again where people are so many that each is seen too rarely in the updates there are. Means over seeds.",
    )


def capacity_figure(groups: Sequence[Group]) -> Figure:
    """Capacity against parameters, a panel for each group of comparable runs of several networks."""
    panels = []
    for group in groups:
        points = capacity_points(group.runs)
        if len(points) < 2:
            continue
        ends = [0.0, float(points[-1].parameters)]
        traces: list[Line | Points] = [
            Line(ends, [0.0, ratio * ends[1]], "muted", f"{ratio} bits per parameter", dotted=True)
            for ratio in (ALLEN_ZHU, MORRIS)
        ]
        entropy = {m.n: m.reachable["total"] for m in group.runs}
        top = max(point.high for point in points)
        for n, bits in sorted(entropy.items()):
            if bits < 1.5 * top or len(entropy) == 1:
                traces.append(Line(ends, [bits, bits], "ink", f"all of {n:,} people", dotted=True))
        if slope := slope_of(points):
            ratio = slope.bits_per_parameter
            traces.append(Line(ends, [0.0, ratio * ends[1]], "key1", f"fit, {ratio:.2f} bits per parameter"))
        kinds: tuple[tuple[bool, str, str, Symbol], ...] = (
            (True, "key0", "most bits memorized", "circle"),
            (False, "key2", "all known: at least", "diamond"),
        )
        for full, color, name, mark in kinds:
            chosen = [point for point in points if point.full == full]
            if chosen:
                x, y = [p.parameters for p in chosen], [p.bits for p in chosen]
                traces.append(Points(x, y, color, name, symbol=mark))
            traces += [Line([p.parameters] * 2, [p.low, p.high], color) for p in chosen if p.high > p.low]
        panels.append(
            Panel(group.title, traces, Axis("parameters", from_zero=True), Axis("bits", from_zero=True))
        )
    return Figure(
        "Capacity, against parameters",
        panels,
        "The most bits that a network came to know of any number of people, the mean over seeds, with the range of "
        "the seeds as a stroke. A network that knows 95% or more of its data might hold more: it is a lower bound and "
        "stays out of the fit. 2 bits per parameter is what Allen-Zhu & Li report, 3.6 what Morris et al. do.",
    )


def exposure_figure(groups: Sequence[Group]) -> Figure:
    """Bits per parameter against exposures, a panel for each group of comparable runs that differ in people."""
    panels = []
    for group in groups:
        if len({m.n for m in group.runs}) > 1:
            lines = _lines(group.runs, "exposures", "bits_per_parameter")
            x = Axis("exposures of each fact", log=True)
            panels.append(Panel(group.title, lines, x, Axis("bits per parameter", from_zero=True)))
    return Figure(
        "Bits per parameter, against exposures",
        panels,
        "On the right few people are seen often and there is little to know; on the left many are seen rarely.",
    )


def growth_figure(measurement: Measurement) -> Figure:
    """Bits of a run over the exposures of its facts."""
    history = measurement.history
    exposures = [entry["exposures"] for entry in history]
    known = measurement.reachable["total"]
    traces = [
        Line(exposures, [known] * len(history), "muted", "all that can be known", dotted=True),
        Line(exposures, [entry["bits/total"] for entry in history], "key0", "bits memorized", markers=True),
    ]
    return Figure(
        f"Bits over exposures, {measurement.run}",
        [Panel("", traces, Axis("exposures of each fact"), Axis("bits", from_zero=True))],
        "A curve that still rises at its end is a run that has not converged.",
    )


def what_is_left_figure(measurement: Measurement) -> Figure:
    """Bits of the people of a run, and of those before, over its updates."""
    history = measurement.history
    updates = [entry["update"] for entry in history]
    keys = {"bits/total": f"{measurement.n:,} people of this run"}
    keys |= {f"bits/{left.name}": f"{left.n:,} people before ({left.name})" for left in measurement.left}
    traces = [
        Line(updates, [entry[key] for entry in history], f"key{place % 8}", name, markers=True)
        for place, (key, name) in enumerate(keys.items())
    ]
    together = [sum(entry[key] for key in keys) for entry in history]
    traces.append(Line(updates, together, "ink", "together", dotted=True))
    return Figure(
        f"What is left of the people before, {measurement.run}",
        [Panel("", traces, Axis("updates"), Axis("bits", from_zero=True))],
        "At update 0 the network is that of the earlier run. A line that falls is knowledge that the later people "
        "took the place of; one that stays level, room that was to spare.",
    )


def comparison_figure(found: SchemeComparison) -> Figure:
    """Losses of runs, and what each scheme predicts at the measured capacity.

    There is a panel for each network, against people; where runs on the same people differ in φ, a panel for each
    network and number of people, against φ.
    """
    by_phi = len({m.phi for m in found.runs}) > len({m.n for m in found.runs})
    panels: dict[str, list[int]] = {}
    for place, m in enumerate(found.runs):
        title = f"{m.parameters:,} parameters" + (f", {m.n:,} people" if by_phi else "")
        panels.setdefault(title, []).append(place)
    x = Axis("φ, trained two-hop questions per fact") if by_phi else Axis("people", log=True)
    drawn = []
    for title, chosen in panels.items():
        at = [found.runs[i].phi or 0.0 if by_phi else found.runs[i].n for i in chosen]
        traces: list[Line | Points] = [
            Line(
                at,
                [losses[i] for i in chosen],
                f"key{place + 1}",
                found.schemes[name],
                dotted=True,
                markers=True,
            )
            for place, (name, losses) in enumerate(found.predicted.items())
        ]
        traces.append(Points(at, [found.measured[i] for i in chosen], "key0", "measured"))
        drawn.append(Panel(title, traces, x, Axis("bits per answer", from_zero=True)))
    return Figure(
        found.question,
        drawn,
        "Dotted: the loss that each scheme predicts for a network of the capacity that was measured on facts "
        "alone. Nothing is fitted to the points.",
    )


def scheme_figure(measurement: Measurement) -> Figure:
    """Capacity of a run by every estimator, published and corrected, alone and with the one-hop facts beside."""
    panels = []
    for ending, title in (("", "encoding, selection"), (ONE_HOP_TOO, f"encoding, selection{ONE_HOP_TOO}")):
        schemes = [name for name in measurement.corrected if name.endswith(ONE_HOP_TOO) == bool(ending)]
        rows = [name.removesuffix(ending) for name in schemes]
        nothing = [nan] * len(rows)
        traces = []
        for name, color, bits in (
            ("published", "key1", measurement.published),
            ("corrected", "key0", measurement.corrected),
        ):
            if bits:
                marks = [bits.get(scheme, nan) for scheme in schemes]
                traces.append(Intervals(rows, nothing, marks, nothing, color, name))
        if rows:
            x = Axis("bits", from_zero=True, ticks=4)
            panels.append(Panel(title, traces, x, Axis(reversed=True)))
    return Figure(
        f"Estimators side by side, {measurement.run}",
        panels,
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
    """Draw the bits that probes know at every layer and position, a map for each target."""
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
