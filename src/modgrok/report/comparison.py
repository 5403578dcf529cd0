"""Several runs on one page: what differs, what each found, and their curves on the same axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modgrok.figures import comparison_figure
from modgrok.report.page import Section, render_page
from modgrok.runs import History


def comparison_page(
    names: Sequence[str],
    tables: Mapping[str, Mapping[str, Sequence[str]]],
    histories: Mapping[str, History],
) -> str:
    """Render the page.

    Args:
        names: the names of the runs.
        tables: the tables by heading: rows, each with a value for every run.
        histories: the histories by the names of the runs that have one.
    """
    figures = [comparison_figure(histories)] if histories else []
    return render_page(
        "report/comparison_page.html.jinja",
        [Section("curves", "Curves", figures)],
        names=list(names),
        tables=tables,
    )
