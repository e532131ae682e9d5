"""Training, validation and test images are scaled in different ways."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence.scaling_readings import readings

_SICK = """\
from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential
from tensorflow.keras.preprocessing.image import ImageDataGenerator

train_gen = ImageDataGenerator(preprocessing_function=preprocess_input, horizontal_flip=True)
val_gen = ImageDataGenerator(rescale=1. / 255)
train = train_gen.flow_from_directory("data/train", target_size=(160, 160))
val = val_gen.flow_from_directory("data/val", target_size=(160, 160))

base = MobileNetV2(weights="imagenet", include_top=False, pooling="avg", input_shape=(160, 160, 3))
base.trainable = False
model = Sequential([base, Dense(5, activation="softmax")])
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=val, epochs=5)
"""


def find(case: Case) -> Iterable[Finding]:
    """One finding for every backbone that is fed differently scaled images by different splits."""
    for reading in readings(case):
        if reading.differs:
            yield reading.finding


CAUSE = CauseSpec(
    id="preprocessing-differs",
    code="TL104",
    title="Training and evaluation scale their images differently",
    what="The paths of the training, validation, test or predict images end in different ranges, "
    "because one of them was forgotten when the preprocessing was changed.",
    why="The head learns features of one range and is asked about another. Training looks healthy "
    "while validation or the deployed model stays near chance.",
    sources=(
        "https://keras.io/api/applications/",
        "https://developers.google.com/machine-learning/guides/rules-of-ml#training-serving_skew",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        healthy=_SICK.replace("rescale=1. / 255", "preprocessing_function=preprocess_input"),
        cured=_SICK.replace("rescale=1. / 255", "preprocessing_function=preprocess_input"),
    ),
)
