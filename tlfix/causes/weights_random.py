"""TL408: the backbone has random weights where pretrained ones were meant."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import harm, tuning
from tlfix.evidence.edits import explained, set_argument
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import BackboneSeen, FitSeen, Trace
from tlfix.program.model import Backbone, Fit, Program

FEW_EPOCHS = 10
"""Up to this many epochs nobody means to train a large network from scratch: the schedules of the
networks of keras.applications run for 90 and more on ImageNet (arXiv:1512.03385 among others)."""

_LOADERS = (
    "load_weights",
    "load_model",
    "set_weights",
    "load_pretrained",
    "restore",
    "copy_weights",
)

_ADVICE = 'give the backbone pretrained weights (`weights="imagenet"`, or `load_weights`)'

_EXPLAINS = (
    "chance-accuracy",
    "chance-validation",
    "zero-accuracy",
    "slow-learning",
    "flat-loss",
    "single-class-predictions",
    "feature-collapse",
    "mode-gap",
    "overfitting",
)


def _find(case: Case) -> Iterator[Finding]:
    if case.trace is None or not case.trace.fits:
        yield from _read(case.program)
        yield from _extracting(case.program)
        return
    for fit in tuning.first_fits(case.trace):
        seen = case.trace.backbone_of(fit)
        if seen is not None and seen.weights_status == "random":
            yield _measured(case, case.trace, fit, seen)
    yield from _extracting(case.program)


def _read(program: Program) -> Iterator[Finding]:
    if any(program.calls_named(*_LOADERS)):
        return
    fit = tuning.first_fit(program)
    compiled = tuning.first_compile(program)
    before = fit.call.site if fit else compiled.call.site if compiled else None
    for backbone in program.backbones:
        if backbone.weights is not None or backbone.loads_weights or before is None:
            continue
        if not tuning.in_a_model(backbone):
            continue
        frozen = tuning.freezing(program, backbone, before) == "frozen"
        severity, confidence = _static_severity(backbone, fit, frozen)
        how = "and is frozen" if frozen else "and nothing loads any into it"
        evidence = Evidence(
            source="static",
            summary=f"{backbone.architecture} is made with `weights=None` {how}",
        )
        yield _finding(program, backbone, severity, confidence, (evidence,), _EXPLAINS)


def _extracting(program: Program) -> Iterator[Finding]:
    """Features by ``predict`` of a network that is never trained: its random weights stay."""
    if any(program.calls_named(*_LOADERS)):
        return
    for backbone in program.backbones:
        if backbone.weights is not None or backbone.loads_weights or not backbone.uses:
            continue
        if any(use.kind != "features" for use in backbone.uses):
            continue
        evidence = Evidence(
            source="static",
            summary=(
                f"{backbone.architecture} is made with `weights=None`, and only its features are "
                "used: nothing ever trains it"
            ),
        )
        yield _finding(program, backbone, "warning", "likely", (evidence,), _EXPLAINS)


def _static_severity(
    backbone: Backbone, fit: Fit | None, frozen: bool
) -> tuple[Severity, Confidence]:
    """Random features that never train are a mistake; training from scratch may be meant."""
    if frozen:
        return "warning", "likely"
    epochs = fit.epochs.value if fit and fit.epochs else None
    few = isinstance(epochs, int) and epochs <= FEW_EPOCHS
    return ("warning", "possible") if few and _can_have_imagenet(backbone) else ("note", "possible")


def _can_have_imagenet(backbone: Backbone) -> bool:
    """False where ImageNet weights would not fit: other channels than three, own classes on top."""
    shape = backbone.input_shape
    if isinstance(shape, tuple | list) and len(shape) == 3 and 3 not in (shape[0], shape[-1]):
        return False
    return not (backbone.include_top is True and backbone.call.argument("classes") is not None)


def _measured(case: Case, trace: Trace, fit: FitSeen, seen: BackboneSeen) -> Finding:
    frozen = fit.model.backbone_trainable == 0
    present = explained(case, *_EXPLAINS)
    severity: Severity = "warning"
    confidence: Confidence = "likely"
    if frozen:
        severity, confidence = "error", "certain"
    elif set(present) - {"overfitting"} or _features_at_chance(fit):
        severity = "error" if _features_at_chance(fit) else "warning"
    elif (fit.epochs or 0) > FEW_EPOCHS or _learns(fit):
        severity, confidence = "note", "possible"
    how = "is frozen with" if frozen else "starts from"
    evidence = [Evidence(source="probe", summary=f"{seen.name} {how} random weights")]
    probe = harm.reference_of(fit)
    if probe is not None:
        evidence.append(
            Evidence(
                source="probe",
                summary=(
                    f"a linear classifier on its features gets {probe.accuracy:.0%} of the "
                    f"validation images right; the largest class alone gives {probe.chance:.0%}"
                ),
                measured=(
                    Measurement(
                        name="accuracy",
                        value=probe.accuracy,
                        threshold=probe.chance,
                        n=probe.validation,
                    ),
                ),
            )
        )
    backbone = tuning.static_backbone(case.program, trace, fit)
    explains = present if severity != "note" else ()
    return _finding(case.program, backbone, severity, confidence, tuple(evidence), explains)


def _features_at_chance(fit: FitSeen) -> bool:
    probe = harm.reference_of(fit)
    if probe is None:
        return False
    p = harm.lower(probe.accuracy, probe.validation, probe.chance, probe.validation)
    return p >= harm.ALPHA


def _learns(fit: FitSeen) -> bool:
    """True if validation accuracy after training is significantly above the largest class."""
    after = fit.evaluation("validation")
    if after is None or after.accuracy is None or after.majority is None:
        return False
    return harm.lower(after.accuracy, after.n, after.majority, after.n) < harm.ALPHA


def _finding(
    program: Program,
    backbone: Backbone | None,
    severity: Severity,
    confidence: Confidence,
    evidence: tuple[Evidence, ...],
    explains: tuple[str, ...],
) -> Finding:
    remedy = None
    argument = backbone.call.argument("weights") if backbone else None
    if backbone and argument and severity != "note" and _can_have_imagenet(backbone):
        remedy = Remedy(
            codemod="set_argument",
            summary='set weights="imagenet"',
            edits={
                program.path: {
                    "edits": [set_argument(backbone.call, "weights", None, '"imagenet"')]
                }
            },
        )
    site = argument.site if argument else backbone.call.site if backbone else None
    return Finding(severity, confidence, site, evidence, explains, remedy, _ADVICE)


_SICK = """\
from tensorflow import keras

base = keras.applications.InceptionV3(weights=None, include_top=False, pooling='avg')
base.trainable = False

model = keras.Sequential([base, keras.layers.Dense(2, activation='softmax')])
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(train, validation_data=val, epochs=20)
"""

_HEALTHY = _SICK.replace(
    "base.trainable = False\n",
    "base.load_weights('inception_v3.weights.h5')\nbase.trainable = False\n",
)

CAUSE = CauseSpec(
    id="weights-random",
    code="TL408",
    title="The backbone has random weights",
    what="The backbone is made with `weights=None` and nothing loads weights into it afterwards.",
    why=(
        "Without pretrained weights there is nothing to transfer: frozen, the backbone hands the "
        "head random features; unfrozen, a large network trains from scratch on a small set."
    ),
    sources=("https://keras.io/api/applications/", "https://arxiv.org/abs/1411.1792"),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_HEALTHY,
        cured=_SICK.replace("weights=None", "weights='imagenet'"),
    ),
)
