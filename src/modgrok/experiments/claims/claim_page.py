"""The page of a claim: ours beside theirs."""

from __future__ import annotations

import math
from pathlib import Path

from modgrok.experiments.claims.verdict import Reproduction, interval_words
from modgrok.figures import Axis, Figure, Intervals, Panel
from modgrok.figures.numbers import number
from modgrok.report.page import Section, render_page
from modgrok.runs.whole_files import write_whole

PAGE = Path("report", "claim.html")


def write_claim_page(reproduction: Reproduction, directory: Path) -> None:
    """Write report/claim.html into the directory of the claim's runs."""
    results = [
        {
            "name": result.figure.name,
            "published": f"{number(result.figure.published)} ± {number(result.figure.tolerance)}",
            "ours": interval_words(result),
            "verdict": result.verdict,
        }
        for result in reproduction.results
    ]
    write_whole(
        directory / PAGE,
        render_page(
            "experiments/claims/claim_page.html.jinja",
            [Section("figures-side-by-side", "Ours beside theirs", [_side_by_side(reproduction)])]
            if reproduction.results
            else [],
            reproduction=reproduction,
            results=results,
        ),
    )


def _side_by_side(reproduction: Reproduction) -> Figure:
    """The published figures with their tolerances, and ours with their intervals."""
    panels = []
    for result in reproduction.results:
        figure, ours = result.figure, result.ours
        ends = [
            math.nan if ours.estimate is None else ours.estimate if end is None else end
            for end in (ours.low, ours.high)
        ]
        if ours.low is not None and ours.high is None:
            ends[1] = math.inf  # more than half may still be waiting there
        rows = Intervals(
            ["published", "ours"],
            [figure.published - figure.tolerance, ends[0]],
            [figure.published, math.nan if ours.estimate is None else ours.estimate],
            [figure.published + figure.tolerance, ends[1]],
            ["muted", "key0" if result.verdict == "reproduced" else "key1"],
        )
        panels.append(Panel(f"{figure.name}: {result.verdict}", [rows], y=Axis(reversed=True)))
    return Figure(
        "Published figures and ours",
        panels,
        "Above, the published figure with its tolerance; below, ours with its 95% interval. A line that reaches an "
        "edge has no end there; without a mark, too few runs came so far.",
    )
