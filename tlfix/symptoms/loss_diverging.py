"""A loss that grows."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import FitSeen, Trace
from tlfix.symptoms.history import FEW_STEPS, History, histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import SIGNIFICANCE, part, trend

GROWTH = 1.5
"""A rising trend counts if the last quarter of the loss is this many times the first."""

JUMP = 10.0
"""A jump counts if the loss reaches this many times its beginning (or the loss of guessing, the
larger) and stays above where it began."""

FIRST_STEPS = 20


def measure(trace: Trace) -> Symptom | None:
    """In any fit: a significant rise by half or more, or a lasting jump by ten times or more."""
    for history in histories(trace):
        for fit in history.fits:
            if (symptom := _of(history, fit)) is not None:
                return symptom
    return None


def _of(history: History, fit: FitSeen) -> Symptom | None:
    losses = [step.loss for step in fit.steps if step.finite and step.loss is not None]
    if len(losses) < 6:
        return None
    first, last = part(losses, "first"), part(losses, "last")
    begin = max(losses[0], history.chance_loss or losses[0])
    peak = max(losses[1 : FIRST_STEPS + 1])
    # A loss far below that of guessing may wander without harm: the rise must be a part of it.
    matters = last - first >= 0.25 * (history.chance_loss or first)
    if peak >= JUMP * begin and last > begin:
        summary = (
            f"the loss jumps from {losses[0]:.3g} to {peak:.3g} in its first {FIRST_STEPS} steps"
        )
        measured = Measurement(name="jump", value=peak / begin, threshold=JUMP, n=len(losses))
    elif (
        len(losses) >= FEW_STEPS
        and last >= GROWTH * first
        and matters
        and trend(losses, "greater") < SIGNIFICANCE
    ):
        summary = f"the loss rises from {first:.3g} to {last:.3g} over {len(losses)} steps"
        measured = Measurement(name="growth", value=last / first, threshold=GROWTH, n=len(losses))
    else:
        return None
    return Symptom(
        id="loss-diverging",
        severity="warning",
        summary=summary + history.where,
        measured=(measured,),
    )


SYMPTOM = SymptomSpec(
    id="loss-diverging",
    title="The loss grows",
    what="The loss rises significantly during training, or jumps by an order of magnitude in its "
    "first steps and does not come back.",
    source="Mann 1945, Nonparametric tests against trend, Econometrica 13:245 (p < 0.01). The "
    "first steps of a randomly initialised head should cost about ln C: "
    "https://cs231n.github.io/neural-networks-3/#sanitycheck.",
    measure=measure,
)
