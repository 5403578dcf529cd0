"""Tables of integers in files: the answers of a task that no formula gives."""

import re
from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from modgrok.errors import InputError, brief, integer
from modgrok.memory import check_memory
from modgrok.tasks.formula import VARIABLES
from modgrok.tasks.residues import Integers

SUFFIXES = (".csv", ".npy")

LARGEST_TEXT = 1 << 28
"""Bytes of a text file that are read at most: some 16,000 symbols as a matrix."""

_INTEGER = re.compile(r"\s*-?[0-9]{1,18}\s*", re.ASCII)


def is_table_file(text: str) -> bool:
    """Whether a task is the name of a table's file."""
    return Path(text).suffix.lower() in SUFFIXES


def read_table(path: Path) -> Integers:
    """Read the answers of all tuples of 2 or 3 operands that are numbered from 0.

    A `.csv` file is a matrix, with the answer of (x, y) in row x and column y, or a list with the header x,y,answer or
    x,y,z,answer and a row for each tuple, in any order. A `.npy` file is an array of integers with an axis for each
    operand.

    Returns:
        (n,) * r, the answer of each tuple.

    Raises:
        InputError: if there is no such file, it is too large, or its cells are not the answers of all tuples; the
            message gives the row, counted from 1 and with the header.
    """
    try:
        if not path.is_file():
            raise InputError(f"task: {path}: no such file")
        return checked_table(_read_array(path) if path.suffix.lower() == ".npy" else _read_text(path), path)
    except OSError as error:
        raise InputError(f"task: {path}: {error.strerror}") from None


def checked_table(answers: object, name: object) -> Integers:
    """Return answers as an array, if they are those of all tuples of 2 or 3 operands.

    Args:
        answers: an array or nested lists, (n,) * r.
        name: the name of the table in messages.

    Raises:
        InputError: if they are not.
    """
    try:
        table = np.asarray(answers)
    except ValueError:  # nested lists of several lengths
        raise InputError(f"task: {name}: its rows have different lengths") from None
    if table.dtype.kind not in "iu":
        raise InputError(f"task: {name}: its cells are {table.dtype}, and answers are integers")
    shape = " × ".join(f"{size:,}" for size in table.shape) or "a single number"
    if table.ndim not in (2, 3) or len(set(table.shape)) > 1:
        raise InputError(
            f"task: {name}: it is {shape}; a table has as many columns as rows, one for each symbol, and an axis for "
            "each of 2 or 3 operands"
        )
    if len(table) < 2:
        raise InputError(f"task: {name}: it is {shape}; a table has at least two symbols")
    check_memory(len(table), table.size, table.ndim)
    for wrong, meant in ((table < 0, "negative"), (table >= table.size, "too large")):
        if wrong.any():
            place = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise InputError(
                f"task: {name}: the answer {integer(int(table[place]))} {_at(place)} is {meant}; number the answers "
                f"from 0, at most as many as there are pairs"
            )
    return np.ascontiguousarray(table, dtype=np.int64)


def _read_array(path: Path) -> Integers:
    try:
        table: Integers = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError):
        raise InputError(f"task: {path}: not an array of numbers that NumPy saved") from None
    return table


def _read_text(path: Path) -> Integers:
    if (size := path.stat().st_size) > LARGEST_TEXT:
        raise InputError(
            f"task: {path}: {size / 2**20:,.0f} MiB are more than the {LARGEST_TEXT >> 20} MiB that a text may have; "
            "save the table as .npy"
        )
    lines = path.read_bytes().decode("utf-8-sig", errors="replace").rstrip().splitlines()
    if not lines:
        raise InputError(f"task: {path}: it is empty")
    heading = [word.strip().lower() for word in lines[0].split(",")]
    operands = heading[:-1]
    if heading[-1] == "answer" and operands in ([*VARIABLES[:2]], [*VARIABLES[:3]]):
        return _from_list(_cells(path, lines, len(heading), 2), path)
    if "answer" in heading:
        raise InputError(f"task: {path}: the header {brief(lines[0])} must be x,y,answer or x,y,z,answer")
    columns = len(heading)
    if columns < 2 or len(lines) < 2:
        raise InputError(
            f"task: {path}: it is {len(lines):,} × {columns:,}; a table has at least two symbols, and "
            "commas between its cells"
        )
    check_memory(columns, columns * max(columns, len(lines)), 2)
    return _cells(path, lines, columns, 1)


def _cells(path: Path, lines: list[str], columns: int, first: int) -> Integers:
    """Read the cells of the rows from number `first` on, counted from 1."""
    cells = array("q")
    for row, line in enumerate(lines[first - 1 :], start=first):
        words = line.split(",")
        if len(words) != columns:
            raise InputError(f"task: {path}: row {row:,} has {len(words):,} cells, and row 1 has {columns:,}")
        for column, word in enumerate(words, start=1):
            if not _INTEGER.fullmatch(word):
                what = f"is {brief(word.strip())}, which is no integer" if word.strip() else "is empty"
                raise InputError(
                    f"task: {path}: row {row:,}, column {column:,} {what}; a table has an integer for every pair"
                )
            cells.append(int(word))
    return np.array(cells, dtype=np.int64).reshape(-1, columns)


def _from_list(rows: Integers, path: Path) -> Integers:
    """Arrange rows of operands and answer, (n, r + 1), by the operands."""
    operands = rows[:, :-1]
    if not len(rows):
        raise InputError(f"task: {path}: it has a header and no row")
    if (operands < 0).any():
        row = int(np.argwhere(operands < 0)[0, 0])
        raise InputError(f"task: {path}: row {row + 2:,} has a negative operand; symbols are numbered from 0")
    order = np.lexsort(operands.T[::-1])
    listed = operands[order]
    if (same := (listed[1:] == listed[:-1]).all(axis=1)).any():
        place = int(np.flatnonzero(same)[0])
        first, second = sorted(order[place : place + 2].tolist())
        raise InputError(
            f"task: {path}: row {second + 2:,} repeats {_values(operands[second])} of row {first + 2:,}"
        )
    n, r = int(operands.max()) + 1, operands.shape[1]
    if n**r != len(rows):
        place, absent = _first_absent(listed, n)
        after = f"after row {int(order[place - 1]) + 2:,}" if place else "before row 2"
        raise InputError(
            f"task: {path}: {after}, {_values(absent)} has no answer; a table of {n:,} symbols has {integer(n**r)} rows"
        )
    return rows[order, -1].reshape((n,) * r)


def _first_absent(listed: Integers, n: int) -> tuple[int, tuple[int, ...]]:
    """Return where sorted tuples, (m, r), first leave out one of 0 … n − 1 for each operand, and which."""
    expected = [0] * listed.shape[1]
    for place, present in enumerate(listed.tolist()):
        if present != expected:
            return place, tuple(expected)
        for operand in reversed(range(len(expected))):
            expected[operand] = (expected[operand] + 1) % n
            if expected[operand]:
                break
    return len(listed), tuple(expected)


def _at(place: tuple[int, ...]) -> str:
    return f"in row {place[0] + 1:,}, column {place[1] + 1:,}" if len(place) == 2 else f"at {_values(place)}"


def _values(operands: Sequence[int] | Integers) -> str:
    return ", ".join(f"{name} = {value}" for name, value in zip(VARIABLES, operands, strict=False))
