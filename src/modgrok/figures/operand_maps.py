"""Maps over the operands, and the order in which their symbols are shown."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from modgrok.analysis import TaskView, operand_maps
from modgrok.figures.figure import Axis, Heatmap, Panel


def clock_order(view: TaskView, operand: int) -> Tensor:
    """(s,) the symbols of an operand as f turns around the clock, those off the clock first."""
    return _positions(view, operand).argsort(stable=True)


def _positions(view: TaskView, operand: int) -> Tensor:
    positions = torch.full((view.task.n_symbols,), -1)
    positions[view.domain.pairs[:, operand]] = view.domain.operand_positions[:, operand]
    return positions


@dataclass(frozen=True, eq=False)
class Slice:
    """The pairs that a map over x and y shows: all, or with three operands those of one z.

    Attributes:
        pairs: (n,) bool.
        at: "" or ", z = 1".
    """

    pairs: Tensor
    at: str


def map_slice(view: TaskView) -> Slice:
    """All pairs, or the slice of the z that most pairs have (the smallest of those)."""
    pairs = view.domain.pairs
    if pairs.shape[1] == 2:
        return Slice(torch.ones(len(pairs), dtype=torch.bool), "")
    z = int(torch.bincount(pairs[:, 2]).argmax())
    return Slice(pairs[:, 2] == z, f", z = {z}")


def pair_maps(values: Tensor, view: TaskView) -> Tensor:
    """Lay (n, m) values of the pairs out as (m, s, s) maps over x and y; with three operands, of one slice."""
    chosen = map_slice(view).pairs
    return operand_maps(values[chosen], view.domain.pairs[chosen, :2], view.task.n_symbols)


def map_panel(title: str, values: Tensor, view: TaskView, value: str) -> Panel:
    """A map (s, s) over x (downwards) and y (to the right), both in the order of the clock."""
    rows, columns = clock_order(view, 0), clock_order(view, 1)
    trace = Heatmap(values[rows][:, columns], value, _labels(columns), _labels(rows))
    return Panel(
        title, [trace], Axis("y", ticks=6), Axis("x", reversed=True, ticks=6), shape="square", equal=True
    )


def _labels(order: Tensor) -> list[str] | None:
    """The symbols as labels, unless they are in their natural order."""
    natural = torch.equal(order, torch.arange(len(order)))
    return None if natural else [str(symbol) for symbol in order.tolist()]
