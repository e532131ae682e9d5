"""TL402: the backbone stays frozen though the task gains from fine-tuning its top."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence import tuning
from tlfix.evidence.edits import explained
from tlfix.evidence.harm import ALPHA, NOISE_POINTS, mcnemar
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import FineTuneTrial, FitSeen, Trace
from tlfix.program.model import Program

GAIN = 0.03
"""Accuracy (0..1) that fine-tuning must gain to be worth a second stage."""

UNDERFIT = NOISE_POINTS
"""What it must gain for the frozen backbone to be called a fault, on images far from its own."""

HINT = 0.05
"""A gain that few validation images leave at this level is worth a note."""

LARGE_GAIN = 0.10
"""The same where nothing tells how far the images are from those the backbone was trained on."""

DISTANT = 0.1
"""Mean divergence between the backbone's BatchNorm statistics and those of these images, scaled
rightly, from which on the domain is called distant. Measured on MobileNetV2 0.35: photographs
0.018, scanned digits 0.126, Fourier spectra 0.188. Nearer by, a frozen backbone is a sound recipe
that fine-tuning may improve a little: worth a note."""

_ADVICE = (
    "after the head is trained, unfreeze the top of the backbone (BatchNormalization stays "
    "frozen), compile again at a low rate and go on training"
)


def _find(case: Case) -> Iterator[Finding]:
    if case.trace is None or not case.trace.fits:
        yield from _read(case.program)
        return
    trials = [(fit, fit.fine_tune) for fit in case.trace.fits if fit.fine_tune is not None]
    for fit, trial in trials:
        yield from _measured(case, case.trace, fit, trial)
    if not trials and not any(fit.model.backbone_trainable for fit in case.trace.fits):
        yield from _read(case.program)


def _read(program: Program) -> Iterator[Finding]:
    """A frozen backbone is a sound recipe: that it is never unfrozen is worth a note, no more."""
    fit, compiled = tuning.first_fit(program), tuning.first_compile(program)
    if len(program.fits) > 1 or compiled is None:
        return
    before = fit.call.site if fit else compiled.call.site
    for backbone in program.backbones:
        changes = [c for c in program.trainable if c.variable == backbone.variable]
        if not tuning.in_a_model(backbone) or any(c.value is not False for c in changes):
            continue
        if tuning.freezing(program, backbone, before) == "frozen":
            yield Finding(
                severity="note",
                confidence="possible",
                site=backbone.call.site,
                evidence=(
                    Evidence(
                        source="static",
                        summary=f"{backbone.architecture} is frozen for the only training there is",
                    ),
                ),
                advice=f"if the head alone does not get far enough: {_ADVICE}",
            )
            return


def _measured(case: Case, trace: Trace, fit: FitSeen, trial: FineTuneTrial) -> Iterator[Finding]:
    """Held to what a short fine-tuning of the same model gained on the same images."""
    frozen = _frozen(fit, trial)
    if not frozen or not trial.tuned_correct:
        return
    best = max(sum(correct) / len(correct) for correct in frozen)
    gain = trial.tuned_accuracy - best
    p = max(mcnemar(correct, trial.tuned_correct) for correct in frozen)
    if gain < GAIN or p >= HINT:
        return
    backbone = tuning.static_backbone(case.program, trace, fit)
    static_fit = tuning.static_fit(case.program, fit)
    shift = fit.batchnorm.shift if fit.batchnorm else None
    distant = shift is not None and shift >= DISTANT
    underfits = (
        p < ALPHA
        and gain >= (LARGE_GAIN if shift is None else UNDERFIT)
        and (shift is None or distant)
    )
    far = (
        ()
        if shift is None
        else (Measurement(name="BatchNorm shift", value=shift, threshold=DISTANT),)
    )
    yield Finding(
        severity="warning" if underfits else "note",
        confidence="likely" if p < ALPHA else "possible",
        site=backbone.call.site if backbone else static_fit.call.site if static_fit else None,
        evidence=(
            Evidence(
                source="probe",
                summary=(
                    f"{trial.steps} steps with the top of the backbone unfrozen raise the accuracy "
                    f"on the same {trial.validation} images from {best:.0%} to "
                    f"{trial.tuned_accuracy:.0%}"
                ),
                measured=(
                    Measurement(name="gain", value=gain, threshold=GAIN, n=trial.validation),
                    Measurement(name="p", value=p, threshold=ALPHA, n=trial.validation),
                    *far,
                ),
            ),
        ),
        explains=explained(case, "slow-learning", "flat-loss", "chance-accuracy")
        if underfits
        else (),
        remedy=tuning.staged(case.program, backbone, static_fit, rate=trial.learning_rate),
        advice=_ADVICE,
        cost=gain,
    )


def _frozen(fit: FitSeen, trial: FineTuneTrial) -> list[tuple[bool, ...]]:
    """What the frozen backbone gets right without fine-tuning, by each head there is.

    The trial goes on from the program's head, so that it has to beat that head as well as the
    linear probe: a gain over one of the two can be a better head, no better features.
    """
    own = fit.evaluation("validation")
    heads = [trial.frozen_correct, *([own.correct] if own else [])]
    return [correct for correct in heads if len(correct) == len(trial.tuned_correct) > 0]


_SICK = """\
import keras

base_model = keras.applications.VGG16(include_top=False, pooling="avg")
base_model.trainable = False
model = keras.Sequential([base_model, keras.layers.Dense(5, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=10)
"""

_HEALTHY = (
    _SICK
    + """\
base_model.trainable = True
model.compile(
    optimizer=keras.optimizers.Adam(1e-5),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(train_ds, validation_data=val_ds, epochs=10)
"""
)

CAUSE = CauseSpec(
    id="backbone-frozen-only",
    code="TL402",
    title="Fine-tuning the top of the backbone would raise the accuracy",
    what="The backbone stays frozen to the end, and a short fine-tuning of its top does better.",
    why=(
        "The last layers of a backbone are specific to the task it was trained on; where images "
        "or classes are far from that task, a head on frozen features hits a ceiling."
    ),
    sources=(
        "https://arxiv.org/abs/1411.1792",
        "https://keras.io/guides/transfer_learning/",
    ),
    find=_find,
    examples=Examples(sick=_SICK, healthy=_HEALTHY),
)
