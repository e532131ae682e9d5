"""What each backbone of a case receives: measured at its door, else read in the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tlfix.causes.spec import Case, Finding, Remedy
from tlfix.evidence.edits import at, explained
from tlfix.evidence.scaling import (
    DIVERGENCE_CERTAIN,
    DIVERGENCE_WRONG,
    Verdict,
    evidence_of,
    grade,
    judge,
    judge_steps,
    recovery_of,
    same,
)
from tlfix.evidence.scaling_paths import Paths, paths_of, steps_of
from tlfix.evidence.scaling_reading import (
    Reading,
    advice,
    own_scaling,
    parting,
    site_apart,
    site_of,
)
from tlfix.evidence.scaling_remedies import Unplaced, plan
from tlfix.evidence.scaling_static import read
from tlfix.findings import Evidence
from tlfix.probe.trace import BackboneSeen, Door, FitSeen, ScalingSeen
from tlfix.program.model import Backbone, Program, Site

_EXPLAINS = (
    "zero-accuracy",
    "chance-accuracy",
    "chance-validation",
    "below-chance",
    "flat-loss",
    "slow-learning",
    "loss-diverging",
    "loss-not-finite",
    "single-class-predictions",
)

ENOUGH_IMAGES = 8
"""Images per split below which two splits are not held to differ: a few dark photographs fit more
than one scaling. Chosen, not measured."""


def readings(case: Case) -> tuple[Reading, ...]:
    """One reading per backbone: from the probe's doors if there are any, else from the source."""
    measured = tuple(_measured(case))
    seen = case.trace.backbones if case.trace else ()
    doors = case.trace is not None and any(fit.doors for fit in case.trace.fits)
    if doors:
        return (*measured, *_untried(case, measured))
    if seen and not any(b.weights_status in ("pretrained", "missing") for b in seen):
        return ()
    return tuple(read(case.program))


# From the probe ---------------------------------------------------------------------------------


def _measured(case: Case) -> Iterator[Reading]:
    done: set[tuple[int, str, bool]] = set()
    for fit in case.trace.fits if case.trace else ():
        for key in fit.model.backbones:
            seen = case.trace.backbone(key) if case.trace else None
            if seen is None or seen.weights_status not in ("pretrained", "missing"):
                continue
            doors = {d.split: d for d in fit.doors if d.backbone == key}
            training = doors.get("training")
            if training is None:
                continue
            reading = _at_door(case, fit, seen, training, doors.get("validation"))
            if reading is None:
                continue
            mark = (key, reading.verdict, reading.differs)
            if mark not in done:
                done.add(mark)
                yield reading


def _at_door(
    case: Case, fit: FitSeen, seen: BackboneSeen, door: Door, other: Door | None
) -> Reading | None:
    expects = seen.expects
    backbone = backbone_of(case.program, seen)
    if backbone is not None and own_scaling(backbone):
        return None
    verdict = _verdict(door, expects)
    differs = (
        other is not None
        and min(door.n, other.n) >= ENOUGH_IMAGES
        and other.reads_as is not None
        and door.reads_as is not None
        and not same(other.reads_as, door.reads_as)
    )
    if verdict in ("right", "unclear") and not differs:
        return None
    as_is, expected = fit.probe("as-is"), fit.probe("expected")
    worst = other if differs and other is not None and verdict == "right" else door
    severity, confidence, cost = grade(worst, seen, as_is, expected)
    if verdict == "unclear" or door.reads_as is None:
        severity, confidence = ("warning" if severity == "error" else "note"), "possible"
    if expects is None and severity == "error":
        severity = "warning"
    evidence = (*evidence_of(door, expects, as_is, expected), *recovery_of(seen))
    if differs and other is not None and other.reads_as and door.reads_as:
        arrivals = [("training", door.reads_as), ("validation", other.reads_as)]
        said = Evidence(source="probe", summary=parting(arrivals, expects))
        evidence = (said, *evidence, *evidence_of(other, expects, None, None))
    parted = other if differs else None
    site, remedy, reason = _placed(case.program, seen, backbone, door, other, expects, parted)
    finding = Finding(
        severity=severity,
        confidence=confidence,
        site=site or _place_of(case.program, seen, fit),
        evidence=evidence,
        explains=explained(case, *_EXPLAINS),
        remedy=remedy,
        advice=advice(seen.module, expects, reason),
        cost=cost if cost is not None and cost > 0 else None,
    )
    return Reading(verdict, ("validation",) if differs else (), finding)


def _verdict(door: Door, expects: ScalingSeen | None) -> Verdict:
    apart, right = door.divergence, door.divergence_expected
    if door.reads_as is not None and expects is not None:
        if door.reads_as.name != "other" or same(door.reads_as, expects):
            return judge(door.reads_as, expects)
    elif door.reads_as is not None and apart is not None and apart >= DIVERGENCE_CERTAIN:
        # A network nobody knows: only its own statistics speak.
        return "double" if "+" in door.reads_as.name else "missing"
    far = apart is not None and apart > DIVERGENCE_WRONG
    if far and right is not None and apart is not None and apart > 5 * right:
        return "mismatch"
    return "unclear"


def _placed(
    program: Program,
    seen: BackboneSeen,
    backbone: Backbone | None,
    door: Door,
    other: Door | None,
    expects: ScalingSeen | None,
    parted: Door | None,
) -> tuple[Site | None, Remedy | None, str | None]:
    """Where the fault stands in the source, and its remedy or the reason why there is none."""
    if backbone is None:
        return None, None, "the backbone's constructor is not in this file"
    paths = paths_of(program, backbone)
    site = site_of(program, backbone, paths)
    if parted is not None:
        site = _site_apart(paths, door, parted, expects) or site
    if expects is None or seen.module is None:
        return site, None, "its preprocess_input is not known"
    for split, measured in (("training", door), ("validation", other)):
        if measured is None or measured.reads_as is None:
            continue
        for path in paths.paths:
            if path.split == split and path.reason is None:
                steps = steps_of((*path.scalings, *paths.inside))
                if steps is None or judge_steps(steps, measured.reads_as) != "right":
                    return site, None, "the scaling that was measured is not visible in the source"
    try:
        return site, plan(program, backbone, seen.module, expects, paths), None
    except Unplaced as reason:
        return site, None, str(reason)


def _site_apart(paths: Paths, door: Door, parted: Door, expects: ScalingSeen | None) -> Site | None:
    """Where the path of the split that is measured to be wrong parts from the other one."""
    ways = {path.split: path for path in reversed(paths.paths)}
    training, validation = ways.get("training"), ways.get("validation")
    if training is None or validation is None:
        return None
    wrong = expects is not None and door.reads_as is not None and not same(door.reads_as, expects)
    right = expects is not None and parted.reads_as is not None and same(parted.reads_as, expects)
    if wrong and right:
        return site_apart(training, validation)
    return site_apart(validation, training)


def _place_of(program: Program, seen: BackboneSeen, fit: FitSeen) -> Site | None:
    """The line of the data, or of the backbone, that the probe saw."""
    pipelines = fit.training.sites if fit.training else ()
    for pipeline in pipelines:
        for place in (pipeline.function_site, pipeline.generator_site, pipeline.site):
            call = program.call_at(place.line) if place and _here(program, place.path) else None
            if call is not None:
                return call.site
    if seen.site is not None and _here(program, seen.site.path):
        call = program.call_at(seen.site.line)
        return call.site if call else None
    return None


def _here(program: Program, path: str) -> bool:
    return (
        path.replace("\\", "/").rsplit("/", 1)[-1]
        == program.path.replace("\\", "/").rsplit("/", 1)[-1]
    )


def backbone_of(program: Program, seen: BackboneSeen) -> Backbone | None:
    """The constructor in the source behind a backbone that the probe saw."""
    for backbone in program.backbones:
        if at(seen.site, backbone.call.site):
            return backbone
    same_module = [b for b in program.backbones if b.module == seen.module]
    return same_module[0] if len(same_module) == 1 and len(program.backbones) == 1 else None


def _untried(case: Case, measured: tuple[Reading, ...]) -> Iterator[Reading]:
    """Paths that the probe never runs (predict, test), where training is measured to be right."""
    if measured:
        return
    for reading in read(case.program):
        if reading.verdict == "right" and set(reading.differing) == {"test"}:
            finding = reading.finding
            yield replace(reading, finding=replace(finding, confidence="possible"))
