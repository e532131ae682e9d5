from __future__ import annotations

from typing import Any

import pytest

from tests.traces import backbone, data, evaluation, falling, fit, model, place, probe, trace
from tlfix.causes.head_overfits import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import DataSeen, Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import measure_all

TEXT = """\
import keras
from keras import layers

base = keras.applications.VGG16(include_top=False, input_shape=(96, 96, 3))
base.trainable = False
x = base.output
x = layers.Flatten()(x)
x = layers.Dense(256, activation="relu")(x)
model = keras.Model(base.input, layers.Dense(8, activation="softmax")(x))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train_ds, validation_data=val_ds, epochs=20)
"""


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    symptoms = {} if seen is None else measure_all(seen)
    return list(CAUSE.find(Case(read(text, "train.py"), seen, symptoms)))


def seen(
    validation: float | None = 0.6,
    *,
    training: float = 1.0,
    reference: float = 0.85,
    parameters: int = 1_200_000,
    **other: Any,
) -> Trace:
    scored = [evaluation("training", training)]
    if validation is not None:
        scored.append(evaluation("validation", validation))
    fields: dict[str, Any] = {
        "site": place(11),
        "model": model(head_parameters=parameters, head_trainable=parameters),
        "evaluations": tuple(scored),
        "probes": (probe("as-is", reference, train_accuracy=1.0),),
    }
    return trace(fit(falling(60), **(fields | other)), backbones=(backbone(site=place(4)),))


class TestRead:
    def test_a_note(self) -> None:
        (finding,) = find(TEXT)
        assert (finding.severity, finding.confidence) == ("note", "possible")
        assert finding.remedy is not None
        after = transform(TEXT, finding.remedy.codemod, finding.remedy.edits["train.py"])
        assert after == TEXT.replace("layers.Flatten()", "layers.GlobalAveragePooling2D()")
        assert find(after) == []

    @pytest.mark.parametrize(
        "change",
        [
            ("Dense(256", "Dense(32"),
            ("Dense(256", "Dense(units"),
            ("include_top=False", "include_top=False, pooling='avg'"),
            (
                "x = layers.Flatten()",
                "x = layers.GlobalAveragePooling2D()(x)\nx = layers.Flatten()",
            ),
            ("x = layers.Flatten()", "x = layers.Conv2D(4, 1)(x)\nx = layers.Flatten()"),
        ],
    )
    def test_silent_otherwise(self, change: tuple[str, str]) -> None:
        assert find(TEXT.replace(*change)) == []


class TestMeasured:
    def test_overfitting_below_the_reference_is_a_warning(self) -> None:
        (finding,) = find(TEXT, seen())
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.explains == ("overfitting",)
        assert finding.cost == pytest.approx(0.25)
        assert finding.evidence[1].measured[0].value == 1_200_000 / 512

    @pytest.mark.parametrize(
        "trace_",
        [
            seen(0.84),
            seen(0.6, training=0.62),
            seen(0.6, reference=0.62),
            seen(0.6, parameters=10_248),
        ],
        ids=["reaches", "no gap", "features do no better", "small head"],
    )
    def test_the_measurement_refutes_the_source(self, trace_: Trace) -> None:
        assert find(TEXT, trace_) == []

    def test_many_images_carry_many_parameters(self) -> None:
        many = data("training", samples=50_000)
        assert find(TEXT, of_training_data(many)) == []

    def test_without_validation_it_is_a_note(self) -> None:
        (finding,) = find(TEXT, seen(None))
        assert finding.severity == "note"

    def test_the_last_fit_of_the_model_is_judged(self) -> None:
        first = seen().fits[0]
        tuned = seen(0.84).fits[0].model_copy(update={"index": 1, "probes": ()})
        both = trace(first, tuned, backbones=(backbone(site=place(4)),))
        assert find(TEXT, both) == []


def of_training_data(training: DataSeen) -> Trace:
    one = seen()
    return one.model_copy(update={"fits": (one.fits[0].model_copy(update={"training": training}),)})
