"""The axis of updates, with the phases of training as bands and the events as lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modgrok.analysis import Phase
from modgrok.figures.figure import axis

_BANDS = {"memorisation": "$band0", "circuit formation": "$band1", "cleanup": "$band2"}
_VERTICAL = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}


def timeline(
    phases: Sequence[Phase], last: int, events: dict[str, int | None] | None = None
) -> dict[str, Any]:
    """A layout whose x axis is the update.

    Args:
        phases: shown as bands, behind the traces.
        last: the run's last update, where a phase without an end ends.
        events: shown as dotted lines with their names.
    """
    shapes: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for phase in phases:
        end = last if phase.end is None else phase.end
        band = {"fillcolor": _BANDS[phase.name], "line": {"width": 0}}
        shapes.append({"type": "rect", "x0": phase.start, "x1": end, **band, **_VERTICAL})
    for name, update in (events or {}).items():
        if update is not None:
            line = {"color": "$muted", "width": 1, "dash": "dot"}
            shapes.append({"type": "line", "x0": update, "x1": update, "line": line, **_VERTICAL})
            place = {"x": update, "y": 0.5, "yref": "paper", "textangle": -90, "xanchor": "left"}
            font = {"color": "$muted", "size": 11}
            notes.append({"text": name, "showarrow": False, "font": font, **place})
    axis_of_updates = axis("update", range=[0, last])
    return {"xaxis": axis_of_updates, "shapes": shapes, "annotations": notes, "hovermode": "x unified"}


def phase_legend(phases: Sequence[Phase]) -> list[tuple[str, str]]:
    """The bands' names, with their updates, and colors."""
    return [
        (f"{phase.name}, {phase.start:,}–{'' if phase.end is None else f'{phase.end:,}'}", _BANDS[phase.name])
        for phase in phases
    ]
