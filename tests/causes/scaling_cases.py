"""Programs and traces for the scaling causes, and their cures."""

from __future__ import annotations

from tests.traces import backbone, door, fit, place, probe, trace
from tlfix.causes import registry
from tlfix.causes.spec import Case, CauseSpec, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import Door, LinearProbe, ScalingSeen, Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import SYMPTOMS

PATH = "train.py"
CAFFE = ScalingSeen(
    name="caffe", scale=(1.0,) * 3, offset=(-103.939, -116.779, -123.68), source=(2, 1, 0)
)
TWICE = ScalingSeen(name="unit+tf", scale=(1 / 255 / 127.5,) * 3, offset=(-1.0,) * 3)

INLINED = """\
from tensorflow.keras.applications import {network}
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
{data}
base = {network}(weights="imagenet", include_top=False, input_shape=(96, 96, 3))
x = GlobalAveragePooling2D()(base.output)
model = Model(inputs=base.input, outputs=Dense(10, activation="softmax")(x))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
{use}
"""

NESTED = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
{data}
base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3))
base.trainable = False
inputs = keras.Input(shape=(96, 96, 3))
{call}
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=val)
"""

FOLDERS = """\
train = keras.utils.image_dataset_from_directory("a", image_size=(96, 96))
val = keras.utils.image_dataset_from_directory("b", image_size=(96, 96))
"""


def findings(spec: CauseSpec, text: str, seen: Trace | None = None) -> list[Finding]:
    """What ``spec`` finds; every symptom counts as present."""
    symptoms = {s.id: None for s in SYMPTOMS}
    return list(spec.find(Case(read(text, PATH), seen, symptoms)))  # type: ignore[arg-type]


def preprocessing(text: str) -> dict[str, Finding]:
    """What the source alone gives away about scaling, by cause."""
    case = Case(read(text, PATH))
    return {
        spec.id: finding
        for spec in registry.load()
        if spec.id.startswith("preprocessing-")
        for finding in spec.find(case)
    }


def cure(spec: CauseSpec, text: str, seen: Trace | None = None) -> str:
    """``text`` after the remedy of the one finding."""
    (finding,) = findings(spec, text, seen)
    assert finding.remedy is not None, finding.advice
    return transform(text, finding.remedy.codemod, finding.remedy.edits[PATH])


def measured(
    reads: ScalingSeen | None,
    validation: ScalingSeen | str | None = "same",
    *,
    as_is: float | None = None,
    expected: float | None = None,
    divergence: float | None = None,
    after: float | None = None,
    line: int = 6,
    **network: object,
) -> Trace:
    """One fit whose doors read so."""
    both = {"divergence": divergence, "divergence_expected": after}
    other = reads if validation == "same" else validation
    doors = [_door(reads, "training", both), _door(other, "validation", both)]  # type: ignore[arg-type]
    probes: list[LinearProbe] = []
    if as_is is not None and expected is not None:
        probes = [probe("as-is", as_is), probe("expected", expected)]
    return trace(
        fit(doors=tuple(doors), probes=tuple(probes)),
        backbones=(backbone(site=place(line), **network),),
    )


def _door(reads: ScalingSeen | None, split: str, both: dict) -> Door:
    if reads is None:
        return door(split=split, **{**both, "reads_as": None})
    return door(reads, split, **both)
