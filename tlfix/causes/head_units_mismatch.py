"""The head has another number of outputs than the data has classes."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import crash_matches, explained, merged, position, set_argument
from tlfix.evidence.labels import Labels
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Evidence, Measurement, Severity
from tlfix.program.model import Layer, Program, Source

_MESSAGES = (
    "Arguments `target` and `output` must have the same shape",
    "which is outside the valid range of [0,",
    "Received a label value of",
)
_SYMPTOMS = ("loss-not-finite", "flat-loss", "zero-accuracy", "chance-accuracy")


def find(case: Case) -> Iterable[Finding]:
    """One finding for every head that cannot name each class exactly once."""
    done: set[object] = set()
    for task in tasks(case):
        labels = task.training
        if labels is None or labels.classes is None or task.units is None or task.family is None:
            continue
        severity = _severity(task, labels)
        key = task.layer.call.site if task.layer is not None else task.site
        if severity is None or key in done:
            continue
        done.add(key)
        yield _finding(case, task, labels, severity)


def _severity(task: Task, labels: Labels) -> Severity | None:
    """How bad it is, None if units and classes fit each other or another cause owns the case."""
    units, classes = task.units, labels.classes
    assert units is not None and classes is not None
    if labels.form is None or classes < 2 or units == classes:
        return None
    if units == 1:
        if labels.form == "vector":
            # A single sigmoid with rows of two wants other labels, not another head.
            single_softmax = task.activation == "softmax"
            return "error" if (classes > 2 or single_softmax) and not task.trained else None
        return "error" if labels.beyond(2) else None
    if labels.form == "vector":
        return None if task.trained else "error"
    if task.family != "sparse":
        return None
    if units < classes:
        return "error" if labels.beyond(units) else None
    highest = labels.data.label_maximum if labels.data is not None else None
    # Labels that count from 1 need one output more than there are classes.
    return None if highest is not None and highest >= units - 1 else "warning"


def _finding(case: Case, task: Task, labels: Labels, severity: Severity) -> Finding:
    units, classes = task.units, labels.classes
    seen = labels.data is not None
    has = "output" if units == 1 else "outputs"
    summary = f"the head has {units} {has}, the training data has {classes} classes"
    if severity == "warning":
        summary += ": the outputs too many can never be right"
    evidence = [
        Evidence(
            source="probe" if seen else "static",
            summary=summary,
            measured=(
                Measurement(
                    name="output units",
                    value=units,
                    threshold=classes,
                    n=labels.data.samples if labels.data is not None else None,
                ),
            ),
        )
    ]
    message = crash_matches(case, *_MESSAGES)
    if message is not None:
        evidence.append(Evidence(source="probe", summary=f"training stopped with: {message}"))
    remedy = _remedy(case.program, task, labels)
    return Finding(
        severity=severity,
        confidence="certain" if task.measured and seen else "likely",
        site=task.layer.call.site if task.layer is not None else task.site,
        evidence=tuple(evidence),
        explains=explained(case, *(("crash",) if message is not None else ()), *_SYMPTOMS),
        remedy=remedy,
        advice=None if remedy else f"give the last layer {classes} outputs",
    )


def _remedy(program: Program, task: Task, labels: Labels) -> Remedy | None:
    layer, classes = task.layer, labels.classes
    if layer is None or classes is None or not _is_dense(layer):
        return None
    value = _expression(program, layer, labels) or str(classes)
    path = layer.call.site.path
    edits = [(path, set_argument(layer.call, "units", 0, value))]
    summary = f"give the head {value} outputs"
    if task.units == 1:
        if layer.activation_call is not None or task.compiled is None:
            return None
        loss = "categorical" if labels.form == "vector" else "sparse_categorical"
        if task.activation != "softmax" and not task.from_logits:
            edits.append((path, set_argument(layer.call, "activation", 1, '"softmax"')))
            summary += " with softmax"
        if task.family == "binary":
            if task.from_logits:
                return None  # units in one place, a loss object in another: by hand
            compiled = task.compiled.call
            text = f'"{loss}_crossentropy"'
            edits.append((compiled.site.path, set_argument(compiled, "loss", 1, text)))
            summary += f" and the loss {loss}_crossentropy"
    return merged("set_argument", summary, edits, "cursory")


def _is_dense(layer: Layer) -> bool:
    return layer.call.name.rsplit(".", 1)[-1] == "Dense"


def _expression(program: Program, layer: Layer, labels: Labels) -> str | None:
    """The number of classes as the program's own pipeline can say it where the head is made."""
    source = labels.source
    if source is None or source.variable is None or not _stands_before(source, layer):
        return None
    if source.call.name.endswith(("flow_from_directory", "flow_from_dataframe")):
        return f"{source.variable}.num_classes"
    rebound = [
        call
        for call in program.calls
        if source.variable in call.targets and call.site != source.call.site
    ]
    if (
        source.call.name.endswith("image_dataset_from_directory")
        and not source.stages
        and not rebound
    ):
        return f"len({source.variable}.class_names)"
    return None


def _stands_before(source: Source, layer: Layer) -> bool:
    same = source.call.scope == layer.call.scope and source.call.site.path == layer.call.site.path
    return same and position(source.call.site) < position(layer.call.site)


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory(
    "data/train", target_size=(96, 96), classes=["cat", "dog", "bird"]
)

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(2, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=5)
"""

CAUSE = CauseSpec(
    id="head-units-mismatch",
    code="TL203",
    title="The head's outputs are not as many as the classes",
    what=(
        "The last `Dense` layer has another number of units than the data has classes. It shows "
        "where a script was copied from a task with other classes, or where a folder was added."
    ),
    why=(
        "With one-hot labels Keras stops: `target` and `output` must have the same shape. With "
        "class numbers, too few outputs stop TensorFlow on the CPU and give a NaN loss on a GPU; "
        "outputs too many train, and take a share of the probability that no image can claim. One "
        "output under `binary_crossentropy` pushes class 2 and above beyond any reachable value."
    ),
    sources=(
        "https://keras.io/api/losses/probabilistic_losses/",
        "https://www.tensorflow.org/api_docs/python/tf/nn/sparse_softmax_cross_entropy_with_logits",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("Dense(2", "Dense(3"),
        cured=_SICK.replace("Dense(2", "Dense(train.num_classes"),
    ),
    after=("labels-out-of-range", "ordered-validation-split", "labels-single-class"),
)
