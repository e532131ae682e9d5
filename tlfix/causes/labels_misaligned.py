"""Images and labels that do not belong together."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.codemods.base import Position
from tlfix.evidence.edits import explained
from tlfix.evidence.misalignment import Judgement, Separate, judge, separate
from tlfix.evidence.origins import site_of
from tlfix.evidence.scaling_flow import Source
from tlfix.findings import Confidence, Evidence, Severity
from tlfix.probe.trace import FitSeen
from tlfix.program.model import Site

_SYMPTOMS = (
    "chance-accuracy",
    "chance-validation",
    "flat-loss",
    "overfitting",
    "slow-learning",
    "single-class-predictions",
)
_ADVICE = (
    "follow images and labels from their files to `fit` and look at a few pairs: both must be read "
    "in one order (sort the file names), and only be shuffled together"
)


def find(case: Case) -> Iterable[Finding]:
    """One finding: measured in feature space, read in the source, or both."""
    read = next(iter(separate(case.program)), None)
    judged = [(fit, judge(fit, case.trace.backbone_of(fit))) for fit in _fits(case) if case.trace]
    if any(judgement.state == "together" for _, judgement in judged):
        return  # also where a later stage learns what the pretrained features do not tell
    for fit, judgement in judged:
        if judgement.state in ("apart", "validation-apart"):
            yield _measured(case, fit, judgement, read)
            return
    if read is not None:
        yield _finding(case, read, None, (), "warning", "possible")


def _fits(case: Case) -> tuple[FitSeen, ...]:
    return case.trace.fits if case.trace else ()


def _measured(
    case: Case, fit: FitSeen, judgement: Judgement, read: tuple[Source, Separate] | None
) -> Finding:
    if judgement.state == "validation-apart":
        site = site_of(case.program, fit, fit.validation)
        return _finding(case, None, site, judgement.evidence, "warning", "possible")
    if read is not None:
        return _finding(case, read, None, judgement.evidence, "error", "certain")
    # Labels that have nothing to do with what the backbone sees look the same.
    site = site_of(case.program, fit, fit.training)
    return _finding(case, None, site, judgement.evidence, "warning", "possible")


def _finding(
    case: Case,
    read: tuple[Source, Separate] | None,
    site: Site | None,
    measured: tuple[Evidence, ...],
    severity: Severity,
    confidence: Confidence,
) -> Finding:
    evidence = list(measured)
    remedy, reason = None, None
    if read is not None:
        source, found = read
        site = source.site(found.shuffle.node)
        remedy, reason = _remedy(source, found)
        evidence.insert(0, _static(source, found))
    return Finding(
        severity=severity,
        confidence=confidence,
        site=site,
        evidence=tuple(evidence),
        explains=explained(case, *_SYMPTOMS),
        remedy=remedy,
        advice=None if remedy else f"{_ADVICE} ({reason})" if reason else _ADVICE,
    )


def _static(source: Source, found: Separate) -> Evidence:
    other = "labels" if found.what == "images" else "images"
    code = source.code(found.shuffle.node)
    summary = f"line {found.shuffle.node.lineno}: `{code}` puts the {found.what} in a random order"
    if found.others:
        line = found.others[0].node.lineno
        summary += f", line {line} puts the {other} in another"
    else:
        summary += f" and leaves the {other} as they are"
    return Evidence(source="static", summary=summary)


def _remedy(source: Source, found: Separate) -> tuple[Remedy | None, str | None]:
    """A shuffling of both in place of the one of one."""
    images, labels = found.images, found.labels
    if images is None or labels is None:
        return None, f"what is shuffled with `{found.shuffle.name}` cannot be told"
    if found.shuffle.form not in ("in-place", "call"):
        return None, "the order is made in a way of its own"
    if found.shuffle.form == "in-place" and (
        images.listed is None or images.listed is not labels.listed
    ):
        return None, "it cannot be told whether these are lists or arrays"
    if any(other.form != "in-place" for other in found.others):
        return None, "both are shuffled, in different ways"
    parameters: dict[str, object] = {
        "shuffle": _start(source, found.shuffle.node),
        "images": images.name,
        "labels": labels.name,
        "listed": images.listed is True,
        "drop": tuple(_start(source, other.node) for other in found.others),
    }
    summary = "shuffle images and labels by one order"
    return Remedy("shuffle_together", summary, {source.path: parameters}), None


def _start(source: Source, node: ast.expr) -> Position:
    site = source.site(node)
    return Position(site.line, site.column)


_SICK = """\
import numpy as np
import tensorflow as tf

images, labels = np.load("images.npy"), np.load("labels.npy")
np.random.shuffle(images)
images = tf.keras.applications.mobilenet_v2.preprocess_input(images)

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, validation_split=0.2, epochs=5)
"""
_CURED = _SICK.replace(
    "np.random.shuffle(images)\n",
    "order = np.random.permutation(len(images))\nimages, labels = images[order], labels[order]\n",
)

CAUSE = CauseSpec(
    id="labels-misaligned",
    code="TL206",
    title="Images and labels are paired wrongly",
    what=(
        "Row i of the labels is not about row i of the images: one of the two was shuffled, sorted "
        "or filtered without the other, or their files were listed in different orders."
    ),
    why=(
        "There is nothing to learn. Training accuracy rises by memorising at most, validation "
        "accuracy stays at chance whatever the rate, the head and the number of epochs. In the "
        "features of a pretrained backbone neighbours then carry the same label no more often than "
        "shuffled labels would: on photographs of 8 classes 12 % in place of 78 %."
    ),
    sources=(
        "https://numpy.org/doc/stable/reference/random/generated/numpy.random.shuffle.html",
        "https://arxiv.org/abs/1611.03530",
    ),
    find=find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
