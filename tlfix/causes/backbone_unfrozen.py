"""TL401: everything trains from the first step, with a fresh head on a pretrained backbone."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import harm, holders, rates, tuning
from tlfix.evidence.edits import explained
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.model import Backbone, Fit, Program, Site

SERIOUS = 0.10
"""Accuracy lost (0..1) from which a measured loss is an error."""

_ADVICE = (
    "set `trainable = False` on the backbone, train the head, then unfreeze the top of the "
    "backbone (BatchNormalization stays frozen), compile again at a rate near 1e-5 and go on"
)

_EXPLAINS = (
    "mode-gap",
    "chance-validation",
    "chance-accuracy",
    "below-chance",
    "zero-accuracy",
    "single-class-predictions",
    "overfitting",
    "loss-diverging",
    "unstable-loss",
    "slow-learning",
    "flat-loss",
    "feature-collapse",
)


MODE_GAP = 0.2
"""Accuracy lost from training to inference mode: the threshold of the symptom ``mode-gap``."""


def _find(case: Case) -> Iterator[Finding]:
    if case.trace is None or not case.trace.fits:
        yield from _read(case.program)
        return
    for fit in _candidates(case.trace):
        yield from _measure(case, case.trace, fit)


def _candidates(trace: Trace) -> Iterator[FitSeen]:
    """First fits that train a good share of a backbone that may have pretrained weights."""
    for fit in tuning.first_fits(trace):
        seen = trace.backbone_of(fit)
        if seen and seen.weights_status != "random" and harm.backbone_trains(fit):
            yield fit


def _read(program: Program) -> Iterator[Finding]:
    """From the source: nothing freezes the backbone before training, and the rate is not low."""
    if not program.outputs or tuning.scheduled(program):
        return
    for backbone in program.backbones:
        fit, compiled = holders.first_training(program, backbone)
        family, rate = tuning.rate_of(compiled)
        if compiled is None or family not in tuning.FAMILIES or rate is None:
            continue
        before = fit.call.site if fit else compiled.call.site
        pretrained = isinstance(backbone.weights, str) or backbone.loads_weights
        if not pretrained or not tuning.in_a_model(backbone):
            continue
        if tuning.freezing(program, backbone, before) != "open":
            continue
        fast = rate > tuning.gentle(family)
        summary = (
            f"nothing freezes {backbone.architecture} before training starts; its pretrained "
            f"weights and the new head train together, with {family} at {rate:g}"
        )
        limit = Measurement(name="learning_rate", value=rate, threshold=tuning.gentle(family))
        yield _finding(
            program,
            backbone,
            fit,
            "warning" if fast else "note",
            "possible",
            (Evidence(source="static", summary=summary, measured=(limit,)),),
        )
        return


def _measure(case: Case, trace: Trace, fit: FitSeen) -> Iterator[Finding]:
    """From the probe: does training everything cost what the features could do?"""
    seen = trace.backbone_of(fit)
    features, short, gap = harm.feature_loss(fit), harm.shortfall(fit), harm.mode_gap(fit)
    if not harm.head_is_fresh(fit):
        return
    if seen is None or seen.weights_status != "pretrained" or not (features or short or gap):
        yield from _read(case.program)
        return
    change = fit.backbone_change
    moved = change is not None and change >= harm.LARGE_CHANGE
    high = rates.too_high(fit.range_test) if fit.range_test else None
    losses = [loss for loss in (features, short, gap) if loss and loss.significant]
    cost = max((loss.points for loss in (features, short) if loss in losses and loss), default=None)
    severity: Severity = "note"
    confidence: Confidence = "possible"
    patient = _gentle(fit) and fit.ended != "completed"
    if patient and features not in losses:
        # Such a training is slow on purpose: cut short by the probe, it may yet arrive.
        severity = "note"
    elif features in losses or (gap in losses and (short in losses or short is None)):
        worst = max(loss.points for loss in losses)
        severity, confidence = ("error" if worst >= SERIOUS else "warning"), "likely"
        if features in losses and severity == "error":
            confidence = "certain"
    elif gap in losses and gap is not None and gap.points >= MODE_GAP and not _gentle(fit):
        # Whatever validation says so far: the statistics the model will be used with are stale.
        severity, confidence = "warning", "likely"
    elif high is not None and not harm.reaches_reference(fit):
        severity, confidence = "warning", "likely"
    elif short in losses:
        # Too little training can leave a model below its features as well.
        severity, confidence = ("warning", "likely") if moved else ("warning", "possible")
        if not moved and all(f.severity == "note" for f in _read(case.program)):
            severity = "note"
    shown = losses or [loss for loss in (features, short, gap) if loss][:1]
    evidence = [_trains(fit), *(loss.evidence for loss in shown)]
    if high is not None:
        evidence.append(high.evidence)
    backbone = tuning.static_backbone(case.program, trace, fit)
    yield _finding(
        case.program,
        backbone,
        tuning.static_fit(case.program, fit),
        severity,
        confidence,
        tuple(evidence),
        explained(case, *_EXPLAINS) if severity != "note" else (),
        cost,
    )


def _gentle(fit: FitSeen) -> bool:
    """True if the rate is one at which whole networks are fine-tuned as a matter of course."""
    compiled = fit.compiled
    if compiled is None or compiled.learning_rate is None:
        return False
    return compiled.learning_rate <= tuning.gentle((compiled.optimizer or "").lower())


def _trains(fit: FitSeen) -> Evidence:
    model, change = fit.model, fit.backbone_change
    share = model.backbone_trainable / max(model.backbone_parameters, 1)
    moved = "" if change is None else f"; its kernels changed by {change:.1%} in this probe"
    return Evidence(
        source="probe",
        summary=(
            f"{share:.0%} of the backbone trains from the first step, with a fresh head{moved}"
        ),
        measured=(
            Measurement(name="backbone_trainable", value=share, threshold=harm.GOOD_SHARE),
            Measurement(name="backbone_change", value=change, threshold=harm.LARGE_CHANGE),
        ),
    )


def _finding(
    program: Program,
    backbone: Backbone | None,
    fit: Fit | None,
    severity: Severity,
    confidence: Confidence,
    evidence: tuple[Evidence, ...],
    explains: tuple[str, ...] = _EXPLAINS,
    cost: float | None = None,
) -> Finding:
    return Finding(
        severity=severity,
        confidence=confidence,
        site=_site(program, backbone, fit),
        evidence=evidence,
        explains=explains,
        remedy=None if severity == "note" else tuning.staged(program, backbone, fit),
        advice=_ADVICE,
        cost=cost,
    )


def _site(program: Program, backbone: Backbone | None, fit: Fit | None) -> Site | None:
    """The statement that unfreezes the backbone, else the call that makes it."""
    if backbone is None:
        return fit.call.site if fit else None
    for change in program.trainable:
        early = fit is None or tuning.start(change.site) < tuning.start(fit.call.site)
        if early and change.value is True and tuning.is_backbones(program, change, backbone):
            return change.site
    return backbone.call.site


_SICK = """\
import keras
from keras import layers

base_model = keras.applications.MobileNetV2(weights="imagenet", include_top=False, pooling="avg")
for layer in base_model.layers:
    layer.trainable = True
outputs = layers.Dense(5, activation="softmax")(base_model.output)
model = keras.Model(base_model.input, outputs)

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_ds, validation_data=val_ds, epochs=10)
"""

_CURED = """\
import keras
from keras import layers

base_model = keras.applications.MobileNetV2(weights="imagenet", include_top=False, pooling="avg")
for layer in base_model.layers:
    layer.trainable = False
outputs = layers.Dense(5, activation="softmax")(base_model.output)
model = keras.Model(base_model.input, outputs)

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_ds, validation_data=val_ds, epochs=10)

# Stage two: fine-tune the top of the backbone. BatchNormalization stays
# frozen: it then runs in inference mode and keeps its pretrained statistics.
base_model.trainable = True
for layer in base_model.layers:
    layer.trainable = not isinstance(layer, layers.BatchNormalization)
for layer in base_model.layers[: int(0.7 * len(base_model.layers))]:
    layer.trainable = False
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-5), \
loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history_fine_tune = model.fit(train_ds, validation_data=val_ds, epochs=20, initial_epoch=10)
"""

CAUSE = CauseSpec(
    id="backbone-unfrozen",
    code="TL401",
    title="The pretrained backbone trains together with a fresh head",
    what=(
        "The first training starts with the backbone unfrozen while the head still has random "
        "weights, at a rate meant for training from scratch."
    ),
    why=(
        "The random head sends large, meaningless gradients into the backbone, which distort the "
        "features it was taken for; its BatchNormalization layers, in training mode, follow small "
        "batches while their moving averages lag behind, so that the model is good in training "
        "mode and at chance in inference mode. Training the head first avoids both."
    ),
    sources=(
        "https://arxiv.org/abs/2202.10054",
        "https://keras.io/guides/transfer_learning/",
    ),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace('optimizer="adam"', "optimizer=keras.optimizers.Adam(1e-5)"),
        cured=_CURED,
    ),
)
