"""The symmetries of a task's table: which pairs have the same answer before anything of the rule is known.

Two symbols of an operand are alike if their rows (or columns) of the table are equal, as x and −x in x² + y². Operands
may change places if the table is the same afterwards, as x and y in x + y. The pairs that these carry into each other
are a class. A network that was trained on one pair of a class needs no rule for the others: it only has to learn which
symbols are alike, and that their order does not matter. Symmetries that the rule itself has, such as x + 1 and y − 1 in
x + y, are what is to be learned, and are none of these.
"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from modgrok.tasks.domain import Domain
from modgrok.tasks.formula import VARIABLES
from modgrok.tasks.residues import Integers
from modgrok.tasks.task import Task


@dataclass(frozen=True)
class Symmetries:
    """Which symbols of a task are alike, and which orders of its operands give the same answers.

    Attributes:
        representatives: (r, n_symbols), for each operand the smallest symbol that a symbol is alike with: itself, if
            with no other.
        orders: the permutations of the operands that leave the table as it is. The first one, (0, 1, …), always does.

    Example:
        >>> import numpy as np
        >>> from modgrok.tasks import make_task, symmetries_of
        >>> symmetries = symmetries_of(make_task("x**2 + y**2", 97))
        >>> str(symmetries)
        'x ~ −x, y ~ −y, x ↔ y'
        >>> symmetries.classes(np.array([[1, 2], [96, 2], [2, 95], [3, 3]])).tolist()
        [0, 0, 1, 2]
    """

    representatives: Integers
    orders: tuple[tuple[int, ...], ...]

    def classes(self, pairs: Integers) -> Integers:
        """Number the classes of pairs.

        Args:
            pairs: (n, r), the operands of n pairs.

        Returns:
            (n,), equal numbers for pairs of one class: 0 … the number of classes − 1.
        """
        n_operands, n_symbols = self.representatives.shape
        places = np.arange(n_operands)
        same = self.representatives[places, pairs]  # (n, r)
        powers = n_symbols ** places[::-1]
        smallest = np.min([same[:, list(order)] @ powers for order in self.orders], axis=0)
        return np.unique(smallest, return_inverse=True)[1].reshape(-1).astype(np.int64)

    def __str__(self) -> str:
        """Say it in a few words: `x ~ −x, y ~ −y, x ↔ y`; "" where there is none."""
        names = VARIABLES[: len(self.representatives)]
        alike = [_alike(name, operand) for name, operand in zip(names, self.representatives, strict=True)]
        return ", ".join(words for words in (*alike, self._exchanged(names)) if words)

    def _exchanged(self, names: tuple[str, ...]) -> str:
        if len(self.orders) == 1:
            return ""
        if len(self.orders) == 2:
            left, right = (name for place, name in enumerate(names) if self.orders[1][place] != place)
            return f"{left} ↔ {right}"
        return " ↔ ".join(names) if len(self.orders) == 6 else " → ".join((*names, names[0]))


def symmetries_of(task: Task) -> Symmetries:
    """Read the symmetries off a task's table, wherever its operation is defined and its operands are allowed.

    Of `unordered_pairs`, the whole table counts and not its half: (x, y) and (y, x) are a class of which one is kept.
    Rows are compared as bytes, so that the time is that of reading the table once for each operand and order.

    Example:
        >>> from modgrok.tasks import make_task, symmetries_of
        >>> str(symmetries_of(make_task("x + y", 113)))
        'x ↔ y'
    """
    table = _table(task)
    axes = range(table.ndim)
    alike = [_first_equal(np.moveaxis(table, axis, 0)) for axis in axes]
    orders = tuple(order for order in permutations(axes) if np.array_equal(table, table.transpose(order)))
    return Symmetries(np.stack(alike), orders)


def _table(task: Task) -> Integers:
    """Return the answers, (n_symbols,) * r, −1 where there is none."""
    answers, defined = task.grid()
    symbols = np.ix_(*[np.arange(task.n_symbols)] * task.n_operands)
    defined = defined & Domain(task.domain.nonzero_operands).contains(symbols)
    return np.where(defined, answers, -1)


def _first_equal(slices: Integers) -> Integers:
    """Return for each slice along the first axis the number of the first one that equals it."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(slice_.tobytes(), number) for number, slice_ in enumerate(slices)])


def _alike(name: str, representatives: Integers) -> str:
    """Say which symbols of an operand are alike, as a rule of its residues where there is one."""
    residues = np.arange(len(representatives))
    if (representatives == residues).all():
        return ""
    if (representatives == 0).all():
        return f"any {name}"
    for factor in np.flatnonzero(representatives == representatives[1]).tolist():
        if _carries_around(factor * residues % len(residues), representatives):
            return f"{name} ~ −{name}" if factor == len(residues) - 1 else f"{name} ~ {factor}·{name}"
    moved = int(np.flatnonzero(representatives != residues)[0])
    total = int(representatives[moved] + moved) % len(residues)
    if _carries_around((total - residues) % len(residues), representatives):
        return f"{name} ~ {total} − {name}"
    return f"{name} in {len(np.unique(representatives))} groups of alike symbols"


def _carries_around(image: Integers, representatives: Integers) -> bool:
    """Say whether going from a symbol to its image, again and again, reaches just the symbols that it is alike with."""
    if not np.array_equal(representatives[image], representatives):
        return False
    smallest = place = np.arange(len(image))
    for _ in range(int(np.bincount(representatives).max()) - 1):
        place = image[place]
        smallest = np.minimum(smallest, place)
    return np.array_equal(smallest, representatives)
