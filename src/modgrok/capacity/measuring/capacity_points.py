"""The capacity of networks from runs: the bits they came to know where there was more to know."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import fmean
from typing import Any

from modgrok.capacity.estimators.plateau import Slope, fit_slope
from modgrok.capacity.measuring.memorized import FULL, Measurement


def each_once(measurements: Iterable[Measurement]) -> list[Measurement]:
    """Return the measurements without those of a run that was measured before."""
    return list({os.path.abspath(m.run): m for m in measurements}.values())


@dataclass(frozen=True)
class Group:
    """Runs of one kind of data and one number of updates.

    Attributes:
        title: What tells the group from the others.
        updates: The number of updates of its runs.
        runs: Its measurements, by parameters and people.
    """

    title: str
    updates: int
    runs: list[Measurement]


def comparable(measurements: Iterable[Measurement]) -> list[Group]:
    """Group the runs that can be drawn as one: of one kind of data and one number of updates."""
    runs = sorted(each_once(measurements), key=lambda m: (m.updates, m.kind, m.parameters, m.n))
    kinds = {m.kind: m for m in runs}
    different = {
        name
        for name in {name for m in kinds.values() for name in m.data}
        if len({str(m.data.get(name)) for m in kinds.values()}) > 1
    }
    groups = []
    for (updates, kind), group in groupby(runs, key=lambda m: (m.updates, m.kind)):
        what = "".join(
            f", {name.replace('_', ' ')} {_in_words(kinds[kind].data[name])}"
            for name in kinds[kind].data
            if name in different - {"n"}
        )
        groups.append(Group(f"after {updates:,} updates{what}", updates, list(group)))
    return groups


def _in_words(value: Any) -> str:
    """Write an argument of the data; of many things the first and the last, and how many there are."""
    if isinstance(value, Mapping):
        value = [f"{name} ({size})" for name, size in value.items()]
    if not isinstance(value, list | tuple):
        return str(value)
    if len(value) > 4:
        return f"{value[0]} to {value[-1]}, {len(value)} in all"
    return ", ".join(map(str, value)) or "none"


@dataclass(frozen=True)
class CapacityPoint:
    """The most bits that networks of one size came to know.

    Attributes:
        parameters: The number of parameters.
        n: The number of people at which they knew most.
        bits: The mean over the runs that differ in their seeds.
        low: The least of these runs.
        high: The most of them.
        full: Whether there was more to know; if not, `bits` is a lower bound of what the network can hold.
    """

    parameters: int
    n: int
    bits: float
    low: float
    high: float
    full: bool


def capacity_points(runs: Sequence[Measurement]) -> list[CapacityPoint]:
    """Return the capacity of the networks of each size, over comparable runs."""
    points = []
    by_size = sorted(runs, key=lambda m: (m.parameters, m.n))
    for parameters, of_size in groupby(by_size, key=lambda m: m.parameters):
        candidates = []
        for n, of_n in groupby(of_size, key=lambda m: m.n):
            group = list(of_n)
            bits = [m.bits["total"] for m in group]
            full = fmean(bits) < FULL * fmean(m.reachable["total"] for m in group)
            candidates.append(CapacityPoint(parameters, n, fmean(bits), min(bits), max(bits), full))
        points.append(max(candidates, key=lambda point: point.bits))
    return points


def slope_of(points: Iterable[CapacityPoint]) -> Slope | None:
    """Return the bits per parameter of the networks that were full; None if none was."""
    capacity = {point.parameters: point.bits for point in points if point.full}
    return fit_slope(capacity) if capacity else None
