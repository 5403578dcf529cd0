"""Sweep files: their contents, checked, as a plan."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from modgrok.errors import InputError, brief, did_you_mean
from modgrok.experiments.config.config_file import read_config, read_yaml
from modgrok.experiments.config.config_forms import flatten, nested
from modgrok.experiments.config.shipped import find_config
from modgrok.experiments.plans.expression import parse_expression
from modgrok.experiments.plans.kind import KINDS
from modgrok.experiments.plans.plan import SEED, Axis, Plan, directory_text

MOST_CELLS = 100_000
LARGEST_FILE, MOST_VALUES = 10_000_000, 1_000_000
KEYS = ("question", "command", "config", "set", "vary", "skip", "groups")
SECTIONS_OF_A_RUN = ("seed_everything", "trainer", "model", "data")
FIXED = {
    "config": "a sweep has one config",
    "ckpt_path": "every cell resumes from its own checkpoint",
    "trainer.default_root_dir": "every cell has its own directory",
    "trainer.logger": "every cell logs into its own directory",
    "trainer.devices": "a network trains on one device",
    "trainer.num_nodes": "a network trains on one device",
    "model.threshold": "times to grok compare at one threshold only",
}
"""Fields that must be the same in all cells, and why."""

COLUMNS = ("status", "reason", "path")
"""Names that the table's other columns have, besides those of the kind of runs."""

_RANGE = re.compile(r"(-?[\d.]*\d)\.\.(-?[\d.]*\d)(?: by ([\d.]*\d))?")
_EXAMPLE = "such as `vary:` with `seed: 0..7`"


def read_plan(path: str | Path) -> Plan:
    """Read a sweep file, or the shipped one of that name.

    Its keys are `command`, what trains a cell, `fit` unless given, or `capacity fit`; `config`, the config that all
    cells share, as a path relative to the file, or as a mapping; `set`, fields over it; `vary`, fields and their
    values: a list, or a range such as `1..9` or `0.1..0.9 by 0.2`, ends included. `seed` stands for the seeds of
    network and data together. `a, b: [[1, 2], [3, 4]]` varies two fields together; `rule: {one: {field: value}, other:
    {}}` names alternatives by the fields that they set. A name without a section is a parameter of the formulas that
    have it in braces: `x**{m} + y`. `skip` is a condition of cells to leave out, `question` and `groups` are for the
    page.

    Raises:
        InputError: if the file is not such a plan; the message names the field.
    """
    file = find_config(path)
    spec = read_sweep(file)
    spec.pop("claim", None)  # what a claim file has besides; see `claim`
    return make_plan(spec, file)


def read_sweep(path: Path) -> dict[str, Any]:
    """Read the contents of a sweep file.

    Raises:
        InputError: naming the file and the line, if they are no mapping.
    """
    what = f"a sweep, which has {', '.join(KEYS)}"
    return read_yaml(path, what, largest=LARGEST_FILE, most_values=MOST_VALUES, nul_allowed=True)


def make_plan(spec: Mapping[str, Any], path: Path) -> Plan:
    """Build the plan of a sweep file's contents; see `read_plan`.

    Raises:
        InputError: if they are no such plan; the message names the file and the field.
    """
    for key in spec:
        if key in SECTIONS_OF_A_RUN:
            raise InputError(
                f"{path}: the config of a run. A sweep file names such a config and says what varies:\n"
                "  question: Which learning rate groks first?\n"
                f"  config: {path.name}\n"
                "  vary:\n"
                "    model.optimizer.init_args.lr: [1e-3, 3e-3, 1e-2]"
            )
        if key not in KEYS:
            raise InputError(
                f"{path}: unknown key {brief(key)}{did_you_mean(str(key), KEYS)} (it has {', '.join(KEYS)})"
            )
    question = spec.get("question") or path.stem
    if not isinstance(question, str):
        raise InputError(f"{path}: question must be a sentence, got {brief(question)}")
    if (config := spec.get("config")) is None:
        raise InputError(
            f"{path}: config is missing; name the config that all cells share, such as ../poly.yaml"
        )
    if (command := spec.get("command") or "fit") not in KINDS:
        raise InputError(f"{path}: command: {brief(command)} is not one of {', '.join(KINDS)}")
    shared, vary = _section(spec, "set"), _section(spec, "vary")
    plan = Plan(
        question=" ".join(question.split()),
        command=command,
        config=nested(config if isinstance(config, dict) else read_config(path.parent / str(config))),
        shared=flatten(shared),
        axes=tuple(_axis(name, values) for name, values in vary.items()),
        alternatives={
            name: _alternatives(name, values) for name, values in vary.items() if isinstance(values, dict)
        },
        skip=spec.get("skip"),
        groups=_section(spec, "groups"),
    )
    if plan.groups and command != "fit":
        raise InputError(f"{path}: groups: the page of {command} compares none; leave them out")
    _check(plan, path)
    return plan


def _check(plan: Plan, path: Path) -> None:
    """Raise an InputError unless every name is a field or a parameter, given once, and the cells are not too many."""
    if not plan.axes:
        raise InputError(f"{path}: nothing varies; it needs fields that vary, {_EXAMPLE}")
    sets = {name: set().union(*values.values()) for name, values in plan.alternatives.items()}
    given = [*plan.shared, *plan.varied, *(field for fields in sets.values() for field in fields)]
    if SEED in given:
        given += plan.kind.seed_fields
    for name in given:
        if given.count(name) > 1:
            also = f" ({SEED} sets it)" if name in plan.seeds and SEED in given else ""
            raise InputError(f"{path}: {name} is given twice{also}")
        if reason := next(
            (FIXED[fixed] for fixed in FIXED if name == fixed or name.startswith(f"{fixed}.")), None
        ):
            raise InputError(f"{path}: {name} cannot be given in a sweep: {reason}")
    for name in plan.varied:
        if name in (*COLUMNS, *plan.kind.columns):
            raise InputError(f"{path}: vary.{name}: a column of the table has this name; choose another")
        known = name in plan.parameters or name in plan.alternatives or name in plan.seeds
        if not (known or "." in name):
            raise InputError(
                f"{path}: vary.{name} is neither a field, such as data.modulus, nor a parameter: "
                f"no formula has {{{name}}}"
            )
    if missing := sorted(plan.parameters - set(plan.varied)):
        raise InputError(f"{path}: a formula has the parameter {{{missing[0]}}}, which is not under vary")
    if (count := math.prod(len(axis.rows) for axis in plan.axes)) > MOST_CELLS:
        raise InputError(f"{path}: {count:,} cells; a sweep has at most {MOST_CELLS:,}")
    for axis in plan.axes:
        seen: dict[str, tuple[Any, ...]] = {}
        for row in axis.rows:
            if (twin := seen.setdefault(text := ",".join(map(directory_text, row)), row)) is not row:
                raise InputError(
                    f"{path}: vary.{', '.join(axis.names)}: {_shown(twin)} and {_shown(row)} "
                    f"make two cells with one name, {text}"
                )
    for name, expression in plan.groups.items():
        parse_expression(expression, plan.varied, f"groups.{name}")
    try:
        _ = plan.cells
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _shown(row: tuple[Any, ...]) -> str:
    return brief(row[0] if len(row) == 1 else list(row))


def _axis(key: object, values: Any) -> Axis:
    names = tuple(name.strip() for name in str(key).split(","))
    where = f"vary.{key}"
    if isinstance(values, str) and (match := _RANGE.fullmatch(values.strip())):
        values = _range(where, *match.groups())
    if isinstance(values, dict):
        values = list(values)
    if not isinstance(values, list) or not values:
        raise InputError(f"{where}: {brief(values)} must be a list of values, or a range such as 1..9")
    if len(names) == 1:
        return Axis(names, tuple((value,) for value in values))
    for row in values:
        if not isinstance(row, list) or len(row) != len(names):
            raise InputError(
                f"{where}: {brief(row)} must be a list of {len(names)} values, one for each field"
            )
    return Axis(names, tuple(tuple(row) for row in values))


def _alternatives(name: str, values: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """Return what each value of a name sets.

    Raises:
        InputError: if a value is not the name of a mapping.
    """
    for label, sets in values.items():
        if not isinstance(label, str) or not isinstance(sets, dict):
            raise InputError(f"vary.{name}: {brief(label)} must be a name with the fields that it sets below")
    return {label: flatten(sets) for label, sets in values.items()}


def _range(where: str, first: str, last: str, step: str | None) -> list[int | float]:
    """List the numbers from `first` to `last`, both included, without the rounding of repeated sums."""
    try:
        start, stop, by = Decimal(first), Decimal(last), Decimal(step or 1)
    except ArithmeticError:
        raise InputError(f"{where}: {first}..{last} must have two numbers") from None
    if by <= 0 or stop < start:
        raise InputError(f"{where}: {first}..{last} is empty; a range goes up")
    count = int((stop - start) / by) + 1
    if count > MOST_CELLS:
        raise InputError(f"{where}: {count:,} values; a sweep has at most {MOST_CELLS:,} cells")
    whole = all("." not in number for number in (first, last, step or "1"))
    return [int(start + i * by) if whole else float(start + i * by) for i in range(count)]


def _section(spec: Mapping[str, Any], key: str) -> dict[str, Any]:
    section = spec.get(key) or {}
    if not isinstance(section, dict):
        raise InputError(f"{key}: {brief(section)} must be a mapping, such as `seed: 0..7`")
    return section
