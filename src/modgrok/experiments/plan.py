"""A sweep file and its cells: what varies, and the runs that this makes."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from modgrok.errors import InputError, brief, did_you_mean
from modgrok.experiments.config_file import read_config
from modgrok.experiments.expression import parse_expression
from modgrok.runs.findings import Findings

MOST_CELLS = 100_000
LARGEST_FILE = 10_000_000
LONGEST_NAME = 120

SEED = "seed"
"""The name that stands for the seeds of the network and of the split together."""
SEED_FIELDS = ("seed_everything", "data.split_seed")
KEYS = ("question", "config", "set", "vary", "skip", "groups")
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

COLUMNS = frozenset(one.name for one in fields(Findings)) | {"status", "reason", "path"}
"""Names that the table's other columns have."""

_RANGE = re.compile(r"(-?[\d.]*\d)\.\.(-?[\d.]*\d)(?: by ([\d.]*\d))?")
_PARAMETER = re.compile(r"\{(\w*)\}")
_EXAMPLE = "such as `vary:` with `seed: 0..7`"


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
        question: what the sweep asks, in words; the title of its page.
        config: the config that all cells share, with what it inherits.
        shared: fields that all cells set over the config (`set:`); their strings may have {parameters}.
        axes: what varies, slowest first.
        skip: the condition of cells that are left out.
        groups: expressions that divide the cells into groups for the page to compare, by name.
    """

    question: str
    config: dict[str, Any] = field(repr=False)
    shared: dict[str, Any]
    axes: tuple[Axis, ...]
    skip: str | None = None
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def varied(self) -> list[str]:
        """The names of everything that varies, in the order of the sweep file."""
        return [name for axis in self.axes for name in axis.names]

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
        labels = short_names(self.varied)
        for rows in itertools.product(*(axis.rows for axis in self.axes)):
            values = dict(zip(self.varied, itertools.chain(*rows), strict=True))
            if skip is None or not skip(values):
                yield Cell(_cell_name(values, labels), values, self._overrides(values))

    def _overrides(self, values: Mapping[str, Any]) -> dict[str, Any]:
        fields = dict(self.shared)
        for name, value in values.items():
            if name == SEED:
                fields |= dict.fromkeys(SEED_FIELDS, value)
            elif name not in self.parameters:
                fields[name] = value
        return {name: _fill(value, values) for name, value in fields.items()}

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The varied names that are parameters of formulas, and no fields."""
        strings = [self.shared, [axis.rows for axis in self.axes]]
        return frozenset(_parameters_in(strings))

    def spec(self) -> dict[str, Any]:
        """Return the plan as the contents of a sweep file that needs no other file."""
        vary = {
            ", ".join(axis.names): [list(row) if len(axis.names) > 1 else row[0] for row in axis.rows]
            for axis in self.axes
        }
        spec = {"question": self.question, "config": self.config, "set": self.shared, "vary": vary}
        return {**spec, "skip": self.skip, "groups": self.groups}

    def difference(self, other: Plan) -> str | None:
        """Say in what the cells of `other` differ from this plan's; None where the runs are the same."""
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


def read_plan(path: str | Path) -> Plan:
    """Read a sweep file.

    Its keys are `config`, the config that all cells share, as a path relative to the file, or as a mapping; `set`,
    fields over it; `vary`, fields and their values: a list, or a range such as `1..9` or `0.1..0.9 by 0.2`, ends
    included. `seed` stands for the seeds of network and split together. `a, b: [[1, 2], [3, 4]]` varies two fields
    together. A name without a section is a parameter of the formulas that have it in braces: `x**{m} + y`. `skip` is
    a condition of cells to leave out, `question` and `groups` are for the page.

    Raises:
        InputError: if the file is not such a plan; the message names the field.
    """
    spec = read_yaml(Path(path))
    spec.pop("claim", None)  # what a claim file has besides; see `claim`
    return make_plan(spec, Path(path))


def make_plan(spec: Mapping[str, Any], path: Path) -> Plan:
    """Build the plan of a sweep file's contents; see `read_plan`.

    Raises:
        InputError: if they are no such plan; the message names the file and the field.
    """
    for key in spec:
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
    shared = _section(spec, "set")
    plan = Plan(
        question=" ".join(question.split()),
        config=_nested(config if isinstance(config, dict) else read_config(path.parent / str(config))),
        shared=flatten(shared),
        axes=tuple(_axis(name, values) for name, values in _section(spec, "vary").items()),
        skip=spec.get("skip"),
        groups=_section(spec, "groups"),
    )
    _check(plan, path)
    return plan


def _check(plan: Plan, path: Path) -> None:
    """Raise an InputError unless every name is a field or a parameter, given once, and the cells are not too many."""
    if not plan.axes:
        raise InputError(f"{path}: nothing varies; it needs fields that vary, {_EXAMPLE}")
    given = [*plan.shared, *plan.varied]
    if SEED in given:
        given += SEED_FIELDS
    for name in given:
        if given.count(name) > 1:
            also = f" ({SEED} sets it)" if name in SEED_FIELDS and SEED in given else ""
            raise InputError(f"{path}: {name} is given twice{also}")
        if reason := next(
            (FIXED[fixed] for fixed in FIXED if name == fixed or name.startswith(f"{fixed}.")), None
        ):
            raise InputError(f"{path}: {name} cannot be given in a sweep: {reason}")
    for name in plan.varied:
        if name in COLUMNS:
            raise InputError(f"{path}: vary.{name}: a column of the table has this name; choose another")
        if not (name in plan.parameters or name in (SEED, *SEED_FIELDS) or "." in name):
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
            if (twin := seen.setdefault(text := ",".join(map(_directory_text, row)), row)) is not row:
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


def _directory_text(value: Any) -> str:
    """Write a value, without its spaces, so that any file system takes it and different values differ."""
    return quote("".join(value_text(value).split()), safe="+^@", errors="backslashreplace")


def _cell_name(values: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """Name a cell by its values; a name too long for a directory ends in a hash of all of it."""
    name = ",".join(f"{labels[key]}={_directory_text(value)}" for key, value in values.items())
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 13]}~{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a config's values by their dotted names."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        nested = isinstance(value, Mapping) and value and "class_path" not in value
        fields = flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
        if twice := flat.keys() & fields.keys():
            raise InputError(f"{min(twice)} is given twice")
        flat |= fields
    return flat


def _section(spec: Mapping[str, Any], key: str) -> dict[str, Any]:
    section = spec.get(key) or {}
    if not isinstance(section, dict):
        raise InputError(f"{key}: {brief(section)} must be a mapping, such as `seed: 0..7`")
    return section


def _nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with `data.task: ...` as a field of its section."""
    nested: dict[str, Any] = {}
    for name, value in config.items():
        *sections, last = str(name).split(".")
        target = nested
        for section in sections:
            target = target.setdefault(section, {})
        target[last] = value
    return nested


class _Loader(yaml.SafeLoader):
    """YAML as it is meant: 1e-3 is a number, and no key is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if key.value in keys:
                raise yaml.MarkedYAMLError(
                    problem=f"{brief(key.value)} is given twice", problem_mark=key.start_mark
                )
            keys.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+"), list("-+.0123456789")
)


def read_yaml(path: Path) -> dict[str, Any]:
    """Read the mapping in a file.

    Raises:
        InputError: naming the file and the line, if there is none.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.stat().st_size > LARGEST_FILE:
        raise InputError(f"{path}: larger than {LARGEST_FILE:,} bytes")
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        raise InputError(f"{path}: not a YAML file ({str(error).splitlines()[0]})") from None
    if not isinstance(content, dict) or not content:
        raise InputError(f"{path}: the file is empty or no mapping; a sweep has {', '.join(KEYS)}")
    return content
