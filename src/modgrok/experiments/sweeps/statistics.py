"""Right-censored times and shares: Kaplan–Meier, medians, log-rank tests, Wilson intervals, through scipy."""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special, stats

from modgrok.errors import InputError
from modgrok.experiments.sweeps.interval import Interval

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sample:
    """Right-censored times, such as updates to grok.

    Attributes:
        time: when the event happened, or, where it did not, how long was waited for it; (n,) float64.
        happened: whether it happened; (n,).
    """

    time: NDArray[np.float64]
    happened: NDArray[np.bool_]

    @classmethod
    def of(cls, time: ArrayLike, happened: ArrayLike) -> Sample:
        """Make a sample.

        Raises:
            InputError: if the two are not of one length, or a time is not finite.
        """
        times, events = np.asarray(time, dtype=np.float64), np.asarray(happened, dtype=np.bool_)
        if times.ndim != 1 or times.shape != events.shape or not np.isfinite(times).all():
            raise InputError(
                f"a sample needs one finite time for each event, got {times.shape} and {events.shape}"
            )
        return cls(times, events)

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Sample:
        return Sample(self.time[chosen], self.happened[chosen])

    def as_scipy(self) -> stats.CensoredData:
        """Return the sample as scipy takes it."""
        return stats.CensoredData.right_censored(self.time, ~self.happened)


@dataclass(frozen=True)
class SurvivalCurve:
    """The Kaplan–Meier estimate of the share that is still waiting after each time, with its pointwise interval.

    Attributes:
        time: the distinct times, ascending; (k,).
        survival: the share still waiting after each time; (k,).
        low, high: the 95% interval, on the log(−log) scale (Kalbfleisch and Prentice 1980); (k,).
    """

    time: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class LogRank:
    """A log-rank test of whether groups have one distribution of times.

    Attributes:
        chi_squared: the test's statistic.
        degrees_of_freedom: one less than the number of groups.
        p_value: the chance of a statistic at least as large if all groups are alike.
    """

    chi_squared: float
    degrees_of_freedom: int
    p_value: float


def kaplan_meier(sample: Sample) -> SurvivalCurve:
    """Estimate the survival function (Kaplan and Meier 1958).

    Raises:
        InputError: if the sample is empty.
    """
    if not len(sample):
        raise InputError("a survival curve needs at least one time")
    survival = stats.ecdf(sample.as_scipy()).sf
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # where all or none survive, scipy has no interval: it is a point
        band = survival.confidence_interval(CONFIDENCE, method="log-log")
    estimate = survival.probabilities
    low, high = (
        np.where(np.isnan(side), estimate, side) for side in (band.low.probabilities, band.high.probabilities)
    )
    return SurvivalCurve(survival.quantiles, estimate, low, high)


def median_time(sample: Sample) -> Interval:
    """Return the time after which half are still waiting, with the interval of Brookmeyer and Crowley (1982).

    A side is None where the curve, or the band's other side, stays above one half: more than half were censored.

    Raises:
        InputError: if the sample is empty.
    """
    curve = kaplan_meier(sample)

    def first(share: NDArray[np.float64]) -> float | None:
        reached = np.flatnonzero(share <= 0.5 + 1e-12)
        return float(curve.time[reached[0]]) if len(reached) else None

    return Interval(first(curve.survival), first(curve.low), first(curve.high))


def log_rank(groups: Sequence[Sample]) -> LogRank:
    """Test whether the groups have one distribution of times (Mantel 1966; Klein and Moeschberger, section 7.3).

    Of two groups this is the square of `scipy.stats.logrank`'s statistic, which takes no more than two.

    Raises:
        InputError: if there are fewer than two groups, or one is empty.
    """
    if len(groups) < 2 or not all(map(len, groups)):
        raise InputError("a log-rank test needs at least two groups, none of them empty")
    if len(groups) == 2:
        with np.errstate(invalid="ignore"):
            statistic = float(stats.logrank(*(group.as_scipy() for group in groups)).statistic) ** 2
        statistic = 0.0 if math.isnan(statistic) else statistic  # nothing happened in either group
        return LogRank(statistic, 1, float(stats.chi2.sf(statistic, 1)))
    times = np.unique(np.concatenate([group.time[group.happened] for group in groups]))
    at_risk = np.stack([len(g) - np.searchsorted(np.sort(g.time), times) for g in groups])  # (groups, times)
    events = np.stack([_count(group.time[group.happened], times) for group in groups])
    n, d = at_risk.sum(0), events.sum(0)
    difference = (events - at_risk * d / n).sum(1)[:-1]
    scale = d * (n - d) / np.maximum(n - 1, 1) / n**2
    covariance = np.diag((at_risk * n * scale).sum(1)) - (at_risk * scale) @ at_risk.T
    statistic = float(difference @ np.linalg.pinv(covariance[:-1, :-1]) @ difference)
    return LogRank(statistic, len(groups) - 1, float(stats.chi2.sf(statistic, len(groups) - 1)))


def _count(values: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count how often each of the sorted `times` is among the values."""
    ordered = np.sort(values)
    return np.searchsorted(ordered, times, side="right") - np.searchsorted(ordered, times)


def share(successes: int, trials: int) -> Interval:
    """Return a share with its Wilson interval (Wilson 1927).

    Raises:
        InputError: if there are no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials == 0:
        raise InputError(f"a share needs 0 ≤ successes ≤ trials and a trial, got {successes} of {trials}")
    interval = stats.binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Interval(successes / trials, float(interval.low), float(interval.high))


@dataclass(frozen=True)
class LogNormalFit:
    """Censored log-normal times with one mean for each group and one variance, fitted by maximum likelihood.

    Attributes:
        variance: the variance of log time (natural) within the groups.
        log_likelihood: the log-likelihood of the log times.
        parameters: the number of means, and the variance.
    """

    variance: float
    log_likelihood: float
    parameters: int

    @property
    def aic(self) -> float:
        """Akaike's information criterion: the smaller, the better the groups pay for their number."""
        return 2 * self.parameters - 2 * self.log_likelihood


def fit_log_normal(sample: Sample, labels: Sequence[Hashable]) -> LogNormalFit:
    """Fit the group means and the common variance of log time (the Tobit model; Olsen 1978 shows that it is concave).

    A group in which nothing happened has its mean at infinity: it costs no likelihood and says nothing of the variance.

    Raises:
        InputError: if the lengths differ, a time is not positive, or no group has two events.
    """
    if len(labels) != len(sample) or not (sample.time > 0).all():
        raise InputError("a log-normal fit needs one label for each time, and times above zero")
    names = list(dict.fromkeys(labels))
    group = np.array([names.index(label) for label in labels])
    alive = np.bincount(group[sample.happened], minlength=len(names)) > 0
    kept = alive[group]
    place = np.cumsum(alive) - 1
    y, happened, index = np.log(sample.time[kept]), sample.happened[kept], place[group[kept]]
    k = int(alive.sum())
    if happened.sum() <= k:
        raise InputError("a log-normal fit needs more events than groups that have one")
    center = y[happened].mean()
    y = y - center

    def negative_log_likelihood(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """In Olsen's parameters, mean / deviation of each group and 1 / deviation, this is convex."""
        means, precision = parameters[:k], parameters[k]
        z = precision * y - means[index]
        censored = ~happened
        hazard = np.exp(stats.norm.logpdf(z) - special.log_ndtr(-z))
        value = -(stats.norm.logpdf(z[happened]) + math.log(precision)).sum()
        value -= special.log_ndtr(-z[censored]).sum()
        slope = np.where(happened, z, hazard)
        by_mean = -np.bincount(index, slope, minlength=k)
        by_precision = (slope * y).sum() - happened.sum() / precision
        return float(value), np.append(by_mean, by_precision)

    start = np.append(np.zeros(k), 1 / max(y[happened].std(), 1e-3))
    found = optimize.minimize(
        negative_log_likelihood,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None)] * k + [(1e-6, 1e6)],
        options={"maxiter": 10_000, "maxfun": 100_000, "ftol": 1e-13, "gtol": 1e-9},
    )
    return LogNormalFit(float(found.x[k] ** -2), -float(found.fun), len(names) + 1)
