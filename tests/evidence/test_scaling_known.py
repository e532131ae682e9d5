"""What stands on the way of the images and changes their range, or does not, or brings it back."""

from __future__ import annotations

import pytest

from tests.causes.scaling_cases import cure, findings
from tlfix.causes.preprocessing_differs import CAUSE as DIFFERS
from tlfix.causes.preprocessing_double import CAUSE as DOUBLE
from tlfix.causes.preprocessing_mismatch import CAUSE as MISMATCH
from tlfix.causes.preprocessing_missing import CAUSE as MISSING

FILES = """\
import glob
import tensorflow as tf
from dataclasses import dataclass

@dataclass
class Config:
    size: int = 224

def load(path, label):
    image = tf.io.decode_jpeg(tf.io.read_file(path), channels=3)
    SCALE
    return tf.image.resize(image, (Config.size, Config.size))BACK, label

paths = glob.glob("data/*/*.jpg")
labels = ["dog" in path for path in paths]
train = tf.data.Dataset.from_tensor_slices((paths, labels)).shuffle(9999).map(load).batch(32)
base = tf.keras.applications.NETWORK(include_top=False, pooling="avg")
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(1, activation="sigmoid")])
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=3)
"""
CONVERT = "image = tf.image.convert_image_dtype(image, tf.float32)"


def files(network: str, scale: str = CONVERT, back: str = "") -> str:
    text = FILES.replace("NETWORK", network).replace("SCALE", scale)
    return text.replace("BACK", back)


def test_a_decoded_file_is_divided_by_a_conversion() -> None:
    sick = files("ResNet50")
    cured = cure(MISMATCH, sick)
    assert "resnet50.preprocess_input(tf.cast(image, tf.float32))" in cured
    assert findings(MISMATCH, cured) == findings(MISSING, cured) == []
    assert "convert_image_dtype" not in cure(DOUBLE, files("EfficientNetB0"))


@pytest.mark.parametrize("back", [" * 255", " * 255.0"])
@pytest.mark.parametrize("scale", [CONVERT, "image = tf.cast(image, tf.float32) / 255.0"])
def test_what_is_brought_back_is_left_alone(scale: str, back: str) -> None:
    text = files("EfficientNetB0", scale, back)
    assert all(findings(cause, text) == [] for cause in (DIFFERS, DOUBLE, MISMATCH, MISSING))


TABLE = """\
import pandas as pd
import tensorflow as tf

table = pd.read_csv("train.csv")
IMAGES
base = tf.keras.applications.ResNet50(include_top=False, pooling="avg")
base.trainable = False
model = tf.keras.Sequential([base, tf.keras.layers.Dense(5, activation="softmax")])
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train, epochs=3)
"""


def test_a_table_names_files_or_holds_pixels() -> None:
    named = "generator = tf.keras.preprocessing.image.ImageDataGenerator(rescale=1 / 255)\n"
    named += 'train = generator.flow_from_dataframe(table, "images")'
    assert "preprocessing_function=" in cure(MISMATCH, TABLE.replace("IMAGES", named))
    held = "pixels = table.drop(columns='label').values.reshape(-1, 96, 96, 3) / 255.0\n"
    held += "train = tf.data.Dataset.from_tensor_slices((pixels, table.label)).batch(32)"
    assert findings(MISMATCH, TABLE.replace("IMAGES", held)) == []
