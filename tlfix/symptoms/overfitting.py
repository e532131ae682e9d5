"""Training images learned, validation images not."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Evaluation, FitSeen, LinearProbe, Trace
from tlfix.symptoms.history import FEW_STEPS, correct, histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import significantly_less

GAP = 0.15
"""Accuracy points between training and validation images. Any trained model has some gap: this size
is a convention, well above the 0.09 that is significant for 0.9 on 200 images of either split."""

MARGIN = 0.05
"""Accuracy points by which a training may differ from the reference and still count as its equal:
one and a half standard errors of an accuracy of 0.7 on 200 images."""


def measure(trace: Trace) -> Symptom | None:
    """The gap is significant (Fisher's exact test), 0.15 or more, not shrinking, and avoidable.

    Validation at chance is another matter, ``chance-validation``.
    """
    for history in histories(trace):
        training, validation = history.after("training"), history.after("validation")
        if training is None or validation is None or history.steps < FEW_STEPS:
            continue
        gap = (training.accuracy or 0.0) - (validation.accuracy or 0.0)
        if (
            gap < GAP
            or not history.representative(validation)
            or history.at_chance(validation)
            or _shrinking(history.judged)
            or _as_the_features_do(history.reference, validation, gap)
            or not significantly_less(
                correct(validation), validation.n, correct(training), training.n
            )
        ):
            continue
        return Symptom(
            id="overfitting",
            severity="warning",
            summary=f"training accuracy {training.accuracy:.2f}, validation accuracy "
            f"{validation.accuracy:.2f}, both in inference mode{history.where}",
            measured=(
                Measurement(name="gap", value=gap, threshold=GAP, n=training.n + validation.n),
            ),
        )
    return None


def _as_the_features_do(probe: LinearProbe | None, validation: Evaluation, gap: float) -> bool:
    """True if a linear head on frozen features has as wide a gap, and is no better on validation.

    Then the data are few and the training does what can be done with them.
    """
    return (
        probe is not None
        and probe.train_accuracy is not None
        and (validation.accuracy or 0.0) >= probe.accuracy - MARGIN
        and gap <= probe.train_accuracy - probe.accuracy + MARGIN
    )


def _shrinking(fit: FitSeen) -> bool:
    """True if two or more epochs were logged and the gap of the last is below that of the first."""
    gaps = []
    for log in fit.epoch_logs:
        for name, value in log.items():
            validation = log.get(f"val_{name}")
            if ("acc" in name) and value is not None and validation is not None:
                gaps.append(value - validation)
                break
    return len(gaps) >= 2 and gaps[-1] < gaps[0]


SYMPTOM = SymptomSpec(
    id="overfitting",
    title="Training and validation accuracy drift apart",
    what="The model scores significantly better on images it was trained on than on others, both "
    "evaluated the same way, and the gap does not shrink from epoch to epoch.",
    source="Fisher's exact test, p < 0.01; Goodfellow, Bengio & Courville 2016, section 5.2, "
    "https://www.deeplearningbook.org/contents/ml.html.",
    measure=measure,
)
