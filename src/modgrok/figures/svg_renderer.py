"""Panels as HTML and SVG, for the pages: nothing is needed to see them, and they print.

The drawing is stretched to its place, while text keeps its size beside it. Colors are the page's CSS variables, so that
they follow the reader's theme. A map is a gray picture, to which a filter of the page gives its colors. What a script
needs to say a value under the pointer is in the `data-` attributes.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from markupsafe import Markup

from modgrok.figures.axis_scale import SIDE, Array, Scale, bar_width, of_one_length, scale_of
from modgrok.figures.figure import (
    AxisName,
    Bars,
    Heatmap,
    Intervals,
    Line,
    Panel,
    Points,
    as_array,
    axis_values,
)
from modgrok.figures.gray_png import gray_png
from modgrok.figures.numbers import number
from modgrok.figures.palette import LIGHT

DASHES = ("", "6 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2", "1 2", "9 3 2 3 2 3")
"""Of the lines of a panel in their order: beside their colors, so that nobody needs to see these."""

EM, GAP = 0.58, 0.6
"""The width of a letter of a label, and the room between two labels, in em."""

CROWDED = 22
"""The width of an axis in a narrow plot, in em: categories that need more are written upright there."""

MARKS = {"circle": "●", "x": "✕", "cross": "✚", "star": "★", "diamond": "◆", "square": "■"}


def svg_panel(panel: Panel, name: str) -> Markup:
    """Draw a panel; its title is the page's to write.

    Args:
        panel: what is drawn.
        name: what a screen reader says of it.

    Example:
        >>> from modgrok.figures import Line, Panel, svg_panel
        >>> str(svg_panel(Panel("loss", [Line([0, 100], [4.6, 0.1], "train")]), "the loss"))[:4]
        '<div'
    """
    x, y = scale_of(panel, "x"), scale_of(panel, "y")
    if panel.equal and not any(isinstance(trace, Heatmap) for trace in panel.traces):
        x, y = of_one_length(x, y)
    maps = [trace for trace in panel.traces if isinstance(trace, Heatmap)]
    drawing = Markup("").join([*_behind(panel, x), *_traces(panel, x, y)])
    ratio = Markup("")
    if panel.equal and maps:
        rows, columns = maps[0].z.shape
        ratio = Markup(' style="aspect-ratio:{}/{}"').format(columns, rows)
    axes = {"x": x.plain(), "y": y.plain()} if any(isinstance(t, Line) for t in panel.traces) else None
    data = Markup(' data-axes="{}"').format(json.dumps(axes)) if axes else Markup("")
    svg = Markup(
        '<svg viewBox="0 0 {s} {s}" preserveAspectRatio="none" role="img" aria-label="{name}"{ratio}>{drawing}</svg>'
    ).format(s=SIDE, name=name, ratio=ratio, drawing=drawing)
    scale = Markup("").join(_colorbar(trace) for trace in maps if trace.colorbar)
    if panel.bare:
        return Markup('<div class="plot bare">{}</div>').format(svg)
    shape = Markup(" equal") if panel.equal else Markup("")
    return Markup(
        '{legend}<div class="plot{shape}"{data}>{events}{y_title}{y_ticks}<div class="area">{svg}</div>{scale}'
        "{x_ticks}{x_title}</div>"
    ).format(
        legend=_legend(panel),
        events=_events(panel, x),
        shape=shape,
        data=data,
        y_title=Markup('<div class="y-title">{}</div>').format(panel.y.title) if panel.y.title else "",
        y_ticks=_ticks(y, "y"),
        svg=svg,
        scale=scale,
        x_ticks=_ticks(x, "x"),
        x_title=Markup('<div class="x-title">{}</div>').format(panel.x.title) if panel.x.title else "",
    )


def _behind(panel: Panel, x: Scale) -> Iterator[Markup]:
    for band in panel.bands:
        left, right = x(np.clip([band.start, band.end], x.low, x.high))
        yield Markup('<rect x="{:.1f}" y="0" width="{:.1f}" height="{}" fill="var(--{})"/>').format(
            left, max(0.0, right - left), SIDE, band.color
        )
    for _, at in panel.events:
        yield Markup('<path d="M{:.1f} 0V{}" class="event"/>').format(float(x(max(at, x.low))), SIDE)


def _traces(panel: Panel, x: Scale, y: Scale) -> Iterator[Markup]:
    lines = [trace for trace in panel.traces if isinstance(trace, Line) and not trace.dotted]
    bars = [trace for trace in panel.traces if isinstance(trace, Bars)]
    tops: Array = np.zeros(1)
    if not any(isinstance(trace, Heatmap | Intervals) for trace in panel.traces) and not panel.equal:
        yield _rules(y)
    for trace in panel.traces:
        if isinstance(trace, Line):
            yield _line(trace, x, y, "" if trace.dotted else _dash(lines.index(trace)))
        elif isinstance(trace, Points):
            yield _points(trace, x, y)
        elif isinstance(trace, Heatmap):
            yield _heatmap(trace, panel)
        elif isinstance(trace, Intervals):
            yield _intervals(trace, x, y)
        else:
            number_ = bars.index(trace)
            below = tops if panel.stacked else np.zeros(1)
            yield _bars(trace, x, y, below, (number_, len(bars)) if not panel.stacked else (0, 1))
            tops = below + axis_values(trace.y)


def _rules(y: Scale) -> Markup:
    """Lines across at the ticks of y."""
    across = "".join(f"M0 {float(y(value)):.1f}H{SIDE}" for value, _ in y.ticks())
    return Markup('<path d="{}" class="rule"/>').format(across)


def _line(trace: Line, x: Scale, y: Scale, dash: str) -> Markup:
    left, up = x(axis_values(trace.x)), y(axis_values(trace.y))
    pieces, points = [], []
    for a, b in zip(left, up, strict=True):
        if math.isfinite(a) and math.isfinite(b):
            points.append(f"{a:.1f},{min(max(b, -SIDE), 2 * SIDE):.1f}")
        elif points:
            pieces.append(points)
            points = []
    pieces += [points] if points else []
    style = Markup(' stroke-dasharray="{}"').format(dash) if dash else Markup("")
    title = Markup("<title>{}</title>").format(trace.name) if trace.name else Markup("")
    drawn = [
        Markup('<polyline points="{}" class="line{}" stroke="var(--{})"{}>{}</polyline>').format(
            " ".join(piece), " dotted" if trace.dotted else "", trace.color, style, title
        )
        for piece in pieces
    ]
    if trace.markers:
        dots = "".join(f"M{point.replace(',', ' ')}h0" for piece in pieces for point in piece)
        drawn.append(Markup('<path d="{}" class="dots" stroke="var(--{})"/>').format(dots, trace.color))
    return Markup("").join(drawn)


def _dash(place: int) -> str:
    """The dashes of a panel's line by its place; after eight, where colors repeat, they shift."""
    return DASHES[(place + place // len(DASHES)) % len(DASHES)]


def _bars(trace: Bars, x: Scale, y: Scale, below: Array, place: tuple[int, int]) -> Markup:
    positions, heights = axis_values(trace.x), axis_values(trace.y)
    room = bar_width(positions)
    number_, count = place
    left, right = (x(positions - room / 2 + room * (number_ + end) / count) for end in (0, 1))
    bottom, top = y(np.broadcast_to(below, heights.shape)), y(below + heights)
    colors = [trace.color] * len(positions) if isinstance(trace.color, str) else trace.color
    opacity = Markup(' opacity="{}"').format(trace.opacity) if trace.opacity < 1 else Markup("")
    named = f"{trace.name} " if trace.name else ""
    drawn = [
        Markup(
            '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" fill="var(--{})"><title>{}</title></rect>'
        ).format(a, min(low, high), b - a, abs(low - high), color, f"{named}{label}: {number(float(value))}")
        for a, b, low, high, color, label, value in zip(
            left, right, bottom, top, colors, trace.x, heights, strict=True
        )
        if math.isfinite(value)
    ]
    return Markup("<g{}>{}</g>").format(opacity, Markup("").join(drawn))


def _intervals(trace: Intervals, x: Scale, y: Scale) -> Markup:
    colors = [trace.color] * len(trace.y) if isinstance(trace.color, str) else trace.color
    drawn = []
    for row, (label, low, estimate, high, color) in enumerate(
        zip(trace.y, trace.low, trace.estimate, trace.high, colors, strict=True)
    ):
        ends = [end if math.isfinite(end) else edge for end, edge in ((low, x.low), (high, x.high))]
        left, right = x(np.array(ends))
        up = float(y(row))
        said = "–" if math.isnan(estimate) else number(estimate)
        line = "" if math.isnan(low) and math.isnan(high) else f"M{left:.1f} {up:.1f}H{right:.1f}"
        mark = "" if math.isnan(estimate) else f"M{float(x(estimate)):.1f} {up:.1f}h0"
        title = f"{label}: {said}" + (f" ({_end(low)} to {_end(high)})" if line else "")
        drawn.append(
            Markup(
                '<g stroke="var(--{})"><title>{}</title><path d="{}" class="interval"/>'
                '<path d="{}" class="estimate"/></g>'
            ).format(color, title, line, mark)
        )
    return Markup("").join(drawn)


def _end(value: float) -> str:
    return number(value) if math.isfinite(value) else "∞" if value > 0 else "–"


def _points(trace: Points, x: Scale, y: Scale) -> Markup:
    left, up = x(axis_values(trace.x)), y(axis_values(trace.y))
    places = [f"{a:.1f} {b:.1f}" for a, b in zip(left, up, strict=True)]
    drawn = [Markup('<path d="M{}" class="joined"/>').format("L".join(places))] if trace.joined else []
    labels = trace.labels or [trace.name] * len(places)
    colors = [f"var(--{trace.color})"] * len(places) if trace.color else _around(len(places))
    for place, color, label in zip(places, colors, labels, strict=True):
        title = Markup("<title>{}</title>").format(label) if label else Markup("")
        if trace.symbol == "circle":
            shape = Markup('<path d="M{}h0" class="points" stroke="{}">{}</path>')
            drawn.append(shape.format(place, color, title))
        else:
            a, b = place.split()
            text = Markup('<text x="{}" y="{}" class="symbol" fill="{}">{}{}</text>')
            drawn.append(text.format(a, b, color, MARKS[trace.symbol], title))
    return Markup("").join(drawn)


def _around(count: int) -> list[str]:
    """Colors along the cycle."""
    cycle = [color for _, color in LIGHT["cycle"]]
    found = []
    for place in range(count):
        at = place / max(1, count) * (len(cycle) - 1)
        first = int(at)
        found.append(f"color-mix(in srgb,{cycle[first]} {100 * (first + 1 - at):.0f}%,{cycle[first + 1]})")
    return found


def _heatmap(trace: Heatmap, panel: Panel) -> Markup:
    z = as_array(trace.z)
    low, high = _ends(trace)
    rows = z if panel.y.reversed else z[::-1]
    data = {"low": low, "high": high, "value": trace.value, "down": panel.y.reversed}
    for which, axis, labels, first in (
        ("x", panel.x, trace.x, trace.x0),
        ("y", panel.y, trace.y, trace.y0),
    ):
        data[which] = list(labels) if labels else first
        data[f"{which}_title"] = axis.title
    return Markup(
        '<image href="data:image/png;base64,{}" width="{s}" height="{s}" preserveAspectRatio="none" class="map {}" '
        'data-map="{}"/>'
    ).format(base64.b64encode(gray_png(rows, low, high)).decode(), trace.scale, json.dumps(data), s=SIDE)


def _ends(trace: Heatmap) -> tuple[float, float]:
    if trace.scale == "signed":
        return -trace.limit, trace.limit
    z = as_array(trace.z)
    finite = z[np.isfinite(z)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)


def _colorbar(trace: Heatmap) -> Markup:
    low, high = _ends(trace)
    return Markup(
        '<div class="scale {}" aria-hidden="true"><span>{}</span><i></i><span>{}</span></div>'
    ).format(trace.scale, number(high), number(low))


def _legend(panel: Panel) -> Markup:
    lines = [trace for trace in panel.traces if isinstance(trace, Line) and not trace.dotted]
    entries = []
    for trace in panel.named_traces:
        if not isinstance(trace.color, str):
            continue
        if isinstance(trace, Line):
            dash = "1 3" if trace.dotted else _dash(lines.index(trace))
            sample = Markup(
                '<svg class="sample" viewBox="0 0 24 8" aria-hidden="true">'
                '<path d="M0 4H24" stroke="var(--{})"{}/></svg>'
            ).format(trace.color, Markup(' stroke-dasharray="{}"').format(dash) if dash else "")
        elif isinstance(trace, Points):
            sample = Markup('<span class="mark" style="color:var(--{})">{}</span>').format(
                trace.color, MARKS[trace.symbol]
            )
        else:
            sample = _swatch(trace.color, trace.opacity if isinstance(trace, Bars) else 1.0)
        entries.append(Markup("<li>{}{}</li>").format(sample, trace.name))
    if panel.shape == "wide":
        entries += [Markup("<li>{}{}</li>").format(_swatch(band.color), band.name) for band in panel.bands]
    return Markup('<ul class="legend">{}</ul>').format(Markup("").join(entries)) if entries else Markup("")


def _swatch(color: str, opacity: float = 1.0) -> Markup:
    return Markup('<span class="swatch" style="background:var(--{});opacity:{}"></span>').format(
        color, opacity
    )


def _events(panel: Panel, x: Scale) -> Markup:
    """What happened, above the drawing, each in a row of its own."""
    if not panel.events:
        return Markup("")
    rows = []
    for text, at in panel.events:
        share = float(x(max(at, x.low))) / SIDE
        side = "right" if share > 0.6 else "left"
        place = 100 * (1 - share if side == "right" else share)
        rows.append(
            Markup('<li style="margin-{}:{:.1f}%" class="{}">{}</li>').format(side, place, side, text)
        )
    return Markup('<ul class="events">{}</ul>').format(Markup("").join(rows))


def _ticks(scale: Scale, which: AxisName) -> Markup:
    found = [(float(scale(value)) / SIDE, label) for value, label in scale.ticks()]
    found = [(share, label) for share, label in found if -0.01 <= share <= 1.01]
    widest = Markup("<b>{}</b>").format(max((label for _, label in found), key=len, default=""))
    if which == "y":
        spans = [Markup('<span style="bottom:{:.1f}%">{}</span>').format(100 * (1 - s), t) for s, t in found]
        return Markup('<div class="y-ticks" aria-hidden="true">{}{}</div>').format(
            widest, Markup("").join(spans)
        )
    need = _room_needed([(share, EM * len(label)) for share, label in found])
    crowded = bool(scale.labels) and need > CROWDED
    labels = Markup("").join(
        Markup('<span style="left:{:.1f}%">{}</span>').format(100 * share, label)
        if crowded
        else Markup('<span style="left:min({:.1f}%,100% - {:.2f}em)">{}</span>').format(
            100 * share, EM * len(label) / 2, label
        )  # ends with the axis
        for share, label in found
    )
    if crowded:
        return Markup('<div class="x-ticks crowded" aria-hidden="true">{}{}</div>').format(labels, widest)
    room = "" if scale.labels else Markup(' style="--need:{:.1f}em"').format(need)
    return Markup('<div class="x-ticks"{} aria-hidden="true">{}</div>').format(room, labels)


def _room_needed(labels: Sequence[tuple[float, float]]) -> float:
    """The least width of an axis, in em, at which no two labels touch: their places as shares of it, their widths."""
    return max(
        (
            max((a + b) / 2 + GAP, (a / 2 + b + GAP) * (right - left) / (1 - left)) / (right - left)
            for (left, a), (right, b) in pairwise(labels)
        ),
        default=0.0,
    )
