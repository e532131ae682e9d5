"""What is trained, from when on and how fast: the reasoning the tuning causes share.

This is what the source says, and where the probe's places lie in it; what is measured is in
:mod:`tlfix.evidence.harm`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal

from tlfix.causes.spec import Remedy
from tlfix.evidence.edits import code, position
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

DEFAULT_RATE = 0.001
DEFAULT_RATES = {"sgd": 0.01}
"""The rate of an optimizer that is given none; 0.001 for the others (keras.io/api/optimizers)."""

FAMILIES = ("adam", "adamw", "adamax", "nadam", "rmsprop", "sgd", "lamb", "lion")
"""The optimizers whose rates are judged; the rate of Adagrad, Adadelta, Ftrl says less."""


def gentle(family: str) -> float:
    """The highest rate at which fine-tuning a whole pretrained network is ordinary practice.

    1e-4 for SGD with momentum and 1e-5 for Adam in keras.io/api/applications and the Keras guide;
    ten times that is allowed here before anything is said.
    """
    return 1e-3 if family == "sgd" else 1e-4


def low_rate(family: str) -> float:
    """The rate of a second stage: the two figures of :func:`gentle`'s sources."""
    return 1e-4 if family == "sgd" else 1e-5


def default_rate(family: str) -> float:
    """The rate of an optimizer that is given none."""
    return DEFAULT_RATES.get(family, DEFAULT_RATE)


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
    if family not in FAMILIES:
        return family, None
    return family, default_rate(family)


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
    if not found:
        return None
    same = [c for c in found if first is not None and c.model == first.model]
    return found[0] if first is None else (same or found)[-1]


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


def whole(program: Program, change: TrainableChange, beside: Site) -> bool:
    """True if the change is to all of its variable, and is made whenever ``beside`` is reached.

    Not so for a slice, one layer, a loop with an ``if`` in it, or a statement in a deeper block.
    """
    if change.target not in (change.variable, f"{change.variable}.layers"):
        return False
    if re.search(r"\bif\b", code(program, change.site)):
        return False
    return _indent(program, change.site) <= _indent(program, beside)


def _indent(program: Program, site: Site) -> int:
    line = program.text.splitlines()[site.line - 1]
    return len(line) - len(line.lstrip())


def freezing(program: Program, backbone: Backbone, before: Site) -> Freezing:
    """What the source says of the backbone when training starts at ``before``.

    ``open`` only where nothing in the source could freeze it.
    """
    state: Freezing = "open"
    changes = [c for c in program.trainable if start(c.site) < start(before)]
    for change in sorted(changes, key=lambda c: start(c.site)):
        mine = is_backbones(program, change, backbone)
        all_of_it = whole(program, change, backbone.call.site)
        if change.value is True and all_of_it:
            state = "open" if mine or state != "frozen" else "unclear"
        elif change.value is True:
            state = "partial" if state == "frozen" else state
        elif change.value is False and mine:
            state = "frozen" if all_of_it else "partial"
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


def staged(
    program: Program, backbone: Backbone | None, fit: Fit | None, rate: float | None = None
) -> Remedy | None:
    """Two-stage training where one scope sees backbone, compile and fit; else freezing alone.

    ``rate`` is the second stage's; by default :func:`low_rate`, or a tenth of the program's own.
    """
    if backbone is None or backbone.variable is None:
        return None
    made = backbone.call
    compiled = next((c for c in program.compiles if fit and c.model == fit.model), None)
    family, own = rate_of(compiled)
    if rate is None:
        rate = min(low_rate(family or "adam"), 1.0 if own is None else own / 10)
    one_scope = (
        fit is not None
        and compiled is not None
        and compiled.call.scope == fit.call.scope
        and made.scope in (fit.call.scope, "")
    )
    if one_scope and fit is not None and not _needs_care(program, backbone, fit):
        return Remedy(
            codemod="stage_unfreeze",
            summary=f"train the head on the frozen backbone, then its top at a rate of {rate:g}",
            edits={
                program.path: {
                    "backbone": position(made.site),
                    "fit": position(fit.call.site),
                    "rate": rate,
                }
            },
            review="careful",
        )
    until = {} if fit is None or fit.call.scope != made.scope else {"until": fit.call.site}
    return Remedy(
        codemod="freeze_backbone",
        summary="freeze the backbone, so that only the head trains",
        edits={
            program.path: {
                "backbone": position(made.site),
                **{name: position(site) for name, site in until.items()},
            }
        },
        review="careful",
    )


def _needs_care(program: Program, backbone: Backbone, fit: Fit) -> bool:
    """True where a second stage cannot simply follow the fit."""
    variable = backbone.variable
    rebound = any(
        variable in call.targets and call.site != backbone.call.site for call in program.calls
    )
    again = sum(f.model == fit.model for f in program.fits) > 1
    return rebound or again or fit.call.in_loop or scheduled(program)


def set_rate(program: Program, compiled: Compile | None, rate: float | None) -> Remedy | None:
    """The remedy that gives the optimizer of a ``compile`` this rate; None if either is unknown."""
    if compiled is None or rate is None:
        return None
    return Remedy(
        codemod="set_learning_rate",
        summary=f"set the learning rate to {rate:g}",
        edits={program.path: {"compile": position(compiled.call.site), "rate": rate}},
    )


def rate_site(compiled: Compile | None) -> Site | None:
    """Where the rate is given, else the optimizer, else the call itself."""
    if compiled is None:
        return None
    given = compiled.learning_rate or compiled.optimizer
    return given.site if given else compiled.call.site
