from __future__ import annotations

from typing import Any

import pytest

from tests.traces import backbone, crashed, data, fit, model, place, trace
from tlfix.causes.pooling_missing import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CompileSeen, Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import measure_all

HEAD = """\
import keras
from keras import layers

base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3))
"""
TAIL = """\
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train_ds, epochs=5)
"""
LIST = "model = keras.Sequential([base, layers.Dense(8)])\n"
ADD = "model = keras.Sequential()\nmodel.add(base)\nmodel.add(layers.Dense(8))\n"
INLINED = """\
x = base.output
x = layers.Dense(64, activation="relu")(x)
model = keras.Model(base.input, layers.Dense(8)(x))
"""
NESTED = """\
inputs = keras.Input((96, 96, 3))
x = base(inputs, training=False)
outputs = layers.Dense(8)(x)
model = keras.Model(inputs, outputs)
"""


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    symptoms = {} if seen is None else measure_all(seen)
    return list(CAUSE.find(Case(read(text, "train.py"), seen, symptoms)))


def cured(text: str, finding: Finding) -> str:
    assert finding.remedy is not None
    return transform(text, finding.remedy.codemod, finding.remedy.edits["train.py"])


def seen(**other: Any) -> Trace:
    fields: dict[str, Any] = {
        "site": place(7),
        "model": model(output_shape=(None, 3, 3, 8)),
        "training": data("training", label_shape=(None,)),
        "compiled": CompileSeen(site=place(6), loss="sparse_categorical_crossentropy"),
    }
    message = "Argument `output` must have rank (ndim) `target.ndim - 1`. Received: …"
    return crashed(message, fits=(fit(**(fields | other)),), backbones=(backbone(site=place(4)),))


class TestRead:
    @pytest.mark.parametrize("body", [LIST, ADD, INLINED, NESTED])
    def test_every_style_is_cured_in_the_constructor(self, body: str) -> None:
        text = HEAD + body + TAIL
        (finding,) = find(text)
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert cured(text, finding) == text.replace(
            "(96, 96, 3))", '(96, 96, 3), pooling="avg")', 1
        )
        assert find(cured(text, finding)) == []

    @pytest.mark.parametrize(
        "change",
        [
            ("layers.Dense(8)]", "layers.Flatten(), layers.Dense(8)]"),
            ("layers.Dense(8)]", "layers.GlobalMaxPooling2D(), layers.Dense(8)]"),
            ("layers.Dense(8)]", "layers.Reshape((-1,)), layers.Dense(8)]"),
            ("layers.Dense(8)]", "Mystery(), layers.Dense(8)]"),
            ("layers.Dense(8)]", "*more, layers.Dense(8)]"),
            ("include_top=False", "include_top=False, pooling='max'"),
            ("include_top=False", "include_top=False, pooling=how"),
            ("include_top=False", "include_top=False, **options"),
            ("include_top=False", "include_top=top"),
            ("include_top=False, ", ""),
            ("sparse_categorical_crossentropy", "mse"),
            ("train_ds", "images_and_masks"),
        ],
    )
    def test_silent_where_it_is_not_certain(self, change: tuple[str, str]) -> None:
        assert find((HEAD + LIST + TAIL).replace(*change)) == []

    @pytest.mark.parametrize(
        "line",
        [
            "print(base.output_shape)\n",
            "last = base.layers[-1].output\n",
            "maps = base.predict(images)\n",
        ],
    )
    def test_a_layer_is_put_in_where_others_see_the_feature_map(self, line: str) -> None:
        text = HEAD + line + LIST + TAIL
        (finding,) = find(text)
        assert cured(text, finding) == text.replace(
            "[base, ", "[base, layers.GlobalAveragePooling2D(), "
        )
        assert find(cured(text, finding)) == []

    def test_harmless_uses(self) -> None:
        line = "base.trainable = False\nfor layer in base.layers[:-20]:\n    print(layer)\n"
        text = HEAD + line + "base.summary()\n" + LIST + TAIL
        (finding,) = find(text)
        assert 'pooling="avg"' in cured(text, finding)

    def test_functional_insertion(self) -> None:
        text = HEAD + "print(base.output_shape)\n" + NESTED + TAIL
        (finding,) = find(text)
        assert cured(text, finding) == text.replace(
            "outputs =", "x = layers.GlobalAveragePooling2D()(x)\noutputs ="
        )


class TestMeasured:
    text = HEAD + LIST + TAIL

    def test_a_crash_over_the_rank_is_an_error(self) -> None:
        (finding,) = find(self.text, seen())
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert finding.explains == ("crash",)
        assert "must have rank" in finding.evidence[0].summary
        assert finding.remedy is not None

    @pytest.mark.parametrize(
        "other",
        [
            {"model": model(output_shape=(None, 8))},
            {"training": data("training", label_shape=(None, 3, 3))},
            {"training": None},
            {"compiled": CompileSeen(loss="mse")},
        ],
    )
    def test_what_was_seen_decides(self, other: dict[str, Any]) -> None:
        assert find(self.text, seen(**other)) == []

    def test_a_model_that_cannot_be_read_gets_advice(self) -> None:
        text = self.text.replace("base, ", "base, Mystery(), ")
        (finding,) = find(text, seen())
        assert finding.severity == "error"
        assert finding.remedy is None and finding.advice is not None

    def test_without_a_fit_the_source_speaks(self) -> None:
        (finding,) = find(self.text, trace(status="crashed"))
        assert finding.severity == "warning"
