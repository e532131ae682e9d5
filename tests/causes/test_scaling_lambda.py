"""``Lambda`` layers that scale, and layers and functions that nobody can read."""

from __future__ import annotations

import pytest

from tests.causes.scaling_cases import FOLDERS, NESTED, cure, findings
from tlfix.causes import (
    preprocessing_differs,
    preprocessing_double,
    preprocessing_mismatch,
    preprocessing_missing,
)

CAUSES = (
    preprocessing_missing.CAUSE,
    preprocessing_mismatch.CAUSE,
    preprocessing_double.CAUSE,
    preprocessing_differs.CAUSE,
)
FUNCTION = "keras.applications.mobilenet_v2.preprocess_input"
OTHER = "keras.applications.resnet50.preprocess_input"
IMPORT = "from tensorflow.keras.applications.mobilenet_v2 import preprocess_input\n"
LISTED = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
{data}
base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3))
base.trainable = False
{model}
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=val)
"""
HEAD = "layers.GlobalAveragePooling2D(), layers.Dense(10, activation='softmax')"


def functional(call: str, data: str = FOLDERS) -> str:
    return IMPORT + NESTED.format(data=data, call=call)


def sequential(layer: str, data: str = FOLDERS) -> str:
    layers = f"layers.Input((96, 96, 3)), {layer}, base, {HEAD}"
    return IMPORT + LISTED.format(data=data, model=f"model = keras.Sequential([{layers}])")


def added(layer: str, data: str = FOLDERS) -> str:
    steps = ["layers.Input((96, 96, 3))", *layer.split("; "), "base"]
    steps += ["layers.GlobalAveragePooling2D()", "layers.Dense(10, activation='softmax')"]
    lines = "\n".join(f"model.add({step})" for step in steps)
    return IMPORT + LISTED.format(data=data, model=f"model = keras.Sequential()\n{lines}")


def named(text: str) -> list[str]:
    return [spec.id for spec in CAUSES for _ in findings(spec, text)]


RIGHT = [
    f"layers.Lambda({FUNCTION})",
    "layers.Lambda(preprocess_input)",
    "tf.keras.layers.Lambda(preprocess_input, name='scale')",
    "layers.Lambda(function=preprocess_input)",
    "layers.Lambda(lambda x: preprocess_input(x))",
    "layers.Lambda(lambda x: x / 127.5 - 1)",
]


class TestRight:
    @pytest.mark.parametrize("layer", RIGHT)
    def test_functional(self, layer: str) -> None:
        assert named(functional(f"x = {layer}(inputs)\nx = base(x, training=False)")) == []
        assert named(functional(f"x = base({layer}(inputs), training=False)")) == []
        kept = f"scale = {layer}\nx = base(scale(inputs), training=False)"
        assert named(functional(kept)) == []

    @pytest.mark.parametrize("layer", RIGHT)
    def test_sequential(self, layer: str) -> None:
        assert named(sequential(layer)) == []
        assert named(added(layer)) == []

    def test_a_function_of_the_script(self) -> None:
        data = FOLDERS + "def scale(images):\n    return images / 127.5 - 1\n"
        assert named(sequential("layers.Lambda(scale)", data)) == []
        wrong = data.replace("127.5 - 1", "255.0")
        assert named(sequential("layers.Lambda(scale)", wrong)) == ["preprocessing-mismatch"]

    def test_without_the_layer_it_is_missing(self) -> None:
        assert named(sequential("layers.RandomFlip()")) == ["preprocessing-missing"]
        assert named(functional("x = base(inputs)")) == ["preprocessing-missing"]


class TestWrong:
    @pytest.mark.parametrize("text", [sequential, added])
    def test_another_networks_function(self, text) -> None:  # type: ignore[no-untyped-def]
        sick = text(f"layers.Lambda({OTHER})")
        assert named(sick) == ["preprocessing-mismatch"]
        assert cure(preprocessing_mismatch.CAUSE, sick) == text("layers.Lambda(preprocess_input)")

    def test_rescaling_in_front_goes(self) -> None:
        sick = sequential("layers.Rescaling(1 / 255), layers.Lambda(preprocess_input)")
        assert named(sick) == ["preprocessing-double"]
        cured = cure(preprocessing_double.CAUSE, sick)
        assert cured == sequential("layers.Lambda(preprocess_input)")
        assert named(cured) == []

    def test_rescaling_added_in_front_goes(self) -> None:
        sick = added("layers.Rescaling(1 / 255); layers.Lambda(preprocess_input)")
        cured = cure(preprocessing_double.CAUSE, sick)
        assert cured == added("layers.Lambda(preprocess_input)")

    def test_rescaling_called_in_front_goes(self) -> None:
        calls = "x = layers.Rescaling(1 / 255)(inputs)\n"
        rest = "x = layers.Lambda(preprocess_input)({})\nx = base(x, training=False)"
        sick = functional(calls + rest.format("x"))
        assert named(sick) == ["preprocessing-double"]
        cured = cure(preprocessing_double.CAUSE, sick)
        assert "Rescaling" not in cured.replace("x = inputs", "") and named(cured) == []

    def test_a_first_layer_with_the_shape_stays(self) -> None:
        layers = "layers.Rescaling(1 / 255, input_shape=(96, 96, 3)), "
        sick = sequential(layers + "layers.Lambda(preprocess_input)")
        cured = cure(preprocessing_double.CAUSE, sick.replace("layers.Input((96, 96, 3)), ", ""))
        assert "Lambda" not in cured and "1.0 / 127.5" in cured and named(cured) == []

    def test_a_backbone_that_scales_itself(self) -> None:
        sick = sequential("layers.Lambda(lambda x: x / 255.0)").replace(
            "MobileNetV2(", "EfficientNetB0("
        )
        assert named(sick) == ["preprocessing-double"]
        assert "Lambda" not in cure(preprocessing_double.CAUSE, sick)

    def test_scaled_in_the_pipeline_too(self) -> None:
        data = FOLDERS + "".join(
            f"{name} = {name}.map(lambda x, y: (preprocess_input(x), y))\n"
            for name in ("train", "val")
        )
        sick = sequential("layers.Lambda(preprocess_input)", data)
        assert named(sick) == ["preprocessing-double"]
        assert named(cure(preprocessing_double.CAUSE, sick)) == []


UNREAD = [
    "layers.Lambda(helpers.scale)",
    "layers.Lambda(lambda x: helpers.scale(x))",
    "layers.Lambda(lambda x: x / factor)",
    "layers.Lambda(unknown)",
    "helpers.Scale()",
    "layers.Rescaling(factor)",
    "layers.BatchNormalization()",
    "Scale()",
    "keras.models.load_model('front.keras')",
]
CLASS = """\
import helpers
factor = helpers.factor()
class Scale(layers.Layer):
    def call(self, inputs):
        return inputs * self.weight + self.bias
"""


class TestUnread:
    @pytest.mark.parametrize("layer", UNREAD)
    def test_in_the_model(self, layer: str) -> None:
        data = CLASS + FOLDERS
        assert named(sequential(layer, data)) == []
        assert named(added(layer, data)) == []
        assert named(functional(f"x = {layer}(inputs)\nx = base(x)", data)) == []
        kept = f"front = {layer}\nx = front(inputs)\nx = base(x, training=False)"
        assert named(functional(kept, data)) == []

    @pytest.mark.parametrize("layer", UNREAD[:5])
    def test_beside_a_scaling(self, layer: str) -> None:
        layers = f"layers.Rescaling(1 / 255), {layer}"
        assert named(sequential(layers, CLASS + FOLDERS)) == []

    @pytest.mark.parametrize(
        "function",
        [
            "lambda x, y: (x / factor, y)",
            "lambda x, y: (unknown(x), y)",
            "unknown",
            "lambda x, y: (layers.Lambda(unknown)(x), y)",
            "lambda x, y: (Scale()(x), y)",
        ],
    )
    def test_in_the_pipeline(self, function: str) -> None:
        data = CLASS.replace(
            "import helpers\nfactor = helpers.factor()\n", "factor = float(input())\n"
        )
        data += FOLDERS + f"train = train.map({function})\nval = val.map({function})\n"
        assert named(functional("x = base(inputs)", data)) == []

    def test_in_a_generator(self) -> None:
        data = (
            "from tensorflow.keras.preprocessing.image import ImageDataGenerator\n"
            "made = ImageDataGenerator(preprocessing_function={})\n"
            'train = made.flow_from_directory("a", target_size=(96, 96))\n'
            'val = made.flow_from_directory("b", target_size=(96, 96))\n'
        )
        assert named(functional("x = base(inputs)", data.format("unknown"))) == []
        assert named(functional("x = base(inputs)", data.format("None"))) == [
            "preprocessing-missing"
        ]

    def test_a_layer_behind_the_backbone_does_not_matter(self) -> None:
        text = functional("x = base(inputs)\nx = helpers.Attention()(x)", CLASS + FOLDERS)
        assert named(text) == ["preprocessing-missing"]

    def test_resampling_keeps_the_range(self) -> None:
        data = (
            "from imblearn.over_sampling import SMOTE\n"
            "(x, y), _ = keras.datasets.cifar10.load_data()\nx = x / 255.0\n"
            "flat, train_y = SMOTE(random_state=1).fit_resample(x.reshape(len(x), -1), y)\n"
            "train = flat.reshape(len(flat), 96, 96, 3)\n"
        )
        text = functional("x = base(inputs)", data).replace(
            "train, validation_data=val", "train, y"
        )
        assert named(text) == ["preprocessing-mismatch"]


OUTER = """\
extractor = keras.Model(base.input, layers.GlobalAveragePooling2D()(base.output))
inputs = keras.Input((96, 96, 3))
x = {layer}(inputs)
model = keras.Model(inputs, layers.Dense(10)(extractor(x)))"""
LAST = """\
extractor = keras.Model(base.input, layers.GlobalAveragePooling2D()(base.output))
model = keras.Sequential([layers.Input((96, 96, 3)), {layer}, extractor, layers.Dense(10)])"""


class TestModelInAModel:
    @pytest.mark.parametrize("model", [OUTER, LAST])
    @pytest.mark.parametrize(
        "layer",
        [
            "layers.Rescaling(1 / 127.5, offset=-1)",
            "layers.Lambda(preprocess_input)",
            "layers.Lambda(unknown)",
        ],
    )
    def test_a_scaling_before_the_inner_one(self, model: str, layer: str) -> None:
        text = IMPORT + LISTED.format(data=FOLDERS, model=model.format(layer=layer))
        assert named(text) == []

    @pytest.mark.parametrize("model", [OUTER, LAST])
    def test_without_it_is_missing(self, model: str) -> None:
        text = IMPORT + LISTED.format(data=FOLDERS, model=model.format(layer="layers.RandomFlip()"))
        assert named(text) == ["preprocessing-missing"]
