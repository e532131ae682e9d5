"""TL406: BatchNorm's moving statistics lag behind the weights: good in training mode only."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import batchnorm, harm
from tlfix.evidence.edits import explained
from tlfix.findings import Confidence
from tlfix.probe.trace import BatchNormSeen, FitSeen, Trace
from tlfix.program.model import Site

_ADVICE = (
    "freeze pretrained BatchNormalization layers (`layer.trainable = False`), give new ones "
    "a momentum of 0.9 or train for more steps, or compute the statistics anew before the "
    "model is used"
)

_EXPLAINS = (
    "mode-gap",
    "chance-validation",
    "single-class-predictions",
    "zero-accuracy",
    "below-chance",
    "slow-learning",
)


def _find(case: Case) -> Iterator[Finding]:
    for fit in case.trace.fits if case.trace else ():
        if case.trace is not None and fit.batchnorm is not None:
            yield from _measured(case, case.trace, fit, fit.batchnorm)


def _measured(case: Case, trace: Trace, fit: FitSeen, seen: BatchNormSeen) -> Iterator[Finding]:
    """New statistics mend the trained model, and those it has are still in part from before."""
    new, old = batchnorm.renewed(seen), batchnorm.lag(trace, fit)
    if new is None or not new.significant or not batchnorm.updates(trace, fit):
        return
    if old is None or old <= batchnorm.LAG:
        return  # They have caught up: noise of small batches, not a lag.
    gap, lagging = harm.mode_gap(fit), batchnorm.lagging(trace, fit)
    final = batchnorm.settled(trace, fit)
    backbone, static = batchnorm.static(case.program, trace, fit)
    own = next(case.program.calls_named("layers.BatchNormalization"), None)
    if batchnorm.pretrained(trace, fit):
        remedy = batchnorm.freeze(case.program, backbone, static)
        site: Site | None = backbone.call.site if backbone else None
    else:
        remedy = batchnorm.quicker(case.program)
        site = own.site if own else None
    shown = [new.evidence, lagging, gap.evidence if gap and gap.significant else None]
    confidence: Confidence = "certain" if gap and gap.significant else "likely"
    yield Finding(
        severity="warning" if final else "note",
        confidence=confidence if final else "possible",
        site=site or (static.call.site if static else None),
        evidence=tuple(evidence for evidence in shown if evidence is not None),
        explains=explained(case, *_EXPLAINS) if final else (),
        remedy=remedy if final else None,
        advice=_ADVICE,
        cost=new.points if final else None,
    )


_SICK = """\
import keras
from keras import layers

model = keras.Sequential(
    [
        layers.Conv2D(16, 3, activation="relu"),
        layers.BatchNormalization(),
        layers.GlobalAveragePooling2D(),
        layers.Dense(5, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, validation_split=0.2, epochs=2)
"""

CAUSE = CauseSpec(
    id="batchnorm-statistics-stale",
    code="TL406",
    title="BatchNorm's moving statistics lag behind the weights",
    what=(
        "The model is good in training mode, where BatchNormalization uses the batch at hand, and "
        "bad in inference mode, where it uses moving averages that still describe the weights of "
        "many steps ago. Only a measurement finds it."
    ),
    why=(
        "With a momentum of 0.99, the default, a moving average needs 300 steps to forget where it "
        "started, with the 0.999 of MobileNetV2 3,000. After fewer steps validation and prediction "
        "run on statistics that no longer fit: a MobileNetV2 trained from scratch for 2,000 steps "
        "was right on 77 % in training mode and at chance in inference mode. Where a "
        "pretrained backbone loses less than that, `batchnorm-training-mode` says it better; where "
        "everything trains at once with a fresh head, `backbone-unfrozen` does."
    ),
    sources=(
        "https://keras.io/api/layers/normalization_layers/batch_normalization/",
        "https://arxiv.org/abs/1502.03167",
    ),
    find=_find,
    examples=Examples(
        sick=_SICK, healthy=_SICK.replace("Normalization()", "Normalization(momentum=0.9)")
    ),
    after=("batchnorm-training-mode", "backbone-unfrozen"),
)
