"""Only one class reaches training."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence.edits import explained
from tlfix.evidence.origins import site_of, source_behind
from tlfix.evidence.tasks import LOSSES
from tlfix.findings import Evidence, Measurement
from tlfix.probe.trace import DataSeen, FitSeen
from tlfix.program.model import Source

_SINGLE = ("integer", "binary", "one-hot")
_SYMPTOMS = (
    "single-class-predictions",
    "chance-accuracy",
    "chance-validation",
    "zero-accuracy",
    "below-chance",
    "loss-not-finite",
)


def find(case: Case) -> Iterable[Finding]:
    """One finding for the first ``fit`` all of whose training labels are one class."""
    for fit in case.trace.fits if case.trace else ():
        data = fit.training
        if data is None or not _classifies(fit) or not _all_counted(data):
            continue
        counts = {c: n for c, n in (data.histogram or {}).items() if n > 0}
        if data.label_kind in _SINGLE and len(counts) == 1 and sum(counts.values()) > 1:
            yield _finding(case, fit, data, *counts.items())
            return


def _classifies(fit: FitSeen) -> bool:
    """A loss of another kind may be given labels that nobody reads (contrastive learning)."""
    return fit.compiled is not None and fit.compiled.loss in LOSSES


def _all_counted(data: DataSeen) -> bool:
    """True if the histogram is of all samples: the first ones of sorted data are of one class."""
    return data.histogram_of == "all"


def _finding(case: Case, fit: FitSeen, data: DataSeen, found: tuple[int, int]) -> Finding:
    number, count = found
    source = source_behind(case.program, fit, data)
    names = sorted(data.class_indices or data.class_names or ())
    named = f" ({names[0]!r})" if len(names) == 1 else ""
    return Finding(
        severity="error",
        confidence="certain",
        site=site_of(case.program, fit, data, "labels"),
        evidence=(
            Evidence(
                source="probe",
                summary=f"all {count} training labels are class {number}{named}",
                measured=(Measurement(name="classes", value=1, threshold=2, n=count),),
            ),
        ),
        explains=explained(case, *_SYMPTOMS),
        advice=_advice(source, names),
    )


def _advice(source: Source | None, names: list[str]) -> str:
    if source is not None and source.call.name.endswith("_from_directory"):
        folder = source.call.argument("directory", 0)
        where = folder.text if folder is not None else "the folder"
        only = f", but {names[0]!r} is the only one" if len(names) == 1 else ""
        return (
            f"give {where} one subfolder per class{only}: name the folder above the classes, and "
            "look for files that were not unpacked"
        )
    if source is not None and source.call.name.endswith("flow_from_dataframe"):
        return (
            "look at the values of the column given as y_col, and at how many of the data frame's "
            "files were found"
        )
    return "count the labels where they are made: one filter, slice or comparison gives one class"


_SICK = """\
import numpy as np
import tensorflow as tf

images, answers = np.load("images.npy"), np.load("answers.npy")
labels = (answers == "Yes").astype("int32")  # the file says "yes": no comparison is ever true

base = tf.keras.applications.MobileNetV2(include_top=False, pooling="avg", input_shape=(96, 96, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(1, activation="sigmoid")])
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(tf.keras.applications.mobilenet_v2.preprocess_input(images), labels, epochs=5)
"""

CAUSE = CauseSpec(
    id="labels-single-class",
    code="TL207",
    title="Only one class reaches training",
    what=(
        "All labels of the training data are the same. A folder with one subfolder, a comparison "
        "that is never true, a filter, or the first part of sorted data is all that arrives."
    ),
    why=(
        "The model learns to name that class whatever it is shown. Training accuracy goes to 1.0 "
        "within a few steps, which looks like success, and nothing about the images is learned. "
        "Only a count of all labels tells: in a sample from the start of sorted data one class is "
        "to be expected, and it is not reported."
    ),
    sources=(
        "https://keras.io/api/data_loading/image/",
        "https://developers.google.com/machine-learning/crash-course/overfitting/data-characteristics",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace('"Yes"', '"yes"').replace(
            '  # the file says "yes": no comparison is ever true', ""
        ),
    ),
)
