from __future__ import annotations

import pytest

from tlfix.program.model import Scaling
from tlfix.program.reader import read

HEAD = """\
import numpy as np
import matplotlib.pyplot as plt
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras.preprocessing.image import ImageDataGenerator
"""


def scalings(text: str) -> tuple[Scaling, ...]:
    return read(HEAD + text, "train.py").scalings


def one(text: str) -> Scaling:
    (scaling,) = scalings(text)
    return scaling


@pytest.mark.parametrize(
    ("text", "scale", "offset", "operand"),
    [
        ("y = x / 255", 1 / 255, 0, "x"),
        ("y = x / 255.0", 1 / 255, 0, "x"),
        ("y = x * (1. / 255)", 1 / 255, 0, "x"),
        ("y = (1 / 255) * x", 1 / 255, 0, "x"),
        ("S = 255.\ny = x / S", 1 / 255, 0, "x"),
        ("x /= 255", 1 / 255, 0, "x"),
        ("x *= 1. / 255", 1 / 255, 0, "x"),
        ("y = x.astype('float32') / 255", 1 / 255, 0, "x.astype('float32')"),
        ("y = tf.cast(x, tf.float32) / 255.0", 1 / 255, 0, "tf.cast(x, tf.float32)"),
        ("y = np.array(images) / 255.0", 1 / 255, 0, "np.array(images)"),
        ("y = np.divide(x, 255.0)", 1 / 255, 0, "x"),
        ("y = tf.math.divide(x, 255.0)", 1 / 255, 0, "x"),
        ("y = x / 127.5 - 1", 1 / 127.5, -1, "x"),
        ("y = (x / 127.5) - 1.0", 1 / 127.5, -1, "x"),
        ("y = (x - 127.5) / 127.5", 1 / 127.5, -1, "x"),
        ("y = x / 255. * 2 - 1", 1 / 127.5, -1, "x"),
        ("y = 2 * (x / 255.) - 1", 1 / 127.5, -1, "x"),
        ("y = (x / 255. - 0.5) * 2", 1 / 127.5, -1, "x"),
        ("y = (x - 128) / 128", 1 / 128, -1, "x"),
        ("y = x / 256.0", 1 / 256, 0, "x"),
        ("y = -1 + x / 127.5", 1 / 127.5, -1, "x"),
    ],
)
def test_arithmetic(text: str, scale: float, offset: float, operand: str) -> None:
    scaling = one(text)
    assert scaling.kind == "arithmetic"
    assert scaling.scale == pytest.approx(scale)
    assert scaling.offset == pytest.approx(offset)
    assert (scaling.operand_text, scaling.statements) == (operand, 1)
    assert not scaling.display


@pytest.mark.parametrize(
    "text",
    [
        "y = x / 2",
        "y = n / 128",
        "percent = correct / 100",
        "y = 255 / x",
        "y = 255 - x",
        "y = x * 255",
        "lr = 1 / 255",
        "steps = len(x) // 255",
        "y = 'a %d' % 255",
    ],
)
def test_other_arithmetic(text: str) -> None:
    assert scalings(text) == ()


def test_sites_are_exact() -> None:
    scaling = one('été = f("é"); y = g(x["é"] / 255.0)\n')
    line = 'été = f("é"); y = g(x["é"] / 255.0)'
    assert line[scaling.site.column : scaling.site.end_column] == 'x["é"] / 255.0'
    assert scaling.operand_site is not None
    assert line[scaling.operand_site.column : scaling.operand_site.end_column] == 'x["é"]'


def test_targets() -> None:
    found = scalings("x_train, x_test = x_train / 255.0, x_test / 255.0\n")
    assert [scaling.targets for scaling in found] == [("x_train",), ("x_test",)]


def test_a_scaling_inside_a_call_is_not_what_is_assigned() -> None:
    assert one("y = f(x / 255.0)\n").targets == ()


def test_over_several_statements() -> None:
    scaling = one("x = x / 127.5\nx = x - 1\nf(x)\n")
    assert (scaling.scale, scaling.offset, scaling.statements) == (1 / 127.5, -1.0, 2)
    assert (scaling.site.line, scaling.site.end_line) == (7, 8)


def test_over_several_variables() -> None:
    scaling = one("a = x / 255.0\nb = (a - 0.5) * 2\nf(b)\n")
    assert (scaling.scale, scaling.offset) == (1 / 127.5, -1.0)


def test_the_first_step_is_also_used_alone() -> None:
    found = scalings("a = x / 255.0\nb = a * 2 - 1\nf(a)\nf(b)\n")
    assert [scaling.scale for scaling in found] == [1 / 255, 1 / 127.5]


@pytest.mark.parametrize(
    "text",
    [
        "x = x / 255.\nx = (x - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]\nf(x)\n",
        "x = x / 255.\nx -= mean\nx /= std\nf(x)\n",
        "y = (x / 255. - np.array([0.4, 0.5, 0.6])) / std\nf(y)\n",
    ],
)
def test_per_channel_is_one_scaling_of_unknown_size(text: str) -> None:
    scaling = one(text)
    assert (scaling.scale, scaling.offset) == (None, None)


def test_twice() -> None:
    found = scalings("x = x / 127.5 - 1\nz = x / 255.0\nf(z)\n")
    assert [(s.scale, s.offset) for s in found] == [(1 / 127.5, -1.0), (1 / 255, 0.0)]


def test_undone_for_a_plot_it_is_still_there() -> None:
    found = scalings("x = x / 255.0\nplt.imshow(x * 255)\nf(x)\n")
    assert [(s.scale, s.display) for s in found] == [(1 / 255, False)]


@pytest.mark.parametrize(
    "text",
    [
        "plt.imshow(x / 255)",
        "plt.subplot(1, 2, 1).imshow(x / 255)",
        "fig, ax = plt.subplots()\nax.imshow(x / 255)",
        "shown = x / 255\nplt.imshow(shown)",
        "shown = x / 255\nshown = np.clip(shown, 0, 1)\nplt.imshow(shown[0])",
        "for images, labels in ds.take(1):\n    plt.imshow(images[0].numpy() / 255.)",
        "def show(x):\n    x = x / 255\n    plt.imshow(x)\nshow(batch)",
        "def unit(x):\n    return x / 255\nplt.imshow(unit(batch))",
    ],
)
def test_only_for_display(text: str) -> None:
    assert one(text + "\n").display


@pytest.mark.parametrize(
    "text",
    [
        "x = x / 255\nplt.imshow(x[0])\nmodel.fit(x, y, epochs=1)",
        "x = x / 255\nplt.imshow(x[0])\nnp.save('x.npy', x)\nds = f(x)",
        "def unit(x):\n    return x / 255\nplt.imshow(unit(batch))\nds = ds.map(unit)",
        "def unit(x):\n    return x / 255",
        "x = x / 255",
        "images = []\nfor p in paths:\n    i = load(p) / 255\n    plt.imshow(i)\n"
        "    images.append(i)\nmodel.fit(np.array(images), y, epochs=1)",
    ],
)
def test_not_only_for_display(text: str) -> None:
    assert not one(text + "\n").display


def test_generator_argument() -> None:
    scaling = one("gen = ImageDataGenerator(rescale=1. / 255, zoom_range=0.2)\n")
    assert (scaling.kind, scaling.scale, scaling.offset) == ("argument", 1 / 255, 0.0)
    assert (scaling.site.line, scaling.site.column) == (7, 33)
    assert scaling.owner is not None and (scaling.owner.line, scaling.owner.column) == (7, 6)


@pytest.mark.parametrize("value", ["None", "1", "0"])
def test_generator_argument_that_does_nothing(value: str) -> None:
    assert scalings(f"gen = ImageDataGenerator(rescale={value})\n") == ()


def test_preprocess_input_given_by_position_does_nothing() -> None:
    program = read(HEAD + "gen = ImageDataGenerator(preprocess_input)\n", "train.py")
    assert program.scalings == ()
    (argument,) = program.generators[0].positional
    assert argument.name == "keras.applications.mobilenet_v2.preprocess_input"


def test_featurewise_flags() -> None:
    found = scalings("ImageDataGenerator(featurewise_center=True, samplewise_center=False)\n")
    assert [scaling.kind for scaling in found] == ["normalization"]


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("ImageDataGenerator(preprocessing_function=preprocess_input)", 0),
        ("ds.map(preprocess_input)", 0),
        ("keras.layers.Lambda(preprocess_input)", 0),
    ],
)
def test_handed_over(text: str, owner: int) -> None:
    scaling = one(text + "\n")
    assert (scaling.kind, scaling.module) == ("reference", "mobilenet_v2")
    assert (scaling.scale, scaling.offset) == (1 / 127.5, -1.0)
    assert scaling.owner is not None and scaling.owner.column == owner


def test_called() -> None:
    scaling = one("x = preprocess_input(np.array(images))\n")
    assert (scaling.kind, scaling.module) == ("function", "mobilenet_v2")
    assert (scaling.operand_text, scaling.targets) == ("np.array(images)", ("x",))
    assert scaling.name == "keras.applications.mobilenet_v2.preprocess_input"


@pytest.mark.parametrize(
    ("module", "affine"),
    [
        ("resnet50", (None, None)),
        ("densenet", (None, None)),
        ("efficientnet", (1.0, 0.0)),
        ("xception", (1 / 127.5, -1.0)),
    ],
)
def test_what_preprocess_input_does(module: str, affine: tuple[float | None, float | None]) -> None:
    scaling = one(f"keras.applications.{module}.preprocess_input(x)\n")
    assert (scaling.module, (scaling.scale, scaling.offset)) == (module, affine)


def test_a_local_function_of_that_name_is_not_it() -> None:
    assert scalings("def preprocess_input(x):\n    return x\npreprocess_input(z)\n") == ()


def test_imported_and_not_used() -> None:
    assert scalings("") == ()


def test_layer() -> None:
    scaling = one("scale = keras.layers.Rescaling(scale=1. / 127.5, offset=-1)\n")
    assert (scaling.kind, scaling.scale, scaling.offset) == ("layer", 1 / 127.5, -1.0)
    assert scaling.targets == ("scale",)


def test_layer_of_unknown_size() -> None:
    assert one("keras.layers.Rescaling(factor)\n").scale is None


@pytest.mark.parametrize(
    "text",
    ["tf.image.per_image_standardization(x)", "keras.layers.Normalization(axis=-1)"],
)
def test_normalization(text: str) -> None:
    assert one(text + "\n").kind == "normalization"


def test_convert_image_dtype() -> None:
    scaling = one("x = tf.image.decode_jpeg(b)\nx = tf.image.convert_image_dtype(x, tf.float32)\n")
    assert (scaling.kind, scaling.scale, scaling.operand_text) == ("arithmetic", 1 / 255, "x")


@pytest.mark.parametrize(
    "text",
    [
        "x = tf.cast(b, tf.float32)\nx = tf.image.convert_image_dtype(x, tf.float32)\n",
        "x = tf.image.resize(b, (9, 9))\nx = tf.image.convert_image_dtype(x, tf.float32)\n",
        "x = tf.image.convert_image_dtype(b, tf.uint8)\n",
    ],
)
def test_convert_image_dtype_that_scales_nothing(text: str) -> None:
    assert scalings(text) == ()


MAPPED = """
def scale(image, label):
    image = tf.cast(image, tf.float32) / 255.0
    return image, label
ds = keras.utils.image_dataset_from_directory("train").map(scale)
"""


def test_the_owner_of_a_mapped_functions_scaling_is_the_function() -> None:
    scaling = one(MAPPED)
    assert scaling.scope == "scale"
    assert scaling.owner is not None and scaling.owner.line == 8


def test_the_owner_of_a_lambdas_scaling_is_the_map_call() -> None:
    program = read(HEAD + "ds = ds.map(lambda x, y: (x / 255., y))\n", "train.py")
    assert program.scalings[0].owner == program.call_at(7, "map").site  # type: ignore[union-attr]


def test_a_function_nobody_maps_has_no_owner() -> None:
    assert one("def scale(x):\n    return x / 255\n").owner is None


def test_mapped_under_another_name() -> None:
    assert one("def f(x, y):\n    return x / 255., y\ng = f\nds = ds.map(g)\n").owner is not None


def test_in_a_lambda_layer() -> None:
    scaling = one("m = keras.Sequential([keras.layers.Lambda(lambda t: t / 127.5 - 1)])\n")
    assert (scaling.kind, scaling.scale) == ("arithmetic", 1 / 127.5)
