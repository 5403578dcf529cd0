"""Where the pairs of a task stand on its clock: what the analysis of every checkpoint has in common."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modgrok.analysis.basis import Basis, characters, pullback, pushforward
from modgrok.analysis.clock import Clock
from modgrok.errors import InputError


@dataclass(frozen=True, eq=False)
class ClockedPairs:
    """The pairs of a task and their positions on a clock.

    Attributes:
        clock: the group law that the task is looked at with.
        operands: (n, o) int64, o of them, symbols 0…s−1; not necessarily the whole s×s grid.
        answers: (n,) int64.
        operand_positions: (n, o) int64, where f(x), g(y), … stand; −1 off the clock.
        answer_positions: (n,) int64, where the answer stands: s = f(x) + g(y) mod q if the task separates so;
            −1 off the clock (a product of 0 on the multiplicative clock).
        answer_at: (q,) int64, the answer that stands at each position, h(s); −1 where none does. Several positions
            share an answer where the task's map h is many-to-one.
        answer_off_clock: the answer of the pairs off the clock.
        operand_bases: the characters of f(x), for each operand.
        answer_basis: the characters of the positions that an answer stands at.

    Example:
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import task_views
        >>> pairs = task_views(ModularDataModule("x + y", 7))[0].clocked_pairs
        >>> pairs.separates
        True
    """

    clock: Clock
    operands: Tensor
    answers: Tensor
    operand_positions: Tensor
    answer_positions: Tensor
    answer_at: Tensor
    answer_off_clock: int
    operand_bases: tuple[Basis, ...]
    answer_basis: Basis

    @property
    def separates(self) -> bool:
        """Whether every answer is h(f(x) + g(y)), or h(f(x)·g(y)); where not, the clock is a fallback."""
        inside = (self.operand_positions >= 0).all(dim=1)
        sums = self.operand_positions.sum(dim=1) % self.clock.size
        expected = torch.where(inside, self.answer_at[sums], self.answer_off_clock)
        return bool((expected == self.answers).all())

    def to(self, device: torch.device | str) -> "ClockedPairs":
        """The same with its pairs on a device. The bases stay, and go where the weights are."""
        return replace(
            self,
            operands=self.operands.to(device),
            answers=self.answers.to(device),
            operand_positions=self.operand_positions.to(device),
            answer_positions=self.answer_positions.to(device),
            answer_at=self.answer_at.to(device),
        )


def place_on_clock(
    clock: Clock,
    parts: Sequence[npt.NDArray[np.int64] | Tensor],
    operands: Tensor,
    answers: Tensor,
    answer_map: npt.NDArray[np.int64] | Tensor | None = None,
    n_answers: int | None = None,
) -> ClockedPairs:
    """Place a task's pairs on a clock.

    Args:
        clock: additive or multiplicative.
        parts: the (s,) residues f(x) of each operand's symbols, −1 where undefined. Where the task has
            no such structure, range(s): the characters of the operands themselves.
        operands: (n, o) int64.
        answers: (n,) int64 residues.
        answer_map: h, (p,) int64: the answer at each residue f(x) + g(y), or f(x)·g(y), −1 where there is none; the
            identity unless given.
        n_answers: the number of answers; the clock's modulus unless given.

    Raises:
        InputError: if the shapes or the values do not fit together.

    Example:
        >>> import torch
        >>> from modgrok.analysis import additive_clock, place_on_clock
        >>> operands = torch.cartesian_prod(torch.arange(7), torch.arange(7))
        >>> answers = operands.sum(dim=1) % 7
        >>> pairs = place_on_clock(additive_clock(7), [torch.arange(7)] * 2, operands, answers)
        >>> pairs.answer_positions.tolist() == answers.tolist()
        True
    """
    if operands.shape != (len(answers), len(parts)):
        raise InputError(
            f"operands of shape {tuple(operands.shape)}: {len(answers)} answers and {len(parts)} parts need "
            f"({len(answers)}, {len(parts)})"
        )
    for name, values, bound in (
        ("operands", operands, min(len(part) for part in parts)),
        ("answers", answers, clock.modulus),
    ):
        if len(values) == 0 or values.min() < 0 or values.max() >= bound:
            raise InputError(f"{name} must be one or more rows of 0…{bound - 1}")
    bases = tuple(pullback(clock, part) for part in parts)
    residues = torch.stack(
        [torch.as_tensor(part, dtype=torch.int64)[operands[:, i]] for i, part in enumerate(parts)], dim=1
    )
    operand_positions = torch.where(residues >= 0, clock.position[residues], -1)
    a, identity = n_answers or clock.modulus, torch.arange(clock.modulus)
    if answer_map is None:
        h = torch.where(identity < a, identity, -1)
        answer_positions = clock.position[answers]
    else:
        h = torch.as_tensor(answer_map, dtype=torch.int64)
        inside = (operand_positions >= 0).all(dim=1)
        answer_positions = torch.where(inside, operand_positions.sum(dim=1) % clock.size, -1)
    return ClockedPairs(
        clock=clock,
        operands=operands,
        answers=answers,
        operand_positions=operand_positions,
        answer_positions=answer_positions,
        answer_at=h[clock.residues],
        answer_off_clock=int(h[0]),
        operand_bases=bases,
        answer_basis=characters(clock) if torch.equal(h, identity) else pushforward(clock, h, a),
    )
