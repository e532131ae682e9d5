"""All symptoms, in the order in which they are reported."""

from __future__ import annotations

from tlfix.findings import Symptom
from tlfix.probe.trace import Trace
from tlfix.symptoms import (
    below_chance,
    chance_accuracy,
    chance_validation,
    crash,
    feature_collapse,
    flat_loss,
    loss_diverging,
    loss_not_finite,
    mode_gap,
    overfitting,
    single_class_predictions,
    slow_learning,
    unstable_loss,
    zero_accuracy,
)
from tlfix.symptoms.spec import SymptomSpec

SYMPTOMS: tuple[SymptomSpec, ...] = (
    crash.SYMPTOM,
    loss_not_finite.SYMPTOM,
    zero_accuracy.SYMPTOM,
    chance_accuracy.SYMPTOM,
    chance_validation.SYMPTOM,
    below_chance.SYMPTOM,
    loss_diverging.SYMPTOM,
    flat_loss.SYMPTOM,
    unstable_loss.SYMPTOM,
    single_class_predictions.SYMPTOM,
    mode_gap.SYMPTOM,
    slow_learning.SYMPTOM,
    overfitting.SYMPTOM,
    feature_collapse.SYMPTOM,
)


def measure_all(trace: Trace) -> dict[str, Symptom]:
    """Every symptom the trace shows, by id."""
    measured = ((spec.id, spec.measure(trace)) for spec in SYMPTOMS)
    return {id_: symptom for id_, symptom in measured if symptom is not None}
