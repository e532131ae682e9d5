"""Whether images and labels belong together: by their neighbours, and by the source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tlfix.evidence.harm import door_is_wrong
from tlfix.evidence.pairing import Bound, Pair, Shuffle, chain, pairs_of
from tlfix.evidence.scaling_flow import Source, source_of
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import BackboneSeen, FitSeen, LinearProbe
from tlfix.program.model import Program

TOGETHER = 3.0
"""Standard deviations above shuffled labels from which neighbours do agree. Measured on MobileNetV2
0.35 with 320 photographs of 8 classes: 60 as they are, 4.7 with 80 % of the labels shuffled, and
-0.1 (at most 2.5 in 100 tries) with all of them."""

APART = 2.0
"""Standard deviations below which nothing at all is left of an agreement."""

ENOUGH = 64
"""Images below which neighbours tell nothing."""

SLACK = 0.10
"""How far above chance (0..1) a probe might truly be and still be called at chance: its upper
confidence bound must lie below that."""

LEVEL = 0.01
"""Level of the tests on a linear probe."""

ALIKE = 0.99
"""Mean cosine similarity of features (-1..1) from which the backbone does not tell images apart."""

DEAD = 0.9
"""Share of constant feature dimensions (0..1) from which the same holds."""

State = Literal["together", "apart", "validation-apart", "unknown"]

# Labels mixed up on purpose, to see what a model can memorise.
_MEANT = re.compile(r"random|shuffled|permut|nois[ey]|fake|corrupt", re.IGNORECASE)
_SEEDED = re.compile(r"seed\(|set_state\(|random_state\s*=|RandomState\(|default_rng\(|Random\(")


@dataclass(frozen=True)
class Judgement:
    """What was measured of one fit, and the evidence for it."""

    state: State
    evidence: tuple[Evidence, ...] = ()


def judge(fit: FitSeen, backbone: BackboneSeen | None) -> Judgement:
    """Whether features and labels of a fit have anything to do with each other."""
    if _learned(fit):
        return Judgement("together")
    if backbone is None or backbone.weights_status != "pretrained":
        return Judgement("unknown")
    probe = fit.probe("expected")
    if probe is None and not door_is_wrong(fit, backbone):
        probe = fit.probe("as-is")
    near = fit.neighbours
    if near is None or near.n < ENOUGH or near.shuffled_std <= 0 or not _varied(fit):
        return Judgement("unknown")
    apart = (near.agreement - near.shuffled_mean) / near.shuffled_std
    agreement = Evidence(
        source="probe",
        summary=f"of the {near.k} images that look most alike to the backbone, "
        f"{near.agreement:.1%} carry the same label; with shuffled labels {near.shuffled_mean:.1%}",
        measured=(
            Measurement(name="agreement", value=near.agreement, n=near.n),
            Measurement(name="agreement_shuffled", value=near.shuffled_mean, n=near.n),
            Measurement(name="standard_deviations", value=apart, threshold=TOGETHER, n=near.n),
        ),
    )
    if probe is None or not _at_chance(probe.accuracy, probe.validation, probe.chance):
        return Judgement("together" if apart > TOGETHER else "unknown")
    trained = _trained_at_chance(fit, probe)
    evidence = (agreement, _evidence(probe))
    if apart > TOGETHER:
        lost = trained is False and (probe.train_accuracy or 0) >= probe.chance + 0.3
        known = fit.permutation is not None and _at_chance(
            fit.permutation.renamed, fit.permutation.n, probe.chance
        )
        return Judgement("validation-apart" if lost and known else "together", evidence)
    if apart < APART and trained is not False:
        return Judgement("apart", evidence)
    return Judgement("unknown")


def _learned(fit: FitSeen) -> bool:
    """True if the trained model is surely better than chance on validation images."""
    after = fit.evaluation("validation")
    if after is None or after.accuracy is None or after.majority is None or after.n == 0:
        return False
    return _above(after.accuracy, after.n, after.majority) < LEVEL


def _varied(fit: FitSeen) -> bool:
    """True if the backbone tells the images apart: else no label could be found in them."""
    seen = next((f for f in fit.features if f.weights == "initial"), None)
    return seen is not None and seen.similarity < ALIKE and seen.constant < DEAD


def _at_chance(accuracy: float, n: int, chance: float) -> bool:
    """Not above chance, and so many images that little above it would have been seen."""
    from scipy.stats import binom

    hits = round(accuracy * n)
    bounded = float(binom.cdf(hits, n, min(chance + SLACK, 1.0))) < LEVEL if n else False
    return bounded and _above(accuracy, n, chance) >= LEVEL


def _trained_at_chance(fit: FitSeen, probe: LinearProbe) -> bool | None:
    """The same of the probe's leave-one-out answers on training images; None if not known."""
    counts = (fit.training.histogram if fit.training else None) or {}
    if probe.train_accuracy is None or not counts:
        return None
    share = max(counts.values()) / sum(counts.values())
    return _above(probe.train_accuracy, probe.training, share) >= LEVEL


def _above(accuracy: float, n: int, chance: float) -> float:
    """The p-value that ``accuracy`` is above ``chance``: exact binomial test, one-sided."""
    from scipy.stats import binom

    return float(binom.sf(round(accuracy * n) - 1, n, chance)) if n else 1.0


def _evidence(probe: LinearProbe) -> Evidence:
    p = _above(probe.accuracy, probe.validation, probe.chance)
    return Evidence(
        source="probe",
        summary=f"a linear classifier on the pretrained features gets {probe.accuracy:.0%} of the "
        f"validation images right; naming the largest class gets {probe.chance:.0%}",
        measured=(
            Measurement(
                name="accuracy", value=probe.accuracy, threshold=probe.chance, n=probe.validation
            ),
            Measurement(name="p", value=p, threshold=LEVEL, n=probe.validation),
        ),
    )


# In the source ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Separate:
    """Images or labels that were shuffled without the other.

    ``images`` and ``labels`` are the names that held both in one order before, None if that cannot
    be told; ``others`` are shufflings of the other one by itself.
    """

    shuffle: Shuffle
    what: Literal["images", "labels"]
    images: Bound | None
    labels: Bound | None
    others: tuple[Shuffle, ...]


def separate(program: Program) -> Iterator[tuple[Source, Separate]]:
    """Shufflings of one of two arrays that are handed over side by side."""
    shuffles = "shuffle" in program.text or "permutation" in program.text
    if not shuffles or not program.backbones:
        return
    source = source_of(program.path, program.text)
    for pair in pairs_of(program, source):
        if pair.method in ("fit", "flow", "from_tensor_slices"):
            found = _separate(source, pair, program.text)
            if found is not None:
                yield source, found
                return


def _separate(source: Source, pair: Pair, text: str) -> Separate | None:
    images = list(chain(source, _whole(pair.images, pair.labels), pair.line))
    labels = list(chain(source, _whole(pair.labels, pair.images), pair.line))
    if not images or not labels or {b.name for b in images} & {b.name for b in labels}:
        return None
    ours = [s for bound in images for s in bound.shuffles]
    theirs = [s for bound in labels for s in bound.shuffles]
    common = {s.order for s in ours} & {s.order for s in theirs} - {None}
    ours = [s for s in ours if s.order not in common]
    theirs = [s for s in theirs if s.order not in common]
    if ours and theirs and (_SEEDED.search(text) or common):
        return None  # the same seed gives both the same order
    if not ours and not theirs:
        return None
    what: Literal["images", "labels"] = "images" if ours else "labels"
    first, others = (ours[0], theirs) if ours else (theirs[0], [])
    if _MEANT.search(first.name):
        return None
    mine, other = (images, labels) if ours else (labels, images)
    if len(ours if ours else theirs) > 1 or _made_from(source, other, first.name):
        return None
    line = first.node.lineno
    held = next((b for b in mine if first in b.shuffles), None)
    beside = next((b for b in other if _stands(source, b, line)), None)
    both = (held, beside) if ours else (beside, held)
    return Separate(first, what, both[0], both[1], tuple(others))


def _whole(node: ast.expr, other: ast.expr) -> ast.expr:
    """``x`` of ``x[order]``, where the other is indexed by the same order."""
    if isinstance(node, ast.Subscript) and isinstance(other, ast.Subscript):
        return node.value if ast.dump(node.slice) == ast.dump(other.slice) else node
    return node


def _made_from(source: Source, bounds: list[Bound], name: str) -> bool:
    """True if the others are computed from ``name``: then its order is theirs too."""
    last = bounds[-1]
    scope = source.scope_at(last.line)
    flows = [f for f in scope.flows if f.name == last.name and f.node.lineno <= last.line]
    return any(name in source.slice(flow.node, last.line).names for flow in flows)


def _stands(source: Source, bound: Bound, line: int) -> bool:
    """True if what ``bound`` holds was assigned before ``line`` and not again since."""
    flows = [f for f in source.scope_at(bound.line).flows if f.name == bound.name]
    before = [f.node.lineno < line for f in flows if f.node.lineno <= bound.line]
    return bool(before) and all(before) and bound.line >= line - 1
