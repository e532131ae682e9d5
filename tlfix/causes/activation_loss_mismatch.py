"""The last activation does not fit the loss."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import backend, explained, merged, position, set_argument
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Confidence, Evidence, Severity
from tlfix.program.model import Layer, Program

_PROBABILITIES = ("softmax", "sigmoid")
# Unbounded or one-sided: a logarithm of such values is clipped or not a number.
_OTHERS = (
    "relu",
    "relu6",
    "tanh",
    "elu",
    "selu",
    "gelu",
    "swish",
    "silu",
    "leaky_relu",
    "softplus",
)
_SYMPTOMS = (
    "flat-loss",
    "loss-not-finite",
    "loss-diverging",
    "zero-accuracy",
    "chance-accuracy",
    "chance-validation",
    "single-class-predictions",
    "slow-learning",
)


@dataclass(frozen=True)
class _Fault:
    """What is wrong and what would be right: another activation, loss, or no ``from_logits``."""

    severity: Severity
    summary: str
    activation: str | None = None
    loss: str | None = None
    from_logits: bool | None = None


def find(case: Case) -> Iterable[Finding]:
    """One finding for every head whose activation and loss contradict each other."""
    done: set[object] = set()
    for task in tasks(case):
        fault = _fault(case, task)
        key = (
            task.layer.call.site if task.layer is not None else task.site,
            fault.summary if fault is not None else None,
        )
        if fault is not None and key not in done:
            done.add(key)
            yield _finding(case, task, fault)


def _fault(case: Case, task: Task) -> _Fault | None:
    activation, family, units = task.activation, task.family, task.units
    if activation is None or family is None:
        return None
    if units == 1:
        fault = _single_output(task)
        if fault is not None:
            return fault
    if task.from_logits is None:
        return None
    right = "sigmoid" if family == "binary" else "softmax"
    if activation in _PROBABILITIES and task.from_logits:
        return _squashed_twice(case, activation)
    if activation == "linear" and not task.from_logits:
        if not task.measured and _mentions_probabilities(case.program):
            return None  # they may be made elsewhere; only a run can tell
        summary = f"the output is linear, and {task.loss} takes it for probabilities"
        return _Fault("error", summary, activation=right)
    if activation in _OTHERS:
        if task.from_logits:
            summary = f"{activation} cuts the logits that the loss expects"
            return _Fault("warning", summary, activation="linear")
        severity: Severity = "error" if activation in ("relu", "relu6") else "warning"
        summary = f"{activation} gives no probabilities, and {task.loss} takes them for such"
        return _Fault(severity, summary, activation=right)
    return None if units is None else _odd_pair(case, task)


def _single_output(task: Task) -> _Fault | None:
    training = task.training
    form = training.form if training is not None else None
    if task.activation == "softmax":
        if form == "vector" or (training is not None and training.beyond(2)):
            return None  # the head has too few outputs: another cause
        loss = None if task.family == "binary" else "binary_crossentropy"
        summary = "softmax over one output is 1 for every image"
        return _Fault("error", summary, activation="sigmoid", loss=loss)
    if task.activation == "sigmoid" and task.family != "binary" and form is None:
        summary = f"{task.loss} needs an output per class, the head has one"
        return _Fault("error", summary, loss="binary_crossentropy")
    return None


def _squashed_twice(case: Case, activation: str) -> _Fault:
    met = backend(case)
    summary = f"from_logits=True after {activation}: the loss would apply {activation} again"
    if met in (None, "tensorflow"):
        summary += "; Keras on TensorFlow notices it and uses the values before the activation"
        return _Fault("note", summary, from_logits=False)
    return _Fault("warning", summary, from_logits=False)


def _odd_pair(case: Case, task: Task) -> _Fault | None:
    """Pairs that train, yet mean something else than their names say."""
    assert task.units is not None
    training = task.training
    if task.activation == "sigmoid" and task.family != "binary" and task.units > 1:
        if training is not None and not training.single:
            return _Fault(
                "warning",
                f"images with several labels need binary_crossentropy, the loss is {task.loss}",
                loss="binary_crossentropy",
            )
        note = backend(case) in (None, "tensorflow")
        return _Fault(
            "note" if note else "warning",
            f"{task.loss} compares classes with each other, sigmoid scores each alone",
            activation="softmax",
        )
    one_hot = training is not None and training.form == "vector" and training.single
    if task.activation == "softmax" and task.family == "binary" and task.units > 2 and one_hot:
        return _Fault(
            "note",
            "binary_crossentropy scores each of the softmax outputs alone",
            loss="categorical_crossentropy",
        )
    return None


def _mentions_probabilities(program: Program) -> bool:
    text = program.text.lower()
    return "softmax" in text or "sigmoid" in text


def _finding(case: Case, task: Task, fault: _Fault) -> Finding:
    remedy = _remedy(task, fault)
    confidence: Confidence = "certain" if task.measured else "likely"
    return Finding(
        severity=fault.severity,
        confidence=confidence,
        site=task.layer.call.site if task.layer is not None else task.site,
        evidence=(Evidence(source="probe" if task.measured else "static", summary=fault.summary),),
        explains=explained(case, *_SYMPTOMS) if fault.severity != "note" else (),
        remedy=remedy,
        advice=None if remedy is not None else _advice(fault),
    )


def _remedy(task: Task, fault: _Fault) -> Remedy | None:
    compiled = task.compiled
    if fault.from_logits is False:
        call = compiled.loss.call if compiled is not None and compiled.loss is not None else None
        if call is None:
            return None
        edit = (call.site.path, set_argument(call, "from_logits", 0, None))
        return merged("set_argument", "drop from_logits=True", [edit], "cursory")
    edits: list[tuple[str, dict[str, object]]] = []
    summary = []
    if fault.activation is not None:
        if task.layer is None:
            return None
        edit_or_none = _activation_edit(task.layer, fault.activation)
        if edit_or_none is None:
            return None
        edits.append(edit_or_none)
        summary.append(f"give the head the activation {fault.activation}")
    if fault.loss is not None:
        if compiled is None:
            return None
        if not edits:
            change: dict[str, object] = {
                "compile": position(compiled.call.site),
                "loss": fault.loss,
                "from_logits": bool(task.from_logits),
            }
            where = compiled.call.site.path
            return merged("set_loss", f"use the loss {fault.loss}", [(where, change)], "cursory")
        text = f'"{fault.loss}"'
        edits.append((compiled.call.site.path, set_argument(compiled.call, "loss", 1, text)))
        summary.append(f"use the loss {fault.loss}")
    return merged("set_argument", " and ".join(summary), edits, "cursory")


def _activation_edit(layer: Layer, activation: str) -> tuple[str, dict[str, object]] | None:
    separate = layer.activation_call
    call, index = (layer.call, 1) if separate is None else (separate, 0)
    kind = call.name.rsplit(".", 1)[-1]
    if kind not in ("Dense", "Activation"):
        return None
    if activation == "linear":
        value = None if kind == "Dense" else '"linear"'
    else:
        value = f'"{activation}"'
    return call.site.path, set_argument(call, "activation", index, value)


def _advice(fault: _Fault) -> str:
    if fault.from_logits is False:
        return "leave from_logits at False in the loss"
    parts = []
    if fault.activation is not None:
        parts.append(f"give the last layer activation={fault.activation!r}")
    if fault.loss is not None:
        parts.append(f"compile with loss={fault.loss!r}")
    return " and ".join(parts)


_SICK = """\
import tensorflow as tf

train = tf.keras.utils.image_dataset_from_directory("data/train", image_size=(96, 96))
base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
inputs = tf.keras.Input((96, 96, 3))
x = tf.keras.applications.mobilenet_v2.preprocess_input(inputs)
outputs = tf.keras.layers.Dense(5)(base(x, training=False))
model = tf.keras.Model(inputs, outputs)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=5)
"""

CAUSE = CauseSpec(
    id="activation-loss-mismatch",
    code="TL204",
    title="The last activation does not fit the loss",
    what=(
        "A cross-entropy named by a string, or made without `from_logits=True`, takes the model's "
        "output for probabilities: softmax for one of several classes, sigmoid for yes or no. With "
        "`from_logits=True` it takes it for raw scores. Here output and loss disagree."
    ),
    why=(
        "The logarithm of a raw score is clipped or not a number. Measured with Keras 3.15 on a "
        "task of three separable classes, 15 epochs: softmax 1.00 accuracy, linear output under "
        "`categorical_crossentropy` 0.23, relu output NaN from the first epoch. Softmax over one "
        "output is always 1 (measured: 0.52 where sigmoid reaches 1.00). `from_logits=True` after "
        "softmax or sigmoid does no harm on TensorFlow, where Keras warns and takes the scores "
        "before the activation (`_get_logits` in keras/src/backend/tensorflow/nn.py; measured "
        "1.00); the other backends apply the activation twice. Sigmoid with a categorical loss is "
        "likewise trained as a softmax on TensorFlow (measured 1.00), hence only a note there."
    ),
    sources=(
        "https://keras.io/api/losses/probabilistic_losses/",
        "https://github.com/keras-team/keras/blob/master/keras/src/backend/tensorflow/nn.py",
    ),
    find=find,
    after=("class-mode-loss-mismatch", "head-units-mismatch"),
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace(
            'loss="sparse_categorical_crossentropy"',
            "loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
        ),
        cured=_SICK.replace("Dense(5)", 'Dense(5, activation="softmax")'),
    ),
)
