"""The images are scaled, but another way than the backbone was trained."""

from __future__ import annotations

from collections.abc import Iterable

from tlfix.causes.spec import Case, CauseSpec, Examples, Finding
from tlfix.evidence.scaling_readings import readings

_SICK = """\
from tensorflow.keras.applications import ResNet50
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.image import ImageDataGenerator

train_datagen = ImageDataGenerator(rescale=1./255, shear_range=0.2)  # augmented
test_datagen = ImageDataGenerator(rescale=1./255)
train = train_datagen.flow_from_directory("data/train", target_size=(224, 224))
test = test_datagen.flow_from_directory("data/test", target_size=(224, 224))

base = ResNet50(weights="imagenet", include_top=False, input_shape=(224, 224, 3))
base.trainable = False
x = GlobalAveragePooling2D()(base.output)
model = Model(base.input, Dense(5, activation="softmax")(x))
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(train, validation_data=test, epochs=5)
"""

_CURED = _SICK.replace("rescale=1./255", "preprocessing_function=preprocess_input").replace(
    "import ResNet50\n",
    "import ResNet50\nfrom tensorflow.keras.applications.resnet50 import preprocess_input\n",
)


def find(case: Case) -> Iterable[Finding]:
    """One finding for every backbone whose input is scaled the wrong way."""
    for reading in readings(case):
        if reading.verdict == "mismatch" and not reading.differs:
            yield reading.finding


CAUSE = CauseSpec(
    id="preprocessing-mismatch",
    code="TL102",
    title="The images are scaled another way than the backbone was trained",
    what="Every network of keras.applications was trained on one range: -1..1 (MobileNet, "
    "Inception, Xception, NASNet, ResNetV2), BGR minus the ImageNet mean (ResNet, VGG), 0..1 with "
    "the ImageNet mean and deviation (DenseNet). The program scales to another one, mostly by "
    "dividing by 255.",
    why="The features are computed from pixels that look darker, paler or differently coloured "
    "than anything the network saw. It may cost nothing or most of the accuracy; on MobileNetV2 "
    "0.35 a linear probe fell from .91 to .85 with pixels divided by 255.",
    sources=(
        "https://keras.io/api/applications/",
        "https://github.com/keras-team/keras/blob/master/keras/src/applications/imagenet_utils.py",
    ),
    find=find,
    examples=Examples(
        sick=_SICK,
        # -1..1 by hand is what MobileNetV2 wants.
        healthy=_SICK.replace("ResNet50", "MobileNetV2").replace(
            "rescale=1./255", "preprocessing_function=lambda image: image / 127.5 - 1"
        ),
        cured=_CURED,
    ),
)
