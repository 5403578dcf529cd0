"""The analysis as data: measures.csv and summary.json."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from dataclasses import asdict
from typing import Any

from modgrok.analysis import Circuit, restricted_accuracy
from modgrok.analysis.run_analysis import RunAnalysis, TaskAnalysis
from modgrok.report.group_prose import group_summary
from modgrok.runs import History


def measures_csv(analysis: RunAnalysis) -> str:
    """A row for each checkpoint and task, a column for each measure."""
    found = analysis.learning_coefficients
    rows = [
        {
            "task": task.circuit.name,
            **moment.row(),
            **({"learning_coefficient": found[moment.update].estimate} if found else {}),
        }
        for task in analysis.tasks
        for moment in task.moments
    ]
    # each task of a mixture has its own key frequencies, and so its own columns
    columns = dict.fromkeys(name for each in rows for name in each)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def summary_json(analysis: RunAnalysis) -> str:
    """The origin of the weights, when the tasks were learned, and the circuit of each."""
    snapshot = analysis.snapshot
    data = snapshot.data.config
    content = {
        "source": analysis.source,
        "notes": list(analysis.notes),
        "update": snapshot.update,
        "modulus": data["modulus"],
        "split": {name: data[name] for name in ("train_fraction", "split", "split_seed", "split_method")}
        if snapshot.split_known
        else None,
        "network": {"class": type(snapshot.network).__name__, **snapshot.network.config},
        "origin": asdict(snapshot.pretrained_from) if snapshot.pretrained_from else None,
        "frozen": list(snapshot.frozen),
        "threshold": snapshot.history.threshold,
        **_milestones(snapshot.history),
        "learning_coefficients": {u: asdict(one) for u, one in analysis.learning_coefficients.items()},
        "tasks": [_task(task) | _learned(analysis, task) for task in analysis.tasks],
    }
    text = json.dumps(_finite(content), indent=2, ensure_ascii=False)
    # lists of numbers on one line
    return re.sub(r"\[[\d\s,.-]+\]", lambda numbers: " ".join(numbers[0].split()), text) + "\n"


def _learned(analysis: RunAnalysis, task: TaskAnalysis) -> dict[str, Any]:
    """When the task was learned, here and in a run on it alone."""
    found = _milestones(analysis.history(task))
    if (alone := analysis.alone.get(task.circuit.name)) is None:
        return found
    run = {"source": alone.source, "train_fraction": alone.train_fraction}
    return {**found, "alone": {**run, **_milestones(alone.history)}}


def _milestones(history: History) -> dict[str, Any]:
    names = ("memorised_at", "grokked_at", "grokked_new_at")
    return {name: getattr(history, name) for name in names}


def _task(task: TaskAnalysis) -> dict[str, Any]:
    circuit, view = task.circuit, task.circuit.view
    return {
        "task": view.task.name,
        "structure": view.structure.kind,
        "reason": view.reason,
        **(_clock(circuit) if circuit.group is None else group_summary(circuit)),
        "phases": [asdict(phase) for phase in task.phases],
        "causal_worth": [asdict(part) for part in task.worth],
        **{name: value for name, value in task.last.row().items() if name != "update"},
        "undefined": task.last.clock_or_pizza.undefined if task.last.clock_or_pizza else {},
    }


def _clock(circuit: Circuit) -> dict[str, Any]:
    view, directions, keys = circuit.view, circuit.directions, circuit.key_frequencies
    return {
        "basis": view.clocked_pairs.clock.law,
        "fallback": not view.matches_structure,
        "operand_bases": {
            name: {"dimension": basis.dimension, "indistinguishable": basis.indistinguishable}
            for name, basis in zip(view.operands, view.clocked_pairs.operand_bases, strict=True)
        },
        "key_frequencies": keys,
        "restricted_accuracy": restricted_accuracy(circuit.classes, keys),
        "neurons_of_each": {str(k): int((circuit.tuning.clusters == k).sum()) for k in keys},
        "active_neurons": int(circuit.tuning.active.sum()),
        "logit_variance_of_each": {str(k): float(directions.variance_explained[k - 1]) for k in keys},
        "logit_residual": directions.residual,
    }


def _finite(value: Any) -> Any:
    """Replace infinities and NaN, which JSON does not have, by null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
