"""What the runs of a claim give for a published figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, cast

import pandas as pd
from scipy import stats

from modgrok.analysis import BasisName, RunAnalysis, analyze_checkpoints, analyze_network
from modgrok.errors import InputError, did_you_mean
from modgrok.experiments.claims.claim import PublishedFigure, Weights
from modgrok.experiments.plans.plan import value_text
from modgrok.experiments.sweeps.interval import Interval
from modgrok.experiments.sweeps.statistics import CONFIDENCE, Sample, median_time, share
from modgrok.interop import read_weights
from modgrok.runs import RunDirectory

SCORES = (
    *("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy"),
    *("heldout_accuracy_new", "heldout_accuracy_known"),
)
PHASES = ("end of memorisation", "end of circuit formation", "end of cleanup")
OF_THE_TABLE = ("grokked_at", "grokked", *SCORES)
"""The measures that are read off the table of a sweep; every other is measured on a circuit."""


def measure(figure: PublishedFigure, table: pd.DataFrame, directory: Path) -> Interval:
    """Measure a figure on the finished cells of a sweep.

    `grokked_at` is the Kaplan–Meier median of the times to grok, in updates; `grokked` the share of cells that grok,
    with Wilson's interval; a score of the table, such as `heldout_accuracy`, the mean over the cells with Student's
    interval. Everything else is measured on the circuit of each cell's last checkpoint and averaged so:
    `key_frequencies` or `key_irreps`, their number; `end of memorisation`, `end of circuit formation` and
    `end of cleanup`, updates; and any progress measure, such as `tuned_fraction` or `gini_embedding_x`, or on a group
    `bi_equivariant_share`, `similarity_sign` and what else `GroupMeasures.scalars` has.

    Raises:
        InputError: if no finished cell is meant, or the circuits have no such measure.
    """
    ours = _of_cells(figure, figure.where, table, directory)
    if figure.over is None:
        return ours
    return _ratio(_of_cells(figure, figure.over, table, directory), ours)


def measure_weights(figure: PublishedFigure, weights: Weights) -> Interval:
    """Measure a figure on the circuit of other people's weights.

    Raises:
        InputError: if the file cannot be read.
    """
    snapshot = read_weights(weights.file, weights.formula, weights.modulus).snapshot
    analysis = analyze_network(snapshot, weights.file.name, cast(BasisName, figure.basis))
    return _mean([_of_circuit(figure.measure, analysis)])


def _of_cells(
    figure: PublishedFigure, where: Mapping[str, Any], table: pd.DataFrame, directory: Path
) -> Interval:
    chosen = table[table["status"] == "finished"]
    for name, value in where.items():
        chosen = chosen[chosen[name].map(value_text) == value_text(value)]
    if chosen.empty:
        raise InputError(f"no finished cell has {where}")
    if figure.measure == "grokked_at":
        times = chosen["grokked_at"].fillna(chosen["censored_at"]).astype(float)
        return median_time(Sample.of(times, chosen["grokked_at"].notna()))
    if figure.measure == "grokked":
        return share(int(chosen["grokked_at"].notna().sum()), len(chosen))
    if figure.measure in SCORES:
        return _mean(chosen[figure.measure].tolist())
    runs = [_analysis(directory / path, figure.basis) for path in chosen["path"]]
    return _mean([_of_circuit(figure.measure, run) for run in runs])


@cache
def _analysis(run: Path, basis: str) -> RunAnalysis:
    return analyze_checkpoints([*RunDirectory(run).checkpoints.values()], run.name, cast(BasisName, basis))


def circuit_measures(analysis: RunAnalysis) -> dict[str, float | None]:
    """Measure the circuit of a run on a single task: every measure by its name, None where it is undefined.

    Raises:
        InputError: if the run is on several tasks.
    """
    if len(analysis.tasks) > 1:
        raise InputError(
            f"{analysis.source}: a claim measures the circuit of one formula, not of a mixture's"
        )
    (task,) = analysis.tasks
    keys = "key_frequencies" if task.circuit.group is None else "key_irreps"
    phases = {f"end of {phase.name}": phase.end for phase in task.phases}
    return {keys: len(task.circuit.keys), **{name: phases.get(name) for name in PHASES}, **task.last.row()}


def _of_circuit(name: str, analysis: RunAnalysis) -> float:
    found = circuit_measures(analysis)
    if name not in found:
        raise InputError(f"{analysis.source}: no measure is called {name!r}{did_you_mean(name, found)}")
    value = found[name]
    return math.nan if value is None else value


def _mean(values: Sequence[float]) -> Interval:
    """Return the mean with Student's interval; without one for a single value, and none where a value is missing."""
    if any(map(math.isnan, values)):
        return Interval(None, None, None)
    mean = sum(values) / len(values)
    if len(values) == 1:
        return Interval(mean, None, None)
    half = stats.sem(values) * stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
    return Interval(mean, mean - half, mean + half)


def _ratio(over: Interval, under: Interval) -> Interval:
    """Divide two positive estimates; the interval holds every ratio of numbers in theirs."""

    def divided(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else a / b

    return Interval(
        divided(over.estimate, under.estimate), divided(over.low, under.high), divided(over.high, under.low)
    )
