# ruff: noqa: E501  the seeds are quoted as they are
from __future__ import annotations

import pytest

from tests.causes.scaling_cases import cure, findings
from tests.traces import crashed, data, fit, model, trace
from tlfix.causes.target_size_mismatch import CAUSE

SEED_000 = """\
import tensorflow as tf
from tensorflow.keras.applications import ResNet50
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.image import ImageDataGenerator

train_datagen = ImageDataGenerator(rescale=1./255, shear_range=0.2, zoom_range=0.2)
test_datagen = ImageDataGenerator(rescale=1./255)
train_generator = train_datagen.flow_from_directory('train_data', target_size=(150,150), batch_size=32)
test_generator = test_datagen.flow_from_directory('test_data', target_size=(200,200), batch_size=32) # Incorrect Target Size

base_model = ResNet50(weights='imagenet', include_top=False, input_shape=(150, 150, 3))
x = base_model.output
x = GlobalAveragePooling2D()(x)
x = Dense(1024, activation='relu')(x)
predictions = Dense(10, activation='softmax')(x) # Assuming 10 classes
model = Model(inputs=base_model.input, outputs=predictions)

model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(train_generator, epochs=10, validation_data=test_generator)
"""

# As Keras 3.15 words it for a functional model.
MESSAGE = (
    "Input 0 with name 'input_layer' of layer 'functional' is incompatible with the layer: "
    "expected shape=(None, 150, 150, 3), found shape=(None, 200, 200, 3)"
)
CURED = SEED_000.replace("(200,200)", "(150,150)")


def test_seed_000_from_the_source() -> None:
    (finding,) = findings(CAUSE, SEED_000)
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.site is not None and finding.site.line == 10
    assert "200x200" in finding.evidence[0].summary and "150x150" in finding.evidence[0].summary
    assert cure(CAUSE, SEED_000) == CURED
    assert findings(CAUSE, CURED) == []


def test_a_crash_proves_it() -> None:
    (finding,) = findings(CAUSE, SEED_000, crashed(MESSAGE))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert "crash" in finding.explains
    assert cure(CAUSE, SEED_000, crashed(MESSAGE)) == CURED


def test_shapes_seen_prove_it_where_keras_only_warns() -> None:
    seen = trace(
        fit(
            model=model(input_shape=(None, 150, 150, 3)),
            training=data("training", input_shape=(None, 150, 150, 3)),
            validation=data("validation", input_shape=(None, 200, 200, 3)),
        )
    )
    (finding,) = findings(CAUSE, SEED_000, seen)
    assert finding.severity == "error"
    assert [m.value for e in finding.evidence for m in e.measured] == [200, 200]


def test_shapes_that_fit_clear_the_program() -> None:
    same = (None, 150, 150, 3)
    seen = trace(
        fit(
            model=model(input_shape=same),
            training=data("training", input_shape=same),
            validation=data("validation", input_shape=same),
        )
    )
    assert findings(CAUSE, SEED_000, seen) == []


def test_a_crash_elsewhere_says_nothing() -> None:
    assert findings(CAUSE, CURED, crashed("No such file or directory: 'train_data'")) == []


def test_sizes_in_a_variable_are_followed() -> None:
    text = SEED_000.replace("target_size=(150,150)", "target_size=SIZE").replace(
        "train_datagen =", "SIZE = (150, 150)\ntrain_datagen ="
    )
    assert cure(CAUSE, text) == text.replace("target_size=(200,200)", "target_size=SIZE")


def test_the_default_size_counts() -> None:
    text = SEED_000.replace("target_size=(200,200), ", "")
    (finding,) = findings(CAUSE, text)
    assert "256x256" in finding.evidence[0].summary
    assert "batch_size=32, target_size=(150,150))" in cure(CAUSE, text)


@pytest.mark.parametrize(
    "text",
    [
        SEED_000.replace("(200,200)", "size_from_somewhere"),
        SEED_000.replace("(200,200)", "(150, 150)"),
        # Resized on the way to the backbone.
        SEED_000.replace("(150,150)", "(200,200)").replace(
            "model = Model(",
            "resized = tf.keras.layers.Resizing(150, 150)(tf.keras.Input((200, 200, 3)))\n"
            "model = Model(",
        ),
    ],
)
def test_unknown_equal_or_resized_sizes_are_left_alone(text: str) -> None:
    assert findings(CAUSE, text) == []


def test_a_model_of_any_size_still_wants_one() -> None:
    text = SEED_000.replace(", input_shape=(150, 150, 3)", "")
    (finding,) = findings(CAUSE, text)
    assert finding.severity == "warning"
    assert cure(CAUSE, text) == text.replace("(200,200)", "(150,150)")


def test_data_sets() -> None:
    text = """\
from tensorflow import keras

train = keras.utils.image_dataset_from_directory("a", image_size=(96, 96), batch_size=8)
val = keras.utils.image_dataset_from_directory("b", image_size=(128, 128), batch_size=8)
base = keras.applications.MobileNetV2(include_top=False, input_shape=(96, 96, 3), pooling="avg")
model = keras.Sequential([base, keras.layers.Dense(3)])
model.compile("adam", "mse")
model.fit(train, validation_data=val)
"""
    assert cure(CAUSE, text) == text.replace("(128, 128)", "(96, 96)")
