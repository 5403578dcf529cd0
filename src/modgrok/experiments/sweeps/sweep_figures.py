"""The figures of a sweep: heat maps, survival curves, held-out accuracy of every cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from modgrok.errors import InputError
from modgrok.experiments.plans.plan import value_text
from modgrok.experiments.sweeps.statistics import kaplan_meier, median_time
from modgrok.experiments.sweeps.sweep_analysis import NEW, Group, Grouping, SweepAnalysis
from modgrok.figures import Axis, Figure, Heatmap, Intervals, Line, Panel
from modgrok.runs import RunDirectory
from modgrok.runs.snapshot import read_checkpoint

COLORS = tuple(f"key{place}" for place in range(8))
MOST_CURVES = 8
"""Lines in one panel; more could not be told apart."""
MOST_MULTIPLES = 24


def map_figures(analysis: SweepAnalysis) -> list[Figure]:
    """Draw maps over the two fields with the most values; what else varies is taken together.

    They show times to grok, shares and accuracies; of random answers, the bits that are remembered.
    """
    if len(analysis.varied) < 2:
        return []
    row, column = sorted(analysis.varied, key=lambda name: -len(analysis.values(name)))[:2]
    if analysis.varied.index(row) > analysis.varied.index(column):
        row, column = column, row
    cells = dict(iter(analysis.finished.groupby([row, column], sort=False)))
    rows, columns = analysis.values(row), analysis.values(column)

    labels, names = ([*map(value_text, columns)], [*map(value_text, rows)]), analysis.plan.labels
    title = f"{names[row]} against {names[column]}"

    def panel(of: str, value: str, measure: Callable[[pd.DataFrame], float | None]) -> Panel | None:
        found = [[measure(cells[key]) if (key := (y, x)) in cells else None for x in columns] for y in rows]
        z = torch.tensor([[np.nan if v is None else v for v in line] for line in found], dtype=torch.float32)
        if z.isnan().all():
            return None
        return Panel(of, [Heatmap(z, value, *labels)], Axis(names[column]), Axis(names[row]), shape="square")

    if analysis.of_random_answers:
        panels = [
            panel("Bits remembered", "bits", lambda rows: float(rows["bits"].median())),
            panel("Bits per parameter", "bits", lambda rows: float(rows["bits_per_parameter"].median())),
            panel("Final training accuracy", "median", lambda rows: float(rows["train_accuracy"].median())),
        ]
        look_for = "Medians over seeds. Bits follow what there is to remember, up to the network's capacity."
        return _one_figure(title, panels, look_for)
    panels = [
        panel("Median time to grok", "updates", lambda rows: median_time(analysis.sample(rows)).estimate),
        panel("Share that grokked", "share", lambda rows: float(rows["grokked_at"].notna().mean())),
        panel("Final held-out accuracy", "median", lambda rows: float(rows["heldout_accuracy"].median())),
    ]
    if NEW in analysis.milestones:
        panels += [
            panel("Share that learned the new pairs", "share", _share_of_new),
            panel(
                "Final accuracy of new pairs",
                "median",
                lambda rows: float(rows["heldout_accuracy_new"].median()),
            ),
        ]
    look_for = (
        "The median is Kaplan and Meier's; where less than half of the cells grokked there is none, "
        "and the map has a gap. New pairs are those that no symmetry of the task carries a training pair to: a cell "
        "whose accuracy is high and whose accuracy of new pairs is low looks answers up."
    )
    return _one_figure(title, panels, look_for)


def _share_of_new(rows: pd.DataFrame) -> float | None:
    """The share of the cells with new pairs that learned them."""
    rows = rows[rows["heldout_accuracy_new"].notna()]
    return None if rows.empty else float(rows["grokked_new_at"].notna().mean())


def _one_figure(title: str, panels: Sequence[Panel | None], look_for: str) -> list[Figure]:
    drawn = [panel for panel in panels if panel]
    return [Figure(title, drawn, look_for)] if drawn else []


def survival_figures(groupings: Sequence[Grouping]) -> list[Figure]:
    """Draw the share of cells that have not grokked yet, by group."""
    figures = []
    for grouping in groupings:
        groups = grouping.groups
        batches = [groups[start : start + MOST_CURVES] for start in range(0, len(groups), MOST_CURVES)]
        panels = [
            Panel(
                f"Groups {place * MOST_CURVES + 1} to {place * MOST_CURVES + len(batch)}"
                if batches[1:]
                else "All groups",
                [_survival(group, color) for group, color in zip(batch, COLORS, strict=False)],
                Axis("update", from_zero=True),
                Axis("not learned yet", range=(0, 1.02)),
                shape="wide" if len(batches) == 1 else "half",
            )
            for place, batch in enumerate(batches)
        ]
        pairs = grouping.milestone.pairs
        panels += [_accuracies(batch, pairs) for batch in batches if all(group.accuracies for group in batch)]
        look_for = (
            f"Kaplan–Meier curves: a cell that stopped before it had learned the {pairs} counts as waiting until then, "
            "and not after. Below, how far the cells of each group had come at their ends: the lowest accuracy, the "
            "median and the highest, which differ also where no cell had learned them."
        )
        figures.append(Figure(f"Time to learn the {pairs}, by {grouping.name}", panels, look_for))
    return figures


def _survival(group: Group, color: str) -> Line:
    """A curve in steps, to the last time that anything is known of the group."""
    curve = kaplan_meier(group.sample)
    x = np.repeat(np.append(0, curve.time), 2)[1:]
    y = np.repeat(np.append(1, curve.survival), 2)[:-1]
    return Line(x.tolist(), y, color, f"{group.name} ({len(group.sample)})")


def _accuracies(groups: Sequence[Group], pairs: str) -> Panel:
    low, median, high = (
        [float(np.quantile(group.accuracies, level)) for group in groups] for level in (0.0, 0.5, 1.0)
    )
    names = [f"{group.name} ({len(group.sample)})" for group in groups]
    rows = Intervals(names, low, median, high, COLORS[: len(groups)])
    return Panel(
        f"Accuracy of the {pairs} at the end",
        [rows],
        Axis("accuracy", range=(-0.02, 1.02)),
        Axis(reversed=True),
        shape="wide",
    )


def accuracy_figures(analysis: SweepAnalysis, directory: Path) -> list[Figure]:
    """Draw the held-out accuracy of cells that differ in seeds only in one panel each, of the first of them."""
    by = analysis.varied
    groups = list(analysis.finished.groupby(by, sort=False)) if by else [((), analysis.finished)]
    panels = []
    for key, rows in groups[:MOST_MULTIPLES]:
        lines = []
        for path, color in zip(rows["path"][:MOST_CURVES], COLORS, strict=False):
            if history := _history(directory / path):
                lines.append(Line(history["update"], history["heldout_accuracy"], color))
        title = (
            ", ".join(
                f"{analysis.plan.labels[name]} = {value_text(value)}"
                for name, value in zip(by, key, strict=True)
            )
            or "all seeds"
        )
        if lines:
            axes = Axis("update", ticks=4), Axis(range=(-0.02, 1.02))
            panels.append(Panel(title, lines, *axes, shape="square"))
    shown = f" The first {len(panels)} of {len(groups)}." if len(groups) > len(panels) else ""
    return (
        [Figure("Held-out accuracy", panels, f"A line is a cell; those of a panel differ in seeds.{shown}")]
        if panels
        else []
    )


def _history(run: Path) -> dict[str, list[float]] | None:
    try:
        return read_checkpoint(RunDirectory(run).last_checkpoint)["modgrok"]["history"]
    except (InputError, OSError, KeyError):
        return None
