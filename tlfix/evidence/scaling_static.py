"""What each backbone of a program receives, as far as the source shows."""

from __future__ import annotations

from collections.abc import Iterator

from tlfix.causes.spec import Finding, Remedy
from tlfix.evidence.scaling import Verdict, compose, describe, expected_by, judge_steps, same
from tlfix.evidence.scaling_paths import Path, Paths, misplaced, paths_of, steps_of
from tlfix.evidence.scaling_reading import (
    Reading,
    advice,
    at_fault,
    own_scaling,
    parting,
    site_apart,
    site_of,
    unapplied,
)
from tlfix.evidence.scaling_remedies import Unplaced, plan
from tlfix.findings import Confidence, Evidence
from tlfix.probe.trace import ScalingSeen
from tlfix.program.model import Backbone, Program

_PLURAL = {"training": "training", "validation": "validation", "test": "test or predict"}


def read(program: Program) -> Iterator[Reading]:
    """At most one reading: silent where any path into the backbones is not understood."""
    wanted = {_expected(b) for b in program.backbones}
    if len(wanted) != 1:
        return
    module = wanted.pop()
    expects = expected_by(module) if module else None
    if module is None or expects is None:
        return
    backbone = program.backbones[0]
    paths = paths_of(program, backbone)
    inside = steps_of(paths.inside)
    if inside is None or paths.reason or any(p.reason for p in paths.paths):
        return
    if not paths.paths:
        yield from _in_model_alone(program, backbone, module, expects, paths)
        return
    verdicts = {path: _of_path(path, paths, expects) for path in paths.paths}
    if "unclear" in verdicts.values():
        return
    first = next((p for p in paths.paths if p.split == "training"), paths.paths[0])
    differing = [p for p in paths.paths if not _alike(p, first, paths)]
    differs = bool(differing) and any(p.split == "training" for p in paths.paths)
    verdict = verdicts[first]
    if verdict == "right" and not differs:
        return
    if paths.unread is not None and verdict in ("missing", "mismatch") and not differs:
        return
    remedy, reason = _remedy(program, backbone, module, expects, paths)
    yield Reading(
        verdict,
        tuple(dict.fromkeys(path.split for path in differing)) if differs else (),
        Finding(
            # What is not read may be what makes it right.
            severity="warning" if paths.unread is None else "note",
            confidence=_confidence(first, verdict) if paths.unread is None else "possible",
            site=site_apart(*at_fault(first, differing, paths, expects))
            if differs
            else site_of(program, backbone, paths, first),
            evidence=tuple(_read(program, first, differing if differs else [], paths, expects)),
            remedy=remedy,
            advice=advice(module, expects, reason),
        ),
    )


def _in_model_alone(
    program: Program, backbone: Backbone, module: str, expects: ScalingSeen, paths: Paths
) -> Iterator[Reading]:
    """The data is not in this file, but a scaling inside the model speaks for itself."""
    steps = steps_of(paths.inside)
    if not steps:
        return
    verdict = judge_steps(steps, expects)
    if verdict not in ("mismatch", "double") or paths.unread is not None:
        return
    remedy, reason = _remedy(program, backbone, module, expects, paths)
    evidence = Evidence(
        source="static",
        summary=f"the model scales its input to {describe(compose(*steps))}; the backbone was "
        f"trained on {describe(expects)}",
    )
    yield Reading(
        verdict,
        (),
        Finding(
            severity="warning",
            confidence="possible",
            site=paths.inside[0].site,
            evidence=(evidence,),
            remedy=remedy,
            advice=advice(module, expects, reason),
        ),
    )


def _remedy(
    program: Program, backbone: Backbone, module: str, expects: ScalingSeen, paths: Paths
) -> tuple[Remedy | None, str | None]:
    """The change to make, or the reason why there is none."""
    if paths.unread is not None:
        return None, f"`{paths.unread}` may scale too, and was not read"
    try:
        return plan(program, backbone, module, expects, paths), None
    except Unplaced as why:
        return None, str(why)


def _expected(backbone: Backbone) -> str | None:
    """The module whose preprocess_input counts, None where the source does not tell."""
    if backbone.library != "keras" or own_scaling(backbone) or backbone.loads_weights:
        return None
    return backbone.module if backbone.weights == "imagenet" else None


def _of_path(path: Path, paths: Paths, expects: ScalingSeen) -> Verdict:
    steps = steps_of((*path.scalings, *paths.inside))
    if steps is None:
        return "unclear"
    verdict = judge_steps(steps, expects)
    # Without a scaling in sight the images must be seen to come from files to be raw.
    return "unclear" if not steps and not path.raw and verdict != "right" else verdict


def _alike(one: Path, other: Path, paths: Paths) -> bool:
    return same(_delivered(one, paths), _delivered(other, paths))


def _delivered(path: Path, paths: Paths) -> ScalingSeen:
    return compose(*(steps_of((*path.scalings, *paths.inside)) or ()))


def _confidence(path: Path, verdict: Verdict) -> Confidence:
    return "likely" if path.raw or verdict != "missing" else "possible"


def _read(
    program: Program, first: Path, differing: list[Path], paths: Paths, expects: ScalingSeen
) -> Iterator[Evidence]:
    if differing:
        arrivals = [(path.split, _delivered(path, paths)) for path in (first, *differing)]
        yield Evidence(source="static", summary=parting(list(dict(arrivals).items()), expects))
    for path in (first, *differing):
        lines = sorted({s.site.line for s in (*path.scalings, *paths.inside)})
        where = f" (line {', '.join(map(str, lines))})" if lines else ""
        yield Evidence(
            source="static",
            summary=f"the {_PLURAL.get(path.split, 'image')} path delivers "
            f"{describe(_delivered(path, paths))}{where}; "
            f"the backbone was trained on {describe(expects)}",
        )
    if unapplied(program):
        yield Evidence(source="static", summary="preprocess_input is imported and never applied")
    for generator in first.generators:
        if misplaced(generator):
            yield Evidence(
                source="static",
                summary=f"line {generator.site.line} hands preprocess_input to featurewise_center, "
                "the first parameter of ImageDataGenerator, where it does nothing",
            )
