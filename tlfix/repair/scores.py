"""What one trial scored, and which accuracy a repair is judged by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tlfix.probe.trace import Crash, Evaluation, Trace
from tlfix.repair.statistics import binomial_variance

Metric = Literal["validation_accuracy", "validation_balanced_accuracy", "training_accuracy"]

_BALANCE_CAUSES = {"class-imbalance", "class-weight-invalid"}
_IMBALANCE_RATIO = 1.5
"""Largest class over smallest from which repairs are judged by balanced accuracy: a choice of
ours, on the safe side, since on nearly balanced classes the two accuracies nearly agree."""


@dataclass(frozen=True, slots=True)
class Score:
    """One trial under one metric.

    ``value`` (0..1) is null if the trial crashed before it could be scored, or was not scored;
    ``variance`` is that of sampling the ``n`` images; ``correct`` has a flag per image where known.
    """

    seed: int
    value: float | None
    variance: float = 0.0
    n: int = 0
    correct: tuple[bool, ...] = ()
    crash: Crash | None = None
    reason: str | None = None


def choose_metric(causes: Iterable[str], traces: Sequence[Trace]) -> Metric:
    """The metric for a repair of ``causes``, from what the traces measured.

    Validation, balanced where the training classes are imbalanced or balance is what is repaired;
    accuracy on training images in inference mode where any finished trial has no validation data.
    """
    finished = [t for t in traces if any(_last(t, split) for split in ("training", "validation"))]
    if finished and not all(_last(trace, "validation") for trace in finished):
        return "training_accuracy"
    uneven = any(_imbalanced(trace) for trace in traces)
    if uneven or _BALANCE_CAUSES.intersection(causes):
        return "validation_balanced_accuracy"
    return "validation_accuracy"


def score(trace: Trace, metric: Metric) -> Score:
    """What ``trace`` scored: its last evaluation after training, in inference mode."""
    split = "training" if metric == "training_accuracy" else "validation"
    balanced = metric == "validation_balanced_accuracy"
    seen = _last(trace, split)
    value = None
    if seen is not None:
        value = seen.balanced_accuracy if balanced else seen.accuracy
        if value is None and not seen.finite:
            value = 0.0  # a prediction of NaN is never right
    if seen is None or value is None:
        reason = trace.reason or f"the trial ended without an evaluation on {split} images"
        return Score(trace.seed, None, crash=trace.crash, reason=reason)
    variance = _balanced_variance(seen, value) if balanced else binomial_variance(value, seen.n)
    flags = () if balanced or len(seen.correct) != seen.n else seen.correct
    return Score(trace.seed, value, variance, seen.n, flags, trace.crash)


def _last(trace: Trace, split: str) -> Evaluation | None:
    for fit in reversed(trace.fits):
        found = fit.evaluation(split)
        if found is not None and found.n > 0:
            return found
    return None


def _imbalanced(trace: Trace) -> bool:
    for fit in trace.fits:
        counts = list((fit.training.histogram or {}).values()) if fit.training else []
        if len(counts) > 1 and max(counts) >= _IMBALANCE_RATIO * max(min(counts), 1):
            return True
    return False


def _balanced_variance(seen: Evaluation, value: float) -> float:
    """Of the mean of per-class recalls: each recall has its own, few images.

    Without a confusion matrix all classes are taken to have as many images.
    """
    recalls = [
        binomial_variance(row[i] / sum(row), sum(row))
        for i, row in enumerate(seen.confusion or ())
        if sum(row) and i < len(row)
    ]
    if not recalls:
        return binomial_variance(value, seen.n)
    return math.fsum(recalls) / len(recalls) ** 2
