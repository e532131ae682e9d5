"""SMOTE or the like interpolates between pixels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import end, explained, position
from tlfix.evidence.harm import reaches_reference
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Evidence
from tlfix.program.model import Argument, Call, Program

_INTERPOLATING = (
    "SMOTE",
    "BorderlineSMOTE",
    "KMeansSMOTE",
    "SVMSMOTE",
    "ADASYN",
    "SMOTEENN",
    "SMOTETomek",
)
"""Samplers of imbalanced-learn that make new rows between existing ones. RandomOverSampler copies
rows and SMOTEN works on categories: neither mixes images."""

_METHODS = ("fit_resample", "fit_sample")
_SYMPTOMS = ("chance-validation", "overfitting")
_STEPS = 6


@dataclass(frozen=True)
class _Use:
    """A resampling of flattened images, and the ``reshape`` that makes its rows images again."""

    call: Call
    sampler: str
    images: Argument
    labels: Argument
    restored: Call


def find(case: Case) -> Iterable[Finding]:
    """One finding for every resampling of pixels whose result becomes images again."""
    uses = list(_uses(case.program))
    if not uses or not case.program.fits:
        return
    task = _task(case, uses[-1])
    harmless = task is not None and task.seen is not None and reaches_reference(task.seen)
    for use in uses:
        remedy = _remedy(task, use)
        yield Finding(
            severity="note" if harmless else "warning",
            confidence="likely",
            site=use.call.site,
            evidence=(
                Evidence(
                    source="static",
                    summary=f"{use.sampler} makes new rows between those of {use.images.text}, and "
                    f"{use.restored.receiver_text}.reshape({_shape(use.restored)}) turns them into "
                    "images: weighted means of two images, pixel by pixel",
                ),
            ),
            explains=() if harmless else explained(case, *_SYMPTOMS),
            remedy=remedy,
            advice=None
            if remedy
            else "train on the images as they are, and give fit "
            "class_weight={class: n / (classes * count)}, counted in the training labels",
        )


def _uses(program: Program) -> Iterator[_Use]:
    for call in program.calls_named(*_METHODS):
        owner = call.receiver.name.rsplit(".", 1)[-1] if call.receiver is not None else ""
        images, labels = call.argument("X", 0), call.argument("y", 1)
        if owner not in _INTERPOLATING or images is None or labels is None:
            continue
        if "imblearn" not in program.text or not _foreign(call):
            continue
        if not _flattened(images) or not call.targets:
            continue
        restored = next(
            (
                other
                for other in program.calls_named("reshape")
                if other.order > call.order and _is_image_shape(other, call.targets[0])
            ),
            None,
        )
        if restored is not None:
            yield _Use(call, owner, images, labels, restored)


def _foreign(call: Call) -> bool:
    """True if the sampler is imbalanced-learn's, or came by a star import that may be."""
    name = call.receiver.name if call.receiver is not None else ""
    return name.startswith("imblearn.") or "." not in name


def _flattened(images: Argument) -> bool:
    """True unless the rows are features of a network: those may be interpolated."""
    made = images.call
    for _ in range(_STEPS):
        if made is None:
            return True
        last = made.name.rsplit(".", 1)[-1]
        if last in ("predict", "predict_on_batch", "predict_generator", "__call__"):
            return False
        if last in ("fit_transform", "transform"):
            return False
        made = made.receiver
    return True


def _is_image_shape(call: Call, name: str) -> bool:
    """True if ``call`` gives the array ``name`` the shape (n, height, width, 1 or 3)."""
    shape = [*call.positional]
    if call.name == "numpy.reshape":
        if not shape or shape[0].text != name:
            return False
        shape = shape[1:]
    elif call.receiver_text != name:
        return False
    if len(shape) == 1 and isinstance(shape[0].value, tuple | list):
        sizes: list[object] = list(shape[0].value)
    elif len(shape) == 1 and shape[0].text.startswith("("):
        parts = shape[0].text.strip("()").split(",")
        sizes = [int(p) if p.strip().isdigit() else None for p in parts if p.strip()]
    else:
        sizes = [argument.value for argument in shape]
    return len(sizes) == 4 and (sizes[-1] in (1, 3) or not isinstance(sizes[-1], int))


def _shape(call: Call) -> str:
    given = call.positional[1:] if call.name == "numpy.reshape" else call.positional
    return ", ".join(argument.text for argument in given)


def _task(case: Case, use: _Use) -> Task | None:
    """The ``fit`` that is given the images made of the resampled rows, None if it is not plain."""
    names = {*use.call.targets[:1], *use.restored.targets}
    for task in tasks(case):
        if task.fit is None:
            continue
        images = task.fit.call.argument("x", 0)
        if images is not None and images.text in names and task.fit.call.order > use.call.order:
            return task
    return None


def _remedy(task: Task | None, use: _Use) -> Remedy | None:
    """The images as they are, and the weights of their classes at the fit."""
    if task is None or task.fit is None:
        return None
    labels = task.fit.call.argument("y", 1)
    if labels is None or labels.text not in use.call.targets:
        return None
    if task.fit.class_weight is not None or task.family not in ("sparse", "binary"):
        return None
    call, fit = use.call, task.fit.call
    if call.site.path != fit.site.path:
        return None
    column = task.family == "binary"
    text = f"{{numpy}}.ravel({labels.text}).astype(int)" if column else labels.text
    return Remedy(
        codemod="weight_instead_of_oversampling",
        summary="train on the images as they are, with weights for the classes",
        edits={
            call.site.path: {
                "resample": position(call.site),
                "end": end(call.site),
                "fit": position(fit.site),
                "labels": text,
            }
        },
        review="careful",
    )


_SICK = """\
import numpy as np
import tensorflow as tf
from imblearn.over_sampling import SMOTE

images, labels = np.load("images.npy"), np.load("labels.npy")
images = tf.keras.applications.mobilenet_v2.preprocess_input(images)
smote = SMOTE(random_state=1)
x, y = smote.fit_resample(images.reshape(len(images), -1), labels)
x = x.reshape(-1, 96, 96, 3)

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=5)
"""
_CURED = (
    _SICK.replace("from imblearn.over_sampling import SMOTE\n", "")
    .replace("smote = SMOTE(random_state=1)\n", "")
    .replace("smote.fit_resample(", "")
    .replace("-1), labels)", "-1), labels")
    .replace(
        "model.fit(x, y, epochs=5)\n",
        "counts = np.bincount(y)\n"
        "# A class weighs the more the fewer images it has; on average an image weighs 1.\n"
        "class_weight = {i: counts.sum() / (len(counts) * n) for i, n in enumerate(counts) if n}\n"
        "model.fit(x, y, epochs=5, class_weight=class_weight)\n",
    )
)

CAUSE = CauseSpec(
    id="pixels-oversampled",
    code="TL311",
    title="SMOTE or the like interpolates between pixels",
    what=(
        "Images are flattened to rows of pixels, a sampler such as SMOTE or ADASYN makes new rows "
        "between two of one class, and the rows become images again. Copies "
        "(RandomOverSampler) and interpolation between *features* of a network are something else "
        "and not reported."
    ),
    why=(
        "The mean of two photographs is a double exposure, not a photograph of the class: SMOTE "
        "assumes that between two neighbours lies the same class, and pixels are no such space. "
        "Its nearest neighbours in hundreds of thousands of dimensions mean little either. Weights "
        "do what it is meant to do without inventing data."
    ),
    sources=(
        "https://doi.org/10.1613/jair.953",
        "https://doi.org/10.1186/1471-2105-14-106",
        "https://imbalanced-learn.org/stable/over_sampling.html",
        "https://www.tensorflow.org/tutorials/structured_data/imbalanced_data",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("SMOTE", "RandomOverSampler").replace("smote", "sampler"),
        cured=_CURED,
    ),
)
