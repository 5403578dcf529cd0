"""Where the pairs of a task stand on its clock: what the analysis of every checkpoint has in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modgrok.analysis.basis import Basis, characters, pullback
from modgrok.analysis.clock import Clock
from modgrok.errors import InputError


@dataclass(frozen=True, eq=False)
class ClockedPairs:
    """The pairs of a task and their positions on a clock.

    Attributes:
        clock: the group law that the task is looked at with.
        pairs: (n, o) int64 operands, o of them, symbols 0…s−1; not necessarily the whole s×s grid.
        answers: (n,) int64.
        operand_positions: (n, o) int64, where f(x), g(y), … stand; −1 off the clock.
        sums: (n,) int64, where the answer stands, which is s = f(x) + g(y) mod q where the task separates so;
            −1 off the clock (an answer of 0 on the multiplicative clock).
        operand_bases: for each operand the characters of f(x).
        answer_basis: the characters of the answer.
    """

    clock: Clock
    pairs: Tensor
    answers: Tensor
    operand_positions: Tensor
    sums: Tensor
    operand_bases: tuple[Basis, ...]
    answer_basis: Basis

    @property
    def separates(self) -> bool:
        """Whether every answer is f(x) + g(y), or f(x)·g(y); where not, the clock is a fallback."""
        inside = (self.operand_positions >= 0).all(dim=1)
        expected = torch.where(inside, self.operand_positions.sum(dim=1) % self.clock.size, -1)
        return bool((expected == self.sums).all())

    def to(self, device: torch.device | str) -> "ClockedPairs":
        """The same with its pairs on a device. The bases stay, and go where the weights are."""
        return replace(
            self,
            pairs=self.pairs.to(device),
            answers=self.answers.to(device),
            operand_positions=self.operand_positions.to(device),
            sums=self.sums.to(device),
        )


def place_on_clock(
    clock: Clock, parts: Sequence[npt.NDArray[np.int64] | Tensor], pairs: Tensor, answers: Tensor
) -> ClockedPairs:
    """Place a task's pairs on a clock.

    Args:
        clock: additive or multiplicative.
        parts: for each operand the (s,) residues f(x) of its symbols, −1 where undefined. Where the task has
            no such structure, range(s): the characters of the operands themselves.
        pairs: (n, o) int64.
        answers: (n,) int64 residues.

    Raises InputError where the shapes or the values do not fit together.
    """
    if pairs.shape != (len(answers), len(parts)):
        raise InputError(
            f"pairs of shape {tuple(pairs.shape)}: {len(answers)} answers and {len(parts)} parts need "
            f"({len(answers)}, {len(parts)})"
        )
    for name, values, bound in (
        ("pairs", pairs, min(len(part) for part in parts)),
        ("answers", answers, clock.modulus),
    ):
        if len(values) == 0 or values.min() < 0 or values.max() >= bound:
            raise InputError(f"{name}: they would be one or more rows of 0…{bound - 1}")
    bases = tuple(pullback(clock, part) for part in parts)
    residues = torch.stack(
        [torch.as_tensor(part, dtype=torch.int64)[pairs[:, i]] for i, part in enumerate(parts)], dim=1
    )
    return ClockedPairs(
        clock=clock,
        pairs=pairs,
        answers=answers,
        operand_positions=torch.where(residues >= 0, clock.position[residues], -1),
        sums=clock.position[answers],
        operand_bases=bases,
        answer_basis=characters(clock),
    )
