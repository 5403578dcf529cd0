"""What a sweep's table says: how many grokked, when, and how groups of cells differ."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from modgrok.errors import InputError
from modgrok.experiments.config.config_forms import flatten
from modgrok.experiments.plans.expression import parse_expression
from modgrok.experiments.plans.plan import Plan, value_text
from modgrok.experiments.sweeps.interval import Interval
from modgrok.experiments.sweeps.statistics import (
    LogNormalFit,
    LogRank,
    Sample,
    fit_log_normal,
    log_rank,
    median_time,
    share,
)


@dataclass(frozen=True)
class Group:
    """Cells that a grouping puts together.

    Attributes:
        name: the value that they share.
        sample: their times to grok, in updates.
        grokked: the share that grokked, with its Wilson interval.
        median: the Kaplan–Meier median, with its interval.
        accuracies: the accuracies of the held-out pairs at the end, of each cell.
    """

    name: str
    sample: Sample
    grokked: Interval
    median: Interval
    accuracies: tuple[float, ...]


@dataclass(frozen=True)
class Grouping:
    """One way to divide the finished cells, and what it explains.

    Attributes:
        name: the name of the expression that divides the cells.
        groups: the groups, in the order of their values.
        test: the log-rank test of whether they differ; None where there is one group.
        unexplained: the variance of log time within groups over that of all cells together, both by maximum
            likelihood on the censored times; None where too few cells grokked.
        aic: Akaike's information criterion of the groups less that of no groups: below zero the groups are worth
            their number of parameters.
    """

    name: str
    groups: tuple[Group, ...]
    test: LogRank | None
    unexplained: float | None
    aic: float | None


@dataclass(frozen=True)
class SweepAnalysis:
    """A plan's table, and what is computed from it.

    Attributes:
        plan: the sweep's plan.
        table: a row for each cell, in the plan's order; see `make_table`.
    """

    plan: Plan
    table: pd.DataFrame

    @cached_property
    def finished(self) -> pd.DataFrame:
        """The rows of finished cells."""
        return self.table[self.table["status"] == "finished"]

    @cached_property
    def of_random_answers(self) -> bool:
        """Whether nothing can be generalized: all cells learn the task `random`."""
        shared = flatten(self.plan.config).get("data.task")
        return {cell.overrides.get("data.task", shared) for cell in self.plan.cells} == {"random"}

    @property
    def varied(self) -> list[str]:
        """What varies with more than one value, seeds apart."""
        names = [name for name in self.plan.varied if name not in self.plan.seeds]
        return [name for name in names if len(self.values(name)) > 1]

    def values(self, name: str) -> list[Hashable]:
        """Return the values of something that varies: numbers ascending, others in the order of the sweep file."""
        values = list(dict.fromkeys(self.table[name]))
        return sorted(values) if all(isinstance(value, int | float) for value in values) else values

    def sample(self, rows: pd.DataFrame) -> Sample:
        """Return the times to grok of finished cells, censored at the last update of those that did not."""
        return Sample.of(
            rows["grokked_at"].fillna(rows["censored_at"]).astype(float), rows["grokked_at"].notna()
        )

    def grouping(self, name: str, labels: pd.Series) -> Grouping | None:
        """Divide the finished cells by their labels; None where no cell has finished."""
        rows, labels = self.finished, labels[self.finished.index]
        if rows.empty:
            return None
        order = sorted(set(labels), key=lambda label: (isinstance(label, str), label))
        samples = {label: self.sample(rows[labels == label]) for label in order}
        groups = tuple(
            Group(
                value_text(label),
                one,
                share(int(one.happened.sum()), len(one)),
                median_time(one),
                tuple(rows["heldout_accuracy"][labels == label].dropna()),
            )
            for label, one in samples.items()
        )
        test = log_rank(list(samples.values())) if len(samples) > 1 else None
        inside, outside = (self._fit(rows, by) for by in (labels, labels.map(lambda _: 0)))
        if test is None or inside is None or outside is None:
            return Grouping(name, groups, test, None, None)
        return Grouping(name, groups, test, inside.variance / outside.variance, inside.aic - outside.aic)

    def _fit(self, rows: pd.DataFrame, labels: pd.Series) -> LogNormalFit | None:
        try:
            return fit_log_normal(self.sample(rows), list(labels))
        except InputError:  # too few cells grokked
            return None

    @cached_property
    def groupings(self) -> list[Grouping]:
        """The groupings of the sweep file, or by the one field that varies where it is alone."""
        found = []
        for name, text in self.plan.groups.items():
            expression = parse_expression(text, self.plan.varied, f"groups.{name}")
            labels = [value_text(_plain(expression(cell.values))) for cell in self.plan.cells]
            found.append(self.grouping(name, pd.Series(labels, index=self.table.index)))
        if not found and len(self.varied) == 1:
            (field,) = self.varied
            found.append(self.grouping(self.plan.labels[field].replace("_", " "), self.table[field]))
        return [grouping for grouping in found if grouping is not None]


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
