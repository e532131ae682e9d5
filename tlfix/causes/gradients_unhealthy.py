"""TL505: gradients vanish, explode or are not finite, or ReLU layers are dead."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence import harm, tuning
from tlfix.evidence.edits import explained, set_argument
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen, GradientsSeen, LayerGradient
from tlfix.program.model import Compile

EXPLODING = 1e3
"""Gradient norm over weight norm of a layer. Fresh heads of MobileNetV2 0.35 on photographs have
0.3 to 0.5 on pooled features and 1.7 on flattened ones, whatever the scaling of the images: three
orders above that, one step of SGD at 1e-3 replaces the weights."""

VANISHING = 1e-7
"""The same ratio. At a rate of 1e-2 a step changes a weight by a billionth of itself, below the
resolution of 32-bit floating point (1.2e-7 of the value) even summed over a hundred steps."""

FADING = 1e-5
"""The same ratio of the least reached layer of a head over that of its last one. Sigmoids pass on
a quarter at best (Glorot & Bengio 2010, proceedings.mlr.press/v9/glorot10a.html), so five of them
on usual weights about 1e-3; five on weights of 0.01 passed on 4e-7 on scanned digits, and learned
nothing of what a linear head learns at once."""

DEAD = 0.9
"""Share of a layer's ReLU units that no sampled image activates; a fresh layer of 128 units on
pooled features has 0.02 to 0.03 (MobileNetV2 0.35, 256 photographs)."""

_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")
_STUCK = ("flat-loss", "chance-accuracy", "chance-validation", "single-class-predictions")
_BEHIND = (*_STUCK, "slow-learning")
_BLOWN = ("loss-not-finite", "loss-diverging", "unstable-loss")
_CLIP = "clip the gradients (`clipnorm=1.0` of the optimizer) and lower the learning rate"
_REVIVE = (
    "lower the learning rate, check the initialisation of the layer, or use LeakyReLU or "
    "BatchNormalization there"
)


def _find(case: Case) -> Iterator[Finding]:
    for fit in case.trace.fits if case.trace else ():
        for gradients in fit.gradients:
            layers = gradients.layers
            broken = [layer for layer in layers if not layer.finite]
            if broken:
                yield _not_finite(case, fit, gradients, broken)
                continue
            for check in (_exploding, _vanishing, _dead):
                if (finding := check(case, fit, gradients)) is not None:
                    yield finding


def _not_finite(
    case: Case, fit: FitSeen, gradients: GradientsSeen, broken: list[LayerGradient]
) -> Finding:
    first = gradients.weights == "initial"
    summary = (
        f"{_when(gradients)} the gradients of {len(broken)} of {len(gradients.layers)} layers are "
        f"not finite, of {_named(broken[0])} to begin with"
    )
    measured = Measurement(
        name="layers not finite", value=len(broken), threshold=0, n=gradients.batches
    )
    # Before any step no rate can be to blame: loss, input or weights are broken.
    severity: Severity = "error" if first else "warning"
    advice = (
        "look for a division by zero or a logarithm of zero in the loss, and for NaN in the data"
        if first
        else _CLIP
    )
    return _finding(
        case, fit, severity, "certain" if first else "likely", summary, measured, _BLOWN, advice
    )


def _exploding(case: Case, fit: FitSeen, gradients: GradientsSeen) -> Finding | None:
    large = [
        (ratio, layer)
        for layer in gradients.layers
        if (ratio := _ratio(layer)) is not None and ratio > EXPLODING
    ]
    if not large:
        return None
    ratio, layer = max(large, key=lambda pair: pair[0])
    harmed = bool(explained(case, *_BLOWN))
    if not harmed and harm.reaches_reference(fit):
        return None
    measured = Measurement(
        name="gradient norm / weight norm", value=ratio, threshold=EXPLODING, n=gradients.batches
    )
    summary = f"{_when(gradients)} the gradient of {_named(layer)} is {ratio:.3g} times its weights"
    return _finding(
        case,
        fit,
        "warning" if harmed else "note",
        "likely" if harmed else "possible",
        summary,
        measured,
        _BLOWN,
        _CLIP,
        clip=True,
    )


def _vanishing(case: Case, fit: FitSeen, gradients: GradientsSeen) -> Finding | None:
    """Most layers that train have no gradient to speak of and the loss does not move; or it fades
    on its way through the head, before training, and the model falls behind its features."""
    ratios = {layer: ratio for layer in gradients.layers if (ratio := _ratio(layer)) is not None}
    small = [layer for layer, ratio in ratios.items() if ratio < VANISHING]
    if "flat-loss" not in case.symptoms or not small or 2 * len(small) < len(ratios):
        return _fading(case, fit, gradients, ratios)
    worst = min(small, key=lambda layer: ratios[layer])
    measured = Measurement(
        name="gradient norm / weight norm",
        value=ratios[worst],
        threshold=VANISHING,
        n=gradients.batches,
    )
    summary = (
        f"{_when(gradients)} the gradients of {len(small)} of {len(ratios)} layers are below "
        f"{VANISHING:g} of their weights, least in {_named(worst)}, and the loss does not move"
    )
    return _finding(case, fit, "warning", "likely", summary, measured, _STUCK, _REVIVE)


def _fading(
    case: Case, fit: FitSeen, gradients: GradientsSeen, ratios: dict[LayerGradient, float]
) -> Finding | None:
    head = [layer for layer in ratios if layer.part == "head"]
    symptoms = explained(case, *_BEHIND)
    if gradients.weights != "initial" or len(head) < 3 or not symptoms:
        return None
    least, last = min(head, key=lambda layer: ratios[layer]), head[-1]
    share = ratios[least] / ratios[last] if ratios[last] else 1.0
    # From layer to layer, and not in one place, whose weights may be large.
    falls = sum(ratios[a] < 0.1 * ratios[b] for a, b in pairwise(head))
    if share > FADING or falls < 2:
        return None
    measured = Measurement(
        name="gradient reaching the layer", value=share, threshold=FADING, n=gradients.batches
    )
    summary = (
        f"{_when(gradients)} the gradient of {_named(least)}, against its weights, is {share:.1g} "
        f"of that of {_named(last)}: it fades on its way through the head"
    )
    return _finding(case, fit, "warning", "likely", summary, measured, _BEHIND, _REVIVE)


def _dead(case: Case, fit: FitSeen, gradients: GradientsSeen) -> Finding | None:
    """A ReLU layer of the head hardly any of whose units ever acts.

    In a pretrained backbone it may be so by design: many features answer to nothing here.
    """
    dead = [
        (layer.dead, layer)
        for layer in gradients.layers
        if layer.part == "head" and layer.dead is not None and layer.dead > DEAD
    ]
    if not dead or harm.reaches_reference(fit):
        return None
    share, layer = max(dead, key=lambda pair: pair[0])
    harmed = bool(explained(case, *_STUCK))
    measured = Measurement(name="dead units", value=share, threshold=DEAD, n=gradients.batches)
    summary = f"{_when(gradients)} {share:.0%} of the ReLU units of {_named(layer)} are always zero"
    return _finding(
        case,
        fit,
        "warning" if harmed else "note",
        "likely" if harmed else "possible",
        summary,
        measured,
        _STUCK,
        _REVIVE,
    )


def _ratio(layer: LayerGradient) -> float | None:
    if layer.norm is None or not layer.weight_norm:
        return None
    return layer.norm / layer.weight_norm


def _when(gradients: GradientsSeen) -> str:
    return f"{'before' if gradients.weights == 'initial' else 'after'} training"


def _named(layer: LayerGradient) -> str:
    return f"`{layer.layer}` ({layer.kind}, {layer.part})"


def _finding(
    case: Case,
    fit: FitSeen,
    severity: Severity,
    confidence: Confidence,
    summary: str,
    measured: Measurement,
    explains: tuple[str, ...],
    advice: str,
    *,
    clip: bool = False,
) -> Finding:
    compiled = tuning.static_compile(case.program, fit)
    return Finding(
        severity=severity,
        confidence=confidence,
        site=compiled.call.site if compiled else None,
        evidence=(Evidence(source="probe", summary=summary, measured=(measured,)),),
        explains=explained(case, *explains) if severity != "note" else (),
        remedy=_clipping(compiled) if clip else None,
        advice=advice,
    )


def _clipping(compiled: Compile | None) -> Remedy | None:
    """``clipnorm=1.0`` on the optimizer's constructor, where it is seen and clips nothing yet."""
    made = compiled.optimizer.call if compiled and compiled.optimizer else None
    if made is None or not made.name.startswith("keras.optimizers."):
        return None
    if any(made.argument(keyword) is not None for keyword in (*_CLIPPING, "**")):
        return None
    return Remedy(
        "set_argument",
        "clip the norm of the gradients at 1",
        {made.site.path: {"edits": [set_argument(made, "clipnorm", None, "1.0")]}},
    )


_EXAMPLE = """\
from tensorflow import keras

base = keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
hidden = keras.layers.Dense(64, activation="relu", kernel_initializer={initializer})
model = keras.Sequential([base, hidden, keras.layers.Dense(5, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=10)
"""

CAUSE = CauseSpec(
    id="gradients-unhealthy",
    code="TL505",
    title="Gradients vanish, explode or are NaN",
    what=(
        "Measured layer by layer over a few batches: gradients that are not finite, that are "
        "orders of magnitude above or below the weights they are to change, or ReLU layers whose "
        "units are zero for every image."
    ),
    why=(
        "Mostly the consequence of another cause (raw pixels, a high rate, an activation that "
        "does not fit the loss), which is then named first; where none is found, this tells which "
        "layer to look at."
    ),
    sources=(
        "https://arxiv.org/abs/1211.5063",
        "https://proceedings.mlr.press/v9/glorot10a.html",
        "https://keras.io/api/optimizers/",
    ),
    find=_find,
    after=(
        "preprocessing-missing",
        "preprocessing-mismatch",
        "preprocessing-double",
        "inputs-degenerate",
        "class-mode-loss-mismatch",
        "labels-out-of-range",
        "head-units-mismatch",
        "activation-loss-mismatch",
        "class-weight-invalid",
        "backbone-unfrozen",
        "nothing-trainable",
        "batchnorm-statistics-stale",
        "weights-random",
        "learning-rate-high",
        "learning-rate-low",
    ),
    examples=Examples(
        sick=_EXAMPLE.format(initializer='"zeros"'),
        healthy=_EXAMPLE.format(initializer='"he_normal"'),
    ),
)
