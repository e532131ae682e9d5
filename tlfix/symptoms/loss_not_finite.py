"""NaN or infinity in the loss."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import Trace
from tlfix.symptoms.spec import SymptomSpec


def measure(trace: Trace) -> Symptom | None:
    """Any step or evaluation of any fit that was not finite."""
    for fit in trace.fits:
        line = f" (fit at line {fit.site.line})" if fit.site and len(trace.fits) > 1 else ""
        bad = [position for position, step in enumerate(fit.steps, 1) if not step.finite]
        if bad:
            return Symptom(
                id="loss-not-finite",
                severity="error",
                summary=f"the loss is NaN or infinite from step {bad[0]}, in {len(bad)} of "
                f"{len(fit.steps)} steps{line}",
                measured=(
                    Measurement(name="first step", value=bad[0]),
                    Measurement(
                        name="steps not finite", value=len(bad), threshold=0, n=len(fit.steps)
                    ),
                ),
            )
        for evaluation in fit.evaluations:
            if not evaluation.finite:
                return Symptom(
                    id="loss-not-finite",
                    severity="error",
                    summary=f"the model's output on {evaluation.split} images is NaN or infinite "
                    f"{evaluation.when} training{line}",
                    measured=(
                        Measurement(
                            name="evaluations not finite", value=1, threshold=0, n=evaluation.n
                        ),
                    ),
                )
    return None


SYMPTOM = SymptomSpec(
    id="loss-not-finite",
    title="The loss is NaN or infinite",
    what="A number that is not finite appeared in the loss or in the model's output: every "
    "weight it reaches is lost.",
    source="IEEE 754; no threshold.",
    measure=measure,
)
