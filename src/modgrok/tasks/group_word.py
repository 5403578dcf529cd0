"""Words in a group: x * y in S4, x * y * x**-1 in D59."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modgrok.errors import InputError, brief
from modgrok.tasks.group import Group
from modgrok.tasks.group_notation import make_group, order_of, parse_group
from modgrok.tasks.operation import Operation
from modgrok.tasks.residues import Integers

_STATEMENT = re.compile(r"(.*?)\s+in\s+(.*)")
_FACTOR = re.compile(r"([A-Za-z]\w*)\s*(?:(?:\*\*|\^)\s*(-?\s*\d{1,9})|(⁻¹))?")
_TIMES = re.compile(r"\s*(?:\*(?!\*)|·)\s*")

GRAMMAR = "a word in a group has x, y, * and integer powers, such as x * y * x**-1 in S4"


@dataclass(frozen=True)
class GroupWord(Operation):
    """A product of powers of two elements x and y of a group, from left to right.

    Symbols and answers are the elements of the group, so the modulus is its order.

    Attributes:
        factors: the letters in order, each 0 for x or 1 for y, with their exponents.
        notation: of the group, in the form that `parse_group` returns.

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
        group = self.group
        product = np.full((1, 1), group.identity, dtype=np.int64)
        for letter, exponent in self.factors:
            product = group.table[product, group.power(operands[letter], exponent)]
        return product, np.ones((1, 1), dtype=np.bool_)


def states_a_group(text: str) -> bool:
    """Whether a text is of the form `… in …`."""
    return _STATEMENT.fullmatch(text) is not None


def parse_group_word(text: str) -> GroupWord:
    """Read a word in a group.

    Args:
        text: factors x and y, each alone or with an integer exponent (x**-1, x⁻¹, y**2), joined by * or ·; then `in`
            and a group, see `parse_group`.

    Raises:
        InputError: if it is none, or there is no such group.
    """
    statement = _STATEMENT.fullmatch(text)
    if statement is None or not statement[1].strip():
        raise InputError(f"task: {brief(text)} cannot be read; {GRAMMAR}")
    word, notation = statement[1].strip(), parse_group(statement[2])
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
            return GroupWord(tuple(factors), notation)
        if (times := _TIMES.match(word, end)) is None:
            raise InputError(f"task: {brief(word)} cannot be read at character {end + 1}; {GRAMMAR}")
        end = times.end()
