"""Validation accuracy at the level of guessing."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Evaluation, Trace
from tlfix.symptoms.chance_accuracy import features_lead
from tlfix.symptoms.history import (
    FEW_STEPS,
    History,
    correct,
    histories,
    interval,
)
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import significantly_less

LEARNED = 0.20
"""Training accuracy this far above validation shows that the model learned its training images, so
that chance on validation is no matter of too few steps."""


def measure(trace: Trace) -> Symptom | None:
    """Validation accuracy is at chance although training, or the features, say it need not be."""
    for history in histories(trace):
        evaluation = history.after("validation")
        if evaluation is None or not history.at_chance(evaluation) or history.steps < FEW_STEPS:
            continue
        learned = _learned(history, evaluation)
        waited = history.had_time and features_lead(history, correct(evaluation), evaluation.n)
        if learned is None and not waited:
            continue
        low, high = interval(evaluation)
        because = (
            f"training reaches {learned.accuracy:.2f}" if learned else "the features can do better"
        )
        return Symptom(
            id="chance-validation",
            severity="error",
            summary=f"validation accuracy is {evaluation.accuracy:.2f} ({low:.2f} to {high:.2f}), "
            f"always naming the largest class gives {history.baseline(evaluation):.2f}; "
            f"{because}{history.where}",
            measured=(
                Measurement(
                    name="validation accuracy",
                    value=evaluation.accuracy,
                    threshold=history.baseline(evaluation),
                    n=evaluation.n,
                ),
            ),
        )
    return None


def _learned(history: History, validation: Evaluation) -> Evaluation | None:
    """The evaluation that shows the training images were learned: in either mode, as BatchNorm
    statistics that lag spoil inference on both splits alike."""
    for mode in ("inference", "training"):
        training = history.after("training", mode)
        if (
            training is not None
            and history.above_chance(training)
            and (training.accuracy or 0.0) - (validation.accuracy or 0.0) >= LEARNED
            and significantly_less(correct(validation), validation.n, correct(training), training.n)
        ):
            return training
    return None


SYMPTOM = SymptomSpec(
    id="chance-validation",
    title="Validation accuracy stays at chance",
    what="On validation images the model does no better than always naming the largest class, "
    "while it learned its training images, or a linear classifier on the same features succeeds.",
    source="Clopper & Pearson 1934, Biometrika 26:404; Fisher's exact test between the splits.",
    measure=measure,
)
