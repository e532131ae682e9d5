"""One reading of what a backbone receives, and how it is told."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tlfix.causes.spec import Finding
from tlfix.evidence.scaling import Verdict, describe, judge_steps, same
from tlfix.evidence.scaling_paths import Path, Paths, misplaced, steps_of
from tlfix.evidence.scaling_remedies import by_hand
from tlfix.probe.trace import ScalingSeen
from tlfix.program.model import Backbone, Program, Site


@dataclass(frozen=True)
class Reading:
    """What a backbone receives, judged.

    ``differing`` names the splits that are not scaled as the training images are, on which
    ``verdict`` is passed.
    """

    verdict: Verdict
    differing: tuple[str, ...]
    finding: Finding

    @property
    def differs(self) -> bool:
        """True if some split is scaled in another way than the training images."""
        return bool(self.differing)


def parting(arrivals: list[tuple[str, ScalingSeen]], expects: ScalingSeen | None) -> str:
    """Who gets what, and who of them is right, in a sentence."""
    said = "; ".join(f"{split} images arrive as {describe(reads)}" for split, reads in arrivals)
    if expects is None:
        return said
    right = [split for split, reads in arrivals if same(reads, expects)]
    return f"{said}; " + (f"right is {' and '.join(right)}" if right else "none of them is right")


def misuse(program: Program) -> Site | None:
    """Where ``ImageDataGenerator(preprocess_input)`` stands, if it does."""
    return next((g.site for g in program.generators if misplaced(g)), None)


def unapplied(program: Program) -> bool:
    """True if a ``preprocess_input`` is imported and its name never used."""
    names = [n for n, q in program.imports.items() if q.endswith(".preprocess_input")]
    return any(len(re.findall(rf"\b{re.escape(n)}\b", program.text)) == 1 for n in names)


def site_of(
    program: Program, backbone: Backbone, paths: Paths, path: Path | None = None
) -> Site | None:
    """The scaling at fault, else the pipeline, else the backbone."""
    if path is None:
        path = next((p for p in paths.paths if p.split == "training"), None)
    misused = misuse(program)
    if misused is not None:
        return misused
    scalings = (*(path.scalings if path else ()), *paths.inside)
    if scalings:
        return scalings[0].site
    if path is not None and path.generators:
        return path.generators[0].site
    nested = next((use.site for use in backbone.uses if use.kind == "nested"), None)
    return nested or backbone.call.site


def site_apart(path: Path, other: Path) -> Site:
    """Where ``path`` parts from ``other``: a scaling of its own, else its own pipeline."""
    shared = {scaling.site for scaling in other.scalings}
    for scaling in path.scalings:
        if scaling.site not in shared:
            return scaling.site
    known = {generator.site for generator in other.generators}
    for generator in path.generators:
        if generator.site not in known:
            return generator.site
    return path.bound or path.data


def at_fault(
    first: Path, differing: list[Path], paths: Paths, expects: ScalingSeen | None
) -> tuple[Path, Path]:
    """Of the training path and those that differ: the one to point at, and one to compare with."""
    other = differing[0]
    if expects is not None and not _right(first, paths, expects):
        fine = next((path for path in differing if _right(path, paths, expects)), None)
        if fine is not None:
            return first, fine
    return other, first


def _right(path: Path, paths: Paths, expects: ScalingSeen) -> bool:
    steps = steps_of((*path.scalings, *paths.inside))
    return steps is not None and judge_steps(steps, expects) == "right"


def advice(module: str | None, expects: ScalingSeen | None, reason: str | None) -> str:
    """What to do by hand, and why no change is offered where none is."""
    if expects is None:
        return "scale the images as this network was trained"
    text = by_hand(module, expects)
    return text if reason is None else f"{text} ({reason})"


def own_scaling(backbone: Backbone) -> bool:
    """``include_preprocessing=False`` takes the scaling out of a backbone that has one inside."""
    return backbone.call.constant("include_preprocessing", default=True) is not True
