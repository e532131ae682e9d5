"""Predictions of shuffled data are compared with labels in another order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.comparisons import Comparison, comparisons, parsed
from tlfix.evidence.edits import merged, set_argument
from tlfix.evidence.flows import SHUFFLE, predictions_on, shuffles, stage_names, trains
from tlfix.findings import Evidence
from tlfix.program.model import Call, Program, Source

_TF_DATA = ("image_dataset_from_directory", "from_tensor_slices", "list_files")


@dataclass(frozen=True)
class _Case:
    """A source that shuffles, the predictions on it, and what they are compared with."""

    source: Source
    predict: Call
    data: str
    comparison: Comparison


def find(case: Case) -> Iterable[Finding]:
    """One finding for every shuffled source whose predictions meet labels in another order."""
    told: set[object] = set()
    for found in _cases(case.program):
        if found.source.call.site in told:
            continue
        told.add(found.source.call.site)
        remedy = _remedy(case.program, found)
        yield Finding(
            severity="warning",
            confidence="certain",
            site=found.source.call.site,
            evidence=(_evidence(found),),
            remedy=remedy,
            advice=None if remedy else _advice(found),
        )


def _cases(program: Program) -> Iterator[_Case]:
    suspects = [
        (source, predict)
        for source in program.sources
        if _shuffled(program, source)
        for predict in predictions_on(program, source)
    ]
    tree = parsed(program.text) if suspects else None
    if tree is None:
        return
    for source, predict in suspects:
        given = predict.argument("x", 0) or predict.argument("generator", 0)
        if given is None or not given.text.replace(".", "").isidentifier():
            continue
        if not _only(program, source, given.text):
            continue
        labels = source.call.argument("y", 1) if source.kind == "flow" else None
        name = labels.text if labels is not None and labels.text.isidentifier() else None
        for found in comparisons(tree, predict.site.line, given.text, name):
            yield _Case(source, predict, given.text, found)
            break


def _shuffled(program: Program, source: Source) -> bool:
    """True if each pass over the source comes in a new order, and in none that is written down."""
    names = stage_names(source)
    variable = source.variable or ""
    if variable and f"{variable}.shuffle =" in program.text:
        return False
    if source.kind.startswith("flow"):
        return shuffles(source) is True
    if source.kind not in _TF_DATA:
        return False
    if "cache" in names and "shuffle" not in names[names.index("cache") :]:
        return False  # the first pass is kept, and gives the same order again
    for stage in source.stages:
        if stage.name.endswith(".shuffle"):
            return stage.constant("reshuffle_each_iteration", 2) in (None, True)
    return source.kind == "image_dataset_from_directory" and shuffles(source) is True


def _only(program: Program, source: Source, name: str) -> bool:
    """True if ``name`` holds nothing but this source wherever it is assigned."""
    own = {source.call.site, *(stage.site for stage in source.stages)}
    return all(call.site in own for call in program.calls if name in call.targets)


def _evidence(found: _Case) -> Evidence:
    what = found.source.kind
    if what in SHUFFLE and "shuffle" not in stage_names(found.source):
        given = found.source.call.argument("shuffle", SHUFFLE[what][0])
        how = "with shuffle=True" if given is not None else "and shuffles by default"
    else:
        how = "and is shuffled anew at each pass"
    return Evidence(
        source="static",
        summary=(
            f"line {found.comparison.line} compares predictions of {found.data}, which comes from "
            f"{what} {how}, with {found.comparison.labels}, which is in another order"
        ),
    )


def _advice(found: _Case) -> str:
    if found.source.kind.startswith("flow"):
        return (
            "predict on a flow of its own with shuffle=False, and compare with the classes of that "
            "flow"
        )
    return (
        "collect labels and predictions in one pass (for images, labels in data: "
        "model.predict_on_batch(images)), or load the data with shuffle=False"
    )


def _remedy(program: Program, found: _Case) -> Remedy | None:
    """``shuffle=False``, where only evaluation uses the source and no split hangs on its order."""
    call, kind = found.source.call, found.source.kind
    if kind not in SHUFFLE or "shuffle" in stage_names(found.source):
        return None
    if trains(program, found.source):
        return None
    if kind == "image_dataset_from_directory" and call.argument("validation_split") is not None:
        return None
    edit = set_argument(call, "shuffle", SHUFFLE[kind][0], "False")
    summary = "keep the order of the files where predictions are compared with their labels"
    return merged("set_argument", summary, [(call.site.path, edit)], "none")


_SICK = """\
import numpy as np
import tensorflow as tf
from sklearn.metrics import confusion_matrix
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory("data/train", target_size=(96, 96))
valid = datagen.flow_from_directory("data/valid", target_size=(96, 96))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)

predicted = np.argmax(model.predict(valid), axis=1)
print(confusion_matrix(valid.classes, predicted))
"""
_CURED = _SICK.replace(
    '"data/valid", target_size=(96, 96)', '"data/valid", target_size=(96, 96), shuffle=False'
)

CAUSE = CauseSpec(
    id="evaluation-shuffled",
    code="TL309",
    title="Predictions of shuffled data are compared with labels in order",
    what=(
        "`model.predict` walks through a generator or data set that shuffles, and its predictions "
        "are compared with `.classes`, or with labels gathered in another pass. "
        "`flow_from_directory` and `image_dataset_from_directory` shuffle unless told not to."
    ),
    why=(
        "Rows no longer belong together: the report and the confusion matrix look like chance, "
        "while `evaluate` on the same data is fine. It is the usual reason for a model with good "
        "validation accuracy and a useless classification report."
    ),
    sources=(
        "https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/image/ImageDataGenerator",
        "https://github.com/keras-team/keras/issues/6499",
        "https://www.tensorflow.org/api_docs/python/tf/data/Dataset#shuffle",
    ),
    find=find,
    examples=Examples(sick=_SICK, healthy=_CURED, cured=_CURED),
)
