"""Before against after: the difference over seeds, its interval, and what follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tlfix.findings import Decision, Verification
from tlfix.probe import last_words
from tlfix.probe.trace import Crash
from tlfix.repair.scores import Metric, Score
from tlfix.repair.statistics import Spread, difference_interval, paired_variance

SMALLEST_GAIN = 0.01
"""Accuracy points (0..1) below which a gain is not worth a change of the source."""
EQUIVALENCE = 0.02
"""Half-width of the region of practical equivalence: an interval inside it means no effect."""


def verify(metric: Metric, before: Sequence[Score], after: Sequence[Score]) -> Verification:
    """Compare trials of two variants that ran with the same seeds, in the same order.

    ``improved``: the 95 % interval of the mean paired difference is above zero and the difference
    at least 0.01, or the program ran where it crashed before. ``worse``: the interval is below
    zero, or the program crashes where it ran before. ``unchanged``: the interval lies within
    ±0.02. Otherwise ``inconclusive``.
    """
    pairs = list(zip(before, after, strict=False))
    differences = [
        a.value - b.value for b, a in pairs if a.value is not None and b.value is not None
    ]
    delta, ci95 = None, None
    if len(differences) >= 2 and len(differences) == max(len(before), len(after)):
        delta = math.fsum(differences) / len(differences)
        ci95 = difference_interval(differences, _image_spread(pairs))
    decision, reason = _decide(before, after, delta, ci95)
    return Verification(
        metric=metric,
        before=tuple(each.value for each in before),
        after=tuple(each.value for each in after),
        delta=delta,
        ci95=ci95,
        decision=decision,
        seeds=tuple(each.seed for each in (before if len(before) > len(after) else after)),
        reason=reason,
    )


def in_words(effect: Verification) -> str:
    """One line with the numbers: ``validation accuracy 0.37 → 0.91 (+0.54, …)``."""
    name = effect.metric.replace("_", " ")
    counted = f"{len(effect.seeds)} seeds"
    if effect.delta is None or effect.ci95 is None:
        values = f"{_mean(effect.before)} → {_mean(effect.after)}"
        return f"{name} {values} ({counted}): {effect.reason or effect.decision}"
    low, high = effect.ci95
    return (
        f"{name} {_mean(effect.before)} → {_mean(effect.after)} ({effect.delta:+.3f}, "
        f"95 % interval {low:+.3f} to {high:+.3f}, {counted}): {effect.decision}"
    )


def _decide(
    before: Sequence[Score],
    after: Sequence[Score],
    delta: float | None,
    ci95: tuple[float, float] | None,
) -> tuple[Decision, str | None]:
    crashed_before = next((each.crash for each in before if each.crash), None)
    crashed_after = next((each.crash for each in after if each.crash), None)
    if crashed_after and not crashed_before:
        return "worse", f"it crashes where it ran before: {_crash(crashed_after)}"
    measured = all(each.value is not None for each in after) and bool(after)
    if crashed_before and not crashed_after:
        if ci95 is not None and ci95[1] < 0:
            return "worse", "it runs where it crashed before, but scores less"
        if measured:
            return "improved", "it ran where it crashed before"
        return "inconclusive", f"it no longer crashes, but was not scored: {_unscored(after)}"
    if delta is None or ci95 is None:
        if crashed_after:
            return "inconclusive", f"it still crashes: {_crash(crashed_after)}"
        return "inconclusive", f"not scored: {_unscored([*before, *after])}"
    low, high = ci95
    if low > 0 and delta >= SMALLEST_GAIN:
        return "improved", None
    if high < 0:
        return "worse", None
    if max(-low, high) <= EQUIVALENCE:
        return "unchanged", None
    images = min(each.n for each in [*before, *after])
    return "inconclusive", f"{images} images and {len(after)} seeds cannot tell it from no effect"


def _image_spread(pairs: Sequence[tuple[Score, Score]]) -> Spread:
    images = min(each.n for pair in pairs for each in pair)
    freedom = max(images - 1, 1)
    lengths = {len(each.correct) for pair in pairs for each in pair}
    # If the images came in another order on the two sides, the flags are independent, and the
    # paired variance comes out as the sum of the two binomial ones: nothing is claimed too much.
    if len(lengths) == 1 and images > 1 and lengths == {images}:
        variance = paired_variance([b.correct for b, _ in pairs], [a.correct for _, a in pairs])
        return Spread(variance, freedom)
    count = len(pairs)
    return Spread(
        math.fsum(b.variance for b, _ in pairs) / count
        + math.fsum(a.variance for _, a in pairs) / count,
        freedom,
    )


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{math.fsum(known) / len(known):.3f}" if known else "crash"


def _crash(crash: Crash) -> str:
    where = f" (line {crash.site.line})" if crash.site else ""
    return f"{crash.type}: {last_words.message(crash.message)[:200]}{where}"


def _unscored(scores: Sequence[Score]) -> str:
    reasons = [each.reason for each in scores if each.value is None and each.reason]
    return reasons[0] if reasons else "no trial was made"
