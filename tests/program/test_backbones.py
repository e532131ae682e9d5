from __future__ import annotations

import pytest

from tlfix.program.model import UNKNOWN, Backbone
from tlfix.program.reader import read

HEAD = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
"""


def backbones(text: str) -> tuple[Backbone, ...]:
    return read(HEAD + text, "train.py").backbones


def one(text: str) -> Backbone:
    (backbone,) = backbones(text)
    return backbone


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("ResNet50", "resnet50"),
        ("ResNet101", "resnet"),
        ("ResNet152V2", "resnet_v2"),
        ("VGG16", "vgg16"),
        ("VGG19", "vgg19"),
        ("MobileNet", "mobilenet"),
        ("MobileNetV2", "mobilenet_v2"),
        ("MobileNetV3Small", "mobilenet_v3"),
        ("InceptionV3", "inception_v3"),
        ("InceptionResNetV2", "inception_resnet_v2"),
        ("Xception", "xception"),
        ("DenseNet201", "densenet"),
        ("NASNetMobile", "nasnet"),
        ("EfficientNetB4", "efficientnet"),
        ("EfficientNetV2S", "efficientnet_v2"),
        ("ConvNeXtTiny", "convnext"),
    ],
)
def test_the_module_holds_preprocess_input(name: str, module: str) -> None:
    backbone = one(f"base = keras.applications.{name}(include_top=False)\n")
    assert (backbone.architecture, backbone.module, backbone.library) == (name, module, "keras")
    assert (backbone.weights, backbone.include_top, backbone.variable) == (
        "imagenet",
        False,
        "base",
    )


@pytest.mark.parametrize(
    ("text", "weights", "include_top", "shape"),
    [
        ("keras.applications.VGG16()", "imagenet", True, None),
        ("keras.applications.VGG16(False, None)", None, False, None),
        (
            "keras.applications.MobileNetV2((96, 96, 3), 0.35, False)",
            "imagenet",
            False,
            (96, 96, 3),
        ),
        ("keras.applications.MobileNet(weights=W)", UNKNOWN, True, None),
        ("keras.applications.NASNetMobile((224, 224, 3), False)", "imagenet", False, (224, 224, 3)),
        ("keras.applications.VGG16(weights='a.h5', input_shape=(S, S, 3))", "a.h5", True, UNKNOWN),
    ],
)
def test_arguments(text: str, weights: object, include_top: object, shape: object) -> None:
    backbone = one(text)
    assert backbone.weights is weights or backbone.weights == weights
    assert backbone.include_top is include_top
    assert backbone.input_shape is shape or backbone.input_shape == shape


@pytest.mark.parametrize(
    ("text", "library"),
    [
        ("import efficientnet.tfkeras as efn\nefn.EfficientNetB0()", "efficientnet"),
        ("from keras_efficientnets import EfficientNetB5\nEfficientNetB5()", "keras_efficientnets"),
    ],
)
def test_third_party_efficientnets(text: str, library: str) -> None:
    assert one(text).library == library


NESTED = """
base = keras.applications.MobileNetV2(include_top=False)
inputs = keras.Input((224, 224, 3))
x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)
x = base(x, training=False)
model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
"""


def test_nested() -> None:
    (use,) = one(NESTED).uses
    assert (use.kind, use.input_text, use.training) == ("nested", "x", False)
    assert use.input_site is not None and (use.input_site.line, use.input_site.column) == (8, 9)
    assert [scaling.kind for scaling in use.scalings] == ["layer"]


def test_nested_without_training() -> None:
    (use,) = one(NESTED.replace(", training=False", "")).uses
    assert use.training is None


@pytest.mark.parametrize(
    "model",
    [
        "model = keras.Model(inputs=base.input, outputs=x)",
        "model = keras.Model(inputs=base.inputs, outputs=[x])",
    ],
)
def test_inlined(model: str) -> None:
    (use,) = one(
        "base = keras.applications.VGG16(include_top=False)\n"
        f"x = layers.Flatten()(base.output)\n{model}\n"
    ).uses
    assert (use.kind, use.input_text, use.site.line) == ("inlined", None, 5)


def test_inlined_from_an_inner_layer() -> None:
    (use,) = one(
        "base = keras.applications.InceptionV3(include_top=False)\n"
        "last = base.get_layer('mixed7').output\n"
        "model = keras.Model(base.input, layers.Dense(2)(layers.Flatten()(last)))\n"
    ).uses
    assert use.kind == "inlined"


def test_input_tensor_is_the_door() -> None:
    (use,) = one(
        "inputs = keras.Input((224, 224, 3))\n"
        "x = keras.applications.vgg16.preprocess_input(inputs)\n"
        "base = keras.applications.VGG16(include_top=False, input_tensor=x)\n"
        "model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(base.output)))\n"
    ).uses
    assert (use.kind, use.input_text) == ("inlined", "x")
    assert [scaling.module for scaling in use.scalings] == ["vgg16"]


@pytest.mark.parametrize(
    "text",
    [
        "model = keras.Sequential([layers.Rescaling(1 / 255), base, layers.Dense(2)])",
        "model = keras.Sequential()\nmodel.add(layers.Rescaling(1 / 255))\nmodel.add(base)",
        "parts = [layers.Rescaling(1 / 255)]\nparts.append(base)\nmodel = keras.Sequential(parts)",
    ],
)
def test_sequential(text: str) -> None:
    (use,) = one("base = keras.applications.VGG16(include_top=False)\n" + text).uses
    assert use.kind == "sequential"
    assert [scaling.scale for scaling in use.scalings] == [1 / 255]


def test_sequential_constructed_in_place() -> None:
    backbone = one("m = keras.Sequential([keras.applications.VGG16(include_top=False)])\n")
    assert backbone.variable is None
    assert backbone.uses[0].kind == "sequential"


def test_subclassed() -> None:
    backbone = one(
        """\
class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.base = keras.applications.MobileNetV2(include_top=False)
        self.head = layers.Dense(3)
    def call(self, images, training=None):
        return self.head(self.base(images / 127.5 - 1, training=False))
net = Net()
"""
    )
    (use,) = backbone.uses
    assert backbone.variable == "self.base"
    assert (use.kind, use.input_text, use.training) == ("nested", "images / 127.5 - 1", False)
    assert [(s.scale, s.offset) for s in use.scalings] == [(1 / 127.5, -1.0)]


def test_features_only() -> None:
    (use,) = one(
        "base = keras.applications.VGG16(include_top=False)\nfeatures = base.predict(x_train)\n"
    ).uses
    assert (use.kind, use.input_text) == ("features", "x_train")


def test_features_by_an_eager_call() -> None:
    (use,) = one(
        "import numpy as np\nbase = keras.applications.VGG16(include_top=False)\n"
        "features = base(np.zeros((1, 224, 224, 3)))\n"
    ).uses
    assert use.kind == "features"


def test_a_helper_builds_it() -> None:
    backbone = one(
        """\
def backbone(size):
    return keras.applications.VGG16(include_top=False, input_shape=(size, size, 3))
def build():
    base = backbone(128)
    base.trainable = False
    out = layers.Dense(2)(layers.Flatten()(base.output))
    return keras.Model(base.input, out)
model = build()
model.compile("adam", "mse")
"""
    )
    assert backbone.input_shape == (128, 128, 3)
    assert [use.kind for use in backbone.uses] == ["inlined"]


@pytest.mark.parametrize("call", ["base.load_weights('w.h5')", "self.base.load_weights('w.h5')"])
def test_weights_loaded_later(call: str) -> None:
    text = (
        "base = keras.applications.VGG16(weights=None)\nbase.load_weights('w.h5')\n"
        if call.startswith("base")
        else "class A:\n    def __init__(self):\n"
        "        self.base = keras.applications.VGG16(weights=None)\n"
        "        self.base.load_weights('w.h5')\n"
    )
    backbone = one(text)
    assert backbone.weights is None
    assert backbone.loads_weights


@pytest.mark.parametrize(
    ("text", "loads"),
    [
        ("model.load_weights('pretrained.h5')\nmodel.fit(x, y)\n", True),
        ("model.fit(x, y)\nmodel.load_weights('best.h5')\n", False),
        ("base.set_weights(old.get_weights())\nmodel.fit(x, y)\n", True),
        ("other.load_weights('w.h5')\nmodel.fit(x, y)\n", False),
    ],
)
def test_weights_loaded_into_the_whole_model_before_it_is_trained(text: str, loads: bool) -> None:
    backbone = one(
        "base = keras.applications.VGG16(weights=None)\nmodel = keras.Sequential([base])\n" + text
    )
    assert backbone.loads_weights is loads


def test_the_model_that_is_compiled_and_fitted_knows_its_backbone() -> None:
    program = read(
        HEAD + NESTED + "model.compile('adam', 'mse')\nmodel.fit(x, y)\n"
        "other = keras.Sequential([layers.Dense(1)])\nother.compile('adam', 'mse')\n",
        "train.py",
    )
    base = program.backbones[0].call
    assert [each.backbones for each in program.compiles] == [(base,), ()]
    assert program.fits[0].backbones == (base,)
