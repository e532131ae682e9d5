"""Class numbers outside 0..units-1, or labels that are no class numbers at all."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding, Remedy
from tlfix.evidence.edits import crash_matches, end, explained, position
from tlfix.evidence.origins import crash_site, site_of
from tlfix.evidence.pairing import Pair, listed, pairs_of
from tlfix.evidence.scaling_flow import Scope, source_of
from tlfix.evidence.tasks import Task, tasks
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import DataSeen
from tlfix.program.model import Program

_RECEIVED = re.compile(
    r"[Rr]eceived a label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)"
)
_MESSAGES = (
    "which is outside the valid range of",
    "Cast string to",
    "could not convert string to float",
    "Invalid dtype: str",
    "Invalid dtype: object",
)
_WORDS = ("<U", "|S", "S", "str", "object", "bytes")
_SYMPTOMS = (
    "loss-not-finite",
    "loss-diverging",
    "flat-loss",
    "zero-accuracy",
    "chance-accuracy",
    "chance-validation",
    "below-chance",
)


@dataclass(frozen=True)
class _Fault:
    """What is wrong with the labels of one split. ``kind`` decides the cure."""

    kind: str
    data: DataSeen
    summary: str
    advice: str
    limit: float | None = None


def find(case: Case) -> Iterable[Finding]:
    """One finding: the labels that the probe saw, else the label that a crash names."""
    for task in tasks(case):
        seen = task.seen
        if seen is None:
            continue
        splits = [data for data in (seen.training, seen.validation) if data is not None]
        faults = [fault for data in splits if (fault := _fault(task, data)) is not None]
        if faults:
            yield _finding(case, task, splits, faults)
            return
    yield from _crashed(case)


def _fault(task: Task, data: DataSeen) -> _Fault | None:
    """What is wrong with these labels for this loss and head, None if nothing is."""
    if data.label_dtype is None or task.family is None:
        return None
    if data.label_dtype.startswith(_WORDS) and data.label_kind == "none":
        return _Fault(
            "words",
            data,
            f"the {data.split} labels arrive as {data.label_dtype}, not as numbers",
            "number the classes, in every split by one list: "
            "`[CLASSES.index(name) for name in names]`, or a LabelEncoder fitted once",
        )
    if data.label_kind == "continuous" and data.label_dtype.startswith("float"):
        if data.label_minimum is None or data.label_maximum is None:
            return _Fault(
                "nan",
                data,
                f"the {data.split} labels hold NaN or infinity",
                "look for rows without a label in the file that the labels come from, and leave "
                "their images out too",
            )
        return _fractions(task, data)
    if data.label_kind in ("integer", "binary"):
        return _numbers(task, data)
    return None


def _fractions(task: Task, data: DataSeen) -> _Fault | None:
    """Labels that were divided along with the pixels."""
    low, high = data.label_minimum or 0.0, data.label_maximum or 0.0
    shape = data.label_shape or (None,)
    flat = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
    if not flat and (len(shape) != 2 or task.family == "sparse"):
        return None  # maps of labels, or rows where numbers are wanted
    pixels = 0 < high < 1 and abs(high * 255 - round(high * 255)) < 1e-3 and low == 0
    if pixels and (task.family == "sparse" or round(high * 255) == 1):
        return _Fault(
            "scaled",
            data,
            f"the {data.split} labels go up to {high:.5g}, which is {round(high * 255)}/255: they "
            "were divided like pixels",
            "divide the images only, not the labels",
            1,
        )
    if task.family == "sparse" and task.units != 1:
        return _Fault(
            "fractions",
            data,
            f"the {data.split} labels are fractions between {low:g} and {high:g}; class numbers "
            "are whole, and the loss cuts them off",
            "give class numbers 0, 1, 2 …; a quantity to be estimated needs a linear output and "
            "mean_squared_error",
        )
    return None


def _numbers(task: Task, data: DataSeen) -> _Fault | None:
    """Whole numbers that no output stands for; too few outputs are another cause."""
    one = task.family == "binary" and task.units == 1
    units = 2 if one else task.units
    low, high = data.label_minimum, data.label_maximum
    if units is None or low is None or high is None or _ignores(task):
        return None
    if not one and (task.family != "sparse" or units < 2):
        return None
    if low >= 0 and high < units:
        return None
    distinct = len([n for n in (data.histogram or {}).values() if n > 0])
    known = data.histogram_of == "all"
    said = f"the {data.split} labels are {low:g} to {high:g}, the head's outputs stand for "
    said += f"0 to {units - 1}"
    if (low, high) == (1, units):
        advice = "subtract 1 from the labels, in every split alike"
        return _Fault("one-based", data, f"{said}: they count from 1", advice, units - 1)
    if one and (low, high) == (-1, 1) and distinct in (0, 2):
        advice = "turn the labels -1 and 1 into 0 and 1: (labels + 1) // 2"
        return _Fault("signs", data, said, advice, 1)
    if low < 0 or (known and 0 < distinct <= units):
        advice = (
            "number the classes 0, 1, 2 … without gaps, in every split alike (for arrays: "
            "np.unique(labels, return_inverse=True)[1]); leave out images marked as unlabelled"
        )
        return _Fault("gaps", data, said, advice, 0 if low < 0 else units - 1)
    return None


def _ignores(task: Task) -> bool:
    """``ignore_class=-1`` makes a label outside the range on purpose."""
    loss = task.compiled.loss if task.compiled is not None else None
    call = loss.call if loss is not None else None
    return call is not None and call.argument("ignore_class") is not None


def _finding(case: Case, task: Task, splits: list[DataSeen], faults: list[_Fault]) -> Finding:
    assert task.seen is not None
    first = faults[0]
    evidence = [_evidence(fault) for fault in faults]
    message = crash_matches(case, *_MESSAGES)
    if message is not None:
        evidence.append(Evidence(source="probe", summary=f"training stopped with: {message}"))
    kinds = {fault.kind for fault in faults}
    remedy, reason = None, None
    if kinds in ({"one-based"}, {"signs"}):
        if len(faults) == len(splits):
            remedy, reason = _remedy(case.program, first.kind)
        else:
            reason = "only one of the splits is numbered so"
    return Finding(
        severity="error",
        confidence="certain",
        site=site_of(case.program, task.seen, first.data, "labels"),
        evidence=tuple(evidence),
        explains=explained(case, *(("crash",) if message is not None else ()), *_SYMPTOMS),
        remedy=remedy,
        advice=None if remedy else f"{first.advice} ({reason})" if reason else first.advice,
    )


def _evidence(fault: _Fault) -> Evidence:
    data = fault.data
    n = data.samples if data.histogram_of == "all" else data.sampled
    measured = tuple(
        Measurement(name=name, value=value, threshold=limit, n=n or None)
        for name, value, limit in (
            ("label_minimum", data.label_minimum, 0.0),
            ("label_maximum", data.label_maximum, fault.limit),
        )
        if value is not None
    )
    return Evidence(source="probe", summary=fault.summary, measured=measured)


def _remedy(program: Program, kind: str) -> tuple[Remedy | None, str | None]:
    """One subtraction at every place where labels are handed over."""
    source = source_of(program.path, program.text)
    found = list(pairs_of(program, source))
    if not found:
        return None, "the labels are not handed over as arrays in this file"
    if any(_listed(pair, source.scope_at(pair.line)) for pair in found):
        return None, "the labels are a Python list"
    spans = []
    for pair in found:
        site = source.site(pair.labels)
        spans.append({"start": position(site), "end": end(site)})
    values: dict[str, object] = {"labels": tuple(spans), "offset": 1}
    summary = "count the classes from 0 in every split"
    if kind == "signs":
        values |= {"offset": -1, "factor": 2}
        summary = "make the labels 0 and 1 in every split"
    return Remedy("rebase_labels", summary, {program.path: values}, "careful"), None


def _listed(pair: Pair, scope: Scope) -> bool:
    if isinstance(pair.labels, ast.Name):
        return listed(scope, pair.labels.id, pair.line) is True
    return isinstance(pair.labels, ast.List)


def _crashed(case: Case) -> Iterator[Finding]:
    """TensorFlow's own words, where the labels were not seen before."""
    crash = case.trace.crash if case.trace else None
    match = _RECEIVED.search(crash.message) if crash else None
    if match is None or any(task.training and task.training.data for task in tasks(case)):
        return
    value, outputs = int(match[1]), int(match[2])
    measured = Measurement(name="label", value=value, threshold=outputs - 1 if value > 0 else 0)
    yield Finding(
        severity="error",
        confidence="certain",
        site=crash_site(case),
        evidence=(
            Evidence(
                source="probe",
                summary=f"training stopped at the label {value}; the {outputs} outputs stand for "
                f"0 to {outputs - 1}",
                measured=(measured,),
            ),
        ),
        explains=explained(case, "crash"),
        advice="number the classes from 0 in every split alike, and give the last layer one output "
        "per class",
    )


_SICK = """\
import numpy as np
import tensorflow as tf

images, labels = np.load("images.npy"), np.load("labels.npy")  # classes 1, 2 and 3
images = tf.keras.applications.mobilenet_v2.preprocess_input(images)

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation="softmax")])
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, validation_split=0.2, epochs=5)
"""

CAUSE = CauseSpec(
    id="labels-out-of-range",
    code="TL202",
    title="Labels lie outside the range of the output units",
    what=(
        "A sparse loss takes the class numbers 0 to units-1, a binary loss on one output 0 and 1. "
        "These labels count from 1, are negative, have gaps, are fractions or NaN, were divided by "
        "255 together with the pixels, or are words."
    ),
    why=(
        "TensorFlow stops on a CPU (`Received a label value of 3 which is outside the valid range "
        "of [0, 3)`); on a GPU the same label gives a NaN loss, and JAX counts it as nothing. "
        "Labels 1 and 2 under a binary loss push the loss below zero without end. Labels divided "
        "by 255 are cut to class 0: accuracy goes to 1.0 at once, and nothing is learned."
    ),
    sources=(
        "https://www.tensorflow.org/api_docs/python/tf/nn/sparse_softmax_cross_entropy_with_logits",
        "https://keras.io/api/losses/probabilistic_losses/",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("classes 1, 2 and 3", "classes 0, 1 and 2"),
    ),
)
