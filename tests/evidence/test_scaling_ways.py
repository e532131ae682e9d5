"""Data that are made side by side: what one of them passes through, the other does not."""

from __future__ import annotations

import pytest

from tests.causes.scaling_cases import preprocessing as found
from tlfix.codemods import transform

HEAD = """\
import tensorflow as tf

P = tf.keras.applications.resnet50.preprocess_input
folder = tf.keras.utils.image_dataset_from_directory
"""
MODEL = """
base = tf.keras.applications.ResNet50(include_top=False, pooling="avg", input_shape=(224, 224, 3))
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(4, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(TRAINING, validation_data=VALIDATION, epochs=3)
"""
METHODS = (
    """
class Data:
    def training(self):
        return folder("train", image_size=(224, 224)).map(lambda x, y: (ONE, y))

    def validation(self):
        return folder("valid", image_size=(224, 224)).map(lambda x, y: (OTHER, y))

data = Data()
""",
    "data.training()",
    "data.validation()",
)
KEYS = (
    """
data = {}
data["train"] = folder("train", image_size=(224, 224)).map(lambda x, y: (ONE, y))
data["valid"] = folder("valid", image_size=(224, 224)).map(lambda x, y: (OTHER, y))
""",
    'data["train"]',
    'data["valid"]',
)
TABLE = (
    """
def training(x, y): return ONE, y
def validation(x, y): return OTHER, y
MAPS = {"train": training, "valid": validation}
def load(split): return folder(split, image_size=(224, 224)).map(MAPS[split])
""",
    'load("train")',
    'load("valid")',
)
STYLES = [METHODS, KEYS, TABLE]


def program(style: tuple[str, str, str], one: str, other: str, more: str = "") -> str:
    data, training, validation = style
    model = MODEL.replace("TRAINING", training).replace("VALIDATION", validation)
    return HEAD + data.replace("ONE", one).replace("OTHER", other) + model + more


@pytest.mark.parametrize("style", STYLES)
def test_each_is_scaled_once(style: tuple[str, str, str]) -> None:
    assert found(program(style, "P(x)", "P(x)")) == {}


@pytest.mark.parametrize("style", STYLES)
def test_one_that_is_scaled_differently_is_found(style: tuple[str, str, str]) -> None:
    sick = program(style, "P(x)", "x / 255.0")
    (finding,) = found(sick).values()
    assert list(found(sick)) == ["preprocessing-differs"] and finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    cured = transform(sick, finding.remedy.codemod, parameters)
    assert found(cured) == {} and "P(x)" in cured and "255" not in cured


@pytest.mark.parametrize("style", STYLES)
def test_twice_is_twice(style: tuple[str, str, str]) -> None:
    assert list(found(program(style, "P(P(x))", "P(P(x))"))) == ["preprocessing-double"]


def test_what_is_not_followed_is_left_alone() -> None:
    assert found(program(KEYS, "P(x)", "P(x)", "model.evaluate(data[name])\n")) == {}


def test_a_method_for_people_to_look_at() -> None:
    text = """
import cv2
import numpy as np

class Images(tf.keras.utils.Sequence):
    def __len__(self):
        return 9

    def __getitem__(self, index):
        return np.stack([P(self.read(path)) for path in paths[index]]), labels[index]

    def read(self, path):
        return cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB).astype("float32")

    def preview(self, path):
        return self.read(path) / 255.0
"""
    assert found(program((text, "Images()", "Images()"), "", "")) == {}


TRAINER = """
class Trainer:
    def __init__(self):
        self.base = tf.keras.applications.ResNet50V2(include_top=False, pooling="avg")
        self.base.trainable = False
        self.model = tf.keras.Sequential([self.base, tf.keras.layers.Dense(4, "softmax")])
        self.model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    def prepare(self, images):
        return images.map(lambda x, y: (SCALED, y))

    def run(self, train, valid):
        train = TRAIN
        self.model.fit(train, validation_data=valid, epochs=3)

Trainer().run(folder("train"), valid=folder("valid"))
"""


def test_what_a_method_is_given_comes_from_its_callers() -> None:
    sick = HEAD + TRAINER.replace("TRAIN\n", "train.prefetch(2)\n")
    assert list(found(sick)) == ["preprocessing-missing"]


def test_what_a_method_hides_is_left_alone() -> None:
    prepared = HEAD + TRAINER.replace("TRAIN\n", "self.prepare(train)\n")
    prepared = prepared.replace("SCALED", "x / 127.5 - 1.0")
    prepared = prepared.replace("valid, epochs", "self.prepare(valid), epochs")
    assert found(prepared) == {}
