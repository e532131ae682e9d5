"""What a learning-rate range test says of the program's own rate.

The idea is that of Smith (2017, arXiv:1506.01186): the right rate is the largest from which the
loss still falls, a step away from where it starts to rise. Here every rate has a short run of its
own from the same weights, so losses are compared after equally many steps.
"""

from __future__ import annotations

from dataclasses import dataclass

from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import FitSeen, RangeTest

MARGIN = 0.2
"""Losses closer than this share of the initial loss count as alike. Single batches of 32 at the end
of equal runs spread over 0.15 of it (MobileNetV2 0.35, 8 classes, head alone, Adam at 1e-3)."""

LEARNS = 0.3
"""A run that lost this share of the initial loss has learned."""

STANDS = 0.05
"""A run that lost less than this share of the initial loss has not moved."""

MOVES = 0.9
"""A run that ended below the initial loss times this does better than one that diverges."""

RISES = 1.1
"""A run that ended above the initial loss times this diverges."""


@dataclass(frozen=True)
class Better:
    """A better rate than the program's. ``diverged``: the loss rises or ends at NaN at its own."""

    rate: float
    diverged: bool
    evidence: Evidence


def too_high(test: RangeTest) -> Better | None:
    """A lower rate that learns where the program's own diverges or learns far less, or None."""
    initial, current = test.initial, _at(test, test.current)
    if initial is None or initial <= 0:
        return None
    diverged = current is None or current > RISES * initial
    learned = (MOVES if diverged else 1 - MARGIN) * initial
    lower = {
        rate: loss
        for rate, loss in _finite(test).items()
        if rate < test.current / 2 and loss < learned
    }
    if not lower:
        return None
    best = min(lower.values())
    if not diverged:
        assert current is not None
        gain, own = initial - best, initial - current
        if gain - own < MARGIN * initial or gain < 2 * own:
            return None
    rate = _stable(test, lower)
    return Better(rate, diverged, _evidence(test, rate))


def too_low(test: RangeTest, planned: int | None) -> Better | None:
    """A higher rate that learns where the program's own stands still, or None.

    A low rate over many steps gets as far as a high one over few (for small steps the way is their
    product): the program's is too low only if its ``planned`` steps in all are too few for that.
    Where their number is not known, only a thousandth of what learns is too low.
    """
    initial, current = test.initial, _at(test, test.current)
    if initial is None or initial <= 0 or current is None:
        return None
    if current < (1 - STANDS) * initial or current > RISES * initial:
        return None
    higher = {
        rate: loss
        for rate, loss in _finite(test).items()
        if rate > test.current and loss < (1 - LEARNS) * initial
    }
    if not higher:
        return None
    way, needed = test.current * (planned or 0), min(higher) * test.steps
    if way >= needed if planned else min(higher) < 1000 * test.current:
        return None
    rate = _stable(test, higher)
    return Better(rate, False, _evidence(test, rate))


def planned_steps(fit: FitSeen) -> int | None:
    """The steps the program would train without the probe's limits, None if not known."""
    steps = fit.steps_per_epoch
    data = fit.training
    if steps is None and data is not None and data.samples and data.batch_size:
        steps = -(-data.samples // data.batch_size)
    return None if steps is None or fit.epochs is None else steps * fit.epochs


def _finite(test: RangeTest) -> dict[float, float]:
    pairs = zip(test.rates, test.losses, strict=True)
    return {rate: loss for rate, loss in pairs if loss is not None}


def _at(test: RangeTest, rate: float) -> float | None:
    nearest = min(zip(test.rates, test.losses, strict=True), key=lambda pair: abs(pair[0] - rate))
    return nearest[1]


def _stable(test: RangeTest, candidates: dict[float, float]) -> float:
    """The candidate of lowest loss, or the one below it where the next rate up diverges."""
    best = min(candidates, key=lambda rate: candidates[rate])
    above = [pair for pair in zip(test.rates, test.losses, strict=True) if pair[0] > best]
    below = [rate for rate in candidates if rate < best]
    if above and below and test.initial is not None:
        loss = min(above)[1]
        if loss is None or loss > RISES * test.initial:
            return max(below)
    return best


def _evidence(test: RangeTest, rate: float) -> Evidence:
    def says(value: float | None) -> str:
        return "not finite" if value is None else f"{value:.3g}"

    own, other = _at(test, test.current), _at(test, rate)
    scaled = " (on images scaled as the backbone expects)" if test.corrected else ""
    return Evidence(
        source="probe",
        summary=(
            f"after {test.steps} steps from the same weights{scaled} the loss is {says(own)} at "
            f"the rate {test.current:g} and {says(other)} at {rate:g}; it was "
            f"{says(test.initial)} before"
        ),
        measured=(
            Measurement(name="loss", value=own, threshold=other, n=test.steps),
            Measurement(name="initial_loss", value=test.initial),
            Measurement(name="rate", value=test.current, threshold=rate),
        ),
    )
