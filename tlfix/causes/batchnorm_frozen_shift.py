"""TL407: frozen BatchNorm statistics are far from this data, though it is scaled right."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import batchnorm, harm
from tlfix.evidence.edits import explained
from tlfix.evidence.harm import ALPHA, NOISE_POINTS, mcnemar
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import BatchNormSeen, FitSeen, LinearProbe, Trace

LARGE_SHIFT = 0.25
"""Mean symmetric Gaussian divergence between the pretrained statistics and those of this data.

Measured on MobileNetV2 0.35 with right scaling, 128 images: photographs 0.02, scanned digits 0.13
(new statistics made both slightly worse), the same at a fifth of their contrast 0.32 and 0.45 (and
3 to 5 points better). The gain in accuracy decides; the shift names its reason."""

_ADVICE = (
    "in the fine-tuning stage let the backbone's BatchNormalization layers train too (unfreeze "
    "them before compile, and call the backbone without training=False, to which all but Keras "
    "3.0 to 3.15 keep), at a low rate and with batches of 32 or more; for a frozen backbone, "
    "compute their statistics anew from training images first"
)


def _find(case: Case) -> Iterator[Finding]:
    trace = case.trace
    for fit in trace.fits if trace else ():
        if trace is not None and fit.batchnorm is not None and _frozen(trace, fit):
            yield from _measured(case, trace, fit, fit.batchnorm)


def _frozen(trace: Trace, fit: FitSeen) -> bool:
    """True if no fit of this model lets BatchNorm follow the data."""
    return not any(
        one.batchnorm is not None and one.batchnorm.updating
        for one in trace.fits
        if one.model.key == fit.model.key
    )


def _measured(case: Case, trace: Trace, fit: FitSeen, seen: BatchNormSeen) -> Iterator[Finding]:
    """The same backbone gives better features once it has the statistics of this data."""
    if seen.shift is None or seen.shift < LARGE_SHIFT or not _right(trace, fit):
        return
    pairs = list(_pairs(fit))
    if not pairs:
        return
    before, after, p = min(pairs, key=lambda pair: pair[1].accuracy - pair[0].accuracy)
    gain = after.accuracy - before.accuracy
    if gain < NOISE_POINTS or p >= ALPHA:
        return
    backbone, static = batchnorm.static(case.program, trace, fit)
    yield Finding(
        severity="warning",
        confidence="likely",
        site=backbone.call.site if backbone else static.call.site if static else None,
        evidence=(
            Evidence(
                source="probe",
                summary=(
                    "the images are scaled as the backbone expects, and still the statistics "
                    f"inside it are {seen.shift:.2g} from what its BatchNorm layers have stored"
                ),
                measured=(
                    Measurement(
                        name="shift",
                        value=seen.shift,
                        threshold=LARGE_SHIFT,
                        unit="symmetric Gaussian divergence",
                    ),
                ),
            ),
            Evidence(
                source="probe",
                summary=(
                    f"a linear classifier on its features gets {before.accuracy:.0%} with the "
                    f"stored statistics and {after.accuracy:.0%} with those of the training images"
                ),
                measured=(
                    Measurement(
                        name="gain", value=gain, threshold=NOISE_POINTS, n=after.validation
                    ),
                    Measurement(name="p", value=p, threshold=ALPHA, n=after.validation),
                ),
            ),
        ),
        explains=explained(case, "slow-learning", "chance-validation"),
        advice=_ADVICE,
        cost=gain,
    )


def _right(trace: Trace, fit: FitSeen) -> bool:
    """True if what enters a pretrained backbone is seen to be scaled as it was trained."""
    backbone, door = trace.backbone_of(fit), fit.door()
    if backbone is None or backbone.weights_status != "pretrained" or door is None:
        return False
    known = door.reads_as is not None or door.divergence is not None
    return backbone.expects is not None and known and not harm.door_is_wrong(fit, backbone)


def _pairs(fit: FitSeen) -> Iterator[tuple[LinearProbe, LinearProbe, float]]:
    """Each probe with the stored statistics, the one with those of this data, and McNemar's p."""
    after = fit.probe("as-is", "recalibrated") or fit.probe("expected", "recalibrated")
    for scaling in ("as-is", "expected"):
        before = fit.probe(scaling)
        if before is None or after is None or not after.correct:
            continue
        if len(before.correct) == len(after.correct):
            yield before, after, mcnemar(before.correct, after.correct)


_SICK = """\
import keras

base = keras.applications.ResNet50(weights="imagenet", include_top=False, pooling="avg")
base.trainable = False
inputs = keras.Input((224, 224, 3))
x = keras.applications.resnet50.preprocess_input(inputs)
outputs = keras.layers.Dense(2, activation="softmax")(base(x, training=False))
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(ultrasound, validation_data=more_ultrasound, epochs=5)
"""

CAUSE = CauseSpec(
    id="batchnorm-frozen-shift",
    code="TL407",
    title="Frozen BatchNorm statistics are far from this data",
    what=(
        "The images are scaled right and look so unlike those of the pretraining (scans, drawings, "
        "dark or flat images) that the frozen BatchNormalization layers normalise by the wrong "
        "means and variances. Only a measurement finds it."
    ),
    why=(
        "Frozen layers go on normalising by the pretraining's statistics; far from them, features "
        "are pushed into the flat parts of the activations and tell classes apart less well. That "
        "statistics of the new data alone can mend this is the finding of AdaBN. It is said "
        "only where a linear classifier on the same backbone gains significantly."
    ),
    sources=("https://arxiv.org/abs/1603.04779", "https://keras.io/guides/transfer_learning/"),
    find=_find,
    examples=Examples(
        sick=_SICK, healthy=_SICK.replace("more_ultrasound", "cats").replace("ultrasound", "dogs")
    ),
)
