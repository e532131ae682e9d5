"""Where in the source the data of a split come from that the probe saw in a ``fit``."""

from __future__ import annotations

from typing import Literal

from tlfix.causes.spec import Case
from tlfix.evidence.edits import at
from tlfix.evidence.pairing import made, pairs_of
from tlfix.evidence.scaling_flow import source_of
from tlfix.probe.trace import DataSeen, FitSeen, Place
from tlfix.program.model import Fit, Program, Site, Source


def fit_of(program: Program, seen: FitSeen) -> Fit | None:
    """The ``fit`` of the source that the probe saw as ``seen``."""
    return next((fit for fit in program.fits if at(seen.site, fit.call.site)), None)


def source_behind(program: Program, seen: FitSeen, data: DataSeen) -> Source | None:
    """The data-loading call behind a split as it was seen, if the source shows one."""
    for pipeline in data.sites:
        for source in program.sources:
            if at(pipeline.site, source.call.site):
                return source
    fit = fit_of(program, seen)
    if fit is None:
        return None
    given = fit.training if data.split == "training" else fit.validation
    return given[0] if len(given) == 1 else None


def site_of(
    program: Program,
    seen: FitSeen,
    data: DataSeen | None = None,
    part: Literal["images", "labels"] = "images",
) -> Site | None:
    """Where the data of a split are loaded or made, else where they are given to ``fit``."""
    if data is not None:
        source = source_behind(program, seen, data)
        if source is not None and source.kind != "arrays":
            return source.call.site
        site = _array_site(program, seen, data, part)
        if site is not None:
            return site
        for pipeline in data.sites:
            site = _line(program, pipeline.site)
            if site is not None:
                return site
    fit = fit_of(program, seen)
    return fit.call.site if fit is not None else _line(program, seen.site)


def _array_site(
    program: Program, seen: FitSeen, data: DataSeen, part: Literal["images", "labels"]
) -> Site | None:
    """Where the array that a ``fit`` was given was made."""
    fit = fit_of(program, seen)
    if fit is None or data.kind != "arrays" or fit.call.site.path != program.path:
        return None
    source = source_of(program.path, program.text)
    given = {
        pair.split: pair for pair in pairs_of(program, source) if pair.line == fit.call.site.line
    }
    # validation_split takes both from the same arrays
    pair = given.get(data.split, given.get("training"))
    if pair is None:
        return None
    found = made(source, pair.images if part == "images" else pair.labels, pair.line)
    return None if found is None else source.site(found)


def crash_site(case: Case) -> Site | None:
    """The call at which the program stopped."""
    crash = case.trace.crash if case.trace else None
    return _line(case.program, crash.site) if crash else None


def _line(program: Program, place: Place | None) -> Site | None:
    if place is None:
        return None
    found = [call.site for call in program.calls if at(place, call.site)]
    return min(found, key=lambda site: site.end_line - site.line, default=None)
