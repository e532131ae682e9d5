"""What a probe records of BatchNorm in a training, in a line."""

from __future__ import annotations

from typing import Any

from tests.traces import backbone, evaluation, fit, model, place, trace
from tlfix.probe.trace import BatchNormSeen, FitSeen, Trace

N = 200


def seen(accuracy: float, recalibrated: float, **other: Any) -> BatchNormSeen:
    """Scores on 200 images; the better of the two is right wherever the other one is."""
    fields: dict[str, Any] = {
        "layers": 52,
        "updating": 52,
        "momentum": 0.99,
        "drift": 0.4,
        "accuracy": accuracy,
        "recalibrated": recalibrated,
        "correct": tuple(i < round(accuracy * N) for i in range(N)),
        "recalibrated_correct": tuple(i < round(recalibrated * N) for i in range(N)),
    }
    return BatchNormSeen(**(fields | other))


def tuned(
    batchnorm: BatchNormSeen, training_mode: float, inference: float, **other: Any
) -> FitSeen:
    """A fit of 60 steps that trains a backbone, and its scores in both modes."""
    fields: dict[str, Any] = {
        "site": place(15),
        "model": model(backbone_trainable=400_000, backbone_training_mode=True),
        "batchnorm": batchnorm,
        "evaluations": (
            evaluation("training", training_mode, mode="training"),
            evaluation("training", inference),
            evaluation("validation", batchnorm.accuracy),
        ),
    }
    return fit([1.0] * 60, **(fields | other))


def ran(*fits: FitSeen, **other: Any) -> Trace:
    return trace(*fits, backbones=(backbone(site=place(3), **other),))
