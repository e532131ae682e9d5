"""TL403: no weight of the model is trainable, or the new head is frozen too."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import harm, tuning
from tlfix.evidence.edits import explained, position
from tlfix.findings import Confidence, Evidence, Measurement
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.model import Backbone, Fit, Program, TrainableChange

_ADVICE = (
    "freeze the backbone only: set `trainable = False` on it, not on the model that has the head"
)

_EXPLAINS = (
    "flat-loss",
    "chance-accuracy",
    "chance-validation",
    "zero-accuracy",
    "below-chance",
    "single-class-predictions",
    "slow-learning",
)


def _find(case: Case) -> Iterator[Finding]:
    if case.trace is None or not case.trace.fits:
        yield from _read(case.program)
        return
    for fit in tuning.first_fits(case.trace):
        yield from _measured(case, case.trace, fit)


def _read(program: Program) -> Iterator[Finding]:
    for fit in program.fits:
        change = _freezes_all(program, fit)
        if change is not None:
            summary = (
                f"`{change.target}` is all of the model that is fitted at line "
                f"{fit.call.site.line}, and it is frozen"
            )
            backbone = _backbone_in(program, fit)
            evidence = Evidence(source="static", summary=summary)
            yield _finding(program, change, fit, backbone, evidence, "likely", _EXPLAINS)


def _freezes_all(program: Program, fit: Fit) -> TrainableChange | None:
    """The last change before ``fit``, if it freezes the very model that is fitted, for good.

    Not so if the variable held another model then (the backbone, before it was bound anew), if
    layers were added since, or if no compile follows: Keras 2 then trains what was compiled.
    """
    before = tuning.start(fit.call.site)
    changes = [c for c in program.trainable if tuning.start(c.site) < before]
    if not changes or fit.model is None:
        return None
    last = max(changes, key=lambda c: tuning.start(c.site))
    if (
        last.value is not False
        or last.variable != fit.model
        or not tuning.whole(program, last, fit.call.site)
    ):
        return None
    at = tuning.start(last.site)
    then = tuning.bound_to(program, fit.model, last.site, last.scope)
    now = tuning.bound_to(program, fit.model, fit.call.site, fit.call.scope)
    if then is None or now is None or then.site != now.site or last.scope != fit.call.scope:
        return None
    if any(backbone.call.site == then.site for backbone in program.backbones):
        return None
    added = any(
        call.name.endswith(".add")
        and call.receiver_text == fit.model
        and at < tuning.start(call.site) < before
        for call in program.calls
    )
    compiled = any(
        c.model == fit.model and at < tuning.start(c.call.site) < before for c in program.compiles
    )
    return last if compiled and not added else None


def _measured(case: Case, trace: Trace, fit: FitSeen) -> Iterator[Finding]:
    model, program = fit.model, case.program
    if model.parameters == 0:
        return
    if model.trainable == 0:
        summary = f"none of the model's {model.parameters:,} parameters is trainable"
        measured = Measurement(name="trainable", value=0, threshold=1)
        confidence: Confidence = "certain"
    elif model.backbones and model.head_parameters and not model.head_trainable:
        if not harm.head_is_fresh(fit):
            return
        summary = (
            f"none of the {model.head_parameters:,} parameters outside the backbone is trainable, "
            "and before training the model does no better than the largest class"
        )
        measured = Measurement(name="head_trainable", value=0, threshold=1)
        confidence = "likely"
    else:
        return
    static_fit = tuning.static_fit(program, fit)
    change = _last_freeze(program, static_fit)
    backbone = tuning.static_backbone(program, trace, fit)
    evidence = Evidence(source="probe", summary=summary, measured=(measured,))
    yield _finding(
        program, change, static_fit, backbone, evidence, confidence, explained(case, *_EXPLAINS)
    )


def _last_freeze(program: Program, fit: Fit | None) -> TrainableChange | None:
    found = [
        change
        for change in program.trainable
        if change.value is False
        and (fit is None or tuning.start(change.site) < tuning.start(fit.call.site))
        and not any(tuning.is_backbones(program, change, b) for b in program.backbones)
    ]
    return max(found, key=lambda c: tuning.start(c.site), default=None)


def _backbone_in(program: Program, fit: Fit) -> Backbone | None:
    """The only backbone there is, if its own variable still holds it at the fit."""
    if len(program.backbones) != 1 or program.backbones[0].variable == fit.model:
        return None
    return program.backbones[0]


def _finding(
    program: Program,
    change: TrainableChange | None,
    fit: Fit | None,
    backbone: Backbone | None,
    evidence: Evidence,
    confidence: Confidence,
    explains: tuple[str, ...],
) -> Finding:
    remedy = None
    beside = fit.call.site if fit else change.site if change else None
    if (
        change
        and beside
        and tuning.whole(program, change, beside)
        and backbone
        and backbone.variable
    ):
        visible = backbone.call.scope in (change.scope, "")
        if visible and backbone.variable != change.variable:
            remedy = Remedy(
                codemod="retarget_freeze",
                summary=f"freeze `{backbone.variable}` only, not the head",
                edits={
                    program.path: {
                        "statement": position(change.site),
                        "backbone": backbone.variable,
                    }
                },
            )
    site = change.site if change else fit.call.site if fit else None
    return Finding(
        severity="error",
        confidence=confidence,
        site=site,
        evidence=(evidence,),
        explains=explains,
        remedy=remedy,
        advice=_ADVICE,
    )


_SICK = """\
from tensorflow import keras

base_model = keras.applications.ResNet50(include_top=False, pooling="avg")
outputs = keras.layers.Dense(3, activation="softmax")(base_model.output)
model = keras.Model(base_model.input, outputs)

for layer in model.layers:
    layer.trainable = False  # keep the pretrained weights

model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=5)
"""

_HEALTHY = """\
from tensorflow import keras

model = keras.applications.ResNet50(include_top=False, pooling="avg")
for layer in model.layers:
    layer.trainable = False
outputs = keras.layers.Dense(3, activation="softmax")(model.output)
model = keras.Model(model.input, outputs)

model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=5)
"""

CAUSE = CauseSpec(
    id="nothing-trainable",
    code="TL403",
    title="Nothing that should learn is trainable",
    what="The whole model is frozen, or its new head is, so that training cannot change it.",
    why=(
        "Keras updates trainable weights only. Setting `trainable = False` on the model that holds "
        "the head freezes the head with the backbone, and the loss stays where it starts."
    ),
    sources=("https://keras.io/guides/transfer_learning/",),
    find=_find,
    examples=Examples(
        sick=_SICK,
        healthy=_HEALTHY,
        cured=_SICK.replace("in model.layers", "in base_model.layers"),
    ),
)
