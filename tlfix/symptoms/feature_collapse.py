"""A backbone that gives much the same features for every image."""

from __future__ import annotations

from tlfix.findings import Measurement, Symptom
from tlfix.probe.trace import FeaturesSeen, FitSeen, Trace
from tlfix.symptoms.history import ENOUGH_IMAGES, History, histories
from tlfix.symptoms.spec import SymptomSpec
from tlfix.symptoms.statistics import proportion_interval

SIMILAR = 0.99
"""Mean cosine similarity of different images' features. Measured on MobileNetV2 0.35, pretrained,
256 photographs: 0.44 scaled as it expects, 0.64 under /255, 0.63 raw, 0.9998 scaled twice."""

CONSTANT = 0.9
"""Share of feature dimensions that do not vary. In the same measurement: 0.00, 0.01, 0.00 and 0.41;
0.97 for images of a single colour."""

TOLD = 0.3
"""Share of the way from chance to a perfect score. Features may look alike and still tell classes
apart by small differences: where a linear classifier on them makes more of the way than this, they
have not collapsed. Images scaled twice made 0.05 of it (0.21 at a chance of 0.17), raw ones 0.24.
"""


def measure(trace: Trace) -> Symptom | None:
    """Features nearly alike or constant, that a linear probe or the model itself cannot tell apart.

    A random backbone's features are alike by nature: before training only pretrained ones count.
    """
    for history in histories(trace):
        for fit in history.fits:
            backbone = trace.backbone_of(fit)
            for seen in fit.features:
                if seen.weights == "initial" and (
                    backbone is None or backbone.weights_status == "random"
                ):
                    continue
                if seen.n >= ENOUGH_IMAGES and _alike(seen) and _lost(history, fit, seen):
                    return _symptom(seen, history.where)
    return None


def _alike(seen: FeaturesSeen) -> bool:
    return seen.similarity >= SIMILAR or seen.constant >= CONSTANT


def _lost(history: History, fit: FitSeen, seen: FeaturesSeen) -> bool:
    """True if classes cannot be told from these features: by the probe on them, else the model."""
    probe = fit.probe("as-is", seen.weights)
    if probe is None:
        evaluation = history.after("training")
        return evaluation is not None and history.at_chance(evaluation)
    if probe.chance >= 1 or not probe.validation:
        return False
    low, _ = proportion_interval(round(probe.accuracy * probe.validation), probe.validation)
    way = (probe.accuracy - probe.chance) / (1 - probe.chance)
    return low <= probe.chance or way < TOLD


def _symptom(seen: FeaturesSeen, where: str) -> Symptom:
    when = "before" if seen.weights == "initial" else "after"
    return Symptom(
        id="feature-collapse",
        severity="warning",
        summary=f"{when} training the backbone's features of two different images have a mean "
        f"cosine similarity of {seen.similarity:.4f}, and {seen.constant:.0%} of the "
        f"{seen.dimensions} features do not vary{where}",
        measured=(
            Measurement(name="similarity", value=seen.similarity, threshold=SIMILAR, n=seen.n),
            Measurement(name="constant", value=seen.constant, threshold=CONSTANT, n=seen.n),
        ),
    )


SYMPTOM = SymptomSpec(
    id="feature-collapse",
    title="The backbone's features are the same for every image",
    what="The features of different images are nearly parallel, or most of them are dead or "
    "saturated and do not vary, and a linear classifier can do little with them.",
    source="Mean pairwise cosine similarity and constant dimensions, limits measured on a "
    "pretrained MobileNetV2; collapse so measured: Hua et al. 2021, "
    "https://arxiv.org/abs/2105.00470.",
    measure=measure,
)
