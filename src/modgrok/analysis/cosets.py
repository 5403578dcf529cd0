"""On which cosets a function on a group is constant (Stander et al. 2023, arXiv 2312.06581)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from modgrok.analysis.group_pairs import GroupPairs
from modgrok.tasks import Group
from modgrok.tasks.group_recognition import identify

# A function is constant on cosets if less of its variance than this lies within them.
WITHIN = 0.01


@dataclass(frozen=True)
class Cosets:
    """The cosets that a function is constant on.

    Attributes:
        subgroup: the subgroup in notation, such as "A4", or "a group of order 27"; "1" where the function is constant
            on no cosets.
        order: the order of the subgroup.
        side: whether they are cosets g·H ("left") or H·g ("right").
        within: the share of the variance within the cosets.

    Example:
        >>> from modgrok.analysis import Cosets
        >>> Cosets("A4", 12, "left", within=0.002).order
        12
    """

    subgroup: str
    order: int
    side: str
    within: float


def find_cosets(functions: Tensor, pairs: GroupPairs) -> list[Cosets]:
    """Find for each function on the group, (n, m), the largest subgroup on whose cosets it is constant.

    With the correlation r(h) of f(g) and f(g·h), the share of the variance within the cosets g·H is 1 − the mean of r
    over H. H grows from the identity by the elements of the largest correlations, as long as the share stays below
    `WITHIN`; of the two sides the one with the larger subgroup is returned.

    Example:
        >>> import torch
        >>> from modgrok import ModularDataModule
        >>> from modgrok.analysis import find_cosets, task_views
        >>> (view,) = task_views(ModularDataModule("x * y in S4"))
        >>> sign = torch.from_numpy(view.group_pairs.irreps[1].character)
        >>> find_cosets(sign[:, None], view.group_pairs)[0].subgroup
        'A4'
    """
    centered = functions.double() - functions.double().mean(dim=0)
    scaled = centered / centered.norm(dim=0).clamp(min=torch.finfo(torch.float64).tiny)
    of_sides = {}
    for side, translations in (("left", pairs.table.T), ("right", pairs.table)):
        correlations = torch.stack([(scaled * scaled[moved]).sum(dim=0) for moved in translations])
        of_sides[side] = [_grow(pairs.group, r, side) for r in correlations.T.cpu().numpy()]
    return [
        left if left.order >= right.order else right
        for left, right in zip(of_sides["left"], of_sides["right"], strict=True)
    ]


def _grow(group: Group, correlations: np.ndarray, side: str) -> Cosets:
    # adding an element with correlation r at least doubles H, so that 1 − r may be at most twice the limit
    order = np.argsort(-correlations, kind="stable")
    promising = order[correlations[order] > 1 - 2 * WITHIN].tolist()
    subgroup = frozenset({group.identity})
    for element in promising:
        if element not in subgroup:
            larger = _generated(group, subgroup, element)
            if 1 - correlations[list(larger)].mean() < WITHIN:
                subgroup = larger
    within = max(0.0, 1 - float(correlations[list(subgroup)].mean()))
    return Cosets(_name(group, subgroup), len(subgroup), side, within)


@lru_cache(maxsize=4096)
def _generated(group: Group, subgroup: frozenset[int], element: int) -> frozenset[int]:
    return frozenset(group.generated_by([*sorted(subgroup), element]).tolist())


@lru_cache(maxsize=4096)
def _name(group: Group, subgroup: frozenset[int]) -> str:
    if len(subgroup) == 1:
        return "1"
    if len(subgroup) == group.order:
        return str(group)
    return str(identify(group.subgroup(np.array(sorted(subgroup))))[0])
