"""TL405: a pretrained backbone's BatchNorm follows the batches while it is fine-tuned."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import batchnorm, harm, tuning
from tlfix.evidence.edits import explained
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import BatchNormSeen, FitSeen, Trace
from tlfix.program.model import Backbone, Program, Site

WITHOUT = ("VGG16", "VGG19", "ConvNeXt")
"""Backbones of keras.applications, by how their names start, that have no BatchNorm."""

_ADVICE = (
    "set `trainable = False` on the backbone's BatchNormalization layers after it is unfrozen and "
    "before compile: they then keep the statistics they were trained with (`training=False` where "
    "the backbone is called is not enough under Keras 3.0 to 3.15)"
)

_EXPLAINS = ("mode-gap", "chance-validation", "slow-learning", "unstable-loss", "overfitting")


def _find(case: Case) -> Iterator[Finding]:
    if case.trace is None or not case.trace.fits:
        yield from _read(case.program)
        return
    for fit in case.trace.fits:
        if fit.batchnorm is not None and fit.batchnorm.updating:
            yield from _measured(case, case.trace, fit, fit.batchnorm)


def _read(program: Program) -> Iterator[Finding]:
    """A backbone that is unfrozen for a later fit and not called with training=False: a note.

    Whether ``training=False`` holds depends on the Keras that runs the program: a probe tells.
    """
    for backbone in program.backbones:
        use = next((u for u in backbone.uses if u.kind in ("nested", "inlined")), None)
        if use is None or (use.kind == "nested" and use.training is not None):
            continue
        if backbone.architecture.startswith(WITHOUT) or not isinstance(backbone.weights, str):
            continue
        changes = [c for c in program.trainable if tuning.is_backbones(program, c, backbone)]
        opened = [c for c in changes if c.value is True]
        told = any("BatchNorm" in line for line in program.text.splitlines())
        if opened and not told and any(c.value is False for c in changes):
            summary = (
                f"`{opened[-1].target}` is unfrozen, and nothing keeps the BatchNorm layers of "
                f"{backbone.architecture} in inference mode"
            )
            yield _finding(opened[-1].site, "note", (Evidence(source="static", summary=summary),))
            return


def _measured(case: Case, trace: Trace, fit: FitSeen, seen: BatchNormSeen) -> Iterator[Finding]:
    if not batchnorm.pretrained(trace, fit):
        return
    gap, new, short = harm.mode_gap(fit), batchnorm.renewed(seen), harm.shortfall(fit)
    losses = [loss for loss in (new, short) if loss is not None and loss.significant]
    hurt = gap is not None and gap.significant and bool(losses)
    # Where inference mode is at chance and new statistics mend it, that they lag says it better.
    stale = new is not None and new.significant and batchnorm.at_chance(fit, seen)
    evidence = [_follows(fit, seen)]
    backbone, static = batchnorm.static(case.program, trace, fit)
    told = batchnorm.overridden(trace, fit, backbone)
    if told is not None:
        evidence.append(told)
    if hurt and gap is not None:
        evidence += [gap.evidence, *(loss.evidence for loss in losses)]
    if hurt and not stale and batchnorm.settled(trace, fit):
        sure: Confidence = "certain" if new in losses else "likely"
        yield _finding(
            _site(backbone),
            "warning",
            tuple(evidence),
            confidence=sure,
            remedy=batchnorm.freeze(case.program, backbone, static),
            explains=explained(case, *_EXPLAINS),
            cost=new.points if new in losses and new is not None else None,
        )
    else:
        yield _finding(_site(backbone), "note", tuple(evidence))


def _follows(fit: FitSeen, seen: BatchNormSeen) -> Evidence:
    data = fit.training
    images = f" of {data.samples:,} images" if data and data.samples else ""
    moved = "" if seen.drift is None else f"; they are {seen.drift:.2g} from where they were"
    return Evidence(
        source="probe",
        summary=(
            f"{seen.updating} of {seen.layers} BatchNorm layers replace their pretrained "
            f"statistics by those of the batches{images}{moved}"
        ),
        measured=(
            Measurement(name="updating", value=seen.updating, threshold=0, n=seen.layers),
            Measurement(name="drift", value=seen.drift, unit="symmetric Gaussian divergence"),
        ),
    )


def _site(backbone: Backbone | None) -> Site | None:
    if backbone is None:
        return None
    nested = (use.site for use in backbone.uses if use.kind == "nested")
    return next(nested, backbone.call.site)


def _finding(
    site: Site | None,
    severity: Severity,
    evidence: tuple[Evidence, ...],
    *,
    confidence: Confidence = "possible",
    remedy: Remedy | None = None,
    explains: tuple[str, ...] = (),
    cost: float | None = None,
) -> Finding:
    return Finding(
        severity=severity,
        confidence=confidence,
        site=site,
        evidence=evidence,
        explains=explains,
        remedy=remedy,
        advice=_ADVICE,
        cost=cost,
    )


_SICK = """\
import keras

base = keras.applications.ResNet50(weights="imagenet", include_top=False, pooling="avg")
base.trainable = False
inputs = keras.Input((224, 224, 3))
x = keras.applications.resnet50.preprocess_input(inputs)
outputs = keras.layers.Dense(5, activation="softmax")(base(x))
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=val, epochs=5)

base.trainable = True
adam = keras.optimizers.Adam(1e-5)
model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=val, epochs=5)
"""

_OPEN = "base.trainable = True\n"

_KEPT = """\
for layer in base.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False  # keep the pretrained statistics
"""

CAUSE = CauseSpec(
    id="batchnorm-training-mode",
    code="TL405",
    title="BatchNorm updates its statistics while the backbone is fine-tuned",
    what=(
        "The backbone is unfrozen and its BatchNormalization layers run in training mode: they "
        "normalise by each batch and replace the statistics they were pretrained with. It is a "
        "fault only where the probe measures a loss."
    ),
    why=(
        "Statistics of small batches are noisy, and the moving averages trail behind the weights. "
        "What is learned in training mode is then lost in inference mode. A frozen "
        "BatchNormalization layer keeps its statistics. `training=False` where the backbone is "
        "called keeps them too in Keras 2, in a model's own `call`, and from Keras 3.16 on; in "
        "functional models of Keras 3.0 to 3.15 `fit` overrides it, though the Keras guide to "
        "transfer learning relies on it."
    ),
    sources=(
        "https://keras.io/guides/transfer_learning/",
        "https://arxiv.org/abs/1502.03167",
        "https://github.com/keras-team/keras/issues/20285",
        "https://github.com/keras-team/keras/pull/23364",
    ),
    find=_find,
    examples=Examples(sick=_SICK, healthy=_SICK.replace(_OPEN, _OPEN + _KEPT)),
    after=("backbone-unfrozen",),
)
