"""The colors of figures and pages, for light and for dark; figures know only their names."""

from __future__ import annotations

from typing import Any

Palette = dict[str, Any]


def _scale(*colors: str) -> list[list[float | str]]:
    """A color scale with these colors evenly spaced, as plotly and matplotlib both read it."""
    return [[place / (len(colors) - 1), color] for place, color in enumerate(colors)]


def _keys(*colors: str) -> Palette:
    """The colors of the key frequencies, in order of frequency; after eight they repeat."""
    return {f"key{place}": color for place, color in enumerate(colors)}


LIGHT: Palette = {
    "paper": "#fbfaf7",
    "raised": "#ffffff",
    "ink": "#1e2327",
    "muted": "#626b73",
    "grid": "#e9e6df",
    "line": "#b8b3a7",
    "quiet": "#cbc7bd",
    "accent": "#2f6690",
    "train": "#2f6690",
    "heldout": "#c8553d",
    "new": "#5b8c5a",
    "band0": "#c8553d12",
    "band1": "#d19c2f1f",
    "band2": "#5b8c5a1a",
    **_keys("#2f6690", "#c8553d", "#5b8c5a", "#8d6a9f", "#c48f1d", "#2f8a80", "#b0577f", "#7a6c5d"),
    "sequential": _scale("#f5f2ea", "#c3d3dc", "#7fa5be", "#2f6690", "#12304a"),
    "signed": _scale("#12304a", "#2f6690", "#fbfaf7", "#c8553d", "#5f1d10"),
    "cycle": _scale("#2f6690", "#2f8a80", "#c48f1d", "#c8553d", "#8d6a9f", "#2f6690"),
}

DARK: Palette = {
    "paper": "#14171a",
    "raised": "#1b1f23",
    "ink": "#e8e5de",
    "muted": "#9aa3aa",
    "grid": "#2b3036",
    "line": "#59616a",
    "quiet": "#4c545c",
    "accent": "#7fb2d6",
    "train": "#7fb2d6",
    "heldout": "#ea8b74",
    "new": "#94c48f",
    "band0": "#ea8b7417",
    "band1": "#e6bd631a",
    "band2": "#94c48f17",
    **_keys("#7fb2d6", "#ea8b74", "#94c48f", "#bfa2d2", "#e6bd63", "#6fc6ba", "#df91b4", "#b5a694"),
    "sequential": _scale("#1b1f23", "#24435a", "#3a76a0", "#86b8da", "#eef5fa"),
    "signed": _scale("#eef5fa", "#7fb2d6", "#14171a", "#ea8b74", "#ffe4dc"),
    "cycle": _scale("#7fb2d6", "#6fc6ba", "#e6bd63", "#ea8b74", "#bfa2d2", "#7fb2d6"),
}


def css_variables(palette: Palette) -> str:
    """The single colors as CSS custom properties."""
    return "".join(f"--{name}:{color};" for name, color in palette.items() if isinstance(color, str))
