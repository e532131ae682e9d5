"""TL208: a linear head on features that only a hidden layer separates."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import harm, tuning
from tlfix.evidence.edits import end, explained, position
from tlfix.evidence.heads import POOLINGS, Head, heads, insertion
from tlfix.findings import Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen, LinearProbe, Trace

GAIN = 0.05
"""Accuracy (0..1) by which the hidden layer must beat the linear head: the limit below which no
difference of accuracy is held against a program, :data:`tlfix.evidence.harm.NOISE_POINTS`."""

_ADVICE = "put a hidden layer of some 128 units (ReLU) and Dropout before the output layer"
_INERT = frozenset({"Activation", "BatchNormalization", "Dropout", *POOLINGS})


def _find(case: Case) -> Iterator[Finding]:
    if case.trace is None:
        return
    for fit in tuning.first_fits(case.trace):
        yield from _of(case, case.trace, fit)


def _of(case: Case, trace: Trace, fit: FitSeen) -> Iterator[Finding]:
    pair = _references(fit)
    if pair is None or harm.backbone_trains(fit):
        return
    linear, hidden = pair
    gain = hidden.accuracy - linear.accuracy
    p = harm.mcnemar(linear.correct, hidden.correct)
    after = fit.evaluation("validation")
    if gain < GAIN or p >= harm.ALPHA or after is None or after.accuracy is None:
        return
    if after.accuracy > linear.accuracy + harm.NOISE_POINTS / 2:
        # The program does better than a linear head already.
        return
    head = _linear_head(case, trace, fit)
    if head is None and not _is_linear(fit, linear):
        return
    evidence = Evidence(
        source="probe",
        summary=(
            f"on the same features a head with one hidden layer gets {hidden.accuracy:.0%} of the "
            f"validation images right, a linear one {linear.accuracy:.0%}, and the program's own "
            f"single layer {after.accuracy:.0%}"
        ),
        measured=(
            Measurement(name="gain", value=gain, threshold=GAIN, n=hidden.validation),
            Measurement(name="p", value=p, threshold=harm.ALPHA, n=hidden.validation),
            Measurement(
                name="accuracy", value=after.accuracy, threshold=hidden.accuracy, n=after.n
            ),
        ),
    )
    # Far below even the linear head something else holds the training back, and comes first.
    reached = harm.lower(linear.accuracy, linear.validation, after.accuracy, after.n) >= harm.ALPHA
    severity: Severity = "warning" if reached else "note"
    yield Finding(
        severity=severity,
        confidence="likely" if reached else "possible",
        site=None if head is None else head.output.made.site,
        evidence=(evidence,),
        explains=explained(case, "slow-learning") if reached else (),
        remedy=None if head is None else _remedy(head),
        advice=_ADVICE,
        cost=gain if reached else None,
    )


def _references(fit: FitSeen) -> tuple[LinearProbe, LinearProbe] | None:
    """The linear and the one-hidden-layer reference on the same images and features."""
    for scaling in ("as-is", "expected"):
        linear, hidden = fit.probe(scaling), fit.probe(scaling, head="mlp")
        if (
            linear is not None
            and hidden is not None
            and linear.correct
            and len(linear.correct) == len(hidden.correct)
        ):
            return linear, hidden
    return None


def _linear_head(case: Case, trace: Trace, fit: FitSeen) -> Head | None:
    """The program's own head, if it is one ``Dense`` on pooled features."""
    backbone = tuning.static_backbone(case.program, trace, fit)
    for head in heads(case.program):
        *between, last = head.kinds
        pooled = head.feature_map is False or any(kind in POOLINGS for kind in between)
        if (
            backbone is not None
            and head.backbone.call.site == backbone.call.site
            and last == "Dense"
            and pooled
            and all(kind in _INERT for kind in between)
        ):
            return head
    return None


def _is_linear(fit: FitSeen, linear: LinearProbe) -> bool:
    """True if the head has just the parameters of one ``Dense`` on the probe's features."""
    units = fit.model.output.units if fit.model.output else None
    if units is None or linear.features is None:
        return False
    weights = units * linear.features
    return fit.model.head_parameters in (weights, weights + units)


def _remedy(head: Head) -> Remedy:
    before = insertion(head, head.output)
    return Remedy(
        "insert_layers",
        "put a hidden layer and dropout before the output",
        {
            before.path: {
                "before": {"start": position(before), "end": end(before)},
                "layers": [
                    {"symbol": "layers.Dense", "arguments": '128, activation="relu"'},
                    {"symbol": "layers.Dropout", "arguments": "0.3"},
                ],
            }
        },
        "careful",
    )


_LINEAR = """\
from tensorflow import keras
from tensorflow.keras import layers

base = keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
inputs = keras.Input((96, 96, 3))
x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
x = base(x, training=False)
outputs = layers.Dense(8, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=10)
"""

CAUSE = CauseSpec(
    id="head-too-weak",
    code="TL208",
    title="One linear layer underfits features that a small MLP separates",
    what=(
        "The program's head is a single `Dense` layer on the frozen backbone's features, and the "
        "classes are not linearly separable there: with one hidden layer, trained on the same "
        "cached features, significantly more validation images come out right."
    ),
    why=(
        "A frozen backbone cannot bring classes apart that it was not trained to tell; a linear "
        "layer on top of it cannot either."
    ),
    sources=(
        "https://arxiv.org/abs/1610.01644",
        "McNemar 1947, Psychometrika 12:153",
    ),
    find=_find,
    after=(
        "preprocessing-missing",
        "preprocessing-mismatch",
        "preprocessing-double",
        "preprocessing-differs",
        "weights-random",
    ),
    examples=Examples(
        sick=_LINEAR,
        healthy=_LINEAR.replace(
            "outputs =", 'x = layers.Dense(128, activation="relu")(x)\noutputs ='
        ),
    ),
)
