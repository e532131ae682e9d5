"""A loss that swings up and down from step to step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import FitSeen, Trace
from tlfix.symptoms.history import History, histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import part, proportion_interval

ENOUGH_STEPS = 30
"""Fewer steps than this tell nothing: at n = 30 the 99 % interval of a share of 0.5 begins at
0.26, just above :data:`SHARE`."""

WINDOW = 10
"""Steps of the moving mean that stands for the trend. A mean, not a median: a loss that alternates
between two values has its own value as the median."""

SWING = 0.5
"""A step is off if it differs from the moving mean by more than this share of it. A batch of B
images whose losses spread as widely as their mean (an exponential law) varies by 1 / sqrt(B) of it:
for small batches three times that is the limit instead (0.53 at 32 images, 1.5 at 4)."""

SHARE = 0.25
"""Share of the steps that must be off, with confidence: single spikes are off for a tenth."""


@dataclass(frozen=True)
class _Swings:
    """How many of ``n`` steps are off the trend by more than ``limit`` of it."""

    off: int
    n: int
    limit: float


def measure(trace: Trace) -> Symptom | None:
    """In any fit: significantly more than a quarter of the steps are far off their moving mean."""
    for history in histories(trace):
        for fit in history.fits:
            swings = _swings(history, fit)
            if swings is None or proportion_interval(swings.off, swings.n)[0] <= SHARE:
                continue
            share = swings.off / swings.n
            return Symptom(
                id="unstable-loss",
                severity="warning",
                summary=f"in {swings.off} of {swings.n} steps the loss is off its moving mean by "
                f"more than {swings.limit:.0%} of it{history.where}",
                measured=(
                    Measurement(name="share of steps", value=share, threshold=SHARE, n=swings.n),
                ),
            )
    return None


def _swings(history: History, fit: FitSeen) -> _Swings | None:
    batch = fit.training.batch_size if fit.training else None
    losses = [step.loss for step in fit.steps if step.finite and step.loss is not None]
    # Class weights make batches with and without rare images differ by their factor.
    if not batch or fit.class_weight or len(losses) < ENOUGH_STEPS:
        return None
    # Far below the loss of guessing a few hard images make the difference, without harm.
    floor = 0.5 * (history.chance_loss or part(losses, "first"))
    limit = max(SWING, 3 / math.sqrt(batch))
    off = 0
    for place, loss in enumerate(losses):
        start = min(max(place - WINDOW // 2, 0), len(losses) - WINDOW)
        mean = sum(losses[start : start + WINDOW]) / WINDOW
        off += abs(loss - mean) > limit * max(mean, floor)
    return _Swings(off, len(losses), limit)


SYMPTOM = SymptomSpec(
    id="unstable-loss",
    title="The loss swings from step to step",
    what="Around its own trend the batch loss goes up and down by far more than batches of that "
    "size differ by chance.",
    source="Clopper & Pearson 1934, Biometrika 26, 99 % interval of the share of steps off the "
    "moving mean; swinging as the sign of too high a rate: Goodfellow, Bengio & Courville 2016, "
    "section 8.3.1, https://www.deeplearningbook.org/contents/optimization.html.",
    measure=measure,
)
