"""The form of the labels does not fit the loss."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import crash_matches, explained, merged, position, set_argument
from tlfix.evidence.labels import Form, Labels
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Evidence
from tlfix.program.model import Compile, Program, Source

_MESSAGES = (
    "Arguments `target` and `output` must have the same",
    "Argument `output` must have rank (ndim) `target.ndim - 1`",
    "Shapes (None, 1) and (None,",
    "`labels.shape` must equal `logits.shape`",
)
_LOSS = {"integer": "sparse_categorical_crossentropy", "vector": "categorical_crossentropy"}
_BINARY = "binary_crossentropy"
_SYMPTOMS = ("flat-loss", "loss-not-finite", "zero-accuracy", "chance-accuracy")


@dataclass(frozen=True)
class _Plan:
    """What makes one task consistent: a new loss, another form of some labels, or both."""

    task: Task
    faulty: tuple[Labels, ...]
    loss: str | None
    mode: str | None
    sources: tuple[Source, ...] = ()


def find(case: Case) -> Iterable[Finding]:
    """One finding for every way to make the labels and losses of the program agree."""
    plans = [plan for task in tasks(case) if (plan := _plan(case.program, task)) is not None]
    for key in dict.fromkeys((plan.loss, plan.mode) for plan in plans):
        yield _finding(case, [plan for plan in plans if (plan.loss, plan.mode) == key])


def _faulty(task: Task, labels: Labels) -> bool:
    """True if these labels cannot, or must not, meet this loss at this head."""
    one = task.units == 1
    integer = labels.form == "integer"
    two = labels.two or labels.classes == 2 or (labels.classes is None and _sigmoid(task))
    if labels.form is None or task.family is None:
        return False
    if one and integer:
        # One output: only the binary loss can teach it anything; categorical is always 0.
        return task.family != "binary" and two
    if task.trained:
        return False  # it raises in the first step: one that ran shows that it does not
    if one:
        return two and _sigmoid(task)
    if task.family == "sparse":
        return not integer
    return integer and (task.family == "categorical" or task.units is not None)


def _sigmoid(task: Task) -> bool:
    return task.activation == "sigmoid" or (
        task.family == "binary" and task.activation in ("linear", None)
    )


def _plan(program: Program, task: Task) -> _Plan | None:
    faulty = tuple(labels for labels in task.labels if _faulty(task, labels))
    if not faulty:
        return None
    if task.units == 1:
        rows = [labels for labels in task.labels if labels.form == "vector"]
        loss = None if task.family == "binary" else _BINARY
        return _Plan(task, faulty, loss, "binary" if rows else None, _sources(program, rows))
    forms = {labels.form for labels in task.labels if labels.form is not None}
    wanted: Form = "integer" if task.family == "sparse" else "vector"
    given: Form = "vector" if wanted == "integer" else "integer"
    settable = all(labels.mode is not None for labels in faulty)
    if forms == {given} and not (settable and _tied(task.compiled, wanted)):
        loss = _LOSS[given] if all(labels.single for labels in faulty) else _BINARY
        return _Plan(task, faulty, loss, None)
    mode = "sparse" if wanted == "integer" else "categorical"
    return _Plan(task, faulty, None, mode, _sources(program, faulty))


def _tied(compiled: Compile | None, wanted: Form) -> bool:
    """True if the loss or the metrics say more than a plain loss would: better keep them."""
    if compiled is None or compiled.loss is None:
        return True
    call = compiled.loss.call
    if call is not None and any(a.keyword != "from_logits" for a in (*call.keywords,)):
        return True
    metrics = compiled.metrics.text if compiled.metrics is not None else ""
    if wanted == "integer":
        return "sparse" in metrics.lower()
    needing_rows = ("Categorical", "top_k_cat", "AUC", "F1", "Precision", "Recall")
    return "parse" not in metrics and any(name in metrics for name in needing_rows)


def _sources(program: Program, labels: Iterable[Labels]) -> tuple[Source, ...]:
    """The pipelines behind ``labels``, and test pipelines that make labels the same way."""
    given = [one for one in labels if one.source is not None and one.mode is not None]
    found = [one.source for one in given if one.source is not None]
    for other in program.sources:
        for one in given:
            same = one.source is not None and other.kind == one.source.kind
            if same and other.split in ("test", "unknown") and _same_mode(one, other):
                found.append(other)
    return tuple({source.call.site: source for source in found}.values())


def _same_mode(one: Labels, other: Source) -> bool:
    assert one.source is not None and one.mode is not None
    mine = one.source.call.constant(one.mode, one.mode_index)
    return mine == other.call.constant(one.mode, one.mode_index)


def _finding(case: Case, plans: list[_Plan]) -> Finding:
    first = plans[0]
    measured = any(plan.task.measured for plan in plans)
    message = crash_matches(case, *_MESSAGES)
    remedy = _remedy(plans)
    site = first.sources[0].call.site if first.sources else None
    compiled = first.task.compiled
    if site is None and compiled is not None:
        site = compiled.loss.site if compiled.loss is not None else compiled.call.site
    evidence = list(dict.fromkeys(_evidence(plans)))
    if message is not None:
        evidence.append(Evidence(source="probe", summary=f"training stopped with: {message}"))
    return Finding(
        severity="error",
        confidence="certain" if measured or message is not None else "likely",
        site=site or first.task.site,
        evidence=tuple(evidence),
        explains=explained(case, *(("crash",) if message is not None else ()), *_SYMPTOMS),
        remedy=remedy,
        advice=None if remedy is not None else _advice(first),
    )


def _evidence(plans: list[_Plan]) -> Iterator[Evidence]:
    for plan in plans:
        task = plan.task
        for labels in plan.faulty:
            rows = f"one row of {labels.classes or 'several'} numbers per image (one-hot)"
            what = "one class number per image" if labels.form == "integer" else rows
            units = "" if task.units is None else f" and the head has {_outputs(task.units)}"
            seen = labels.data is not None
            verb = "arrive as" if seen else "are read as"
            yield Evidence(
                source="probe" if seen else "static",
                summary=f"{labels.split} labels {verb} {what}, the loss is {task.loss}{units}",
            )


def _outputs(units: int) -> str:
    return "1 output" if units == 1 else f"{units} outputs"


def _remedy(plans: list[_Plan]) -> Remedy | None:
    loss, mode = plans[0].loss, plans[0].mode
    compiles = [plan.task.compiled for plan in plans if plan.task.compiled is not None]
    sources = [source for plan in plans for source in plan.sources]
    if (loss is not None and not compiles) or (mode is not None and not sources):
        return None
    if loss is not None and mode is None:
        logits = any(plan.task.from_logits for plan in plans)
        edits = [
            (
                c.call.site.path,
                {"compile": position(c.call.site), "loss": loss, "from_logits": logits},
            )
            for c in compiles
        ]
        return merged("set_loss", f"use the loss {loss}, which these labels fit", edits, "cursory")
    changes = [_mode_edit(source, mode or "") for source in sources]
    keyword = str(changes[0][1]["keyword"])
    summary = f'set {keyword}="{mode}" in every pipeline'
    if loss is not None:
        changes += [
            (c.call.site.path, set_argument(c.call, "loss", 1, f'"{loss}"')) for c in compiles
        ]
        summary += f" and use the loss {loss}"
    return merged("set_argument", summary, changes, "cursory")


def _mode_edit(source: Source, mode: str) -> tuple[str, dict[str, object]]:
    call = source.call
    if call.name.endswith("image_dataset_from_directory"):
        value = "int" if mode == "sparse" else mode
        return call.site.path, set_argument(call, "label_mode", 2, f'"{value}"')
    index = 8 if call.name.endswith("flow_from_dataframe") else 4
    return call.site.path, set_argument(call, "class_mode", index, f'"{mode}"')


def _advice(plan: _Plan) -> str:
    if plan.loss is not None:
        return f"compile the model with loss={plan.loss!r}"
    if plan.mode == "categorical":
        return "encode the labels with keras.utils.to_categorical, in every split alike"
    return "give the labels as one class number per image, in every split alike"


_SICK = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

preprocess = tf.keras.applications.mobilenet_v2.preprocess_input
datagen = ImageDataGenerator(preprocessing_function=preprocess)
train = datagen.flow_from_directory("data/train", target_size=(96, 96), class_mode="sparse")
valid = datagen.flow_from_directory("data/valid", target_size=(96, 96), class_mode="sparse")

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=valid, epochs=5)
"""

CAUSE = CauseSpec(
    id="class-mode-loss-mismatch",
    code="TL201",
    title="The labels' form does not fit the loss",
    what=(
        "`class_mode`, `label_mode` or the encoding of the label arrays decides whether a label is "
        "one class number or one row of numbers per image. `categorical_crossentropy` wants rows, "
        "`sparse_categorical_crossentropy` wants numbers, and `binary_crossentropy` on one output "
        "wants 0 or 1. Here they disagree."
    ),
    why=(
        "Keras 3 stops in the first step (`target` and `output` must have the same rank or shape). "
        "One output under `categorical_crossentropy` does not stop: its loss is 0 from the first "
        "step on, and nothing is learned. `binary_crossentropy` over a softmax of two outputs with "
        "one-hot labels is consistent and is not reported."
    ),
    sources=(
        "https://keras.io/api/losses/probabilistic_losses/",
        "https://keras.io/api/data_loading/image/",
        "https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/image/ImageDataGenerator",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace('"sparse"', '"categorical"'),
        cured=_SICK.replace('loss="categorical', 'loss="sparse_categorical'),
    ),
)
