"""Skewed classes pull the predictions to the majority."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import explained, position
from tlfix.evidence.labels import Labels
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import FitSeen
from tlfix.symptoms.statistics import significantly_less

RATIO = 4.0
"""Largest to smallest class: from here on imbalance is more than mild. Google's machine learning
course calls data moderately imbalanced where the minority holds 20 % or less, 4 : 1."""

GAP = 0.10
"""Recall (0..1) that the small classes must lack against the largest before anything is said."""

COLLAPSE = 0.95
"""Share of validation images (0..1) named as the largest class that counts as collapse."""

SHORT = 40
"""Characters of an expression that may be written out a second time."""

_RESAMPLING = (
    "compute_class_weight",
    "compute_sample_weight",
    "sample_weight",
    "sample_from_datasets",
    "rejection_resample",
    "RandomOverSampler",
    "RandomUnderSampler",
    "WeightedRandomSampler",
    "SMOTE",
    "focal",
)
_SYMPTOMS = ("single-class-predictions", "chance-validation", "chance-accuracy", "overfitting")


@dataclass(frozen=True)
class _Recall:
    """Validation images of the largest class and of the small ones: how many were found."""

    large_found: int
    large: int
    small_found: int
    small: int
    named_large: int
    total: int


def find(case: Case) -> Iterable[Finding]:
    """One finding for the first measured ``fit`` whose classes are skewed and not weighted."""
    if any(word in case.program.text for word in _RESAMPLING):
        return
    for task in tasks(case):
        seen = task.seen
        if seen is None or _weighted(task):
            continue
        training = task.training
        data = training.data if training is not None else None
        histogram = data.histogram if data is not None else None
        if training is None or not training.single or not histogram or len(histogram) < 2:
            continue
        finding = _judge(case, task, training, histogram)
        if finding is not None:
            yield finding
            return


def _weighted(task: Task) -> bool:
    given = task.fit is not None and (
        task.fit.class_weight is not None or task.fit.call.argument("sample_weight") is not None
    )
    return given or (task.seen is not None and task.seen.class_weight_type is not None)


def _judge(
    case: Case, task: Task, training: Labels, histogram: Mapping[int, int]
) -> Finding | None:
    counts = {c: n for c, n in histogram.items() if n > 0}
    if len(counts) < 2:
        return None
    assert task.seen is not None
    largest = max(counts, key=lambda c: counts[c])
    ratio = counts[largest] / min(counts.values())
    if ratio < RATIO:
        return None
    share = counts[largest] / sum(counts.values())
    recall = _recall(task.seen, counts, largest)
    grade = _grade(recall, share)
    if grade is None:
        return None
    severity, confidence = grade
    evidence = [_skew(counts, largest, ratio, training)]
    if recall is not None:
        evidence.append(_gap(recall))
    remedy = _remedy(task, training)
    return Finding(
        severity=severity,
        confidence=confidence,
        site=task.site,
        evidence=tuple(evidence),
        explains=explained(case, *_SYMPTOMS) if severity != "note" else (),
        remedy=remedy,
        advice=None
        if remedy
        else "give fit class_weight={class: n / (classes * count)}, counted in the training labels",
        cost=None,
    )


def _recall(seen: FitSeen, counts: Mapping[int, int], largest: int) -> _Recall | None:
    """What the validation confusion matrix says of classes ``RATIO`` times smaller, pooled."""
    evaluation = seen.evaluation("validation")
    matrix = evaluation.confusion if evaluation is not None else None
    if matrix is None or largest >= len(matrix):
        return None
    small = [c for c, n in counts.items() if n * RATIO <= counts[largest] and c < len(matrix)]
    recall = _Recall(
        large_found=matrix[largest][largest],
        large=sum(matrix[largest]),
        small_found=sum(matrix[c][c] for c in small),
        small=sum(sum(matrix[c]) for c in small),
        named_large=sum(row[largest] for row in matrix),
        total=sum(sum(row) for row in matrix),
    )
    return recall if recall.large and recall.small else None


def _grade(recall: _Recall | None, share: float) -> tuple[Severity, Confidence] | None:
    """None where validation shows that the small classes do not suffer."""
    if recall is None:
        return "note", "possible"
    lost = recall.large_found / recall.large - recall.small_found / recall.small
    if lost < GAP or not significantly_less(
        recall.small_found, recall.small, recall.large_found, recall.large
    ):
        return None
    if recall.named_large < COLLAPSE * recall.total:
        return "warning", "likely"
    # Everything is named as one class: skew may be the reason where that class is most of the
    # data, but a network that learned nothing at all answers the same way.
    return ("warning", "possible") if share >= 0.5 else ("note", "possible")


def _skew(counts: Mapping[int, int], largest: int, ratio: float, training: Labels) -> Evidence:
    smallest = min(counts, key=lambda c: counts[c])
    names, total = _names(training), sum(counts.values())
    # Labels that come from a sample say how the classes compare, not how large they are.
    sampled = training.data is not None and training.data.histogram_of == "sample"
    where = f"in a sample of {total} training images, " if sampled else ""
    images = "" if sampled else "training "
    return Evidence(
        source="probe",
        summary=(
            f"{where}class {names.get(largest, largest)} has {counts[largest]} {images}images, "
            f"class {names.get(smallest, smallest)} has {counts[smallest]}, and no weights are "
            "given"
        ),
        measured=(
            Measurement(
                name="largest to smallest class",
                value=round(ratio, 2),
                threshold=RATIO,
                n=total,
            ),
        ),
    )


def _names(training: Labels) -> dict[int, str]:
    data = training.data
    if data is None:
        return {}
    if data.class_indices:
        return {index: name for name, index in data.class_indices.items()}
    return dict(enumerate(data.class_names or ()))


def _gap(recall: _Recall) -> Evidence:
    small, large = recall.small_found / recall.small, recall.large_found / recall.large
    return Evidence(
        source="probe",
        summary=(
            f"validation recall is {large:.2f} for the largest class and {small:.2f} for the small "
            f"ones; {recall.named_large} of {recall.total} images are named as the largest class"
        ),
        measured=(
            Measurement(
                name="recall of the small classes",
                value=round(small, 4),
                threshold=round(large, 4),
                n=recall.small,
            ),
        ),
    )


def _remedy(task: Task, training: Labels) -> Remedy | None:
    """Weights from an expression of the training labels, where the program has one at the fit."""
    labels = _expression(task, training)
    if task.fit is None or labels is None:
        return None
    call = task.fit.call
    text, rows = labels
    return Remedy(
        codemod="add_class_weight",
        summary="weight the classes by the inverse of their frequency in the training labels",
        edits={call.site.path: {"fit": position(call.site), "labels": text, "rows": rows}},
        review="cursory",
    )


def _expression(task: Task, training: Labels) -> tuple[str, bool] | None:
    if task.fit is None or training.form is None:
        return None
    images, given = task.fit.call.argument("x", 0), task.fit.call.argument("y", 1)
    rows = training.form == "vector"
    shape = training.data.label_shape if training.data is not None else None
    source = training.source
    if given is not None and given.text.isidentifier():
        return _numbers(given.text, rows, shape), rows
    if images is None or source is None:
        return None
    kind = source.call.name.rsplit(".", 1)[-1]
    if kind in ("flow_from_directory", "flow_from_dataframe"):
        return (f"{images.text}.classes", False) if images.text.isidentifier() else None
    endless = any(stage.name.endswith("repeat") for stage in source.stages)
    # A name, or a short chain of its steps: train.prefetch(2)
    plain = images.text.split(".")[0].isidentifier() and len(images.text) < SHORT
    if kind == "image_dataset_from_directory" and plain and not endless:
        text = f"{{numpy}}.concatenate([y for _, y in {images.text}])"
        return _numbers(text, rows, shape), rows
    return None


def _numbers(text: str, rows: bool, shape: tuple[int | None, ...] | None) -> str:
    """``text`` as ``numpy.bincount`` takes it: labels of shape (n, 1) are floats in a column."""
    column = not rows and shape is not None and len(shape) == 2
    return f"{{numpy}}.ravel({text}).astype(int)" if column else text


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

# 900 images of healthy leaves, 60 of sick ones.
preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory("data/train", target_size=(96, 96))
valid = datagen.flow_from_directory("data/valid", target_size=(96, 96))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(2, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""

CAUSE = CauseSpec(
    id="class-imbalance",
    code="TL301",
    title="Skewed classes pull the predictions to the largest class",
    what=(
        "The training classes differ in size by a factor of four or more, nothing weights or "
        "resamples them, and on validation images the small classes are found far less often "
        "than the largest one. The counts alone are only a note: many skewed tasks learn well."
    ),
    why=(
        "Each image counts the same in the loss, so naming the largest class is cheap. Weights of "
        "n / (classes * count) give every class the same say (King & Zeng 2001; scikit-learn's "
        '"balanced"). Buda et al. 2018 measured the effect on convolutional networks.'
    ),
    sources=(
        "https://developers.google.com/machine-learning/crash-course/overfitting/imbalanced-datasets",
        "https://arxiv.org/abs/1710.05381",
        "https://www.tensorflow.org/tutorials/structured_data/imbalanced_data",
    ),
    find=find,
    after=(
        "preprocessing-missing",
        "preprocessing-mismatch",
        "preprocessing-double",
        "class-mode-loss-mismatch",
        "activation-loss-mismatch",
        "head-units-mismatch",
        "backbone-unfrozen",
        "learning-rate-high",
    ),
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("epochs=5)", "epochs=5, class_weight={0: 0.5, 1: 8.0})"),
        cured=None,
    ),
)
