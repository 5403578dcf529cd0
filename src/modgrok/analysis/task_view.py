"""A task as the analysis looks at it: on which clock, and why on that one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from modgrok.analysis.basis import Basis
from modgrok.analysis.clock import additive_clock, multiplicative_clock
from modgrok.analysis.clocked_pairs import ClockedPairs, place_on_clock
from modgrok.analysis.group_pairs import GroupPairs, place_in_group
from modgrok.analysis.logits import CHUNK
from modgrok.analysis.tuning_functions import TuningFunctions, tuning_functions
from modgrok.data import ModularData
from modgrok.errors import InputError, check_choice
from modgrok.models import IndexedTokens, index_tokens
from modgrok.tasks import VARIABLES, Structure, Task, structure_of

BasisName = Literal["auto", "additive", "multiplicative"]


@dataclass(frozen=True, eq=False)
class TaskView:
    """One task of a network, on the clock that it is looked at with.

    Attributes:
        task: the task.
        structure: how its answers separate, if they do.
        clocked_pairs: its pairs on the clock.
        group_pairs: its pairs in the group that its table is; None where it is none but a cyclic one, or pairs are
            left out, or a clock was chosen by hand.
        matches_structure: whether the clock is that of the task's structure. If not,
            the bases are the characters of the operands themselves, and what they show is not the task's algebra.
        reason: why this clock, in sentences for a reader.
        words: (t,) the template's words.
        tokens: (n, t) int64, the pairs as the network reads them.
        training: (n,) bool, the pairs trained on; None where that is not known.
        known: (n,) bool, the pairs whose class has a training pair, so that symmetry gives the answer; None likewise.

    Example:
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import task_views
        >>> (view,) = task_views(ModularDataModule("x * y", 7))
        >>> view.clocked_pairs.clock.law, view.matches_structure
        ('multiplicative', True)
    """

    task: Task
    structure: Structure
    clocked_pairs: ClockedPairs
    group_pairs: GroupPairs | None
    matches_structure: bool
    reason: str
    words: tuple[str, ...]
    tokens: Tensor
    training: Tensor | None
    known: Tensor | None

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the operands in order: xy, or xyz."""
        return VARIABLES[: self.task.n_operands]

    @property
    def distinct_bases(self) -> list[tuple[str, Basis]]:
        """The operands' bases, each once with the operands it is of ("x, y"): f and g are often the same."""
        found: list[tuple[str, Basis]] = []
        for name, basis in zip(self.operands, self.clocked_pairs.operand_bases, strict=True):
            for place, (names, other) in enumerate(found):
                if torch.equal(basis.planes, other.planes):
                    found[place] = (f"{names}, {name}", other)
                    break
            else:
                found.append((name, basis))
        return found

    @cached_property
    def parts(self) -> list[tuple[Tensor, IndexedTokens]]:
        """The pairs in parts: their indices, (i,), and their tokens, indexed once for every network."""
        indices = torch.arange(len(self.tokens), device=self.tokens.device).split(CHUNK)
        return [(part, index_tokens(self.tokens[part])) for part in indices]

    @cached_property
    def tuning_functions(self) -> TuningFunctions:
        """What the tuning of every network on these pairs has in common."""
        return tuning_functions(self.clocked_pairs)

    def to(self, device: torch.device | str) -> "TaskView":
        """The same with its pairs on a device."""
        return replace(
            self,
            clocked_pairs=self.clocked_pairs.to(device),
            group_pairs=None if self.group_pairs is None else self.group_pairs.to(device),
            tokens=self.tokens.to(device),
            training=None if self.training is None else self.training.to(device),
            known=None if self.known is None else self.known.to(device),
        )


def task_views(
    data: ModularData, basis: BasisName = "auto", split_known: bool = True
) -> tuple[TaskView, ...]:
    """Look at each task of the data in its own basis, or in the one chosen by hand.

    By itself a task is looked at with the clock of its structure, in the characters of f(x) and g(y). A task
    without structure, or with another than the one chosen, is looked at in the characters of its operands.

    Args:
        data: the tasks, their pairs and their split.
        basis: "auto", or the clock to look at every task with.
        split_known: whether the network was trained on the data's split.

    Raises:
        InputError: if there is no such basis, or the multiplicative basis is chosen and there is none: the modulus is
            not a prime, or the answers are not residues of it.

    Example:
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import task_views
        >>> [view.task.name for view in task_views(ModularDataModule(["x + y", "x * y"], 7))]
        ['x + y', 'x * y']
    """
    check_choice("basis", basis, BasisName)
    views = []
    for number, task in enumerate(data.tasks):
        of_task = data.pairs.task_index == number
        structure = structure_of(task)
        kind = structure.kind
        own = kind if kind == "additive" or kind == "multiplicative" else "additive"
        law = own if basis == "auto" else basis
        matches_structure = kind == law
        if law == "multiplicative" and task.n_answers > task.modulus:
            raise InputError(
                f"basis: the answers of {task.name} are not residues mod {task.modulus}; use additive"
            )
        clock = (
            multiplicative_clock(task.modulus)
            if law == "multiplicative"
            else additive_clock(task.sum_modulus)
        )
        identity = torch.arange(task.n_symbols)
        parts: Sequence[Tensor] = (
            [torch.from_numpy(part) for part in structure.parts]
            if matches_structure
            else [identity] * task.n_operands
        )
        group_pairs = _in_group(structure, data.operands[of_task]) if basis == "auto" else None
        views.append(
            TaskView(
                task=task,
                structure=structure,
                clocked_pairs=place_on_clock(
                    clock,
                    parts,
                    data.operands[of_task],
                    data.pairs.answers[of_task],
                    structure.answer_map if matches_structure else None,
                    task.n_answers,
                ),
                group_pairs=group_pairs,
                matches_structure=matches_structure,
                reason=_reason(structure, matches_structure, law, basis, group_pairs),
                words=data.template.words,
                tokens=data.pairs.tokens[of_task],
                training=data.trained_on[of_task] if split_known else None,
                known=data.pairs.known[of_task] if split_known else None,
            )
        )
    return tuple(views)


def _in_group(structure: Structure, operands: Tensor) -> GroupPairs | None:
    """Place the pairs in the task's group; None where it has none, or pairs are left out."""
    group = structure.group
    if group is None or len(operands) != group.order**2:
        return None
    return place_in_group(group, structure.parts, operands, structure.answer_map)


def _reason(
    structure: Structure,
    matches_structure: bool,
    law: str,
    basis: BasisName,
    group_pairs: GroupPairs | None,
) -> str:
    if matches_structure:
        return f"{structure.reason} The network is read in the {law} characters of these parts."
    if group_pairs is not None:
        return (
            f"{structure.reason} The network is read in the irreducible representations of {structure.group}."
        )
    if basis == "auto":
        return (
            f"{structure.reason} The additive characters of the operands are used as a fallback: "
            "they are not the task's own, and a circuit in another basis would not be seen."
        )
    return (
        f"{structure.reason} The {law} characters of the operands were chosen by hand; they are not those of "
        "the task's structure."
    )
