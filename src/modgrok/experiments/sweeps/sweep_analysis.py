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
class Milestone:
    """Something that a cell reaches or not.

    Attributes:
        reached_at: the column of the updates at which cells reached it.
        accuracy: the column of the accuracy that reaches the threshold then.
        pairs: the pairs that are right then.
    """

    reached_at: str
    accuracy: str
    pairs: str


HELDOUT = Milestone("grokked_at", "heldout_accuracy", "held-out pairs")
NEW = Milestone("grokked_new_at", "heldout_accuracy_new", "new pairs")


@dataclass(frozen=True)
class Group:
    """Cells that a grouping puts together.

    Attributes:
        name: the value that they share.
        sample: their times to reach the milestone, in updates.
        grokked: the share that reached it, with its Wilson interval.
        median: the Kaplan–Meier median, with its interval.
        accuracies: the accuracies at the end, of each cell.
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
        milestone: the event whose time is measured.
        groups: the groups, in the order of their values.
        test: the log-rank test of whether they differ; None where there is one group.
        unexplained: the variance of log time within groups over that of all cells together, both by maximum
            likelihood on the censored times; None where too few cells reached the milestone.
        aic: Akaike's information criterion of the groups less that of no groups: below zero the groups are worth
            their number of parameters.
    """

    name: str
    milestone: Milestone
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

    @cached_property
    def milestones(self) -> list[Milestone]:
        """What cells are asked for: their held-out pairs, and the new ones apart where others are known by symmetry."""
        apart = self.finished[["heldout_accuracy_new", "heldout_accuracy_known"]].notna().any().all()
        return [HELDOUT, NEW] if apart else [HELDOUT]

    def sample(self, rows: pd.DataFrame, milestone: Milestone = HELDOUT) -> Sample:
        """Return the times to a milestone of finished cells that have such pairs, censored at their last update."""
        rows = rows[rows[milestone.accuracy].notna()]
        reached_at = rows[milestone.reached_at]
        return Sample.of(reached_at.fillna(rows["updates"]).astype(float), reached_at.notna())

    def grouping(self, name: str, labels: pd.Series, milestone: Milestone = HELDOUT) -> Grouping | None:
        """Divide the finished cells by their labels, in the order of these or, if they have some, of their categories.

        Returns:
            None where no cell has finished that has pairs of the milestone.
        """
        rows = self.finished[self.finished[milestone.accuracy].notna()]
        labels = labels[rows.index]
        if rows.empty:
            return None
        ordered = labels.cat.categories if hasattr(labels, "cat") else sorted(set(labels), key=_rank)
        order = [label for label in ordered if label in set(labels)]
        samples = {label: self.sample(rows[labels == label], milestone) for label in order}
        groups = tuple(
            Group(
                value_text(label),
                one,
                share(int(one.happened.sum()), len(one)),
                median_time(one),
                tuple(rows[milestone.accuracy][labels == label]),
            )
            for label, one in samples.items()
        )
        test = log_rank(list(samples.values())) if len(samples) > 1 else None
        together = self.sample(rows, milestone)
        inside, outside = (_fit(together, by) for by in (labels, labels.map(lambda _: 0)))
        if test is None or inside is None or outside is None:
            return Grouping(name, milestone, groups, test, None, None)
        unexplained = inside.variance / outside.variance
        return Grouping(name, milestone, groups, test, unexplained, inside.aic - outside.aic)

    @cached_property
    def groupings(self) -> list[Grouping]:
        """The groupings of the sweep file, or by the one field that varies where it is alone, for each milestone."""
        ways: dict[str, pd.Series] = {}
        for name, text in self.plan.groups.items():
            expression = parse_expression(text, self.plan.varied, f"groups.{name}")
            values = [expression(cell.values) for cell in self.plan.cells]
            names = list(dict.fromkeys(map(_group_name, sorted(values, key=_rank))))
            labels = pd.Categorical(map(_group_name, values), names)
            ways[name] = pd.Series(labels, index=self.table.index)
        if not ways and len(self.varied) == 1:
            (field,) = self.varied
            ways[self.plan.labels[field].replace("_", " ")] = self.table[field]
        found = (self.grouping(*way, milestone) for milestone in self.milestones for way in ways.items())
        return [grouping for grouping in found if grouping is not None]


def _fit(sample: Sample, labels: pd.Series) -> LogNormalFit | None:
    try:
        return fit_log_normal(sample, list(labels))
    except InputError:  # too few cells reached the milestone
        return None


def _group_name(value: object) -> str:
    """Name a group by the value, or the values, that its cells share."""
    return ", ".join(map(value_text, value if isinstance(value, tuple) else (value,)))


def _rank(value: object) -> tuple[tuple[bool, float, str], ...]:
    """What groups are sorted by: numbers by their size and before names, several values by the first that differs."""
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(
        (False, float(part), "") if isinstance(part, int | float) else (True, 0.0, value_text(part))
        for part in parts
    )
