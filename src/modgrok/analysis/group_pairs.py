"""Where the pairs of a task stand in its group: what the analysis of every checkpoint has in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from modgrok.analysis.irreps import Irrep, real_irreps
from modgrok.errors import InputError
from modgrok.tasks import Group


@dataclass(frozen=True, eq=False)
class GroupPairs:
    """The n² pairs of a task, answer = h(f(x)·g(y)), in a group of order n.

    Attributes:
        group: the group whose product the task is.
        irreps: the group's real irreps.
        first: (n²,) int64, f(x) of each pair.
        second: (n²,) int64, g(y).
        products: (n²,) int64, f(x)·g(y).
        symbols: (2, n) int64, the symbols of x and y that stand for each element.
        answer_at: (n,) int64, h, the answer that stands for each element.
        table: (n, n) int64, the products.
        inverses: (n,) int64.
        bases: (n, n) float64, the irreps' bases side by side: an orthogonal matrix.
        irrep_of: (n,) int64, the number of the irrep that each column of `bases` is of.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import task_views
        >>> (view,) = task_views(ModularDataModule("x * y in S3"))
        >>> [irrep.name for irrep in view.group_pairs.irreps]
        ['trivial', 'sign', 'standard']
        >>> parts = view.group_pairs.parts(torch.ones(6, 1))  # a constant is in the trivial irrep
        >>> [round(part, 6) for part in parts[:, 0].tolist()]
        [6.0, 0.0, 0.0]
    """

    group: Group
    irreps: tuple[Irrep, ...]
    first: Tensor
    second: Tensor
    products: Tensor
    symbols: Tensor
    answer_at: Tensor
    table: Tensor
    inverses: Tensor
    bases: Tensor
    irrep_of: Tensor

    @property
    def trivial(self) -> int:
        """The number of the trivial irrep."""
        return next(i for i, irrep in enumerate(self.irreps) if irrep.name == "trivial")

    @property
    def characters(self) -> Tensor:
        """(i, n) float64: the character of each irrep."""
        return torch.stack([torch.from_numpy(irrep.character) for irrep in self.irreps]).to(self.bases.device)

    def parts(self, functions: Tensor) -> Tensor:
        """Split functions on the group, (n, …), by irrep: the squared norm of each part, (i, …) float64."""
        squares = (self.bases.T @ functions.double().flatten(1)).square()
        by_irrep = squares.new_zeros(len(self.irreps), squares.shape[1]).index_add_(0, self.irrep_of, squares)
        return by_irrep.view(-1, *functions.shape[1:])

    def project(self, functions: Tensor, irreps: Sequence[int]) -> Tensor:
        """Keep of functions on the group, (n, m), the parts in some irreps."""
        chosen = torch.isin(self.irrep_of, torch.tensor(irreps, device=self.irrep_of.device))
        basis = self.bases[:, chosen]
        return basis @ (basis.T @ functions)

    def to(self, device: torch.device | str) -> GroupPairs:
        """The same with its tensors on a device."""
        return replace(
            self,
            first=self.first.to(device),
            second=self.second.to(device),
            products=self.products.to(device),
            symbols=self.symbols.to(device),
            answer_at=self.answer_at.to(device),
            table=self.table.to(device),
            inverses=self.inverses.to(device),
            bases=self.bases.to(device),
            irrep_of=self.irrep_of.to(device),
        )


def place_in_group(
    group: Group,
    parts: Sequence[npt.NDArray[np.int64] | Tensor],
    operands: Tensor,
    answer_at: npt.NDArray[np.int64] | Tensor | None = None,
) -> GroupPairs:
    """Place a task's pairs in its group.

    Args:
        group: the group of order n.
        parts: two (n,) arrays, the elements f(x) and g(y) that the symbols stand for, each element once.
        operands: (n², 2) int64, every pair of symbols.
        answer_at: h, (n,): the answer that stands for each element; the identity unless given.

    Raises:
        InputError: if pairs are missing.

    Example:
        >>> import torch
        >>> from modgrok.analysis import place_in_group
        >>> from modgrok.tasks import make_group
        >>> every = torch.cartesian_prod(torch.arange(4), torch.arange(4))
        >>> place_in_group(make_group("C4"), [torch.arange(4)] * 2, every).products
        tensor([0, 1, 2, 3, 1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2])
    """
    n = group.order
    if operands.shape != (n * n, 2):
        raise InputError(f"operands of shape {tuple(operands.shape)}: a group of order {n} has ({n * n}, 2)")
    f, g = (torch.as_tensor(part) for part in parts)
    table, irreps = torch.from_numpy(group.table), real_irreps(group)
    first, second = f[operands[:, 0]], g[operands[:, 1]]
    return GroupPairs(
        group=group,
        irreps=irreps,
        first=first,
        second=second,
        products=table[first, second],
        symbols=torch.stack([f.argsort(), g.argsort()]),
        answer_at=torch.arange(n) if answer_at is None else torch.as_tensor(answer_at),
        table=table,
        inverses=torch.from_numpy(group.inverses),
        bases=torch.cat([torch.from_numpy(irrep.basis) for irrep in irreps], dim=1),
        irrep_of=torch.cat([torch.full((irrep.basis.shape[1],), i) for i, irrep in enumerate(irreps)]),
    )
