"""Describe tasks in words and numbers, before any training."""

from __future__ import annotations

import math

from modgrok.data.modular_data import ModularData
from modgrok.tasks import CATALOG, label_entropy, make_task, structure_of

STRUCTURE_MODULUS = 13
"""The modulus at which the catalog's structures are listed: large enough that no table separates by chance."""


def describe(data: ModularData) -> str:
    """Describe the tasks and their split, a paragraph for each task."""
    return "\n\n".join(_paragraph(data, number) for number in range(len(data.tasks)))


def _paragraph(data: ModularData, number: int) -> str:
    task = data.tasks[number]
    answers, trained = data.tables[number].answers, data.training_counts[number]
    pairs = len(answers)
    formula = str(task.operation)
    name = formula if task.name == formula else f"{task.name}: {formula}"
    config, structure = data.config, structure_of(task)
    lines = [
        f"{name} mod {task.modulus}",
        f"  pairs      {pairs:,}: {trained:,} trained on, {pairs - trained:,} held out"
        f" (split seed {config['split_seed']}, method {config['split_method']})",
        f"  tokens     {' '.join(data.template.words)}, vocabulary of {data.vocabulary_size},"
        f" {data.n_answers} answers",
        f"  guessing   loss {math.log(task.n_answers):.4f} = ln {task.n_answers},"
        f" accuracy {1 / task.n_answers:.4f}",
        f"  answers    entropy {label_entropy(answers, task.n_answers):.4f} of {math.log(task.n_answers):.4f} nats",
        f"  structure  {structure.kind}: {structure.reason}",
    ]
    return "\n".join(lines)


def list_tasks() -> str:
    """List the operations of the catalog: name, formula, operands, algebraic structure, source."""
    rows = [("name", "formula", "operands", "structure", "source")]
    for name, entry in CATALOG.items():
        kind = (
            "neither"
            if entry.operation.unstructured
            else structure_of(make_task(name, STRUCTURE_MODULUS)).kind
        )
        rows.append((name, entry.formula, str(entry.n_operands), kind, entry.source))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
