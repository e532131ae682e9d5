"""The backbone gets raw pixels, it was trained on a scaled range."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence.scaling_readings import readings

_SICK = """\
from tensorflow import keras
from tensorflow.keras import layers

train = keras.utils.image_dataset_from_directory("data/train", image_size=(160, 160))
validation = keras.utils.image_dataset_from_directory("data/validation", image_size=(160, 160))

base = keras.applications.MobileNetV2(
    weights="imagenet", include_top=False, input_shape=(160, 160, 3)
)
base.trainable = False
inputs = keras.Input(shape=(160, 160, 3))
x = base(inputs, training=False)  # keep BatchNorm in inference mode
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(5, activation="softmax")(x)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=validation, epochs=5)
"""


def find(case: Case) -> Iterable[Finding]:
    """One finding for every backbone whose input is raw and should not be."""
    for reading in readings(case):
        if reading.verdict == "missing" and not reading.differs:
            yield reading.finding


CAUSE = CauseSpec(
    id="preprocessing-missing",
    code="TL101",
    title="The images reach the backbone unscaled",
    what="The backbone was trained on scaled pixels and receives raw ones, 0..255: nothing scales "
    "them, or `preprocess_input` is imported and never applied, or it is handed to "
    "`ImageDataGenerator` by position, where it sets `featurewise_center` and does nothing.",
    why="Pretrained filters and the stored BatchNorm statistics fit one range of pixels. Raw "
    "pixels are up to two orders of magnitude outside it: activations saturate, features of "
    "different images look alike, and a frozen backbone can never recover.",
    sources=(
        "https://keras.io/api/applications/",
        "https://github.com/keras-team/keras/blob/master/keras/src/applications/imagenet_utils.py",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace(
            "x = base(inputs, training=False)",
            "x = layers.Rescaling(1.0 / 127.5, offset=-1)(inputs)\nx = base(x, training=False)",
        ),
        cured=_SICK.replace(
            "base(inputs,", "base(keras.applications.mobilenet_v2.preprocess_input(inputs),"
        ),
    ),
)
