"""``class_weight`` is not a dict keyed by class index."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import crash_matches, explained, merged, set_argument
from tlfix.evidence.labels import Labels
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Confidence, Evidence, Severity
from tlfix.program.model import Argument

_MESSAGES = (
    "object has no attribute 'get'",
    "object has no attribute 'keys'",
    'can only concatenate str (not "int") to str',
    "`class_weight` is not supported for Python generator",
    "Expected `class_weight` to be a dict",
)
_ARRAYS = ("ndarray", "list", "tuple", "Series", "Tensor")


def find(case: Case) -> Iterable[Finding]:
    """One finding for every ``class_weight`` that stops the fit or is not applied as written."""
    for task in tasks(case):
        given = task.fit.class_weight if task.fit is not None else None
        if given is None and (task.seen is None or task.seen.class_weight_type is None):
            continue
        finding = _array(case, task, given) or _keys(case, task, given)
        if finding is not None:
            yield finding


def _array(case: Case, task: Task, given: Argument | None) -> Finding | None:
    """An array or list, where ``fit`` asks a dict for the weight of each class."""
    kind = task.seen.class_weight_type if task.seen is not None else None
    made_by = given.call.name if given is not None and given.call is not None else ""
    if kind is None and given is not None:
        if made_by.endswith("compute_class_weight"):
            kind = "ndarray"
        elif isinstance(given.value, list | tuple | str):
            kind = type(given.value).__name__
    if kind not in (*_ARRAYS, "str") or task.trained:
        return None
    summary = f"class_weight is a {kind}, fit looks each class up in a dict"
    if made_by.endswith("compute_class_weight"):
        summary = "class_weight is the array that compute_class_weight returns, fit needs a dict"
    value = None if given is None or kind == "str" else f"dict(enumerate({given.text}))"
    return _finding(
        case,
        task,
        given,
        severity="error",
        summary=summary,
        value=value,
        advice="give fit class_weight={0: weight, 1: weight, ...}, keyed by class index",
    )


def _keys(case: Case, task: Task, given: Argument | None) -> Finding | None:
    """A dict whose keys are not the class indices: Keras gives the classes left out weight 1."""
    weights = _weights(task, given)
    if not weights:
        return None
    keys = list(weights)
    training = task.training
    if all(isinstance(key, str) for key in keys):
        value = _by_index(weights, training)
        return _finding(
            case,
            task,
            given,
            severity="error" if crash_matches(case, *_MESSAGES) else "warning",
            summary=f"class_weight is keyed by {keys[0]!r} ..., labels are class numbers",
            value=value,
            advice="key class_weight by class index, for example with train.class_indices[name]",
        )
    classes = training.classes if training is not None else None
    if classes is None or not all(isinstance(key, int) for key in keys):
        return None
    left_out = [index for index in range(classes) if index not in keys]
    if not left_out:
        return None
    shifted = keys == list(range(1, classes + 1))
    listed = ", ".join(map(str, left_out[:5]))
    return _finding(
        case,
        task,
        given,
        severity="warning" if shifted else "note",
        summary=f"class_weight leaves out class {listed}: its images weigh 1",
        value=_literal({key - 1: w for key, w in weights.items()}) if shifted else None,
        advice="give class_weight one entry for every class index from 0 on",
    )


def _weights(task: Task, given: Argument | None) -> dict[Any, Any] | None:
    """The dict as the source has it, else as ``fit`` was given it."""
    if given is not None and isinstance(given.value, dict):
        return given.value
    seen = task.seen.class_weight if task.seen is not None else None
    if seen is None:
        return None
    return {_key(key): weight for key, weight in seen.items()}


def _key(written: str) -> int | str:
    """The key as it was: traces have all keys as text, and 1.0 finds the same class as 1."""
    try:
        return int(float(written))
    except (ValueError, OverflowError):
        return written


def _by_index(weights: dict[str, object], training: Labels | None) -> str | None:
    """The same weights keyed by index, where the probe saw which index each name has."""
    data = training.data if training is not None else None
    indices = data.class_indices if data is not None else None
    if indices is None and data is not None and data.class_names:
        indices = {name: index for index, name in enumerate(data.class_names)}
    if not indices or any(name not in indices for name in weights):
        return None
    return _literal({indices[name]: weight for name, weight in weights.items()})


def _literal(weights: dict[int, object]) -> str:
    return "{" + ", ".join(f"{key}: {weights[key]!r}" for key in sorted(weights)) + "}"


def _finding(
    case: Case,
    task: Task,
    given: Argument | None,
    *,
    severity: Severity,
    summary: str,
    value: str | None,
    advice: str,
) -> Finding:
    message = crash_matches(case, *_MESSAGES)
    confidence: Confidence = "certain" if task.measured or message else "likely"
    evidence = [Evidence(source="probe" if task.measured else "static", summary=summary)]
    if message is not None:
        evidence.append(Evidence(source="probe", summary=f"training stopped with: {message}"))
    remedy: Remedy | None = None
    if task.fit is not None and given is not None and value is not None:
        call = task.fit.call
        edit = (call.site.path, set_argument(call, "class_weight", None, value))
        if given.keyword == "class_weight":
            remedy = merged("set_argument", f"class_weight={value}", [edit], "cursory")
    return Finding(
        severity=severity,
        confidence=confidence,
        site=given.site if given is not None else task.site,
        evidence=tuple(evidence),
        explains=explained(case, "crash") if severity == "error" else (),
        remedy=remedy,
        advice=None if remedy is not None else advice,
    )


_SICK = """\
import numpy as np
import tensorflow as tf
from sklearn.utils.class_weight import compute_class_weight

y_train = np.load("labels.npy")
x_train = tf.keras.applications.mobilenet_v2.preprocess_input(np.load("images.npy"))

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

class_weights = compute_class_weight("balanced", classes=np.unique(y_train), y=y_train)
model.fit(x_train, y_train, epochs=5, class_weight=class_weights)
"""

CAUSE = CauseSpec(
    id="class-weight-invalid",
    code="TL302",
    title="class_weight is not a dict keyed by class index",
    what=(
        "`fit` wants `class_weight` as a dict from class index to weight. "
        "`sklearn.utils.class_weight.compute_class_weight` returns an array; others write the "
        "class names as keys, count from 1, or leave classes out."
    ),
    why=(
        "Measured with Keras 3.15: an array or list stops `fit` (`'numpy.ndarray' object has no "
        "attribute 'get'`, with tf.data `'keys'`). A dict of names is ignored without a word for "
        "arrays and generators and stops tf.data. A class that is left out weighs 1. A dict with "
        "Python generators is refused."
    ),
    sources=(
        "https://keras.io/api/models/model_training_apis/#fit-method",
        "https://scikit-learn.org/stable/modules/generated/sklearn.utils.class_weight.compute_class_weight.html",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("=class_weights)", "=dict(enumerate(class_weights)))"),
        cured=_SICK.replace("=class_weights)", "=dict(enumerate(class_weights)))"),
    ),
)
