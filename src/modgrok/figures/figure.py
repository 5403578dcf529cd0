"""What a figure is, and the traces that figures are made of.

Colors are names of the palette behind a dollar sign; the page puts the colors of the reader's theme in.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

Shape = Literal["wide", "half", "square"]


@dataclass(frozen=True)
class Panel:
    """One plot of a figure.

    Attributes:
        title: plain text.
        traces: plotly's.
        layout: plotly's, beyond what all panels share.
        shape: the width it would like, and whether it is a square.
        bands: names and colors that the legend adds to those of the traces.
    """

    title: str
    traces: list[dict[str, Any]]
    layout: dict[str, Any] = field(default_factory=dict)
    shape: Shape = "half"
    bands: Sequence[tuple[str, str]] = ()

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Names, safe as HTML, and colors; a single trace needs none."""
        named = [(trace["name"], _color(trace)) for trace in self.traces if trace.get("name")]
        distinct = [(name, color) for name, color in named if isinstance(color, str)]
        return [*(distinct if len(distinct) > 1 else []), *self.bands]


def _color(trace: dict[str, Any]) -> Any:
    return trace.get("line", trace.get("marker", {})).get("color")


@dataclass(frozen=True)
class Figure:
    """One or more panels and a sentence on what to look for; all text is plain."""

    title: str
    look_for: str
    panels: list[Panel]


def array(values: Tensor | Sequence[float]) -> dict[str, Any]:
    """Numbers as plotly's base64 arrays of float32: a third of the size of their digits."""
    tensor = torch.as_tensor(values).detach().float().contiguous()
    shape = {"shape": ", ".join(map(str, tensor.shape))} if tensor.dim() > 1 else {}
    return {"dtype": "f4", "bdata": base64.b64encode(tensor.numpy().tobytes()).decode(), **shape}


def plain(text: str) -> str:
    """Text that plotly is to show as it is: plotly reads labels as a kind of HTML."""
    return html.escape(text)


def key_color(frequency: int, key_frequencies: Sequence[int]) -> str:
    """The color of a frequency, the same in every figure: its own for a key frequency, muted for others."""
    return f"$key{key_frequencies.index(frequency) % 8}" if frequency in key_frequencies else "$quiet"


def bars(
    x: Sequence[Any], y: Tensor | Sequence[float], color: str | list[str], name: str = "", **more: Any
) -> dict[str, Any]:
    """A bar trace."""
    return {
        "type": "bar",
        "x": list(x),
        "y": array(y),
        "marker": {"color": color, "line": {"width": 0}},
        "name": plain(name),
        "hovertemplate": "%{x}: %{y:.3g}<extra>%{fullData.name}</extra>",
        **more,
    }


def line(x: Sequence[Any], y: Tensor | Sequence[float], color: str, name: str, **more: Any) -> dict[str, Any]:
    """A line trace."""
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": array(y),
        "line": {"color": color, "width": 1.75},
        "name": plain(name),
        "hovertemplate": "%{x}: %{y:.3g}",
        **more,
    }


def heatmap(z: Tensor, *, hover: str, **more: Any) -> dict[str, Any]:
    """A map of values: z[i, j] at row i and column j."""
    return {
        "type": "heatmap",
        "z": array(z),
        "colorscale": "$sequential",
        "colorbar": {"thickness": 8, "outlinewidth": 0, "len": 0.9, "nticks": 5, "xpad": 6},
        "hovertemplate": f"{hover}: %{{z:.3g}}<extra></extra>",
        **more,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title."""
    return {"title": {"text": plain(title)}, **more}
