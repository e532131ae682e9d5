"""The images are scaled twice."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence.scaling_readings import readings

_SICK = """\
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.applications import EfficientNetB0


def load(image, label):
    image = tf.cast(image, tf.float32) / 255.0
    return image, label


train = tf.keras.utils.image_dataset_from_directory("data/train", image_size=(224, 224))
validation = tf.keras.utils.image_dataset_from_directory("data/test", image_size=(224, 224))
train = train.map(load).prefetch(2)
validation = validation.map(load).prefetch(2)

base = EfficientNetB0(weights="imagenet", include_top=False, input_shape=(224, 224, 3))
base.trainable = False
model = tf.keras.Sequential([base, layers.GlobalAveragePooling2D(), layers.Dense(5)])
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile("adam", loss, metrics=["accuracy"])
model.fit(train, validation_data=validation, epochs=5)
"""


def find(case: Case) -> Iterable[Finding]:
    """One finding for every backbone whose input is scaled once too often."""
    for reading in readings(case):
        if reading.verdict == "double" and not reading.differs:
            yield reading.finding


CAUSE = CauseSpec(
    id="preprocessing-double",
    code="TL103",
    title="The images are scaled twice",
    what="Two scalings follow each other on the way to the backbone (`rescale=1/255` and then "
    "`preprocess_input`), or the program scales the images of a backbone that does it itself: "
    "EfficientNet, ConvNeXt and MobileNetV3 of keras.applications take 0..255.",
    why="After the second scaling all pixels lie within a hundredth of the range: the network sees "
    "one flat grey or black image, whatever the photograph showed. On MobileNetV2 0.35 a linear "
    "probe fell from .91 to .21.",
    sources=(
        "https://keras.io/api/applications/efficientnet/",
        "https://keras.io/api/applications/",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace(" / 255.0", ""),
        cured=_SICK.replace(" / 255.0", ""),
    ),
)
