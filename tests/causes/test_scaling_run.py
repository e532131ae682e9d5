"""Patched programs, really run: what the backbone receives afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.causes.scaling_cases import cure
from tlfix.causes import preprocessing_mismatch, preprocessing_missing
from tlfix.causes.spec import CauseSpec

HEAD = """\
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
{imports}
for folder in ("a", "b"):
    for label in "01":
        os.makedirs(f"{{folder}}/{{label}}", exist_ok=True)
        for i in range(4):
            image = np.random.randint(0, 256, (32, 32, 3), dtype="uint8")
            keras.utils.save_img(f"{{folder}}/{{label}}/{{i}}.png", image, scale=False)
"""

BASE = 'base = {}(weights="imagenet", include_top=False, input_shape=(32, 32, 3), pooling="avg")\n'
BASE += "base.trainable = False\n"
SETS = """\
train = keras.utils.image_dataset_from_directory("a", image_size=(32, 32), batch_size=4)
val = keras.utils.image_dataset_from_directory("b", image_size=(32, 32), batch_size=4)
"""
FIT = """\
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train, validation_data=val, epochs=1, verbose=0)
"""

NESTED = (
    HEAD.format(imports="")
    + SETS
    + BASE.format("keras.applications.ResNet50")
    + """\
inputs = keras.Input(shape=(32, 32, 3))
x = base(inputs, training=False)
model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
"""
    + FIT
)

SEQUENTIAL = (
    HEAD.format(imports="")
    + SETS
    + BASE.format("keras.applications.MobileNetV2")
    + """\
model = keras.Sequential([base, layers.Dense(2, activation="softmax")])
"""
    + FIT
)

GENERATORS = (
    HEAD.format(imports="from tensorflow.keras.applications import MobileNetV2")
    + """\
from tensorflow.keras.preprocessing.image import ImageDataGenerator
train_gen = ImageDataGenerator(rescale=1./255, horizontal_flip=True)
val_gen = ImageDataGenerator(rescale=1./255)
train = train_gen.flow_from_directory("a", target_size=(32, 32), class_mode="sparse")
val = val_gen.flow_from_directory("b", target_size=(32, 32), class_mode="sparse")
"""
    + BASE.format("MobileNetV2")
    + """\
model = keras.Model(base.input, layers.Dense(2, activation="softmax")(base.output))
"""
    + FIT
)

MAPPED = (
    HEAD.format(imports="from tensorflow.keras.applications import MobileNetV2")
    + SETS
    + """\
train = train.map(lambda x, y: (x / 255.0, y)).prefetch(2)
val = val.map(lambda x, y: (tf.cast(x, tf.float32) / 255.0, y))
"""
    + BASE.format("MobileNetV2")
    + """\
model = keras.Model(base.input, layers.Dense(2, activation="softmax")(base.output))
"""
    + FIT
)

INSIDE = """
raw = np.random.uniform(0, 255, (2, 32, 32, 3)).astype("float32")
scale = keras.applications.{module}.preprocess_input
model.save("m.keras")
for m in (model, keras.models.load_model("m.keras")):
    own = m.predict(raw.copy(), verbose=0)
    want = m.layers[-1](m.layers[-2](scale(raw.copy()), training=False)).numpy()
    assert np.abs(own - want).max() < 1e-4, np.abs(own - want).max()
"""
OUTSIDE = """
for data in (train, val):
    images = np.asarray(next(iter(data))[0])
    assert -1.0 <= images.min() < -0.9 and 0.9 < images.max() <= 1.0, (images.min(), images.max())
"""


@pytest.mark.probe
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("spec", "text", "check"),
    [
        (preprocessing_missing.CAUSE, NESTED, INSIDE.format(module="resnet50")),
        pytest.param(
            preprocessing_missing.CAUSE,
            SEQUENTIAL,
            INSIDE.format(module="mobilenet_v2"),
            marks=pytest.mark.slow,
        ),
        pytest.param(preprocessing_mismatch.CAUSE, GENERATORS, OUTSIDE, marks=pytest.mark.slow),
        (preprocessing_mismatch.CAUSE, MAPPED, OUTSIDE),
    ],
    ids=["nested", "sequential", "generators", "mapped"],
)
def test_the_patched_program_scales_rightly(
    spec: CauseSpec, text: str, check: str, tmp_path: Path
) -> None:
    cured = cure(spec, text)
    # Random weights, which no network is needed for: only what goes in is looked at.
    script = (cured + check).replace('weights="imagenet"', "weights=None")
    (tmp_path / "train.py").write_text(script)
    run = subprocess.run(
        [sys.executable, "train.py"], cwd=tmp_path, capture_output=True, text=True, timeout=280
    )
    assert run.returncode == 0, run.stderr[-2000:]
