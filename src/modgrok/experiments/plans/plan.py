"""A sweep file and its cells: what varies, and the runs that this makes."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

from modgrok.errors import InputError, brief
from modgrok.experiments.config.config_forms import flatten
from modgrok.experiments.plans.expression import parse_expression
from modgrok.experiments.plans.kind import KINDS, Kind

LONGEST_NAME = 120

SEED = "seed"
"""The name that stands for the seeds of the network and of its data together."""
_PARAMETER = re.compile(r"\{(\w*)\}")


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Attributes:
        name: the name of the run's directory.
        values: the value of everything that varies, in the order of the sweep file.
        overrides: dotted fields and their values, over the config that all cells share.
    """

    name: str
    values: dict[str, Any]
    overrides: dict[str, Any]


@dataclass(frozen=True)
class Axis:
    """Fields that vary together: a row holds one value for each of them."""

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Plan:
    """What a sweep file says.

    Attributes:
        question: the question that the sweep asks, in words; the title of its page.
        command: the command that trains a cell, `fit` or `capacity fit`.
        config: the config that all cells share, with what it inherits.
        shared: fields that all cells set over the config (`set:`); their strings may have {parameters}.
        axes: the fields that vary, the slowest first.
        alternatives: the fields set by each value of a name that stands for several fields.
        skip: the condition of cells that are left out.
        groups: expressions that divide the cells into groups for the page to compare, by name.
    """

    question: str
    config: dict[str, Any] = field(repr=False)
    shared: dict[str, Any]
    axes: tuple[Axis, ...]
    alternatives: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    skip: str | None = None
    groups: dict[str, str] = field(default_factory=dict)
    command: str = "fit"

    @property
    def kind(self) -> Kind:
        """What the cells are."""
        return KINDS[self.command]

    @property
    def seeds(self) -> tuple[str, ...]:
        """Names that cells differ in by chance only."""
        return (SEED, *self.kind.seed_fields)

    @property
    def varied(self) -> list[str]:
        """The names of everything that varies, in the order of the sweep file."""
        return [name for axis in self.axes for name in axis.names]

    @cached_property
    def labels(self) -> dict[str, str]:
        """Short names for headings of everything that varies, by its name in the sweep file."""
        return short_names(self.varied)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The cells, in an order and with names that depend on nothing but the plan.

        Raises:
            InputError: if the condition leaves no cell.
        """
        cells = tuple(self._all_cells())
        if not cells:
            raise InputError(f"skip: {brief(self.skip)} leaves no cell")
        return cells

    def _all_cells(self) -> Iterator[Cell]:
        skip = None if self.skip is None else parse_expression(self.skip, self.varied, "skip")
        for rows in itertools.product(*(axis.rows for axis in self.axes)):
            values = dict(zip(self.varied, itertools.chain(*rows), strict=True))
            if skip is None or not skip(values):
                yield Cell(_cell_name(values, self.labels), values, self._overrides(values))

    def _overrides(self, values: Mapping[str, Any]) -> dict[str, Any]:
        fields = dict(self.shared)
        for name, value in values.items():
            if name == SEED:
                fields |= dict.fromkeys(self.kind.seed_fields, value)
            elif name in self.alternatives:
                fields |= self.alternatives[name][value]
            elif name not in self.parameters:
                fields[name] = value
        return {name: _fill(value, values) for name, value in fields.items()}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The varied names that are parameters of formulas, and no fields."""
        strings = [self.shared, self.alternatives, [axis.rows for axis in self.axes]]
        return frozenset(_parameters_in(strings))

    def alike(self, cell: Cell) -> int:
        """Return how many cells differ from one in seeds, formula and optimizer only, which one compilation serves."""
        return self._cells_of_shape[self._shape(cell)]

    @cached_property
    def _cells_of_shape(self) -> Counter[str]:
        return Counter(map(self._shape, self.cells))

    def _shape(self, cell: Cell) -> str:
        """Return the values that make code of its own necessary."""
        same = {*self.seeds, *self.parameters, "data.task"}
        names = [name for name in self.varied if name not in same and not name.startswith("model.optimizer.")]
        return repr([cell.values[name] for name in names])

    def spec(self) -> dict[str, Any]:
        """Return the plan as the contents of a sweep file that needs no other file."""
        vary: dict[str, Any] = {
            ", ".join(axis.names): [list(row) if len(axis.names) > 1 else row[0] for row in axis.rows]
            for axis in self.axes
        }
        vary |= self.alternatives
        return {
            "question": self.question,
            "command": self.command,
            "config": self.config,
            "set": self.shared,
            "vary": vary,
            "skip": self.skip,
            "groups": self.groups,
        }

    def difference(self, other: Plan) -> str | None:
        """Say in what the cells of `other` differ from this plan's; None where the runs are the same."""
        if self.command != other.command:
            return f"command is {brief(other.command)} there and {brief(self.command)} here"
        here, there = flatten(self.config), flatten(other.config)
        for name in sorted(here.keys() | there.keys()):
            if (a := here.get(name)) != (b := there.get(name)):
                return f"{name} is {brief(b)} there and {brief(a)} here"
        ours, theirs = ({cell.name: cell for cell in plan.cells} for plan in (self, other))
        for name in sorted(ours.keys() ^ theirs.keys()):
            return f"the cell {name} is only {'here' if name in ours else 'there'}"
        for name, cell in ours.items():
            for key in sorted(cell.overrides.keys() | theirs[name].overrides.keys()):
                if (a := cell.overrides.get(key)) != (b := theirs[name].overrides.get(key)):
                    return f"{key} of the cell {name} is {brief(b)} there and {brief(a)} here"
        return None


def _fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Put the values of parameters in the place of their names in braces, in strings at any depth."""
    if isinstance(value, str):
        return _PARAMETER.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, list):
        return [_fill(item, values) for item in value]
    if isinstance(value, dict):
        return {key: _fill(item, values) for key, item in value.items()}
    return value


def _parameters_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PARAMETER.findall(value)
    elif isinstance(value, list | tuple | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parameters_in(item)


def short_names(names: list[str]) -> dict[str, str]:
    """Return the last word of each field's name, or all of it where two fields share that word."""
    last = [name.rpartition(".")[2] for name in names]
    return {name: word if last.count(word) == 1 else name for name, word in zip(names, last, strict=True)}


def value_text(value: Any) -> str:
    """Write a value as it is shown: a class by its name, a list with bars."""
    if isinstance(value, dict):
        return str(value["class_path"]).rpartition(".")[2] if "class_path" in value else str(value)
    if isinstance(value, list):
        return "|".join(map(value_text, value))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def directory_text(value: Any) -> str:
    """Write a value, without its spaces, so that any file system takes it and different values differ."""
    return quote("".join(value_text(value).split()), safe="+^@", errors="backslashreplace")


def _cell_name(values: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Name a cell by its values; a name too long for a directory ends in a hash of all of it."""
    name = ",".join(f"{labels[key]}={directory_text(value)}" for key, value in values.items())
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 13]}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"
