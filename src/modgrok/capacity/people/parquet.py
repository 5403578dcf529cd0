"""Profiles as Parquet files in the published schema."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modgrok.capacity.people import dates
from modgrok.capacity.people.dataset_files import pyarrow, read_table
from modgrok.capacity.people.profiles import ABSENT, Profiles
from modgrok.capacity.people.space import ATTRIBUTES, NAME_WORDS, RELATIONS, Space
from modgrok.errors import InputError
from modgrok.runs.whole_files import whole_file

if TYPE_CHECKING:
    import pyarrow as pa


def write_profiles(profiles: Profiles, path: Path) -> None:
    """Write profiles to one Parquet file: `name`, `index`, the attributes, relations as {name, index}, `bio` null.

    Raises:
        InputError: if the file exists or cannot be written, or pyarrow is missing.
    """
    pa, parquet = pyarrow()
    if path.exists():
        raise InputError(f"{path}: exists already")
    if (profiles.relations == ABSENT).any():
        raise InputError(
            f"{path}: the published schema has every relation for everybody; leave out_degree out"
        )
    names = pa.array(profiles.full_names)
    columns: dict[str, Any] = {"name": names, "index": pa.array(np.arange(len(profiles), dtype=np.int32))}
    for attribute, values in zip(profiles.space.attributes, profiles.attributes.T, strict=True):
        columns[attribute] = (
            pa.array(dates.as_dates(values).astype("datetime64[s]"))
            if attribute == "birth_date"
            else pa.array(profiles.attribute_words[attribute]).take(pa.array(values))
        )
    for relation, people in zip(profiles.relation_names, profiles.relations.T, strict=True):
        index = pa.array(people)
        columns[relation] = pa.StructArray.from_arrays([names.take(index), index], ["name", "index"])
    columns["bio"] = pa.nulls(len(profiles), pa.string())
    try:
        with whole_file(path, replace=False) as file:
            parquet.write_table(pa.table(columns), file)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error}") from None


def read_profiles(path: Path) -> Profiles:
    """Read profiles from a file or a folder; see `read_table`.

    The space that they were drawn from is not in the file: the published sizes are assumed where an attribute is
    published, and the number of distinct values elsewhere.

    Raises:
        InputError: naming the column, and the row where one is at fault, if it is not in the published schema.
    """
    table = read_table(path)
    texts = _column(table, "name", path, str).to_pylist()
    n = len(texts)
    if n < 2:
        raise InputError(f"{path}: it must hold two profiles or more, got {n}")
    if len(set(texts)) < n:
        raise InputError(f"{path}: column name: two people have the same name")
    if not np.array_equal(_column(table, "index", path, int).to_numpy(), np.arange(n)):
        raise InputError(f"{path}: column index must number the rows from 0")
    parts = [text.split(" ") for text in texts]
    for row, part in enumerate(parts):
        if len(part) != 3:
            raise InputError(
                f"{path}: column name, row {row}: {texts[row]!r} is not a first, middle and last name"
            )
    name_words, name_numbers = zip(*(_number(list(part)) for part in zip(*parts, strict=True)), strict=True)
    attributes: dict[str, NDArray[np.int32]] = {}
    words: dict[str, list[str]] = {}
    relations: dict[str, NDArray[np.int32]] = {}
    for column in table.column_names:
        if column in ("name", "index", "bio"):
            continue
        if column in RELATIONS or column.startswith("relation_"):
            relations[column] = _people(table, column, path, texts)
        elif column == "birth_date":
            attributes[column] = _birth_dates(table, path)
        else:
            words[column], attributes[column] = _number(_column(table, column, path, str).to_pylist())
    sizes = {name: max(ATTRIBUTES.get(name, 2), len(words.get(name, ()))) for name in attributes}
    size_of_names = tuple(max(size, len(part)) for size, part in zip(NAME_WORDS, name_words, strict=True))
    return Profiles(
        space=Space(size_of_names, sizes),  # type: ignore[arg-type]
        names=np.stack(name_numbers, axis=1),
        attributes=np.stack([*attributes.values()], 1) if attributes else np.zeros((n, 0), np.int32),
        relations=np.stack([*relations.values()], 1) if relations else np.zeros((n, 0), np.int32),
        relation_names=tuple(relations),
        bipartite=False,
        name_words=name_words,
        attribute_words=words,
        generated=False,
    )


def _column(table: pa.Table, name: str, path: Path, kind: type, of: str = "") -> pa.ChunkedArray:
    """Return a column of text or integers without missing values; `of` is the struct that it is a field of."""
    pa, _ = pyarrow()
    if name not in table.column_names:
        raise InputError(f"{path}: column {of}{name} is missing")
    column = table.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    fits = (
        pa.types.is_integer
        if kind is int
        else (lambda t: pa.types.is_string(t) or pa.types.is_large_string(t))
    )
    if not fits(column.type):
        wanted = "integers" if kind is int else "text"
        raise InputError(f"{path}: column {of}{name} must hold {wanted}, got {column.type}")
    if column.null_count:
        raise InputError(f"{path}: column {of}{name}: {column.null_count} of its values are missing")
    return column


def _people(table: pa.Table, name: str, path: Path, names: list[str]) -> NDArray[np.int32]:
    pa, _ = pyarrow()
    column = table.column(name)
    kind = column.type
    if not pa.types.is_struct(kind) or {field.name for field in kind} != {"name", "index"}:
        raise InputError(f"{path}: column {name} must hold {{name, index}}, got {kind}")
    fields = pa.table({field: column.combine_chunks().field(field) for field in ("name", "index")})
    people = _column(fields, "index", path, int, f"{name}.").to_numpy()
    if wrong := np.flatnonzero((people < 0) | (people >= len(names))).tolist():
        raise InputError(
            f"{path}: column {name}, row {wrong[0]}: index {people[wrong[0]]} is out of range; "
            f"there are {len(names):,} profiles"
        )
    said = _column(fields, "name", path, str, f"{name}.").to_pylist()
    for row, (person, text) in enumerate(zip(people.tolist(), said, strict=True)):
        if names[person] != text:
            raise InputError(
                f"{path}: column {name}, row {row}: profile {person} is {names[person]!r}, not {text!r}"
            )
    return people.astype(np.int32)


def _birth_dates(table: pa.Table, path: Path) -> NDArray[np.int32]:
    pa, _ = pyarrow()
    column = table.column("birth_date")
    if not (pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)) or column.null_count:
        raise InputError(f"{path}: column birth_date must hold dates, got {column.type}")
    days = (column.to_numpy().astype("datetime64[D]") - dates.FIRST).astype(np.int64)
    values = dates.clip_days(days)
    as_read = dates.as_dates(values)
    wrong = (
        (days < 0)
        | (days >= ATTRIBUTES["birth_date"])
        | (as_read != dates.FIRST + days.astype("timedelta64[D]"))
    )
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"{path}: column birth_date, row {row}: {dates.FIRST + days[row]} is not from 1900-01-01 "
            "to 2099-12-28 with a day of the month up to 28"
        )
    return values


def _number(texts: list[str]) -> tuple[list[str], NDArray[np.int32]]:
    """Return the distinct texts in order, and the number of each text."""
    words, numbers = np.unique(np.array(texts), return_inverse=True)
    return words.tolist(), numbers.astype(np.int32)
