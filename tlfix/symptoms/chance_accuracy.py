"""Training accuracy at the level of guessing."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Trace
from tlfix.symptoms.history import History, correct, histories, interval
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import significantly_less

REFERENCE_LEAD = 0.10
"""The features must be able to do better by this much (and significantly), or nothing is said:
a task on which the features too are at chance may simply be hard. Ten points is twice the standard
error of an accuracy of 0.5 on 100 images."""


def measure(trace: Trace) -> Symptom | None:
    """Training accuracy is at chance, in inference mode and in training mode, after enough steps.

    A model good in training mode alone has learned; that is ``mode-gap``.
    """
    for history in histories(trace):
        evaluation = history.after("training")
        if evaluation is None or not history.at_chance(evaluation) or not history.had_time:
            continue
        in_training = history.after("training", "training")
        if in_training is not None and not history.at_chance(in_training):
            continue
        if not features_lead(history, correct(evaluation), evaluation.n):
            continue
        low, high = interval(evaluation)
        return Symptom(
            id="chance-accuracy",
            severity="error",
            summary=f"training accuracy is {evaluation.accuracy:.2f} ({low:.2f} to {high:.2f}) "
            f"after {history.steps} steps; always naming the largest class gives "
            f"{history.baseline(evaluation):.2f}{history.where}",
            measured=(
                Measurement(
                    name="training accuracy",
                    value=evaluation.accuracy,
                    threshold=history.baseline(evaluation),
                    n=evaluation.n,
                ),
                Measurement(name="training steps", value=history.steps),
            ),
        )
    return None


def features_lead(history: History, hits: int, n: int) -> bool:
    """True if a linear probe is better than ``hits`` of ``n``, significantly and by 0.10."""
    probe = history.reference
    return (
        probe is not None
        and probe.accuracy - hits / n >= REFERENCE_LEAD
        and significantly_less(hits, n, round(probe.accuracy * probe.validation), probe.validation)
    )


SYMPTOM = SymptomSpec(
    id="chance-accuracy",
    title="Training accuracy stays at chance",
    what="After enough steps the model does no better on its own training images than always "
    "naming the largest class, although a linear classifier on the same features does.",
    source="Clopper & Pearson 1934, Biometrika 26:404; the reference is a linear probe: Alain & "
    "Bengio 2016, https://arxiv.org/abs/1610.01644.",
    measure=measure,
)
