"""Describe tasks in words and numbers, before any training."""

from __future__ import annotations

import math
from collections.abc import Callable

from modgrok.data.task_tables import TaskTables
from modgrok.errors import InputError, brief, did_you_mean
from modgrok.tasks import (
    CATALOG,
    VARIABLES,
    Group,
    GroupWord,
    Structure,
    Task,
    element_names,
    label_entropy,
    make_task,
    structure_of,
)

STRUCTURE_MODULUS = 13
"""The modulus at which the catalog's structures are listed: large enough that no table separates by chance."""


def describe(data: TaskTables, irreps: Callable[[Group], str]) -> str:
    """Describe the tasks and their split, a paragraph for each task.

    Args:
        data: the tasks.
        irreps: lists the irreps of a group.
    """
    return "\n\n".join(_paragraph(data, number, irreps) for number in range(len(data.tasks)))


def _paragraph(data: TaskTables, number: int, irreps: Callable[[Group], str]) -> str:
    task = data.tasks[number]
    answers, trained = data.tables[number].answers, len(data.training[number])
    pairs = len(answers)
    formula = str(task.operation)
    name = formula if task.name == formula else f"{task.name}: {formula}"
    config, structure = data.config, structure_of(task)
    drawn = "whole classes, " if config["split"] == "classes" else ""
    lines = [
        name if task.operation.only_modulus else f"{name} mod {task.modulus}",
        f"  pairs      {pairs:,}: {trained:,} trained on ({trained / pairs:.2%}), {pairs - trained:,} held out"
        f" ({drawn}split seed {config['split_seed']}, method {config['split_method']})",
        f"  symmetry   {_symmetry(data, number)}",
        f"  tokens     {' '.join(data.template.words)}, vocabulary of {data.vocabulary_size},"
        f" {data.n_answers} answers",
        f"  guessing   loss {math.log(task.n_answers):.4f} = ln {task.n_answers},"
        f" accuracy {1 / task.n_answers:.4f}",
        f"  answers    entropy {label_entropy(answers, task.n_answers):.4f} of {math.log(task.n_answers):.4f} nats",
        f"  structure  {structure.kind}: {structure.reason}",
    ]
    if (group := group_of(task, structure)) is not None:
        lines += [f"  group      {_about(group)}", f"  irreps     {irreps(group)}"]
    return "\n".join(lines)


def group_of(task: Task, structure: Structure) -> Group | None:
    """Return the group that the operands are in, or that the task's table is; None where there is none."""
    return task.operation.group if isinstance(task.operation, GroupWord) else structure.group


def _about(group: Group) -> str:
    law = "abelian" if group.is_abelian else "not abelian"
    words = f"{group}: order {group.order}, {group.n_classes} classes, {law}"
    if not group.name:
        return words
    names = element_names(group.name)
    shown = [f"{symbol} is {name}" for symbol, name in enumerate(names)]
    few = shown if len(shown) <= 8 else [*shown[:4], "…", shown[-1]]
    return f"{words}; element {', '.join(few)}"


def _symmetry(data: TaskTables, number: int) -> str:
    """Say how many held-out pairs of a task are known by symmetry, by which one, and how many are new."""
    known, trained = data.known[number], len(data.training[number])
    n, repeated = len(known) - trained, int(known.sum()) - trained
    symmetries = str(data.symmetries[number])
    if repeated:
        return (
            f"{repeated:,} of {n:,} held-out pairs are known by symmetry: {symmetries}; "
            f"{n - repeated:,} are new"
        )
    why = (
        f"no training pair is carried to them by {symmetries}" if symmetries else "the table has no symmetry"
    )
    return f"all {n:,} held-out pairs are new: {why}"


def list_tasks(short: bool = False) -> str:
    """List the operations of the catalog: name, formula, algebraic structure and, unless short, operands and source."""
    rows = [("name", "formula", "structure", "operands", "source")]
    for name, entry in CATALOG.items():
        modulus = None if entry.operation.only_modulus else STRUCTURE_MODULUS
        kind = structure_of(make_task(name, modulus)).kind
        rows.append((name, entry.formula, kind, str(entry.n_operands), entry.source))
    shown = [row[:3] for row in rows] if short else rows
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in shown)


def describe_operation(name: str) -> str:
    """Say what an operation of the catalog is, and how to train on it.

    Raises:
        InputError: if the catalog has no such name.
    """
    entries = {known: entry for entry in CATALOG.values() for known in (entry.name, *entry.aliases)}
    if name not in entries:
        raise InputError(f"{brief(name)}: no operation has this name{did_you_mean(name, entries)}")
    entry = entries[name]
    modulus = entry.operation.only_modulus
    structure = structure_of(make_task(entry.name, modulus or STRUCTURE_MODULUS))
    others = f"  also       {', '.join(entry.aliases)}\n" if entry.aliases else ""
    return (
        f"{entry.name}: {entry.formula}\n{others}"
        f"  operands   {', '.join(VARIABLES[: entry.n_operands])}\n"
        f"  structure  {structure.kind}: {structure.reason}\n"
        f"  source     {entry.source}\n"
        f"  train      modgrok fit {entry.name}{'' if modulus else ' 97'}"
    )
