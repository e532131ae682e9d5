"""The interval against SciPy, against arithmetic by hand, and against simulation."""

from __future__ import annotations

import math

import numpy
import pytest
from scipy import stats

from tlfix.repair.statistics import (
    Spread,
    binomial_variance,
    difference_interval,
    paired_variance,
    t_quantile,
)


@pytest.mark.parametrize("freedom", [1, 2, 2.5, 3, 4, 8, 17.3, 100, 1e4, 1e7])
@pytest.mark.parametrize("probability", [0.9, 0.975, 0.995])
def test_t_quantile(freedom: float, probability: float) -> None:
    expected = stats.t.ppf(probability, freedom)
    assert t_quantile(probability, freedom) == pytest.approx(expected, rel=1e-4)


def test_three_seeds_have_the_quantile_430() -> None:
    assert t_quantile(0.975, 2) == pytest.approx(4.3027, abs=1e-4)


def test_without_image_error_it_is_the_paired_t_interval() -> None:
    differences = [0.10, 0.14, 0.09]
    low, high = difference_interval(differences, Spread(0.0, 1e9))
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-5)


def test_without_seed_error_it_is_the_interval_of_the_images() -> None:
    # .37 and .91 of 100 images, seen alike with every seed.
    variance = 0.37 * 0.63 / 100 + 0.91 * 0.09 / 100
    low, high = difference_interval([0.54, 0.54, 0.54], Spread(variance, 99))
    half = stats.t.ppf(0.975, 99) * math.sqrt(variance)
    assert (low, high) == pytest.approx((0.54 - half, 0.54 + half), rel=1e-5)


def test_both_errors_combine_as_the_gum_says() -> None:
    differences, variance = [0.05, 0.08, 0.11], 0.002
    seeds = numpy.var(differences, ddof=1) / 3
    freedom = (seeds + variance) ** 2 / (seeds**2 / 2 + variance**2 / 199)
    half = stats.t.ppf(0.975, freedom) * math.sqrt(seeds + variance)
    low, high = difference_interval(differences, Spread(variance, 199))
    assert (low, high) == pytest.approx((0.08 - half, 0.08 + half), rel=1e-4)


def test_never_narrower_than_the_seeds_alone() -> None:
    alone = difference_interval([0.0, 0.1, 0.2], Spread(0.0, 1e9))
    low, high = difference_interval([0.0, 0.1, 0.2], Spread(1e-4, 1e9))
    assert low <= alone[0]
    assert high >= alone[1]


def test_all_right_is_not_without_error() -> None:
    assert binomial_variance(1.0, 20) == pytest.approx((22 / 24) * (2 / 24) / 24)
    assert binomial_variance(0.5, 10_000) == pytest.approx(0.25 / 10_000, rel=1e-3)


def test_paired_flags_are_tighter_than_two_binomials_when_images_agree() -> None:
    before = [[True] * 80 + [False] * 20] * 3
    after = [[True] * 90 + [False] * 10] * 3
    paired = paired_variance(before, after)
    assert paired == pytest.approx(0.1 * 0.9 / 99)
    assert paired < binomial_variance(0.8, 100) + binomial_variance(0.9, 100)


def test_paired_flags_in_unrelated_order_are_as_wide_as_two_binomials() -> None:
    order = numpy.random.default_rng(0)
    before = [[bool(x) for x in order.random(4000) < 0.8]]
    after = [[bool(x) for x in order.random(4000) < 0.9]]
    expected = 0.8 * 0.2 / 4000 + 0.9 * 0.1 / 4000
    assert paired_variance(before, after) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(("spread", "n"), [(0.0, 100), (0.02, 100), (0.05, 400)])
def test_at_most_one_interval_in_twenty_misses(spread: float, n: int) -> None:
    """A fix without effect: seeds vary by ``spread``, ``n`` images drawn once for all seeds."""
    draw = numpy.random.default_rng(1)
    missed = 0
    for _ in range(400):
        images = draw.binomial(n, 0.8, size=2) / n
        scores = images[:, None] + draw.normal(0, spread, size=(2, 3))
        variance = sum(binomial_variance(float(share), n) for share in images)
        low, high = difference_interval(
            [float(d) for d in scores[1] - scores[0]], Spread(variance, n - 1)
        )
        missed += not low <= 0 <= high
    assert missed / 400 <= 0.07  # 0.05, and two standard errors of 400 simulations
