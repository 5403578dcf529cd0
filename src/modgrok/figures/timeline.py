"""Panels over the updates of a run, with the phases of training as bands and events as dotted lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modgrok.analysis import Phase
from modgrok.figures.figure import Axis, Band, Line, Panel, Shape

_BANDS = {"memorisation": "band0", "circuit formation": "band1", "cleanup": "band2"}


def timeline(
    title: str,
    lines: Sequence[Line],
    y: Axis,
    last: int,
    phases: Sequence[Phase] = (),
    events: Mapping[str, int | None] | None = None,
    shape: Shape = "wide",
    first: int = 0,
) -> Panel:
    """Lines over the updates from 0 to `last`, where a phase without an end ends; events that are None are left out.

    From a `first` update above 0 on the axis is logarithmic.
    """
    bands = []
    for phase in phases:
        when = f"from {phase.start:,}" if phase.end is None else f"{phase.start:,}–{phase.end:,}"
        name = f"{phase.name}, {when}"
        bands.append(Band(name, phase.start, last if phase.end is None else phase.end, _BANDS[phase.name]))
    marked = [(f"{name} at {at:,}", at) for name, at in (events or {}).items() if at is not None]
    return Panel(
        title,
        lines,
        Axis("update", log=first > 0, range=(first, max(last, first + 1))),
        y,
        shape,
        bands=bands,
        events=marked,
    )
