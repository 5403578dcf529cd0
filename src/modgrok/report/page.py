"""A self-contained page: a template with text and figures; nothing is loaded from anywhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from modgrok.figures import DARK, LIGHT, Figure, Panel, svg_panel
from modgrok.figures.page_colors import color_filters, scale_variables
from modgrok.figures.palette import css_variables

if TYPE_CHECKING:
    from modgrok.report.network_data import NetworkData

_TEMPLATES = Environment(
    loader=PackageLoader("modgrok", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}


@dataclass(frozen=True)
class Section:
    """Figures under one heading.

    Attributes:
        identity: the section's anchor.
        title: the heading.
        figures: a section without figures is left out.
        task: the place of the task that it is about, where a page has several.

    Example:
        >>> from modgrok.figures import Figure
        >>> from modgrok.report import Section
        >>> Section("curves", "Curves", [Figure("losses", [])]).title
        'Curves'
    """

    identity: str
    title: str
    figures: Sequence[Figure]
    task: int | None = None


def render_page(
    template: str, sections: Sequence[Section], network: NetworkData | None = None, **context: object
) -> str:
    """Render a page as HTML.

    Args:
        template: a file of the package that extends `report/page.html.jinja`, such as
            "report/analysis_page.html.jinja".
        sections: the figures.
        network: a network that runs in the page, where the template has a place for it.
        context: the other values that the template names; text is escaped.

    Example:
        >>> from modgrok.report import render_page
        >>> page = render_page("report/comparison_page.html.jinja", [], names=["version_0", "version_1"], tables={})
        >>> "2 runs side by side" in page
        True
    """

    def rows(figure: Figure) -> list[tuple[bool, list[Panel]]]:
        """Group neighboring panels by whether they are squares, which share a row that scrolls."""
        groups = groupby(figure.panels, key=lambda panel: panel.shape == "square")
        return [(square, list(panels)) for square, panels in groups]

    light, dark = (css_variables(palette) + scale_variables(palette) for palette in (LIGHT, DARK))
    style = (
        f":root{{{light}}}@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}"
        + _resource("page.css")
        + (_resource("network.css") if network else "")
    )
    scripts = [*([_resource("network.js")] if network else []), _resource("page.js")]
    return _TEMPLATES.get_template(template).render(
        **context,
        sections=[section for section in sections if section.figures],
        rows=rows,
        plot=svg_panel,
        filters=color_filters(),
        style=Markup(style),
        network=network,
        scripts=[Markup(script) for script in scripts],
        policy=Markup(_policy(scripts)),
    )


def _resource(name: str) -> str:
    return files("modgrok.report").joinpath("static", name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str]) -> str:
    """A content security policy: nothing is loaded, and no script runs but the page's own."""
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {allowed} 'wasm-unsafe-eval'; worker-src blob:; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
