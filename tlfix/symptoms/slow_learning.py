"""Learning that falls far behind what the features allow."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Evaluation, LinearProbe, Trace
from tlfix.symptoms.chance_accuracy import features_lead
from tlfix.symptoms.history import History, correct, histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import trend

PASSES = 5
"""Passes over as many images as the reference saw before the two are compared: five epochs of real
training came within two points of the closed-form head (0.93 against 0.91)."""


def measure(trace: Trace) -> Symptom | None:
    """Above chance, but significantly and by 0.10 or more below a linear head on the features."""
    for history in histories(trace):
        evaluation = history.after("validation") or history.after("training")
        probe = history.reference
        if evaluation is None or probe is None or not history.above_chance(evaluation):
            continue
        if not history.representative(evaluation):
            continue
        if not features_lead(history, correct(evaluation), evaluation.n):
            continue
        if not _fell_behind(history, evaluation, probe):
            continue
        return Symptom(
            id="slow-learning",
            severity="warning",
            summary=f"{evaluation.split} accuracy is {evaluation.accuracy:.2f} after "
            f"{history.steps} steps; a linear classifier on the same features reaches "
            f"{probe.accuracy:.2f}{history.where}",
            measured=(
                Measurement(
                    name=f"{evaluation.split} accuracy",
                    value=evaluation.accuracy,
                    threshold=probe.accuracy,
                    n=evaluation.n,
                ),
                Measurement(name="training steps", value=history.steps),
            ),
        )
    return None


def _fell_behind(history: History, evaluation: Evaluation, probe: LinearProbe) -> bool:
    """Gradient descent needs steps that a closed-form head does not: a head on its way is not slow.

    It is slow once it saw the reference's images five times, and either stopped improving (50
    steps), or made less than half of the way from chance to the reference (100), or had 300 steps.
    """
    if history.images < PASSES * probe.training:
        return False
    chance = history.baseline(evaluation) or 0.0
    halfway = chance + 0.5 * (probe.accuracy - chance)
    second_half = history.losses[len(history.losses) // 2 :]
    return (
        (history.steps >= 50 and len(second_half) >= 25 and trend(second_half, "less") > 0.2)
        or (history.steps >= 100 and (evaluation.accuracy or 0.0) < halfway)
        or history.steps >= 300
    )


SYMPTOM = SymptomSpec(
    id="slow-learning",
    title="Learning falls far behind the features",
    what="The model learns, but ends well below a linear classifier on the backbone's features of "
    "the same images: the training, not the data, is what holds it back.",
    source="Linear probes: Alain & Bengio 2016, https://arxiv.org/abs/1610.01644; Fisher's exact "
    "test, p < 0.01, and 0.10 in accuracy.",
    measure=measure,
)
