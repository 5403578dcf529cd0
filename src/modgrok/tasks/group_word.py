"""Words in a group: x * y in S4, x * y * x**-1 in D59."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modgrok.errors import InputError, brief
from modgrok.tasks.group import Group, group_from_table
from modgrok.tasks.group_notation import MAX_ORDER, make_group, order_of, parse_group
from modgrok.tasks.listed_answers import ListedAnswers
from modgrok.tasks.operation import Operation
from modgrok.tasks.residues import Integers
from modgrok.tasks.table_file import is_table_file, read_table

_STATEMENT = re.compile(r"(.*?)\s+in\s+(.*)")
_FACTOR = re.compile(r"([A-Za-z]\w*)\s*(?:(?:\*\*|\^)\s*(-?\s*\d{1,9})|(⁻¹))?")
_SIGNS = re.compile(r"[xyz0-9\s*·^⁻¹+.-]*")
_TIMES = re.compile(r"\s*(?:\*(?!\*)|·)\s*")

GRAMMAR = "a word in a group has x, y, * and integer powers, such as x * y * x**-1 in S4"


@dataclass(frozen=True)
class GroupWord(Operation):
    """A product of powers of two elements x and y of a group, from left to right.

    Symbols and answers are the elements of the group, so the modulus is its order.

    Attributes:
        factors: the letters in order, each 0 for x or 1 for y, with their exponents.
        notation: the notation of the group, in the form that `parse_group` returns.

    Example:
        >>> from modgrok.tasks import make_task
        >>> make_task("x * y * x**-1 in D5").operation.group.order
        10
    """

    factors: tuple[tuple[int, int], ...]
    notation: str

    def __str__(self) -> str:
        word = " * ".join(
            "xy"[letter] + (f"**{exponent}" if exponent != 1 else "") for letter, exponent in self.factors
        )
        return f"{word} in {self.notation}"

    @property
    def group(self) -> Group:
        """The group that the operands are in."""
        return make_group(self.notation)

    @property
    def only_modulus(self) -> int:
        """The order of the group."""
        return order_of(self.notation)

    @property
    def unstructured(self) -> str | None:
        """That the elements do not commute, where they do not."""
        return None if self.group.is_abelian else f"the elements of {self.notation} do not commute"

    def evaluate(self, operands: Sequence[Integers], modulus: int) -> tuple[Integers, NDArray[np.bool_]]:
        """Multiply the word out for every pair of symbols."""
        return _multiply(self.group, self.factors, operands), np.ones((1, 1), dtype=np.bool_)


def states_a_group(text: str) -> bool:
    """Whether a text is of the form `… in …`; where it ends as the file of a table does, with x, y and signs first."""
    statement = _STATEMENT.fullmatch(text)
    return statement is not None and (not is_table_file(text) or _SIGNS.fullmatch(statement[1]) is not None)


def parse_group_word(text: str) -> GroupWord | ListedAnswers:
    """Read a word in a group.

    Args:
        text: factors x and y, each alone or with an integer exponent (x**-1, x⁻¹, y**2), joined by * or ·; then `in`
            and a group, see `parse_group`, or the file of its Cayley table, see `read_table`.

    Returns:
        The word; of a Cayley table the answers, which need the file no more.

    Raises:
        InputError: if it is none, or there is no such group; for a table that is no group the message names the pair or
            the triple that breaks it.
    """
    statement = _STATEMENT.fullmatch(text)
    if statement is None or not statement[1].strip():
        raise InputError(f"task: {brief(text)} cannot be read; {GRAMMAR}")
    word, of_group = statement[1].strip(), statement[2].strip()
    if not is_table_file(of_group):
        notation = parse_group(of_group)
        return GroupWord(_factors(word), notation)
    factors, path = _factors(word), Path(of_group).expanduser()
    table = read_table(path)
    if len(table) > MAX_ORDER:
        raise InputError(f"task: {path} has {len(table):,} elements; a group may have at most {MAX_ORDER:,}")
    try:
        group = group_from_table(table)
    except InputError as error:
        raise InputError(f"task: {path}: {error}") from None
    elements = np.arange(group.order)
    return ListedAnswers(text, _multiply(group, factors, np.ix_(elements, elements)))


def _multiply(group: Group, factors: Sequence[tuple[int, int]], operands: Sequence[Integers]) -> Integers:
    product = np.full((1, 1), group.identity, dtype=np.int64)
    for letter, exponent in factors:
        product = group.table[product, group.power(operands[letter], exponent)]
    return np.broadcast_to(product, np.broadcast_shapes(*(operand.shape for operand in operands)))


def _factors(word: str) -> tuple[tuple[int, int], ...]:
    """Read the factors of a word: letters and exponents."""
    factors, end = [], 0
    while True:
        factor = _FACTOR.match(word, end)
        if factor is None:
            raise InputError(f"task: {brief(word)} cannot be read at character {end + 1}; {GRAMMAR}")
        name, exponent, inverse = factor.groups()
        if name not in ("x", "y"):
            raise InputError(f"task: {brief(word)} has the letter {brief(name)}; {GRAMMAR}")
        power = -1 if inverse else int(exponent.replace(" ", "")) if exponent else 1
        factors.append(("xy".index(name), power))
        end = factor.end()
        if not word[end:].strip():
            return tuple(factors)
        if (times := _TIMES.match(word, end)) is None:
            raise InputError(f"task: {brief(word)} cannot be read at character {end + 1}; {GRAMMAR}")
        end = times.end()
