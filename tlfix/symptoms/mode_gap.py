"""The same images score differently in training and in inference mode."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Trace
from tlfix.symptoms.history import FEW_STEPS, correct, histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import significantly_less

GAP = 0.20
"""Accuracy points. Where BatchNorm statistics lag, the gap is the whole way from what the model
learned down to chance (MobileNetV2 after 2,000 steps: 0.77 in training mode, chance in inference),
so the limit may be generous."""


def measure(trace: Trace) -> Symptom | None:
    """Inference mode is significantly, and by 0.20 or more, worse than training mode.

    Only this direction: Dropout alone makes training mode the worse one in a healthy model.
    """
    for history in histories(trace):
        inference, training = history.after("training"), history.after("training", "training")
        if inference is None or training is None or history.steps < FEW_STEPS:
            continue
        gap = (training.accuracy or 0.0) - (inference.accuracy or 0.0)
        if gap < GAP or not significantly_less(
            correct(inference), inference.n, correct(training), training.n
        ):
            continue
        return Symptom(
            id="mode-gap",
            severity="warning",
            summary=f"the same training images score {training.accuracy:.2f} in training mode and "
            f"{inference.accuracy:.2f} in inference mode{history.where}",
            measured=(Measurement(name="gap", value=gap, threshold=GAP, n=inference.n),),
        )
    return None


SYMPTOM = SymptomSpec(
    id="mode-gap",
    title="Inference mode is far worse than training mode",
    what="The model learned, but only as long as BatchNorm uses the statistics of the batch at "
    "hand: its moving statistics do not describe this data.",
    source="Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167, section 3.1; Fisher's exact "
    "test, p < 0.01.",
    measure=measure,
)
