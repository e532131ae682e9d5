"""What is trained, from when on and how fast: the reasoning the tuning causes share.

Read in the source (:func:`freezing`, :func:`rate_of`) or measured (:func:`shortfall`,
:func:`feature_loss`, :func:`mode_gap`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb, erfc, sqrt
from pathlib import PurePath
from typing import Literal

from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import FitSeen, Place, Trace
from tlfix.program.model import (
    Backbone,
    Call,
    Compile,
    Fit,
    Program,
    Site,
    TrainableChange,
)

Freezing = Literal["frozen", "open", "partial", "unclear"]

DEFAULT_RATES = {"sgd": 0.01}
"""The rate of a Keras optimizer that is given none; 0.001 for all the others (keras.io/api/optimizers)."""

FAMILIES = ("adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "lamb", "lion")
"""The optimizers whose rates are judged; the rate of Adagrad, Adadelta, Ftrl says less."""

GOOD_SHARE = 0.3
"""From this share of the backbone's parameters on, "the backbone trains" (0..1): partial fine-tuning
of the top, as keras.io/guides/transfer_learning recommends for a second stage, stays below it."""

LARGE_CHANGE = 0.05
"""Relative change of the backbone's kernels during a probe: fifty steps in one direction at the
update-to-weight ratio of 1e-3 that CS231n (cs231n.github.io/neural-networks-3/#ratio) gives for
networks trained from scratch."""

NOISE_POINTS = 0.05
"""Differences of accuracy below this (0..1) are not held against a program, significant or not."""


def gentle(family: str) -> float:
    """The highest rate at which fine-tuning a whole pretrained network is ordinary practice.

    1e-4 for SGD with momentum and 1e-5 for Adam in keras.io/api/applications and the Keras guide;
    ten times that is allowed here before anything is said.
    """
    return 1e-3 if family == "sgd" else 1e-4


def low_rate(family: str) -> float:
    """The rate of a second stage: the two figures of :func:`gentle`'s sources."""
    return 1e-4 if family == "sgd" else 1e-5


def rate_of(compiled: Compile | None) -> tuple[str | None, float | None]:
    """Optimizer family (lower case) and learning rate of a ``compile``, None where unknown."""
    if compiled is None:
        return None, None
    family: str | None = "rmsprop"
    if compiled.optimizer is not None:
        argument = compiled.optimizer
        raw = argument.value if isinstance(argument.value, str) else None
        raw = raw or (argument.call.name if argument.call else argument.name)
        family = raw.rsplit(".", 1)[-1].lower() if raw else None
    if compiled.learning_rate is not None:
        value = compiled.learning_rate.value
        known = isinstance(value, int | float) and not isinstance(value, bool)
        return family, float(value) if known else None  # type: ignore[arg-type]
    if family is None or (compiled.optimizer is not None and compiled.optimizer.value is None):
        return family, None
    return family, DEFAULT_RATES.get(family, 0.001) if family in FAMILIES else None


def scheduled(program: Program) -> bool:
    """True if a callback of the program sets the rate while training."""
    return any(program.calls_named("LearningRateScheduler"))


def start(site: Site) -> tuple[int, int]:
    """Where a site starts, comparable in source order."""
    return site.line, site.column


def in_a_model(backbone: Backbone) -> bool:
    """True if the backbone is seen to become part of a model (not just a feature extractor)."""
    return any(use.kind in ("nested", "inlined", "sequential") for use in backbone.uses)


def first_compile(program: Program) -> Compile | None:
    """The compile in force at the first fit, or the first one where no fit is seen."""
    first = first_fit(program)
    found = [
        c for c in program.compiles if first is None or start(c.call.site) < start(first.call.site)
    ]
    if first is None:
        return found[0] if found else None
    same = [c for c in found if c.model == first.model]
    return (same or found or [None])[-1]


def first_fit(program: Program) -> Fit | None:
    """The first fit in source order."""
    return min(program.fits, key=lambda f: start(f.call.site), default=None)


def bound_to(program: Program, variable: str, at: Site, scope: str) -> Call | None:
    """The call whose result ``variable`` holds at ``at``; None if that is not seen."""
    found = [
        call
        for call in program.calls
        if variable in call.targets and call.scope in (scope, "") and start(call.site) < start(at)
    ]
    return max(found, key=lambda c: start(c.site), default=None)


def is_backbones(program: Program, change: TrainableChange, backbone: Backbone) -> bool:
    """True if the change is to the backbone itself: its variable still holds it there."""
    if change.variable is None or change.variable != backbone.variable:
        return False
    bound = bound_to(program, change.variable, change.site, change.scope)
    return bound is None or bound.site == backbone.call.site


def whole(change: TrainableChange) -> bool:
    """True if the change is to all of its variable, not a slice or one layer of it."""
    return change.target in (change.variable, f"{change.variable}.layers")


def freezing(program: Program, backbone: Backbone, before: Site) -> Freezing:
    """What the source says of the backbone when training starts at ``before``.

    ``open`` only where nothing in the source could freeze it.
    """
    state: Freezing = "open"
    changes = [c for c in program.trainable if start(c.site) < start(before)]
    for change in sorted(changes, key=lambda c: start(c.site)):
        mine = is_backbones(program, change, backbone)
        if change.value is True and whole(change):
            state = "open" if mine or state != "frozen" else "unclear"
        elif change.value is True:
            state = "partial" if mine and state == "frozen" else state
        elif change.value is False and mine:
            state = "frozen" if whole(change) else "partial"
        else:
            state = "unclear"
    return "unclear" if state == "open" and _freezes_otherwise(program, before) else state


def _freezes_otherwise(program: Program, before: Site) -> bool:
    """True if a line that no :class:`TrainableChange` covers speaks of freezing."""
    seen = {line for c in program.trainable for line in range(c.site.line, c.site.end_line + 1)}
    for line, text in enumerate(program.text.splitlines(), start=1):
        code = text.split("#", 1)[0]
        if line not in seen and re.search(r"trainable\b(?!_)(?!\s*=\s*True)|freeze", code):
            return True
    return False


def same_file(place: Place, program: Program) -> bool:
    """True if a place the probe recorded lies in the program's file."""
    one, other = PurePath(place.path).parts, PurePath(program.path).parts
    shorter = min(len(one), len(other))
    return bool(shorter) and one[-shorter:] == other[-shorter:]


def static_backbone(program: Program, trace: Trace, fit: FitSeen) -> Backbone | None:
    """The static reading of the backbone in the model that ``fit`` trained."""
    seen = trace.backbone_of(fit)
    if seen is not None and seen.site is not None and same_file(seen.site, program):
        for backbone in program.backbones:
            if backbone.call.site.line <= seen.site.line <= backbone.call.site.end_line:
                return backbone
    return program.backbones[0] if len(program.backbones) == 1 else None


def static_fit(program: Program, fit: FitSeen) -> Fit | None:
    """The static reading of a fit the probe saw."""
    if fit.site is not None and same_file(fit.site, program):
        for known in program.fits:
            if known.call.site.line <= fit.site.line <= known.call.site.end_line:
                return known
    return program.fits[0] if len(program.fits) == 1 else None


def static_compile(program: Program, fit: FitSeen) -> Compile | None:
    """The static reading of the compile in force at a fit the probe saw."""
    place = fit.compiled.site if fit.compiled else None
    if place is not None and same_file(place, program):
        for known in program.compiles:
            if known.call.site.line <= place.line <= known.call.site.end_line:
                return known
    return program.compiles[0] if len(program.compiles) == 1 else None


def first_fits(trace: Trace) -> Iterator[FitSeen]:
    """The first fit of each model."""
    seen: set[int] = set()
    for fit in trace.fits:
        if fit.model.key not in seen:
            seen.add(fit.model.key)
            yield fit


@dataclass(frozen=True)
class Loss:
    """Accuracy lost against a reference (0..1, negative for a gain) and the p-value of that."""

    points: float
    p: float
    evidence: Evidence

    @property
    def significant(self) -> bool:
        """Lost more than noise, at the 1 % level."""
        return self.points >= NOISE_POINTS and self.p < 0.01


def shortfall(fit: FitSeen) -> Loss | None:
    """Validation accuracy after training against a linear probe on the features before it.

    The probe is the one on images as the program feeds them, so that wrong scaling is not counted.
    """
    reference = fit.probe("as-is") or fit.probe("expected")
    after = fit.evaluation("validation")
    if reference is None or after is None or after.accuracy is None or after.n == 0:
        return None
    p = _z_test(reference.accuracy, reference.validation, after.accuracy, after.n)
    return _loss(
        f"after training the model gets {after.accuracy:.0%} of the validation images right; a "
        f"linear classifier on the untouched features gets {reference.accuracy:.0%}",
        ("accuracy", after.accuracy, after.n),
        ("reference", reference.accuracy),
        p,
    )


def feature_loss(fit: FitSeen) -> Loss | None:
    """The backbone's features after training against before, by the same linear probe (McNemar)."""
    for scaling in ("as-is", "expected"):
        before, after = fit.probe(scaling), fit.probe(scaling, "trained")
        if before is not None and after is not None and after.validation:
            if before.correct and len(before.correct) == len(after.correct):
                p = mcnemar(before.correct, after.correct)
            else:
                p = _z_test(before.accuracy, before.validation, after.accuracy, after.validation)
            return _loss(
                f"a linear classifier on the backbone's features gets {before.accuracy:.0%} before "
                f"this training and {after.accuracy:.0%} after it",
                ("features_after", after.accuracy, after.validation),
                ("features_before", before.accuracy),
                p,
            )
    return None


def mode_gap(fit: FitSeen) -> Loss | None:
    """Accuracy in inference mode against training mode, on the same split."""
    for split in ("training", "validation"):
        right, ours = fit.evaluation(split, "training"), fit.evaluation(split, "inference")
        if right and ours and right.accuracy is not None and ours.accuracy is not None and ours.n:
            p = _z_test(right.accuracy, right.n, ours.accuracy, ours.n)
            return _loss(
                f"the same {split} images score {right.accuracy:.0%} in training mode and "
                f"{ours.accuracy:.0%} in inference mode",
                ("inference", ours.accuracy, ours.n),
                ("training_mode", right.accuracy),
                p,
            )
    return None


def _loss(
    summary: str, ours: tuple[str, float, int], reference: tuple[str, float], p: float
) -> Loss:
    measured = (
        Measurement(name=ours[0], value=ours[1], threshold=reference[1], n=ours[2]),
        Measurement(name=reference[0], value=reference[1]),
        Measurement(name="p", value=p, threshold=0.01),
    )
    evidence = Evidence(source="probe", summary=summary, measured=measured)
    return Loss(reference[1] - ours[1], p, evidence)


def mcnemar(first: tuple[bool, ...], second: tuple[bool, ...]) -> float:
    """The exact two-sided McNemar p-value of two classifiers on the same images (McNemar 1947)."""
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    n = only_first + only_second
    tail = sum(comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / 2**n)


def _z_test(reference: float, n_reference: int, ours: float, n_ours: int) -> float:
    """One-sided p-value that ``ours`` is below ``reference`` (pooled two-proportion test)."""
    if not n_reference or not n_ours:
        return 1.0
    pooled = (reference * n_reference + ours * n_ours) / (n_reference + n_ours)
    spread = sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / n_reference + 1 / n_ours))
    return 0.5 * erfc((reference - ours) / spread / sqrt(2))
