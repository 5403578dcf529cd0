"""The color scales of maps in a page: filters that color gray pictures, and gradients that name the colors."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from modgrok.figures.palette import DARK, LIGHT, Palette


def color_filters() -> Markup:
    """Filters that give gray maps the colors of the scales; a page holds them once."""
    return Markup('<svg class="filters" aria-hidden="true">{}</svg>').format(
        Markup("").join(
            _filter(f"{scale}-{theme}", palette[scale])
            for theme, palette in (("light", LIGHT), ("dark", DARK))
            for scale in ("sequential", "signed")
        )
    )


def scale_variables(palette: Palette) -> str:
    """The color scales as CSS gradients from bottom to top."""
    return "".join(
        f"--{scale}:linear-gradient(to top,{','.join(color for _, color in palette[scale])});"
        for scale in ("sequential", "signed")
    )


def _filter(identity: str, scale: Sequence[tuple[float, str]]) -> Markup:
    channels = []
    for place, channel in enumerate("RGB"):
        values = " ".join(f"{int(color[1 + 2 * place : 3 + 2 * place], 16) / 255:.3f}" for _, color in scale)
        channels.append(Markup('<feFunc{} type="table" tableValues="{}"/>').format(channel, values))
    return Markup(
        '<filter id="{}" color-interpolation-filters="sRGB"><feComponentTransfer>{}</feComponentTransfer></filter>'
    ).format(identity, Markup("").join(channels))
