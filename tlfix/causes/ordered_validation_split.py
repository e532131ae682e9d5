"""``validation_split`` cuts ordered data: validation has classes that training lacks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import explained, position
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Evidence, Measurement, Severity
from tlfix.probe.trace import DataSeen, FitSeen
from tlfix.program.model import Argument, Program

ALPHA = 1e-4
"""The level at which the two parts are called cuts of ordered data. Small classes may miss from a
random part by accident: what counts is how improbable that is."""

ASSOCIATION = 0.5
"""Cramér's V between class and part (0..1) from which on the parts are called different: Cohen's
(1988) large effect for two groups. A random cut has V near 0 whatever the classes."""

_SYMPTOMS = (
    "zero-accuracy",
    "below-chance",
    "chance-validation",
    "overfitting",
    "single-class-predictions",
)
_FILLED = re.compile(r"\b(zeros|ones|full|zeros_like|ones_like)\s*\(|\[\s*\d+\s*\]\s*\*")
_JOINING = ("numpy.concatenate", "numpy.hstack", "numpy.append", "numpy.r_", "numpy.repeat")


@dataclass(frozen=True)
class _Parts:
    """Labels of both parts.

    ``missing`` are the classes that training lacks and validation has; ``chance`` is the
    probability that random order puts all their images, as far as they were seen, into validation.
    ``p`` and ``association`` say how unlike the parts are.
    """

    training: dict[int, int]
    validation: dict[int, int]
    missing: tuple[int, ...]
    chance: float
    p: float
    association: float


def find(case: Case) -> Iterable[Finding]:
    """One finding for every ``fit`` whose ``validation_split`` cut data in order of class."""
    for task in tasks(case):
        parts = _parts(task.seen) if task.seen is not None else None
        if parts is not None:
            severity = _severity(parts)
            if severity is not None:
                yield _finding(case, task, severity, _measured(parts))
        elif not task.measured:
            stated = _stated(case.program, task)
            if stated is not None:
                yield _finding(case, task, "warning", stated)


def _parts(seen: FitSeen) -> _Parts | None:
    """The labels of both parts, None where ``fit`` made no split of its own or they are unknown."""
    training, validation = seen.training, seen.validation
    if not seen.validation_split or training is None or validation is None:
        return None
    ours, theirs = _counts(training), _counts(validation)
    if ours is None or theirs is None or training.histogram_of != "all":
        return None
    missing = tuple(sorted(c for c in theirs if c not in ours))
    # Each image falls into validation with the probability that is the split.
    chance = seen.validation_split ** sum(theirs[c] for c in missing)
    return _Parts(ours, theirs, missing, chance, *_homogeneity(ours, theirs))


def _counts(data: DataSeen) -> dict[int, int] | None:
    counts = {c: n for c, n in (data.histogram or {}).items() if n > 0}
    return counts or None


def _homogeneity(ours: dict[int, int], theirs: dict[int, int]) -> tuple[float, float]:
    """The p-value of Pearson's chi-squared test that both parts are alike, and Cramér's V.

    Two rows (the parts), one column a class; a class of fewer than five expected images in either
    part is too small for the test and is left out of it.
    """
    from scipy.stats import chi2

    a, b = sum(ours.values()), sum(theirs.values())
    statistic, columns, counted = 0.0, 0, 0
    for c in {*ours, *theirs}:
        both = ours.get(c, 0) + theirs.get(c, 0)
        for own, size in ((ours, a), (theirs, b)):
            wanted = both * size / (a + b)
            if both * min(a, b) / (a + b) >= 5:
                statistic += (own.get(c, 0) - wanted) ** 2 / wanted
        if both * min(a, b) / (a + b) >= 5:
            columns, counted = columns + 1, counted + both
    if columns < 2:
        return 1.0, 0.0
    return float(chi2.sf(statistic, columns - 1)), math.sqrt(min(1.0, statistic / counted))


def _severity(parts: _Parts) -> Severity | None:
    if parts.missing and parts.chance < ALPHA:
        return "error"
    return "warning" if parts.p < ALPHA and parts.association >= ASSOCIATION else None


def _measured(parts: _Parts) -> Evidence:
    whole = sum(parts.validation.values())
    lost = sum(parts.validation[c] for c in parts.missing)
    if parts.missing:
        names = ", ".join(map(str, parts.missing[:5])) + (" …" if len(parts.missing) > 5 else "")
        summary = (
            f"{lost} of {whole} validation images are of classes that no training image has "
            f"(class {names})"
        )
    else:
        largest = max(parts.validation, key=lambda c: parts.validation[c])
        share = parts.training.get(largest, 0) / sum(parts.training.values())
        summary = (
            f"class {largest} is {parts.validation[largest] / whole:.0%} of the validation images "
            f"and {share:.0%} of the training images"
        )
    return Evidence(
        source="probe",
        summary=summary + ": the end of ordered data was split off",
        measured=(
            Measurement(
                name="validation images of unseen classes",
                value=round(lost / whole, 4),
                threshold=0.0,
                n=whole,
            ),
            Measurement(
                name="Cramér's V of class and part",
                value=round(parts.association, 4),
                threshold=ASSOCIATION,
                n=whole + sum(parts.training.values()),
            ),
            Measurement(
                name="p", value=parts.chance if parts.missing else parts.p, threshold=ALPHA, n=whole
            ),
        ),
    )


def _stated(program: Program, task: Task) -> Evidence | None:
    """Labels that the program writes down class after class, and splits as they are."""
    if task.fit is None:
        return None
    split = task.fit.call.constant("validation_split", 6)
    labels = task.fit.call.argument("y", 1)
    if not isinstance(split, float) or split <= 0 or labels is None or labels.call is None:
        return None
    made = labels.call
    if made.name not in _JOINING or made.name == "numpy.repeat" or not made.positional:
        return None
    parts = made.positional[0] if made.name != "numpy.append" else None
    text = parts.text if parts is not None else ", ".join(a.text for a in made.positional)
    if len(_FILLED.findall(text)) < 2 or "shuffle" in text or "permutation" in text:
        return None
    if _mixed(program, labels):
        return None
    return Evidence(
        source="static",
        summary=f"{labels.text} lists one class after the other, and validation_split={split:g} "
        "takes its end",
    )


def _mixed(program: Program, labels: Argument) -> bool:
    """True if something may shuffle the labels in place."""
    return any(
        "shuffle" in call.name.rsplit(".", 1)[-1]
        and any(labels.text in a.text for a in call.positional)
        for call in program.calls
    )


def _finding(case: Case, task: Task, severity: Severity, shown: Evidence) -> Finding:
    remedy = _remedy(task)
    return Finding(
        severity=severity,
        confidence="certain" if severity == "error" else "likely",
        site=task.site,
        evidence=(shown,),
        explains=explained(case, *_SYMPTOMS),
        remedy=remedy,
        advice=None
        if remedy
        else "validation_split takes the last part of the data as it is: shuffle images and labels "
        "together before, or split with train_test_split(..., stratify=labels)",
    )


def _remedy(task: Task) -> Remedy | None:
    if task.fit is None:
        return None
    call = task.fit.call
    images, labels = call.argument("x", 0), call.argument("y", 1)
    if images is None or labels is None:
        return None
    if not images.text.isidentifier() or not labels.text.isidentifier():
        return None
    return Remedy(
        codemod="shuffle_arrays",
        summary="put images and labels in one random order before the split",
        edits={
            call.site.path: {
                "fit": position(call.site),
                "arrays": [images.text, labels.text],
                "convert": [not _is_array(argument) for argument in (images, labels)],
            }
        },
        review="careful",
    )


def _is_array(argument: Argument) -> bool:
    """True if the program shows that it is a numpy array, which can be indexed by an order."""
    made = argument.call
    for _ in range(5):
        if made is None:
            return False
        last = made.name.rsplit(".", 1)[-1]
        if made.name.startswith("numpy.") or last == "to_categorical":
            return True
        if last not in ("reshape", "astype"):
            return False
        made = made.receiver
    return False


_SICK = """\
import numpy as np
import tensorflow as tf

cats, dogs = np.load("cats.npy"), np.load("dogs.npy")
images = np.concatenate([cats, dogs])
images = tf.keras.applications.mobilenet_v2.preprocess_input(images)
labels = np.concatenate([np.zeros(len(cats)), np.ones(len(dogs))])

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(images, labels, validation_split=0.2, epochs=5)
"""
_FIT = "model.fit(images"
_CURED = _SICK.replace(
    _FIT,
    "order = np.random.default_rng(0).permutation(len(labels))\n"
    "images, labels = np.asarray(images)[order], labels[order]\n" + _FIT,
)

CAUSE = CauseSpec(
    id="ordered-validation-split",
    code="TL304",
    title="validation_split cuts data that are in order of class",
    what=(
        "`fit(validation_split=…)` takes the last part of the arrays for validation *before* it "
        "shuffles. With data in order of class that part is of the last classes, which training "
        "then lacks. `validation_split` of ImageDataGenerator and of image_dataset_from_directory "
        "are something else: the first splits every class, the second shuffles first."
    ),
    why=(
        "Classes that training never shows are never predicted: validation accuracy is 0 or near "
        "it however well the model learns, and early stopping and checkpoints choose by a number "
        "that means nothing."
    ),
    sources=(
        "https://keras.io/api/models/model_training_apis/#fit-method",
        "https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html",
    ),
    find=find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
