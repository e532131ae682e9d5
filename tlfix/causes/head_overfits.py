"""TL209: a flattened feature map and a wide layer have more parameters than the data can tell."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import harm, tuning
from tlfix.evidence.edits import end, explained, position
from tlfix.evidence.heads import Head, Placed, heads
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.model import Call

WIDE = 64
"""Units from which a layer on a flattened map counts as wide: 7 x 7 positions of 512 channels
already make 1.6 million parameters of it."""

PER_IMAGE = 200
"""Parameters of the head per training image. Networks with more parameters than images can learn
random labels by heart (Zhang et al. 2017, https://arxiv.org/abs/1611.03530, section 2); a pooled
linear head is far beyond that already (1280 features, 8 classes, 500 images: 20), and overfits
little, so the limit is ten times that. The limit alone gives a note."""

_ADVICE = (
    "pool the feature map (GlobalAveragePooling2D) instead of flattening it; add Dropout if the "
    "hidden layer stays"
)


def _find(case: Case) -> Iterator[Finding]:
    trace = case.trace
    if trace is None or not trace.fits:
        for head in heads(case.program):
            flatten, wide = _wide(head)
            if flatten is not None and wide is not None:
                evidence = _read(head, wide)
                yield _finding(case, flatten, "note", "possible", (evidence,))
        return
    for fit in tuning.first_fits(trace):
        yield from _measured(case, trace, fit)


def _wide(head: Head) -> tuple[Placed | None, Placed | None]:
    """The ``Flatten`` of a feature map, and the first wide ``Dense`` behind it."""
    if head.feature_map is not True:
        return None, None
    for place, layer in enumerate(head.layers):
        if layer.kind == "Flatten":
            for later in head.layers[place + 1 :]:
                if later.kind == "Dense":
                    units = _units(later.made)
                    return layer, later if units is not None and units >= WIDE else None
            return None, None
        if layer.kind not in ("Dropout", "BatchNormalization", "Activation", "ReLU"):
            return None, None
    return None, None


def _units(dense: Call) -> int | None:
    units = dense.constant("units", 0)
    return units if isinstance(units, int) and not isinstance(units, bool) else None


def _read(head: Head, wide: Placed) -> Evidence:
    return Evidence(
        source="static",
        summary=(
            f"the feature map of {head.backbone.architecture} is flattened into "
            f"Dense({_units(wide.made)}): every position gets weights of its own"
        ),
    )


def _measured(case: Case, trace: Trace, fit: FitSeen) -> Iterator[Finding]:
    static = tuning.static_backbone(case.program, trace, fit)
    found = [
        (head, *_wide(head))
        for head in heads(case.program)
        if static is not None and head.backbone.call.site == static.call.site
    ]
    if len(found) != 1:
        return
    head, flatten, wide = found[0]
    samples = fit.training.samples if fit.training else None
    if flatten is None or wide is None or not samples:
        return
    share = fit.model.head_parameters / samples
    if share < PER_IMAGE:
        return
    size = Evidence(
        source="probe",
        summary=(
            f"the head has {fit.model.head_parameters:,} parameters for {samples:,} training images"
        ),
        measured=(
            Measurement(name="parameters per image", value=share, threshold=PER_IMAGE, n=samples),
        ),
    )
    # Fine-tuning goes on with the same head: what it reached at last is what counts.
    last = [other for other in trace.fits if other.model.key == fit.model.key][-1]
    reference = harm.reference_of(last) or harm.reference_of(fit)
    if reference is not None and not last.probes:
        last = last.model_copy(update={"probes": (reference,)})
    short = harm.shortfall(last)
    evidence = (_read(head, wide), size)
    if short is None:
        yield _finding(case, flatten, "note", "possible", evidence)
    elif "overfitting" in case.symptoms and short.significant:
        found_loss = (*evidence, short.evidence)
        yield _finding(case, flatten, "warning", "likely", found_loss, short.points)


def _finding(
    case: Case,
    flatten: Placed,
    severity: Severity,
    confidence: Confidence,
    evidence: tuple[Evidence, ...],
    cost: float | None = None,
) -> Finding:
    site = flatten.made.site
    return Finding(
        severity=severity,
        confidence=confidence,
        site=site,
        evidence=evidence,
        explains=explained(case, "overfitting") if severity != "note" else (),
        remedy=Remedy(
            "replace_flatten",
            "average the feature map over the image instead of flattening it",
            {site.path: {"flatten": {"start": position(site), "end": end(site)}}},
            "careful",
        ),
        advice=_ADVICE,
        cost=cost,
    )


_SICK = """\
from tensorflow.keras import Sequential
from tensorflow.keras.applications import VGG16
from tensorflow.keras.layers import Dense, Flatten

base = VGG16(weights="imagenet", include_top=False, input_shape=(224, 224, 3))
base.trainable = False
model = Sequential([base, Flatten(), Dense(256, activation="relu"), Dense(5, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=20)
"""
_CURED = _SICK.replace("Flatten", "GlobalAveragePooling2D")

CAUSE = CauseSpec(
    id="head-overfits",
    code="TL209",
    title="The head has too many parameters for the data",
    what=(
        "The backbone's feature map is flattened into a wide `Dense` layer: millions of "
        "parameters, trained on a few hundred images."
    ),
    why=(
        "Such a head learns its training images by heart, position by position. Averaging over "
        "the positions keeps what the backbone found and drops where it found it."
    ),
    sources=(
        "https://arxiv.org/abs/1312.4400",
        "https://arxiv.org/abs/1611.03530",
        "https://keras.io/guides/transfer_learning/",
    ),
    find=_find,
    after=(
        "backbone-unfrozen",
        "learning-rate-high",
        "preprocessing-differs",
        "class-order-mismatch",
        "labels-misaligned",
        "ordered-validation-split",
    ),
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
