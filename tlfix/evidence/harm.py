"""How much a training harmed a pretrained backbone, by the probe's own comparisons."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from tlfix.evidence.scaling import same
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import BackboneSeen, FitSeen, LinearProbe

GOOD_SHARE = 0.3
"""From this share of the backbone's parameters on (0..1) "the backbone trains"."""

LARGE_CHANGE = 0.05
"""Relative change of the backbone's kernels during a probe: fifty steps in one direction at the
update-to-weight ratio of 1e-3 that CS231n (cs231n.github.io/neural-networks-3/#ratio) gives for
networks trained from scratch. Measured on MobileNetV2 0.35 in 32 steps of 32 photographs: 0.614
with Adam at 1e-2, 0.106 at 1e-3, 0.019 at 1e-4, 0.002 at 1e-5."""

NOISE_POINTS = 0.05
"""Differences of accuracy below this (0..1) are not held against a program, significant or not."""

ALPHA = 0.01
"""The level of every test here: many programs are examined, and most are healthy."""


def backbone_trains(fit: FitSeen) -> bool:
    """True if a good share of the backbone's parameters is trainable."""
    model = fit.model
    return model.backbone_trainable >= max(1.0, GOOD_SHARE * model.backbone_parameters)


def head_is_fresh(fit: FitSeen) -> bool:
    """True unless the model was right more often than the largest class before training."""
    before = fit.evaluation("validation", when="before") or fit.evaluation(
        "training", when="before"
    )
    if fit.model.head_parameters == 0:
        return False
    if before is None or before.accuracy is None or before.majority is None or before.n == 0:
        return True
    return lower(before.accuracy, before.n, before.majority, before.n) >= ALPHA


def door_is_wrong(fit: FitSeen, backbone: BackboneSeen | None) -> bool:
    """True if what enters the backbone is not scaled as it was trained."""
    door = fit.door()
    if door is None or backbone is None or backbone.expects is None:
        return False
    if door.reads_as is not None:
        return not same(door.reads_as, backbone.expects)
    if door.divergence is None or door.divergence_expected is None:
        return False
    return door.divergence > max(0.5, 10 * door.divergence_expected)


def reference_of(fit: FitSeen) -> LinearProbe | None:
    """The linear probe on images as the program feeds them: wrong scaling is not counted twice."""
    return fit.probe("as-is") or fit.probe("expected")


def reaches_reference(fit: FitSeen) -> bool:
    """True if the trained model is measured, and not below the linear probe beyond noise."""
    short = shortfall(fit)
    return short is not None and not short.significant


@dataclass(frozen=True)
class Loss:
    """Accuracy lost against a reference (0..1, negative for a gain) and the p-value of that."""

    points: float
    p: float
    evidence: Evidence

    @property
    def significant(self) -> bool:
        """Lost more than noise, at the 1 % level."""
        return self.points >= NOISE_POINTS and self.p < ALPHA


def shortfall(fit: FitSeen) -> Loss | None:
    """Validation accuracy after training against a linear probe on the features before it."""
    reference = reference_of(fit)
    after = fit.evaluation("validation")
    if reference is None or after is None or after.accuracy is None or after.n == 0:
        return None
    p = lower(reference.accuracy, reference.validation, after.accuracy, after.n)
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
                p = lower(before.accuracy, before.validation, after.accuracy, after.validation)
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
            p = lower(right.accuracy, right.n, ours.accuracy, ours.n)
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
        Measurement(name="p", value=p, threshold=ALPHA),
    )
    evidence = Evidence(source="probe", summary=summary, measured=measured)
    return Loss(reference[1] - ours[1], p, evidence)


def mcnemar(first: tuple[bool, ...], second: tuple[bool, ...]) -> float:
    """The exact two-sided McNemar p-value of two classifiers on the same images (McNemar 1947)."""
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    n = only_first + only_second
    tail = sum(comb(n, k) for k in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / (1 << n))


def lower(first: float, n_first: int, second: float, n_second: int) -> float:
    """The p-value that the second accuracy is below the first: Fisher's exact test, one-sided."""
    from scipy.stats import fisher_exact

    if not n_first or not n_second:
        return 1.0
    right = round(second * n_second), round(first * n_first)
    table = [[right[0], n_second - right[0]], [right[1], n_first - right[1]]]
    p: float = fisher_exact(table, alternative="less").pvalue
    return p
