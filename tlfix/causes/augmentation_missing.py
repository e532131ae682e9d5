"""Small data overfit without augmentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.augmentation import SETTINGS, mentions, users
from tlfix.evidence.edits import explained, merged, position, set_argument
from tlfix.evidence.harm import Loss, shortfall
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Confidence, Evidence, Measurement, Severity
from tlfix.probe.trace import DataSeen, FitSeen
from tlfix.program.model import Program, Source
from tlfix.symptoms.overfitting import GAP

SMALL = 1_000
"""Images per class up to which augmentation is usual: the Keras blog's recipe for "very little
data" has 1,000 of each class
(https://blog.keras.io/building-powerful-image-classification-models-using-very-little-data.html)."""

_FILES = ("flow_from_directory", "flow_from_dataframe", "flow", "image_dataset_from_directory")
_DATASETS = ("image_dataset_from_directory", "from_tensor_slices", "list_files")
_ADDED = {"horizontal_flip": "True", "rotation_range": "20", "zoom_range": "0.1"}


@dataclass(frozen=True)
class _Verdict:
    """How bad it is, what shows it, and the accuracy that it may cost."""

    severity: Severity
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    loss: Loss | None = None


def find(case: Case) -> Iterable[Finding]:
    """One finding for the first ``fit`` of a pretrained network that would gain by it."""
    if not case.program.backbones or mentions(case.program) is not None:
        return
    for task in tasks(case):
        source = _source(task)
        verdict = _measured(case, task.seen) if task.seen is not None else _stated(source)
        if verdict is None:
            continue
        remedy = _remedy(case.program, task, source)
        generator = source.generator if source is not None else None
        yield Finding(
            severity=verdict.severity,
            confidence=verdict.confidence,
            site=generator.site if generator is not None else task.site,
            evidence=verdict.evidence,
            explains=explained(case, "overfitting") if verdict.severity != "note" else (),
            remedy=remedy,
            advice=None
            if remedy
            else "mirror, rotate and zoom the training images a little at random, where that does "
            "not change their class; leave validation images alone",
            cost=verdict.loss.points if verdict.loss is not None else None,
        )
        return


def _source(task: Task) -> Source | None:
    if task.fit is not None and len(task.fit.training) == 1:
        return task.fit.training[0]
    return None


def _stated(source: Source | None) -> _Verdict | None:
    """Advice where the program loads image files, and nothing says that they are many."""
    if source is None or source.kind not in _FILES:
        return None
    evidence = Evidence(
        source="static",
        summary="nothing in the program transforms the training images at random; whether they are "
        "few enough to need it is not measured",
    )
    return _Verdict("note", "possible", (evidence,))


def _measured(case: Case, seen: FitSeen) -> _Verdict | None:
    """What the probe saw of one ``fit``; None where it shows that nothing is missing."""
    data = seen.training
    if data is None or data.augmentation or data.repeats_exactly is False:
        return None
    each = _each(data)
    if each is None or each > SMALL:
        return None
    few = Evidence(
        source="probe",
        summary=f"{each:.0f} training images per class, none transformed at random",
        measured=(
            Measurement(
                name="images per class", value=round(each, 1), threshold=SMALL, n=data.samples
            ),
        ),
    )
    training, validation = seen.evaluation("training"), seen.evaluation("validation")
    if (
        training is None
        or validation is None
        or training.accuracy is None
        or validation.accuracy is None
    ):
        return _Verdict("note", "possible", (few,))
    gap = training.accuracy - validation.accuracy
    if "overfitting" not in case.symptoms or gap < GAP:
        return None
    wide = Evidence(
        source="probe",
        summary=f"training accuracy is {training.accuracy:.2f}, validation accuracy "
        f"{validation.accuracy:.2f}",
        measured=(
            Measurement(
                name="gap", value=round(gap, 4), threshold=GAP, n=training.n + validation.n
            ),
        ),
    )
    loss = shortfall(seen)
    if loss is None or not loss.significant or data.repeats_exactly is not True:
        return _Verdict("note", "likely", (few, wide))
    return _Verdict("warning", "likely", (few, wide, loss.evidence), loss)


def _each(data: DataSeen) -> float | None:
    """Images per class, None where their number is not known."""
    classes = data.classes or len(data.class_indices or data.class_names or data.histogram or ())
    return data.samples / classes if data.samples and classes else None


def _remedy(program: Program, task: Task, source: Source | None) -> Remedy | None:
    """A milder form of the tutorials' augmentation, on what only training images go through."""
    if source is None or task.fit is None:
        return None
    summary = "mirror, rotate and zoom the training images a little at random"
    generator = source.generator
    if generator is not None:
        fed = users(program, generator)
        if any(other.split != "training" for other in fed):
            return None
        edits = [
            (generator.site.path, set_argument(generator, name, SETTINGS[name].index, value))
            for name, value in _ADDED.items()
        ]
        return merged("set_argument", summary, edits, "careful")
    call = task.fit.call
    images = call.argument("x", 0)
    validation = call.argument("validation_data", 7)
    if source.kind not in _DATASETS or images is None or not images.text.isidentifier():
        return None
    if validation is not None and images.text == validation.text:
        return None
    return Remedy(
        codemod="augment_dataset",
        summary="mirror and rotate the training images a little at random",
        edits={call.site.path: {"fit": position(call.site), "dataset": images.text}},
        review="careful",
    )


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

# 200 images of each flower.
preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
train_datagen = ImageDataGenerator(preprocessing_function=preprocess)
valid_datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = train_datagen.flow_from_directory("data/train", target_size=(96, 96))
valid = valid_datagen.flow_from_directory("data/valid", target_size=(96, 96))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""
_TRAIN = "train_datagen = ImageDataGenerator(preprocessing_function=preprocess"
_CURED = _SICK.replace(
    f"{_TRAIN})", f"{_TRAIN}, horizontal_flip=True, rotation_range=20, zoom_range=0.1)"
)

CAUSE = CauseSpec(
    id="augmentation-missing",
    code="TL305",
    title="Small data overfit without augmentation",
    what=(
        "A pretrained network is trained on few images per class, each one shown the same way in "
        "every epoch, and scores far better on them than on others, worse than a linear classifier "
        "on its features does. Without that measurement it is advice and no more: many small tasks "
        "are learned well without."
    ),
    why=(
        "Small transforms that keep the class give the network more to look at than the images "
        "themselves (Shorten & Khoshgoftaar 2019). They must fit the task: a mirrored digit or "
        "letter is another sign, and scans have one way up."
    ),
    sources=(
        "https://keras.io/guides/transfer_learning/",
        "https://www.tensorflow.org/tutorials/images/transfer_learning",
        "https://doi.org/10.1186/s40537-019-0197-0",
    ),
    find=find,
    after=(
        "preprocessing-missing",
        "preprocessing-mismatch",
        "preprocessing-double",
        "preprocessing-differs",
        "backbone-unfrozen",
        "learning-rate-high",
    ),
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
