"""Panels as plotly's JSON, for the page.

A color is written as "$name"; the page's script puts in the color that the reader's theme has under that name.
"""

from __future__ import annotations

import base64
import html
from typing import Any

from modgrok.figures.figure import Axis, Bars, Heatmap, Line, Panel, Points, Trace, Values, as_array

JSON = dict[str, Any]

_VERTICAL = {"yref": "paper", "y0": 0, "y1": 1, "layer": "below"}


def plotly_panel(panel: Panel) -> JSON:
    """Render a panel as plotly's `traces` and `layout`; the layout leaves out what all panels share."""
    layout: JSON = {"xaxis": _axis(panel.x), "yaxis": _axis(panel.y)}
    for key in ("x", "y"):
        if any(_is_category(getattr(trace, key)) for trace in panel.traces):
            layout[f"{key}axis"]["type"] = "category"
    if panel.equal:
        layout["xaxis"]["constrain"] = "domain"
        layout["yaxis"] |= {"scaleanchor": "x", "constrain": "domain", "constraintoward": "top"}
    if panel.bare:
        layout["xaxis"]["visible"] = layout["yaxis"]["visible"] = False
    if all(isinstance(trace, Line) for trace in panel.traces):
        layout["hovermode"] = "x unified"
    if any(isinstance(trace, Bars) for trace in panel.traces):
        layout |= {"barmode": "stack" if panel.stacked else "group", "bargap": 0.25}
    layout["shapes"] = [
        *(
            {
                "type": "rect",
                "x0": band.start,
                "x1": band.end,
                "fillcolor": f"${band.color}",
                "line": {"width": 0},
                **_VERTICAL,
            }
            for band in panel.bands
        ),
        *(
            {
                "type": "line",
                "x0": x,
                "x1": x,
                "line": {"color": "$muted", "width": 1, "dash": "dot"},
                **_VERTICAL,
            }
            for _, x in panel.events
        ),
    ]
    layout["annotations"] = [
        {
            "text": _plain(text),
            "showarrow": False,
            "font": {"color": "$muted", "size": 11},
            "x": x,
            "y": 0.5,
            "yref": "paper",
            "textangle": -90,
            "xanchor": "left",
        }
        for text, x in panel.events
    ]
    return {"traces": [_trace(trace, panel) for trace in panel.traces], "layout": layout}


def _trace(trace: Trace, panel: Panel) -> JSON:
    match trace:
        case Line():
            style = {"width": 1.25, "dash": "dot"} if trace.dotted else {"width": 1.75}
            return {
                "type": "scatter",
                "mode": "lines+markers" if trace.markers else "lines",
                **_series(trace),
                "line": {"color": f"${trace.color}", **style},
                "marker": {"size": 4},
                "hovertemplate": "%{x}: %{y:.3g}",
            }
        case Bars():
            color = (
                f"${trace.color}" if isinstance(trace.color, str) else [f"${each}" for each in trace.color]
            )
            return {
                "type": "bar",
                **_series(trace),
                "marker": {"color": color, "line": {"width": 0}},
                "opacity": trace.opacity,
                "hovertemplate": "%{x}: %{y:.3g}<extra>%{fullData.name}</extra>",
            }
        case Points():
            return {
                "type": "scatter",
                "mode": "lines+markers" if trace.joined else "markers",
                "x": _array(trace.x),
                "y": _array(trace.y),
                "name": _plain(trace.name),
                "line": {"color": "$line", "width": 0.5},
                "marker": {"size": 7, "symbol": trace.symbol, **_marker_color(trace)},
                "text": [_plain(label) for label in trace.labels],
                "hovertemplate": "%{text}<extra></extra>",
            }
        case Heatmap():
            at = [
                f"{_plain(axis.title)} %{{{key}}}".strip() for key, axis in (("y", panel.y), ("x", panel.x))
            ]
            ends = {"zmin": -trace.limit, "zmax": trace.limit} if trace.scale == "signed" else {}
            return {
                "type": "heatmap",
                "z": _array(trace.z),
                **({"x": [*map(_plain, trace.x)]} if trace.x else {"x0": trace.x0, "dx": 1}),
                **({"y": [*map(_plain, trace.y)]} if trace.y else {"y0": trace.y0, "dy": 1}),
                "colorscale": f"${trace.scale}",
                **ends,
                "showscale": trace.colorbar,
                "colorbar": {"thickness": 8, "outlinewidth": 0, "len": 0.9, "nticks": 5, "xpad": 6},
                "hovertemplate": f"{', '.join(at)}<br>{_plain(trace.value)}: %{{z:.3g}}<extra></extra>",
            }


def _series(trace: Line | Bars) -> JSON:
    x = [_plain(each) if isinstance(each, str) else each for each in trace.x]
    return {"x": x, "y": _array(trace.y), "name": _plain(trace.name)}


def _marker_color(trace: Points) -> JSON:
    if trace.color is not None:
        return {"color": f"${trace.color}"}
    return {"color": list(range(len(trace.x))), "colorscale": "$cycle"}


def _axis(axis: Axis) -> JSON:
    return {
        "title": {"text": _plain(axis.title)},
        **({"type": "log", "exponentformat": "power"} if axis.log else {}),
        **({"range": list(axis.range)} if axis.range else {}),
        **({"rangemode": "tozero"} if axis.from_zero else {}),
        **({"autorange": "reversed"} if axis.reversed else {}),
        **({"nticks": axis.ticks, "tickangle": 0} if axis.ticks else {}),
    }


def _is_category(labels: object) -> bool:
    return isinstance(labels, list | tuple) and any(isinstance(label, str) for label in labels)


def _array(values: Values) -> JSON:
    """Numbers as plotly's base64 arrays of float32: a third of the size of their digits."""
    array = as_array(values)
    shape = {"shape": ", ".join(map(str, array.shape))} if array.ndim > 1 else {}
    return {"dtype": "f4", "bdata": base64.b64encode(array.tobytes()).decode(), **shape}


def _plain(text: str) -> str:
    """Escape text that plotly would read as a kind of HTML."""
    return html.escape(text)
