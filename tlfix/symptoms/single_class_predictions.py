"""One class for every image."""

from __future__ import annotations

import math

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Trace
from tlfix.symptoms.history import histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import entropy

PREDICTED = 1.1
"""Effective number of predicted classes (the exponential of their entropy, Hill 1973) up to which
predictions are a single class: 98 of 100 images in one class give 1.10."""

PRESENT = 1.5
"""Effective number of label classes from which more than one answer is called for: two classes in
the ratio 85 to 15 give 1.53, so a rare second class alone is not enough."""


def measure(trace: Trace) -> Symptom | None:
    """Nearly all images get one class while the labels have several, after enough steps."""
    for history in histories(trace):
        if not history.had_time:
            continue
        for split in ("validation", "training"):
            evaluation = history.after(split)
            if evaluation is None or evaluation.confusion is None:
                continue
            predicted = [sum(column) for column in zip(*evaluation.confusion, strict=True)]
            effective = math.exp(entropy(predicted))
            present = math.exp(entropy(sum(row) for row in evaluation.confusion))
            if effective <= PREDICTED and present >= PRESENT:
                share = max(predicted) / sum(predicted)
                return Symptom(
                    id="single-class-predictions",
                    severity="warning",
                    summary=f"class {predicted.index(max(predicted))} is predicted for {share:.0%} "
                    f"of {evaluation.n} {split} images{history.where}",
                    measured=(
                        Measurement(
                            name="effective number of predicted classes",
                            value=effective,
                            threshold=PREDICTED,
                            n=evaluation.n,
                        ),
                        Measurement(
                            name="effective number of label classes",
                            value=present,
                            threshold=PRESENT,
                            n=evaluation.n,
                        ),
                    ),
                )
    return None


SYMPTOM = SymptomSpec(
    id="single-class-predictions",
    title="Every image gets the same class",
    what="The predicted classes have (nearly) no entropy while the labels have.",
    source="Effective number of classes: Hill 1973, Diversity and evenness, Ecology 54:427.",
    measure=measure,
)
