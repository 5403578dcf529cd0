"""The page of a claim: ours beside theirs."""

from __future__ import annotations

from pathlib import Path

from modgrok.experiments.claims.verdict import Reproduction, interval_words
from modgrok.figures.numbers import number
from modgrok.report.page import render_page
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
            "experiments/claims/claim_page.html.jinja", [], reproduction=reproduction, results=results
        ),
    )
