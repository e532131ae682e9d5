"""Scalings of pixels as affine maps: composing, comparing and naming them, and grading a reading.

A *reading* is what one backbone receives, against what it was trained on. It is measured at the
backbone's door where the probe ran, else read in the source. No cause is decided here: a reading
carries its verdict, and each cause takes the readings that are its own.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from itertools import permutations
from math import comb
from typing import Literal

from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import BackboneSeen, Door, LinearProbe, ScalingSeen

Verdict = Literal["right", "missing", "mismatch", "double", "unclear"]

BLACK, WHITE = 0.0, 255.0

NEAR = 0.05
"""Two scalings are one if they differ by at most this share of the expected range: ``/ 256`` and
``/ 127`` pass, torch-style for -1..1 (a sixth of the range) does not."""

DIVERGENCE_WRONG = 1.0
"""BatchNorm divergence from which the input is measurably not what the network was trained on.
Measured on MobileNetV2 0.35: right scaling 0.02, torch-style 1.2, /255 2.8, double 43, raw
24,382."""

DIVERGENCE_CERTAIN = 10.0
"""Divergence that no domain shift explains, provided it falls by the factor below once the images
are scaled as expected (same table: every right scaling stays under 0.1)."""

DIVERGENCE_FACTOR = 20.0
"""Least ratio of the divergence as it is to the divergence after the expected scaling."""

SIGNIFICANT = 0.05
"""Level of the exact sign test (McNemar) between two linear probes on the same images."""


@cache
def _table() -> dict[str, ScalingSeen]:
    text = files("tlfix.evidence").joinpath("expected_scaling.json").read_text("utf-8")
    basics = _basics()
    found = {}
    for module, row in json.loads(text).items():
        scaling = ScalingSeen(name="other", **row)
        found[module] = next((b for b in basics if same(b, scaling)), scaling)
    return found


@cache
def _basics() -> tuple[ScalingSeen, ...]:
    def plain(name: str, scale: float, offset: float) -> ScalingSeen:
        return ScalingSeen(name=name, scale=(scale,) * 3, offset=(offset,) * 3)

    # torch: (x / 255 - mean) / std of ImageNet; caffe: BGR minus the ImageNet mean
    # (keras/src/applications/imagenet_utils.py).
    means, stds = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return (
        plain("raw", 1.0, 0.0),
        plain("unit", 1 / 255, 0.0),
        plain("tf", 1 / 127.5, -1.0),
        ScalingSeen(
            name="torch",
            scale=tuple(1 / 255 / s for s in stds),
            offset=tuple(-m / s for m, s in zip(means, stds, strict=True)),
        ),
        ScalingSeen(
            name="caffe",
            scale=(1.0, 1.0, 1.0),
            offset=(-103.939, -116.779, -123.68),
            source=(2, 1, 0),
        ),
    )


def expected_by(module: str) -> ScalingSeen | None:
    """What ``keras.applications.<module>.preprocess_input`` does; None for an unknown module."""
    return _table().get(module)


def affine(scale: float, offset: float) -> ScalingSeen:
    """``scale * x + offset`` on every channel."""
    return named(ScalingSeen(name="other", scale=(scale,) * 3, offset=(offset,) * 3))


def compose(*steps: ScalingSeen) -> ScalingSeen:
    """The scalings applied one after the other, to raw pixels; ``raw`` if there is none."""
    result = _basics()[0]
    names: list[str] = []
    for step in steps:
        result = ScalingSeen(
            name="other",
            scale=tuple(s * result.scale[c] for s, c in zip(step.scale, step.source, strict=True)),
            offset=tuple(
                s * result.offset[c] + o
                for s, o, c in zip(step.scale, step.offset, step.source, strict=True)
            ),
            source=tuple(result.source[c] for c in step.source),
        )
        if step.name != "raw":
            names.append(step.name)
    found = named(result)
    if found.name == "other" and len(names) > 1:
        return found.model_copy(update={"name": "+".join(names)})
    return found


def named(scaling: ScalingSeen) -> ScalingSeen:
    """``scaling`` under the name of the known one that it equals, if any."""
    return next((basic for basic in _basics() if same(scaling, basic)), scaling)


def same(one: ScalingSeen, other: ScalingSeen) -> bool:
    """True if the two agree on 0..255 within ``NEAR`` of the range, channel order included."""
    if one.source != other.source:
        return False
    for c in range(len(other.scale)):
        spread = abs(other.scale[c]) * WHITE
        for pixel in (BLACK, WHITE):
            gap = one.scale[c] * pixel + one.offset[c] - other.scale[c] * pixel - other.offset[c]
            if abs(gap) > NEAR * spread:
                return False
    return True


def judge(reads: ScalingSeen, expects: ScalingSeen) -> Verdict:
    """Whether ``reads`` is what the backbone ``expects``, and if not, in which way."""
    if same(reads, expects):
        return "right"
    if reads.name == "raw":
        return "missing"
    if "+" in reads.name or expects.name == "raw":
        return "double"
    return "mismatch"


def judge_steps(steps: tuple[ScalingSeen, ...], expects: ScalingSeen) -> Verdict:
    """The verdict on scalings whose order of application is not certain: right if any order is."""
    if len(steps) > 3:
        return "unclear"
    if any(same(compose(*order), expects) for order in permutations(steps)):
        return "right"
    return judge(compose(*steps), expects)


def describe(scaling: ScalingSeen) -> str:
    """A scaling in words, with its range."""
    words = {
        "raw": "raw 0..255",
        "unit": "0..1 (divided by 255)",
        "tf": "-1..1",
        "torch": "torch-style (0..1, ImageNet mean and deviation)",
        "caffe": "caffe-style (BGR minus the ImageNet mean)",
    }
    if scaling.name in words:
        return words[scaling.name]
    if "+" in scaling.name:
        parts = [words.get(part, part) for part in scaling.name.split("+")]
        return "scaled twice: " + ", then ".join(parts)
    if len(set(scaling.scale)) == 1 and len(set(scaling.offset)) == 1:
        return f"x * {scaling.scale[0]:.4g} + {scaling.offset[0]:.4g}"
    # What is subtracted and divided by, in grey levels.
    means = ", ".join(f"{-o / s:.0f}" for s, o in zip(scaling.scale, scaling.offset, strict=True))
    stds = ", ".join(f"{1 / s:.0f}" for s in scaling.scale)
    channels = "" if scaling.source == (0, 1, 2) else ", channels reversed"
    return f"(x - [{means}]) / [{stds}]{channels}"


def recovery_of(backbone: BackboneSeen) -> tuple[Evidence, ...]:
    """How a network's own statistics tell what it was trained on, where they had to."""
    found = backbone.recovered
    if found is None:
        return ()

    def listed(values: tuple[float, ...], errors: tuple[float, ...]) -> str:
        pairs = zip(values, errors, strict=True)
        return ", ".join(f"{value:.0f} ± {max(error, 1):.0f}" for value, error in pairs)

    return (
        Evidence(
            source="probe",
            summary=(
                f"what {backbone.name} was trained on is told by its BatchNorm statistics alone: "
                f"images less ({listed(found.mean, found.mean_error)}), divided by "
                f"({listed(found.std, found.std_error)}) in grey levels, come closest"
            ),
            measured=(
                Measurement(
                    name="log_divergence", value=found.as_fed, threshold=found.loss, n=found.images
                ),
            ),
        ),
    )


def sign_test(better: LinearProbe, worse: LinearProbe) -> float | None:
    """One-sided exact p-value that ``better`` is right more often on the same images (McNemar)."""
    if not better.correct or len(better.correct) != len(worse.correct):
        return None
    pairs = list(zip(better.correct, worse.correct, strict=True))
    wins = sum(a and not b for a, b in pairs)
    losses = sum(b and not a for a, b in pairs)
    n = wins + losses
    return float(sum(comb(n, k) for k in range(wins, n + 1)) / 2**n)


def grade(
    door: Door,
    backbone: BackboneSeen,
    as_is: LinearProbe | None,
    expected: LinearProbe | None,
) -> tuple[Severity, Confidence, float | None]:
    """How bad a wrong reading is, how sure, and the accuracy it costs (0..1) where measured."""
    if backbone.weights_status == "missing":
        # Nothing was measured on the real weights: the fault is one of structure.
        return "warning", "likely", None
    cost = expected.accuracy - as_is.accuracy if as_is and expected else None
    p = sign_test(expected, as_is) if as_is and expected else None
    loses = cost is not None and cost > 0 and p is not None and p < SIGNIFICANT
    apart, right = door.divergence, door.divergence_expected
    enormous = (
        apart is not None
        and apart >= DIVERGENCE_CERTAIN
        and (right is None or apart >= DIVERGENCE_FACTOR * right)
    )
    if loses or (enormous and (cost is None or cost > 0)):
        return "error", "certain", cost
    if enormous:
        return "warning", "certain", cost
    contradicted = apart is not None and right is not None and apart <= right
    if contradicted or (cost is not None and cost < 0 and apart is not None and apart < 1.0):
        # These weights fit the images as they are: trained on another range than Keras documents.
        return "note", "possible", cost
    return "warning", "likely", cost


def evidence_of(
    door: Door,
    expects: ScalingSeen | None,
    as_is: LinearProbe | None,
    expected: LinearProbe | None,
) -> tuple[Evidence, ...]:
    """What was measured at the door, at the first BatchNorms and by the linear probes."""
    low, high = round(door.minimum, 3), round(door.maximum, 3)
    reads = f", which reads as {describe(door.reads_as)}" if door.reads_as else ""
    wants = f"; it was trained on {describe(expects)}" if expects else ""
    moments = [
        Measurement(name="minimum", value=door.minimum, n=door.n),
        Measurement(name="maximum", value=door.maximum, n=door.n),
    ]
    for name, values, wanted in (
        ("mean", door.mean, door.expected_mean),
        ("std", door.std, door.expected_std),
    ):
        for c, value in enumerate(values):
            threshold = wanted[c] if wanted and c < len(wanted) else None
            moments.append(
                Measurement(name=f"{name}[{c}]", value=value, threshold=threshold, n=door.n)
            )
    found = [
        Evidence(
            source="probe",
            summary=f"on {door.split} the backbone receives {low}..{high}{reads}{wants}",
            measured=tuple(moments),
        )
    ]
    if door.divergence is not None:
        right = door.divergence_expected
        after = "" if right is None else f", {right:.3g} once scaled as expected"
        measured = [
            Measurement(
                name="batchnorm_divergence",
                value=door.divergence,
                threshold=DIVERGENCE_WRONG,
                n=door.n,
            )
        ]
        if right is not None:
            measured.append(
                Measurement(name="batchnorm_divergence_expected", value=right, n=door.n)
            )
        found.append(
            Evidence(
                source="probe",
                summary=f"divergence from the first BatchNorms' statistics {door.divergence:.3g}"
                + after,
                measured=tuple(measured),
            )
        )
    if as_is and expected:
        p = sign_test(expected, as_is)
        measured = [
            Measurement(name="accuracy_as_is", value=as_is.accuracy, n=as_is.validation),
            Measurement(name="accuracy_expected", value=expected.accuracy, n=expected.validation),
        ]
        if p is not None:
            measured.append(
                Measurement(name="p_value", value=p, threshold=SIGNIFICANT, n=len(as_is.correct))
            )
        found.append(
            Evidence(
                source="probe",
                summary=f"a linear probe on the features reaches {as_is.accuracy:.2f} as they are, "
                f"{expected.accuracy:.2f} with the images scaled as expected",
                measured=tuple(measured),
            )
        )
    return tuple(found)
