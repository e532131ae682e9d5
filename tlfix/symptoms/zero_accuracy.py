"""Accuracy that is not distinguishable from zero."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Trace
from tlfix.symptoms.history import FEW_STEPS, histories, interval
from tlfix.symptoms.spec import SymptomSpec

NEARLY_ZERO = 0.02
"""Accuracy up to this is called zero once its interval excludes chance; what lies between it and
chance is ``below-chance``. One stray hit in fifty images should not change the name."""


def measure(trace: Trace) -> Symptom | None:
    """Accuracy at most 0.02 whose upper confidence bound lies below ``1/C``."""
    for history in histories(trace):
        for split in ("validation", "training"):
            evaluation = history.after(split)
            if evaluation is None or history.steps < FEW_STEPS:
                continue
            guess = history.guessing(evaluation)
            accuracy = evaluation.accuracy or 0.0
            if guess and accuracy <= NEARLY_ZERO and (high := interval(evaluation)[1]) < guess:
                return Symptom(
                    id="zero-accuracy",
                    severity="error",
                    summary=f"{split} accuracy is {accuracy:.2f} on {evaluation.n} images (at most "
                    f"{high:.2f}); guessing would give {guess:.2f}{history.where}",
                    measured=(
                        Measurement(
                            name=f"{split} accuracy",
                            value=accuracy,
                            threshold=guess,
                            n=evaluation.n,
                        ),
                    ),
                )
    return None


SYMPTOM = SymptomSpec(
    id="zero-accuracy",
    title="Accuracy is zero",
    what="Training or validation accuracy cannot be told from 0 and is below guessing: the labels "
    "the model is scored on are not the ones it can predict.",
    source="Clopper & Pearson 1934, The use of confidence or fiducial limits, Biometrika 26:404.",
    measure=measure,
)
