"""Accuracy significantly below chance."""

from __future__ import annotations

import math

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Evaluation, Trace
from tlfix.symptoms.history import FEW_STEPS, histories, interval
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import entropy
from tlfix.symptoms.zero_accuracy import NEARLY_ZERO

FEW_PREDICTED = 1.5
"""Effective number of predicted classes under which a model has not chosen among classes at all:
naming one small class is below chance without any label being wrong."""


def measure(trace: Trace) -> Symptom | None:
    """A model that learned scores below ``1/C``: its upper bound and its balanced accuracy."""
    for history in histories(trace):
        if not history.learned:
            continue
        for split in ("validation", "training"):
            evaluation = history.after(split)
            if evaluation is None or history.steps < FEW_STEPS:
                continue
            guess = history.guessing(evaluation)
            if guess and _below(evaluation, guess):
                low, high = interval(evaluation)
                return Symptom(
                    id="below-chance",
                    severity="warning",
                    summary=f"{split} accuracy is {evaluation.accuracy:.2f} ({low:.2f} to "
                    f"{high:.2f}), below the {guess:.2f} of guessing{history.where}",
                    measured=(
                        Measurement(
                            name=f"{split} accuracy",
                            value=evaluation.accuracy,
                            threshold=guess,
                            n=evaluation.n,
                        ),
                    ),
                )
    return None


def _below(evaluation: Evaluation, chance: float) -> bool:
    if (evaluation.accuracy or 0.0) <= NEARLY_ZERO or interval(evaluation)[1] >= chance:
        return False
    if evaluation.balanced_accuracy is not None and evaluation.balanced_accuracy >= chance:
        return False
    if evaluation.confusion is None:
        return True
    predicted = [sum(column) for column in zip(*evaluation.confusion, strict=True)]
    return math.exp(entropy(predicted)) >= FEW_PREDICTED


SYMPTOM = SymptomSpec(
    id="below-chance",
    title="Accuracy is below chance",
    what="The model is wrong more often than guessing would be: it learned something, and the "
    "labels it is scored on are permuted or inverted.",
    source="Clopper & Pearson 1934, The use of confidence or fiducial limits, Biometrika 26:404.",
    measure=measure,
)
