"""Which ``compile`` and ``fit`` of a program concern which backbone, and which were used at all."""

from __future__ import annotations

from typing import TypeVar

from tlfix.evidence import tuning
from tlfix.probe.trace import FitSeen, Trace
from tlfix.program.model import Backbone, Compile, Fit, Program

Holder = TypeVar("Holder", Compile, Fit)


def holders(found: tuple[Holder, ...], backbone: Backbone) -> list[Holder]:
    """Those whose model has the backbone in it, in the order given.

    Only where the source tells of none, those count of whose model nothing is known: in the
    constructor's scope, after it.
    """
    made = backbone.call
    later = [one for one in found if tuning.start(made.site) < tuning.start(one.call.site)]
    known = [one for one in later if any(made.site == other.site for other in one.backbones)]
    return known or [one for one in later if not one.backbones and one.call.scope == made.scope]


def holds(program: Program, compiled: Compile, backbone: Backbone) -> bool:
    """True if the ``compile`` is of a model with this backbone in it, as far as is known."""
    site = compiled.call.site
    return any(one.call.site == site for one in holders(program.compiles, backbone))


def first_training(program: Program, backbone: Backbone) -> tuple[Fit | None, Compile | None]:
    """The first ``fit`` of a model with this backbone, and the ``compile`` in force at it.

    Nothing is in force where the program's fits all train something else.
    """
    fit = min(
        holders(program.fits, backbone), key=lambda f: tuning.start(f.call.site), default=None
    )
    compiles = holders(program.compiles, backbone)
    if fit is None:
        return None, compiles[0] if compiles and not program.fits else None
    place = tuning.start(fit.call.site)
    before = [c for c in compiles if tuning.start(c.call.site) < place]
    same = [c for c in before if c.model == fit.model]
    return fit, next(reversed(same or before), None)


def compiles_in_use(program: Program, trace: Trace | None) -> tuple[Compile, ...]:
    """The compiles that fits of the trace ran under; all of them where the trace cannot tell."""
    if trace is None or not trace.fits:
        return program.compiles
    places = [fit.compiled.site for fit in trace.fits if fit.compiled is not None]
    if not places or None in places:
        return program.compiles
    lines = [place.line for place in places if place and tuning.same_file(place, program)]
    return tuple(
        one
        for one in program.compiles
        if any(one.call.site.line <= line <= one.call.site.end_line for line in lines)
    )


def continues(trace: Trace, fit: FitSeen) -> bool:
    """True if an earlier fit trained this model, or another one around the same backbone."""
    model = fit.model
    return any(
        earlier.model.key == model.key or set(earlier.model.backbones) & set(model.backbones)
        for earlier in trace.fits
        if earlier.index < fit.index
    )
