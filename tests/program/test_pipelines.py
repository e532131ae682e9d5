from __future__ import annotations

import pytest

from tlfix.program.model import Program, Source
from tlfix.program.reader import read

HEAD = """\
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.applications.mobilenet_v2 import preprocess_input
from tensorflow.keras.preprocessing.image import ImageDataGenerator
model = keras.Sequential([keras.layers.Dense(2)])
model.compile("adam", "mse")
"""


def program(text: str) -> Program:
    return read(HEAD + text, "train.py")


def fed(text: str) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    (fit,) = program(text).fits
    return fit.training, fit.validation


def stages(source: Source) -> list[str]:
    return [stage.name.rsplit(".", 1)[-1] for stage in source.stages]


def scales(source: Source) -> list[float | None]:
    return [scaling.scale for scaling in source.scalings]


def test_generators() -> None:
    ((train,), (val,)) = fed(
        """\
train_gen = ImageDataGenerator(rescale=1 / 255)
val_gen = ImageDataGenerator(preprocessing_function=preprocess_input)
train = train_gen.flow_from_directory("data/train", target_size=(150, 150))
val = val_gen.flow_from_directory("data/val", target_size=(200, 200))
model.fit(train, validation_data=val)
"""
    )
    assert (train.kind, train.split, train.variable) == (
        "flow_from_directory",
        "training",
        "train",
    )
    assert train.generator is not None and train.generator.targets == ("train_gen",)
    assert (val.split, val.call.constant("target_size")) == ("validation", (200, 200))
    assert (scales(train), [scaling.module for scaling in val.scalings]) == (
        [1 / 255],
        ["mobilenet_v2"],
    )


def test_the_function_runs_before_the_rescaling() -> None:
    ((train,), _) = fed(
        "gen = ImageDataGenerator(rescale=1 / 255, preprocessing_function=lambda x: x / 127.5)\n"
        "model.fit(gen.flow(x_train / 127.5, y_train))\n"
    )
    assert (train.kind, scales(train)) == ("flow", [1 / 127.5, 1 / 127.5, 1 / 255])


def test_one_generator_for_two_subsets() -> None:
    ((train,), (val,)) = fed(
        "gen = ImageDataGenerator(validation_split=0.2)\n"
        "model.fit(gen.flow_from_dataframe(df, subset='training'),\n"
        "          validation_data=gen.flow_from_dataframe(df, subset='validation'))\n"
    )
    assert train.generator is val.generator
    assert [train.call.constant("subset"), val.call.constant("subset")] == [
        "training",
        "validation",
    ]


def test_image_dataset_with_stages() -> None:
    ((train,), (val,)) = fed(
        """\
train_ds = keras.utils.image_dataset_from_directory("data", subset="training", seed=1)
val_ds = keras.utils.image_dataset_from_directory("data", subset="validation", seed=1)
train_ds = train_ds.map(lambda x, y: (preprocess_input(x), y)).shuffle(100)
train_ds = train_ds.prefetch(tf.data.AUTOTUNE)
model.fit(train_ds, validation_data=val_ds, epochs=3)
"""
    )
    assert (train.kind, train.variable) == ("image_dataset_from_directory", "train_ds")
    assert stages(train) == ["map", "shuffle", "prefetch"]
    assert [scaling.kind for scaling in train.scalings] == ["function"]
    assert (stages(val), val.scalings) == ([], ())


def test_both_subsets_at_once() -> None:
    ((train,), (val,)) = fed(
        "a, b = keras.utils.image_dataset_from_directory('data', subset='both')\n"
        "a = a.cache()\nmodel.fit(a, validation_data=b)\n"
    )
    assert train.call is val.call
    assert (stages(train), stages(val)) == (["cache"], [])


def test_a_helper_read_for_each_split() -> None:
    ((train,), (val,)) = fed(
        """\
def pipeline(folder, augment=False):
    ds = keras.utils.image_dataset_from_directory(folder, image_size=(96, 96))
    if augment:
        ds = ds.map(lambda x, y: (tf.image.random_flip_left_right(x), y))
    ds = ds.map(scale)
    return ds.prefetch(1)
def scale(x, y):
    return x / 255.0, y
train, val = pipeline("data/train", augment=True), pipeline("data/val")
model.fit(train, validation_data=val)
"""
    )
    assert (train.call.constant("directory", 0), val.call.constant("directory", 0)) == (
        "data/train",
        "data/val",
    )
    assert (stages(train), stages(val)) == (["map", "map", "prefetch"], ["map", "prefetch"])
    assert (scales(train), scales(val)) == ([1 / 255], [1 / 255])


def test_from_tensor_slices() -> None:
    ((train,), _) = fed(
        "x = x / 127.5 - 1\n"
        "ds = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(10).batch(4)\nmodel.fit(ds)\n"
    )
    assert (train.kind, stages(train), scales(train)) == (
        "from_tensor_slices",
        ["shuffle", "batch"],
        [1 / 127.5],
    )


def test_zipped() -> None:
    ((train,), _) = fed(
        "images = tf.data.Dataset.from_tensor_slices(paths).map(load)\n"
        "labels = tf.data.Dataset.from_tensor_slices(ys)\n"
        "model.fit(tf.data.Dataset.zip((images, labels)).batch(4))\n"
    )
    assert (train.kind, stages(train)) == ("from_tensor_slices", ["map", "zip", "batch"])


def test_files_read_by_a_function() -> None:
    ((train,), _) = fed(
        """\
def parse(path):
    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    image = tf.image.convert_image_dtype(image, tf.float32)
    return tf.image.resize(image, (96, 96)), 0
ds = tf.data.Dataset.list_files("data/*.jpg").map(parse, num_parallel_calls=4).batch(4)
model.fit(ds)
"""
    )
    assert (train.kind, scales(train)) == ("list_files", [1 / 255])


def test_tfds() -> None:
    ((train,), (val,)) = fed(
        """\
import tensorflow_datasets as tfds
(train, val), info = tfds.load("cats", split=["train", "test"], with_info=True)
train = train.map(lambda x, y: (x / 255, y)).batch(8)
model.fit(train, validation_data=val.batch(8))
"""
    )
    assert (train.kind, val.kind) == ("tfds", "tfds")
    assert (stages(train), scales(train), scales(val)) == (["map", "batch"], [1 / 255], [])


def test_python_generator() -> None:
    ((train,), _) = fed(
        """\
def batches():
    while True:
        images = np.stack([load(p) for p in paths])
        yield images / 255.0, labels
model.fit(batches(), steps_per_epoch=10)
"""
    )
    assert (train.kind, train.call.name, scales(train)) == ("generator", "batches", [1 / 255])


def test_from_generator() -> None:
    ((train,), _) = fed(
        """\
def batches():
    for path in paths:
        yield load(path) / 255.0, 1
model.fit(tf.data.Dataset.from_generator(batches, output_types=(tf.float32, tf.int32)).batch(2))
"""
    )
    assert (train.kind, scales(train)) == ("from_generator", [1 / 255])


def test_keras_sequence() -> None:
    ((train,), _) = fed(
        """\
class Batches(keras.utils.Sequence):
    def __init__(self, paths):
        self.paths = paths
    def __len__(self):
        return 3
    def __getitem__(self, index):
        return load(self.paths[index]) / 255.0, 1
model.fit(Batches(paths), epochs=2)
"""
    )
    assert (train.kind, train.call.name, scales(train)) == ("generator", "Batches", [1 / 255])


def test_arrays() -> None:
    ((train,), (val,)) = fed(
        """\
from sklearn.model_selection import train_test_split
import cv2
images = []
for path in paths:
    image = cv2.imread(path)
    image = cv2.resize(image, (96, 96))
    images.append(image)
x = np.array(images, dtype="float32") / 255.0
x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.2)
model.fit(x_train, y_train, validation_data=(x_val, y_val), epochs=2)
"""
    )
    assert (train.kind, train.variable, val.variable) == ("arrays", "x_train", "x_val")
    assert train.call.name == "keras.Model.fit"
    assert (scales(train), scales(val)) == ([1 / 255], [1 / 255])


def test_arrays_scaled_on_one_side() -> None:
    ((train,), (val,)) = fed(
        "(a, b), (c, d) = keras.datasets.cifar10.load_data()\na = a / 255\n"
        "model.fit(x=a, y=b, validation_data=(c, d))\n"
    )
    assert (scales(train), scales(val)) == ([1 / 255], [])


def test_unknown_data_is_no_source() -> None:
    assert fed("model.fit(unheard, epochs=3)\n") == ((), ())


def test_fit_generator_by_keyword() -> None:
    ((train,), (val,)) = fed(
        "gen = ImageDataGenerator()\n"
        "model.fit_generator(generator=gen.flow_from_directory('a'), epochs=2,\n"
        "                    validation_data=gen.flow_from_directory('b'))\n"
    )
    assert (train.call.constant("directory", 0), val.call.constant("directory", 0)) == ("a", "b")


def test_the_same_data_twice() -> None:
    found = program(
        "ds = keras.utils.image_dataset_from_directory('d')\n"
        "model.fit(ds, validation_data=ds)\nmodel.fit(ds)\n"
    )
    assert [source.split for source in found.sources] == ["training", "validation"]
    assert [len(fit.training) for fit in found.fits] == [1, 1]


def test_a_data_set_chosen_by_a_branch() -> None:
    (training, _) = fed(
        "if small():\n    ds = keras.utils.image_dataset_from_directory('a')\n"
        "else:\n    ds = keras.utils.image_dataset_from_directory('b')\nmodel.fit(ds)\n"
    )
    assert [source.call.constant("directory", 0) for source in training] == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "split"),
    [
        ("test_ds = keras.utils.image_dataset_from_directory('d')", "test"),
        ("ds = keras.utils.image_dataset_from_directory('data/validation')", "validation"),
        ("ds = keras.utils.image_dataset_from_directory(train_dir)", "training"),
        ("ds = keras.utils.image_dataset_from_directory('d', subset='validation')", "validation"),
        ("ds = keras.utils.image_dataset_from_directory('d')", "unknown"),
        ("latest = keras.utils.image_dataset_from_directory('contest')", "unknown"),
    ],
)
def test_the_split_of_data_no_fit_receives(text: str, split: str) -> None:
    (source,) = program(text + "\n").sources
    assert source.split == split


def test_unfed_data_keeps_its_longest_chain() -> None:
    (source,) = program(
        "test = keras.utils.image_dataset_from_directory('d')\n"
        "test = test.map(lambda x, y: (x / 255, y))\ntest = test.cache()\nmodel.evaluate(test)\n"
    ).sources
    assert (stages(source), scales(source)) == (["map", "cache"], [1 / 255])


def test_a_rescaling_layer_mapped_over_the_data() -> None:
    ((train,), _) = fed(
        "scale = keras.layers.Rescaling(1. / 255)\n"
        "ds = keras.utils.image_dataset_from_directory('d')\n"
        "model.fit(ds.map(lambda x, y: (scale(x), y)))\n"
    )
    assert [(s.kind, s.scale) for s in train.scalings] == [("layer", 1 / 255)]
