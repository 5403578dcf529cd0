"""Checking the cells of a plan before any of them starts."""

from __future__ import annotations

from modgrok.errors import InputError
from modgrok.experiments.plans.plan import Cell, Plan

MOST_CHECKS = 300
"""Cells that are checked one by one; of a larger plan, one with each value of each field."""


def check_cells(plan: Plan) -> None:
    """Check cells as `fit` would, before any starts: all but repeated seeds, up to `MOST_CHECKS`.

    Raises:
        InputError: if one cannot run; it names the cell and the field.
    """
    for cell in cells_to_check(plan):
        try:
            plan.kind.check(plan.config, cell.overrides)
        except InputError as error:
            raise InputError(f"cell {cell.name}: {error}") from None


def cells_to_check(plan: Plan) -> list[Cell]:
    """Return the cells that differ in more than seeds; of more than `MOST_CHECKS`, one with each value of each axis."""
    distinct: dict[tuple[str, ...], Cell] = {}
    for cell in plan.cells:
        distinct.setdefault(tuple(repr(v) for n, v in cell.values.items() if n not in plan.seeds), cell)
    if len(distinct) <= MOST_CHECKS:
        return list(distinct.values())
    seen: dict[tuple[str, str], Cell] = {}
    for cell in distinct.values():
        for name, value in cell.values.items():
            seen.setdefault((name, repr(value)), cell)
    return list({cell.name: cell for cell in seen.values()}.values())
