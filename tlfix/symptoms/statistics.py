"""The statistical tests the symptoms are built from.

scipy is imported where it is used: ``tlfix check`` reads this package and must start at once.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

CONFIDENCE = 0.99
"""Two-sided confidence of every interval. A dozen tests are made per program: at 0.99 a healthy one
meets an accidental rejection in about one diagnosis of ten before the effect-size limits apply."""

SIGNIFICANCE = 1 - CONFIDENCE


def proportion_interval(correct: int, n: int) -> tuple[float, float]:
    """The exact confidence interval of a proportion (Clopper & Pearson 1934, Biometrika 26).

    Args:
        correct: successes, 0..n.
        n: trials, at least 1.
    """
    from scipy.stats import binomtest

    interval = binomtest(correct, n).proportion_ci(confidence_level=CONFIDENCE, method="exact")
    return float(interval.low), float(interval.high)


def significantly_less(correct: int, n: int, other_correct: int, other_n: int) -> bool:
    """True if the first proportion is below the second: Fisher's exact test, one-sided."""
    from scipy.stats import fisher_exact

    table = [[correct, n - correct], [other_correct, other_n - other_correct]]
    return float(fisher_exact(table, alternative="less").pvalue) < SIGNIFICANCE


def trend(series: Sequence[float], alternative: str) -> float:
    """The p-value of a monotonic trend (Mann 1945, Econometrica 13; Kendall's tau against time).

    Args:
        series: the values in order of time.
        alternative: ``less`` for a falling series, ``greater`` for a rising one.
    """
    from scipy.stats import kendalltau

    # A constant series has no ranks: tau is undefined there, and the trend is plainly absent.
    if len(set(series)) < 2:
        return 1.0
    return float(kendalltau(range(len(series)), series, alternative=alternative).pvalue)


def entropy(counts: Iterable[float]) -> float:
    """Shannon entropy of a histogram, in nats."""
    values = [count for count in counts if count > 0]
    total = sum(values)
    return -sum(value / total * math.log(value / total) for value in values) if total else 0.0


def part(series: Sequence[float], which: str, share: float = 0.25) -> float:
    """The median of the ``first`` or ``last`` share of a series (at least 3 values of it)."""
    size = max(3, round(len(series) * share))
    return statistics.median(series[:size] if which == "first" else series[-size:])
