"""The statistics against worked examples, by arithmetic of the tests' own."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from modgrok.errors import InputError
from modgrok.experiments.sweeps.statistics import (
    Sample,
    fit_log_normal,
    kaplan_meier,
    log_rank,
    median_time,
    share,
)

# Weeks of remission of 42 children with leukemia (Freireich et al. 1963), the worked example of Kleinbaum and Klein,
# "Survival Analysis: A Self-Learning Text", chapters 1 and 2. A plus is a censored time.
DRUG = "6 6 6 7 10 13 16 22 23 6+ 9+ 10+ 11+ 17+ 19+ 20+ 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"


def sample(weeks):
    weeks = weeks.split()
    return Sample.of([int(week.rstrip("+")) for week in weeks], ["+" not in week for week in weeks])


def survival_by_hand(weeks):
    """Kaplan and Meier's product, in fractions, with Greenwood's sum: {time: (survival, sum)}."""
    weeks = weeks.split()
    left, greenwood, found = Fraction(1), Fraction(0), {}
    for time in sorted({int(week) for week in weeks if "+" not in week}):
        at_risk = sum(int(week.rstrip("+")) >= time for week in weeks)
        events = weeks.count(str(time))
        left *= 1 - Fraction(events, at_risk)
        if at_risk > events:
            greenwood += Fraction(events, at_risk * (at_risk - events))
        found[time] = left, greenwood
    return found


def chi_squared_by_hand(one, other):
    one, other = one.split(), other.split()
    difference, variance = Fraction(0), Fraction(0)
    for time in sorted({int(week) for week in one + other if "+" not in week}):
        n1, n2 = (sum(int(week.rstrip("+")) >= time for week in weeks) for weeks in (one, other))
        d1, d2 = one.count(str(time)), other.count(str(time))
        n, d = n1 + n2, d1 + d2
        difference += d1 - Fraction(n1 * d, n)
        if n > 1:
            variance += Fraction(n1 * n2 * d * (n - d), n**2 * (n - 1))
    return float(difference**2 / variance)


def test_the_remission_times_of_the_textbook() -> None:
    curve = kaplan_meier(sample(DRUG))
    printed = {6: 0.8571, 7: 0.8067, 10: 0.7529, 13: 0.6902, 16: 0.6275, 22: 0.5378, 23: 0.4482}
    by_time = dict(zip(curve.time.tolist(), curve.survival.tolist(), strict=True))
    for time, expected in printed.items():
        assert by_time[time] == pytest.approx(expected, abs=5e-5)
    assert log_rank([sample(DRUG), sample(PLACEBO)]).chi_squared == pytest.approx(16.79, abs=0.005)


@pytest.mark.parametrize(("weeks", "median"), [(DRUG, 23), (PLACEBO, 8)])
def test_curve_band_and_median_are_those_worked_out_by_hand(weeks, median) -> None:
    curve, by_hand = kaplan_meier(sample(weeks)), survival_by_hand(weeks)
    z = stats.norm.ppf(0.975)
    place = {time: index for index, time in enumerate(curve.time.tolist())}
    bands = {}
    for time, (left, greenwood) in by_hand.items():
        assert curve.survival[place[time]] == pytest.approx(float(left), abs=1e-12)
        if 0 < left < 1:
            half = z * math.sqrt(greenwood) / abs(math.log(left))
            bands[time] = float(left) ** math.exp(half), float(left) ** math.exp(-half)
            assert (curve.low[place[time]], curve.high[place[time]]) == pytest.approx(bands[time], abs=1e-12)
    found = median_time(sample(weeks))
    assert found.estimate == median
    assert found.low == min(time for time, band in bands.items() if band[0] <= 0.5)
    assert found.high == min((time for time, band in bands.items() if band[1] <= 0.5), default=None)


def test_two_groups_by_hand_and_as_the_first_of_three() -> None:
    two = log_rank([sample(DRUG), sample(PLACEBO)])
    assert two.chi_squared == pytest.approx(chi_squared_by_hand(DRUG, PLACEBO), rel=1e-10)
    assert two.p_value == pytest.approx(math.erfc(math.sqrt(two.chi_squared / 2)), rel=1e-9)


def test_many_groups_agree_with_two_where_the_third_says_nothing() -> None:
    """Someone censored before the first event is never at risk: only the degrees of freedom grow."""
    two = log_rank([sample(DRUG), sample(PLACEBO)])
    three = log_rank([sample(DRUG), sample(PLACEBO), Sample.of([0.5], [False])])
    assert three.chi_squared == pytest.approx(two.chi_squared, rel=1e-9)
    assert (two.degrees_of_freedom, three.degrees_of_freedom) == (1, 2)


def test_the_p_values_of_equal_groups_are_uniform() -> None:
    generator = np.random.default_rng(0)
    p_values = []
    for _ in range(400):
        times, limits = generator.exponential(size=90), generator.exponential(2, size=90)
        group = Sample.of(np.minimum(times, limits), times <= limits)
        p_values.append(log_rank([group[np.arange(90) % 3 == i] for i in range(3)]).p_value)
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


def test_where_nothing_happens_there_is_no_median_and_no_difference() -> None:
    never = Sample.of([5, 5, 5], [False] * 3)
    found = median_time(never)
    assert (found.estimate, found.low, found.high) == (None, None, None)
    assert log_rank([never, never]).p_value == 1
    assert log_rank([never, never, never]).p_value == 1


def test_the_share_has_wilsons_interval() -> None:
    z, n, k = stats.norm.ppf(0.975), 10, 3
    center = (k / n + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    found = share(k, n)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.3, center - half, center + half))
    assert share(0, 8).low == 0
    assert share(0, 8).high > 0.2


def test_without_censoring_the_fit_is_the_variance_within_groups() -> None:
    generator = np.random.default_rng(1)
    labels = ["a"] * 40 + ["b"] * 60
    y = generator.normal(size=100) + 2 * np.array([label == "b" for label in labels])
    fitted = fit_log_normal(Sample.of(np.exp(y), np.ones(100)), labels)
    within = np.concatenate([y[:40] - y[:40].mean(), y[40:] - y[40:].mean()])
    assert fitted.variance == pytest.approx((within**2).mean(), rel=1e-5)
    expected = stats.norm.logpdf(within, scale=math.sqrt(fitted.variance)).sum()
    assert fitted.log_likelihood == pytest.approx(expected, rel=1e-6)
    assert fitted.parameters == 3


def test_censoring_does_not_bias_the_fit_as_leaving_it_out_would() -> None:
    generator = np.random.default_rng(2)
    y = generator.normal(7, 1, size=4000)
    seen = y < 7
    fitted = fit_log_normal(Sample.of(np.exp(np.minimum(y, 7)), seen), ["all"] * 4000)
    assert fitted.variance == pytest.approx(1, abs=0.1)
    assert y[seen].var() < 0.5


def test_a_group_in_which_nothing_happened_changes_no_variance() -> None:
    y = np.random.default_rng(3).normal(size=30)
    alone = fit_log_normal(Sample.of(np.exp(y), np.ones(30)), ["a"] * 30)
    both = fit_log_normal(Sample.of(np.exp([*y, 3, 3]), [*np.ones(30), 0, 0]), ["a"] * 30 + ["never"] * 2)
    assert both.variance == pytest.approx(alone.variance, rel=1e-6)
    assert both.aic == pytest.approx(alone.aic + 2, rel=1e-6)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: Sample.of([1, 2], [True]),
        lambda: Sample.of([math.inf], [True]),
        lambda: kaplan_meier(Sample.of([], [])),
        lambda: median_time(Sample.of([], [])),
        lambda: log_rank([Sample.of([1], [True])]),
        lambda: log_rank([Sample.of([1], [True]), Sample.of([], [])]),
        lambda: share(1, 0),
        lambda: share(4, 3),
        lambda: fit_log_normal(Sample.of([0.0], [True]), ["a"]),
        lambda: fit_log_normal(Sample.of([1.0], [False]), ["a"]),
    ],
)
def test_what_cannot_be_asked_is_refused(ask) -> None:
    with pytest.raises(InputError):
        ask()
