"""The page of a sweep: the question, the answer, its figures, and every cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from modgrok.experiments.plans.cell_files import PAGE
from modgrok.experiments.plans.plan import Plan, value_text
from modgrok.experiments.sweeps.interval import Interval
from modgrok.experiments.sweeps.statistics import median_time, share
from modgrok.experiments.sweeps.sweep_analysis import Group, Grouping, SweepAnalysis
from modgrok.experiments.sweeps.sweep_figures import accuracy_figures, map_figures, survival_figures
from modgrok.figures.numbers import number, percent
from modgrok.report.page import Section, render_page

UPDATES = ("memorised_at", "grokked_at", "grokked_new_at", "censored_at", "delay", "updates")
NUMBERS = ("bits", "bits_per_parameter", "heldout_loss", "seconds")
SHARES = ("train_accuracy", "heldout_accuracy", "heldout_accuracy_new", "heldout_accuracy_known")


def sweep_page(plan: Plan, table: pd.DataFrame, directory: Path) -> str:
    """Render the page as HTML.

    Args:
        plan: the sweep's plan.
        table: a row for each cell; see `make_table`.
        directory: the sweep's directory, whose cells have the histories.
    """
    analysis = SweepAnalysis(plan, table)
    found = (
        ("bits", "bits_per_parameter", "updates", "train_accuracy")
        if analysis.of_random_answers
        else (*UPDATES, "heldout_loss", *SHARES)
    )
    columns = [*analysis.plan.varied, "status", *found, "seconds"]
    columns += ["reason"] if (analysis.table["status"] == "failed").any() else []
    sections = [Section("maps", "Maps", map_figures(analysis))]
    if not analysis.of_random_answers:
        sections += [
            Section("survival", "Time to grok", survival_figures(analysis.groupings)),
            Section("accuracy", "Held-out accuracy", accuracy_figures(analysis, directory)),
        ]
    return render_page(
        "experiments/sweeps/sweep_page.html.jinja",
        sections,
        question=analysis.plan.question,
        source="/".join(directory.absolute().parts[-2:]),
        summary=summary(analysis),
        groupings=[
            {
                "name": f"{one.milestone.pairs.capitalize()}, by {one.name}",
                "test": test_words(one),
                "rows": [group_row(group) for group in one.groups],
            }
            for one in ([] if analysis.of_random_answers else analysis.groupings)
        ],
        columns=[analysis.plan.labels.get(column, column.replace("_", " ")) for column in columns],
        rows_of_cells=_rows(analysis.table, columns, directory),
    )


def summary(analysis: SweepAnalysis) -> str:
    """Say in three sentences what was asked and what came out."""
    table, finished = analysis.table, analysis.finished
    varied = [
        f"{analysis.plan.labels[name]} ({value_text(values[0])} to {value_text(values[-1])}, {len(values):,} values)"
        for name in analysis.plan.varied
        if (values := analysis.values(name))
    ]
    failed, waiting = (int((table["status"] == status).sum()) for status in ("failed", "waiting"))
    rest = [
        f"{count:,} {status}" for count, status in ((failed, "failed"), (waiting, "not run yet")) if count
    ]
    asked = f"{len(table):,} cells vary {_listed(varied)}{'; ' + ', '.join(rest) if rest else ''}."
    if finished.empty:
        return f"{asked} None has finished yet."
    if analysis.of_random_answers:
        return f"{asked} {_remembered(analysis)}"
    sample = analysis.sample(finished)
    grokked, median = share(int(sample.happened.sum()), len(sample)), median_time(sample)
    counted = f"{int(sample.happened.sum()):,} of the {len(sample):,} finished cells"
    share_words = (
        f"{counted} grokked: {percent(grokked.estimate or 0)} (95% interval {_interval(grokked, percent)})."
    )
    if median.estimate is None:
        return f"{asked} {share_words} There is no median time to grok: too many cells are censored."
    median_words = (
        f"The median time to grok is {median.estimate:,.0f} updates ({_interval(median, _updates)})."
    )
    return f"{asked} {share_words} {median_words}"


def _remembered(analysis: SweepAnalysis) -> str:
    """Say what the networks remember of random answers."""
    rows = analysis.finished.dropna(subset="bits")
    if rows.empty:
        return "The loss of these runs is not in bits."
    best = rows.loc[rows["bits_per_parameter"].idxmax()]
    where = ", ".join(f"{label} = {value_text(best[name])}" for name, label in analysis.plan.labels.items())
    return (
        f"The answers are random, so that all bits that a network knows of them are memory. The most is "
        f"{best['bits_per_parameter']:.2f} bits per parameter, {best['bits']:,.0f} bits ({where})."
    )


def test_words(grouping: Grouping) -> str:
    """Say whether the groups differ, and how much they explain."""
    if (test := grouping.test) is None:
        return ""
    words = (
        f"Log-rank test of {len(grouping.groups)} groups: χ² = {number(test.chi_squared)} with "
        f"{test.degrees_of_freedom} degree{'s' if test.degrees_of_freedom > 1 else ''} of freedom, "
        f"p = {number(test.p_value)}."
    )
    if grouping.unexplained is None or grouping.aic is None:
        return words
    aic = f"{grouping.aic:+.1f}".replace("-", "−")
    return (
        f"{words} The groups leave {percent(grouping.unexplained)} of the variance of log time unexplained (log-normal "
        f"times, censored, by maximum likelihood); AIC {aic} against no groups."
    )


def group_row(group: Group) -> dict[str, str]:
    """Write a group's cells, the share that grokked and the median time, with their intervals."""
    return {
        "name": group.name,
        "cells": f"{len(group.sample):,}",
        "share": percent(group.grokked.estimate or 0),
        "share_interval": _interval(group.grokked, percent),
        "median": "–" if group.median.estimate is None else _updates(group.median.estimate),
        "median_interval": _interval(group.median, _updates),
    }


def _rows(table: pd.DataFrame, columns: list[str], directory: Path) -> list[dict[str, Any]]:
    """The rows of cells: the text and, of numbers written otherwise, the value to sort by; the page of each, if any."""
    shown = [[_shown(name, value) for value in table[name].tolist()] for name in columns]
    links: list[str | None] = []
    for path in table["path"]:
        page = Path(path, PAGE)
        links.append(quote(f"../{page}") if (directory / page).exists() else None)
    return [{"fields": values, "link": link} for *values, link in zip(*shown, links, strict=True)]


def _shown(column: str, value: Any) -> tuple[str, float | None]:
    if pd.isna(value):
        return "", None
    if column in UPDATES:
        return f"{value:,}", value
    if column in SHARES:
        return percent(value), value
    if column in NUMBERS:
        return number(value), value
    return str(value), None


def _interval(interval: Interval, shown: Any) -> str:
    if interval.low is None and interval.high is None:
        return "–"
    low, high = (None if side is None else shown(side) for side in (interval.low, interval.high))
    return f"{low or '–'} to {high or '∞'}"


def _updates(value: float) -> str:
    return f"{value:,.0f}"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
