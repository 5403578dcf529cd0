"""Ours beside theirs, and what follows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from modgrok.experiments.claims.claim import Claim, PublishedFigure
from modgrok.experiments.sweeps.interval import Interval

Verdict = Literal["reproduced", "not reproduced", "contradicted", "out of reach here"]
"""From the best to the worst: a claim of several figures has the verdict of the worst."""


@dataclass(frozen=True)
class Result:
    """Ours beside theirs, for one published figure.

    Attributes:
        figure: the published figure.
        ours: the number that our runs give, with its 95% interval. No number where a median time was reached by too
            few cells; no interval for a single run.
        verdict: the verdict on this figure.
    """

    figure: PublishedFigure
    ours: Interval
    verdict: Verdict


@dataclass(frozen=True)
class Reproduction:
    """What testing a claim gave.

    Attributes:
        claim: the claim.
        results: one for each figure.
        cells: number of runs.
        seconds: training time of all of them.
        reason: why it is out of reach, if it is.
    """

    claim: Claim
    results: tuple[Result, ...] = ()
    cells: int = 0
    seconds: float = 0.0
    reason: str | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict of the worst figure."""
        if self.reason is not None:
            return "out of reach here"
        return max((result.verdict for result in self.results), key=get_args(Verdict).index)


def judge(figure: PublishedFigure, ours: Interval) -> Verdict:
    """Compare a figure with ours and its interval.

    Reproduced: the interval, or the number where there is none, meets the published figure within its tolerance.
    Contradicted: it lies wholly beyond `fails_beyond`, where the opposite of the claim holds. Not reproduced: all else,
    a median time that too few cells reached included.
    """
    if ours.estimate is None:
        return "not reproduced"
    first, last = (ours.estimate if side is None else side for side in (ours.low, ours.high))
    if ours.high is None and ours.low is not None:
        last = math.inf  # more than half may still be waiting there
    if first <= figure.published + figure.tolerance and last >= figure.published - figure.tolerance:
        return "reproduced"
    limit = figure.fails_beyond
    if limit is not None and (first > limit if figure.published < limit else last < limit):
        return "contradicted"
    return "not reproduced"


def interval_words(result: Result) -> str:
    """Write ours with its interval."""
    from modgrok.figures.numbers import number  # takes PyTorch, and listing claims does not

    ours = result.ours
    if ours.estimate is None:
        return "not reached"
    if ours.low is None and ours.high is None:
        return number(ours.estimate)
    low, high = (
        shown if side is None else number(side) for side, shown in ((ours.low, "–"), (ours.high, "∞"))
    )
    return f"{number(ours.estimate)} ({low} to {high})"
