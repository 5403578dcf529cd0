"""The colors of figures and pages, for light and for dark; figures know only their names.

They are those of Okabe & Ito 2008 ("Color universal design"), which hold for the color-blind, lightened for the dark.
"""

from __future__ import annotations

from typing import Any

Palette = dict[str, Any]


def _scale(*colors: str) -> list[list[float | str]]:
    """A color scale with these colors evenly spaced, as matplotlib reads it."""
    return [[place / (len(colors) - 1), color] for place, color in enumerate(colors)]


KEY_MARKS = "●■▲◆✚★▼✖"
"""Marks beside the colors of the key frequencies."""


def key_mark(place: int) -> str:
    """The mark of a key frequency by its place; after eight, where colors repeat, the marks shift."""
    return KEY_MARKS[(place + place // len(KEY_MARKS)) % len(KEY_MARKS)]


def _keys(*colors: str) -> Palette:
    """The colors of the key frequencies, in order of frequency; after eight they repeat."""
    return {f"key{place}": color for place, color in enumerate(colors)}


LIGHT: Palette = {
    "paper": "#fbfaf7",
    "raised": "#ffffff",
    "ink": "#1e2327",
    "muted": "#5d656d",
    "grid": "#e6e3dc",
    "line": "#b8b3a7",
    "quiet": "#c4c0b5",
    "accent": "#0072b2",
    "train": "#0072b2",
    "heldout": "#d55e00",
    "new": "#cc79a7",
    "right": "#d3e4f0",
    "wrong": "#b84600",
    "dot": "#0072b2",
    "strong0": "#00659e",
    "strong1": "#a84a00",
    "strong2": "#00745a",
    "on-strong": "#ffffff",
    "band0": "#d55e0014",
    "band1": "#e69f001f",
    "band2": "#009e731a",
    **_keys("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#4b4f54", "#8c7a00"),
    "sequential": _scale("#f5f2ea", "#c3d6e2", "#7fb0d1", "#0072b2", "#0c2f4a"),
    "signed": _scale("#0c2f4a", "#0072b2", "#fbfaf7", "#d55e00", "#5f2600"),
    "cycle": _scale("#0072b2", "#009e73", "#e69f00", "#d55e00", "#cc79a7", "#0072b2"),
}

DARK: Palette = {
    "paper": "#14171a",
    "raised": "#1b1f23",
    "ink": "#e8e5de",
    "muted": "#a3abb2",
    "grid": "#2b3036",
    "line": "#5f676f",
    "quiet": "#535b63",
    "accent": "#56b4e9",
    "train": "#56b4e9",
    "heldout": "#f58a3c",
    "new": "#e2a3c7",
    "right": "#20405a",
    "wrong": "#f58a3c",
    "dot": "#8fd0ff",
    "strong0": "#56b4e9",
    "strong1": "#f58a3c",
    "strong2": "#3fcaa0",
    "on-strong": "#14171a",
    "band0": "#f58a3c1f",
    "band1": "#e69f0024",
    "band2": "#3fcaa01c",
    **_keys("#56b4e9", "#f58a3c", "#3fcaa0", "#e2a3c7", "#f0c04c", "#2f8fd0", "#b9bec3", "#b8a832"),
    "sequential": _scale("#1b1f23", "#1d435e", "#1f78ad", "#79c2ee", "#eef6fc"),
    "signed": _scale("#eef6fc", "#56b4e9", "#14171a", "#f58a3c", "#ffe6d3"),
    "cycle": _scale("#56b4e9", "#3fcaa0", "#f0c04c", "#f58a3c", "#e2a3c7", "#56b4e9"),
}


def css_variables(palette: Palette) -> str:
    """The single colors as CSS custom properties."""
    return "".join(f"--{name}:{color};" for name, color in palette.items() if isinstance(color, str))
