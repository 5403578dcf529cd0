"""Tasks: an operation on a domain, with all its tuples and answers."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modgrok.errors import InputError, brief, integer, nearest
from modgrok.memory import check_memory
from modgrok.tasks.catalog import NAMES
from modgrok.tasks.domain import EVERYWHERE, Domain
from modgrok.tasks.formula import VARIABLES, parse_formula
from modgrok.tasks.group_word import parse_group_word, states_a_group
from modgrok.tasks.listed_answers import ListedAnswers
from modgrok.tasks.operation import Operation
from modgrok.tasks.random_labels import RandomLabels
from modgrok.tasks.residues import Integers
from modgrok.tasks.table_file import checked_table, is_table_file, read_table

# 2x_3z was meant as a name; 2x is a formula that lacks its *
_MISTYPED_NAME = re.compile(r"[A-Za-z_]\w{1,60}|[0-9]\w{0,60}_\w{0,60}")


class Table(NamedTuple):
    """All tuples of a task with their answers.

    Example:
        >>> from modgrok.tasks import make_task
        >>> table = make_task("x + y", 2).table()
        >>> table.pairs.tolist(), table.answers.tolist()
        ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    """

    pairs: Integers
    """(n, r) the tuples in row-major order: x slowest."""
    answers: Integers
    """(n,) their answers."""


@dataclass(frozen=True)
class Task:
    """An operation on a domain. Made by `make_task`.

    Attributes:
        name: the text that the user wrote: a formula, or a name of the catalog.
        modulus: p.
        operation: the operation that gives the answers.
        domain: the tuples that are kept of those where the operation is defined.

    Example:
        >>> from modgrok.tasks import make_task
        >>> task = make_task("x**2 + y**2", 97)
        >>> task.n_operands, task.n_symbols, task.n_answers, len(task.table().answers)
        (2, 97, 97, 9409)
    """

    name: str
    modulus: int
    operation: Operation
    domain: Domain = EVERYWHERE

    @property
    def title(self) -> str:
        """The task in words: `x + y mod 97`, or `x * y in S4`, which has no other modulus."""
        return self.name if self.operation.only_modulus else f"{self.name} mod {self.modulus}"

    @property
    def n_operands(self) -> int:
        """How many operands there are: x, y and, if there are three, z."""
        return self.operation.n_operands

    @property
    def n_symbols(self) -> int:
        """An operand is one of 0 … n_symbols − 1: the modulus."""
        return self.operation.n_symbols(self.modulus)

    @property
    def n_answers(self) -> int:
        """An answer is one of 0 … n_answers − 1: p, except for sums without a modulus."""
        return self.operation.n_answers(self.modulus)

    @property
    def sum_modulus(self) -> int:
        """What sums are reduced by: p, or the number of answers where that is more, which no sum x + y reaches."""
        return max(self.modulus, self.n_answers)

    def grid(self) -> tuple[Integers, NDArray[np.bool_]]:
        """Answer every tuple of symbols, whatever the domain.

        Returns:
            The answers, and where the operation is defined, both (n_symbols,) * r. An answer that is not
            defined has no meaning.
        """
        operands = self._operands()
        shape = (self.n_symbols,) * self.n_operands
        answers, defined = self.operation.evaluate(operands, self.modulus)
        return np.broadcast_to(answers, shape), np.broadcast_to(defined, shape)

    def table(self) -> Table:
        """List the tuples of the domain with their answers."""
        answers, defined = self.grid()
        kept = defined & self.domain.contains(self._operands())
        return Table(np.argwhere(kept).astype(np.int64, order="C"), answers[kept])

    def _operands(self) -> tuple[Integers, ...]:
        symbols = np.arange(self.n_symbols, dtype=np.int64)
        return np.ix_(*[symbols] * self.n_operands)


def make_task(
    text: str,
    modulus: int | None = None,
    *,
    nonzero_operands: bool = False,
    unordered_pairs: bool = False,
    label_seed: int = 0,
    answers: object = None,
) -> Task:
    """State a task.

    Args:
        text: a formula such as `x**2 + y**2` (see `parse_formula`), a word in a group such as `x * y in S4` (see
            `parse_group_word`), a name or alias of the `CATALOG`, or the file of a table (see `read_table`).
        modulus: p, an integer from 2; composite ones too. In a group it is the order, of a table the number of its
            symbols, and need not be given.
        nonzero_operands: keep only tuples without 0.
        unordered_pairs: keep each unordered pair once, as x ≤ y (with three operands x ≤ y ≤ z).
        label_seed: the seed of the answers of `random`, 0 … 2³² − 1; other tasks do not depend on it.
        answers: the table that `text` is the name of, (n,) * r integers as an array or nested lists; no file is read.

    Raises:
        InputError: if the text is neither a formula, a word, a name nor a table's file, the modulus is missing,
            impossible or so large that the table would not fit in memory, the seed is out of range, or no tuple is
            left.

    Example:
        >>> from modgrok.tasks import make_task
        >>> make_task("x**8 + y**9", 113).table().answers[:4].tolist()
        [0, 1, 60, 21]
    """
    if modulus is not None:
        _check_modulus(modulus)
    name, operation, domain = _look_up(text) if answers is None else _listed(text, answers)
    modulus = _modulus_of(operation, modulus)
    if isinstance(operation, RandomLabels):
        operation = RandomLabels(_checked_seed(label_seed))
    domain = Domain(domain.nonzero_operands or nonzero_operands, domain.unordered_pairs or unordered_pairs)
    task = Task(name, modulus, operation, domain)
    check_memory(modulus, task.n_symbols**task.n_operands, task.n_operands)
    if not len(task.table().answers):
        raise InputError(
            f"task: {brief(name)} leaves no pair mod {modulus}; a divisor must be invertible for some pair"
        )
    return task


def _look_up(text: str) -> tuple[str, Operation, Domain]:
    if not isinstance(text, str):
        raise InputError(f"task: {brief(text)} is not text; it must be a formula or a name of the catalog")
    name = " ".join(text.split())
    if entry := NAMES.get(name):
        return name, entry.operation, entry.domain
    if states_a_group(name):
        return name, parse_group_word(name), EVERYWHERE
    if is_table_file(text):
        return text, ListedAnswers(text, read_table(Path(text).expanduser())), EVERYWHERE
    if _MISTYPED_NAME.fullmatch(name) and name not in VARIABLES:
        near = nearest(name, tuple(NAMES))
        raise InputError(
            f"task: {brief(name)} is not in the catalog; the nearest name there is {near!r} "
            f"({NAMES[near].formula})"
        )
    return name, parse_formula(text), EVERYWHERE


def _listed(name: str, answers: object) -> tuple[str, Operation, Domain]:
    return name, ListedAnswers(name, checked_table(answers, name)), EVERYWHERE


def _modulus_of(operation: Operation, given: int | None) -> int:
    """Return the modulus that is given, or the operation's only one."""
    only = operation.only_modulus
    if given is None:
        if only is None:
            raise InputError(f"modulus: {operation} needs one; it must be an integer from 2, such as 97")
        return only
    if only is not None and given != only:
        raise InputError(f"modulus: {operation} has {only} symbols, so it must be {only} or left out")
    return given


def _check_modulus(modulus: int) -> None:
    whole = isinstance(modulus, int) and not isinstance(modulus, bool)
    if not whole or modulus < 2:
        got = integer(modulus) if whole else brief(modulus)
        raise InputError(f"modulus must be an integer from 2, such as 97; got {got}")


def _checked_seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InputError("label_seed must be an integer from 0 to 2**32 - 1")
    return seed
