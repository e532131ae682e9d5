# ruff: noqa: E501  the seeds are quoted as they are
from __future__ import annotations

import pytest

from tests.causes.scaling_cases import CAFFE, FOLDERS, INLINED, NESTED, cure, findings, measured
from tests.traces import TF, UNIT
from tlfix.causes.preprocessing_mismatch import CAUSE

SEED_000 = """\
import tensorflow as tf
from tensorflow.keras.applications import InceptionV3
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model
from tensorflow.keras.preprocessing.image import ImageDataGenerator

# Correct preprocessing and labels
train_datagen = ImageDataGenerator(rescale=1./255, rotation_range=20, width_shift_range=0.2)
test_datagen = ImageDataGenerator(rescale=1./255)
train_generator = train_datagen.flow_from_directory('train_data', target_size=(299, 299), batch_size=32, class_mode='categorical')
test_generator = test_datagen.flow_from_directory('test_data', target_size=(299, 299), batch_size=32, class_mode='categorical')


base_model = InceptionV3(weights='imagenet', include_top=False, input_shape=(299, 299, 3))
x = base_model.output
x = GlobalAveragePooling2D()(x)
x = Dense(1024, activation='relu')(x)
predictions = Dense(10, activation='softmax')(x) # 10 classes
model = Model(inputs=base_model.input, outputs=predictions)

model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(train_generator, epochs=10, validation_data=test_generator)
"""

SEED_001 = """\
import tensorflow as tf
from tensorflow.keras.applications import ResNet50
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.preprocessing.image import ImageDataGenerator

# Load pre-trained model
base_model = ResNet50(weights='imagenet', include_top=False, input_shape=(224, 224, 3))

# Add custom classification layers
x = base_model.output
x = GlobalAveragePooling2D()(x)
x = Dense(1024, activation='relu')(x)
predictions = Dense(num_classes, activation='softmax')(x)

model = tf.keras.Model(inputs=base_model.input, outputs=predictions)

# Insufficient data augmentation
train_datagen = ImageDataGenerator(rescale=1./255)
val_datagen = ImageDataGenerator(rescale=1./255)

train_generator = train_datagen.flow_from_directory(...)
val_generator = val_datagen.flow_from_directory(...)

model.compile(...)
model.fit(train_generator, validation_data=val_generator, epochs=2)
"""

SEED_002 = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras.applications import ResNet50
from tensorflow.keras.preprocessing import image
import numpy as np

img_path = 'image.jpg'
img = image.load_img(img_path, target_size=(224, 224))
x = image.img_to_array(img)
x = np.expand_dims(x, axis=0)
x = x / 127.5 - 1  # Incorrect normalization

base_model = ResNet50(weights='imagenet', include_top=False, input_shape=(224, 224, 3))
predictions = base_model.predict(x)
"""

SEED_003 = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

base_model = keras.applications.MobileNetV2(include_top=False, input_shape=(224, 224, 3))
base_model.trainable = False

inputs = keras.Input(shape=(224, 224, 3))
x = layers.Rescaling(1./255)(inputs)  # Normalized pixels by scaling to [0,1]
x = base_model(x, training=False)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(num_classes, activation='softmax')(x)
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(data_generator, epochs=10, steps_per_epoch=100)
"""

GENERATORS = """\
from tensorflow.keras.preprocessing.image import ImageDataGenerator
gen = ImageDataGenerator({first})
other = ImageDataGenerator({second})
train = gen.flow_from_directory("a", target_size=(96, 96))
val = other.flow_from_directory("b", target_size=(96, 96))
test = other.flow_from_directory("c", target_size=(96, 96), shuffle=False)
"""
USE = "model.fit(train, validation_data=val)\nmodel.evaluate(test)"

ARRAYS = """\
import numpy as np
from tensorflow.keras.datasets import cifar10
(x_train, y_train), (x_test, y_test) = cifar10.load_data()
{scale}"""
USE_ARRAYS = "model.fit(x_train, y_train, validation_split=0.2)\nmodel.evaluate(x_test, y_test)"


def arrays(scale: str, network: str = "MobileNetV2") -> str:
    return INLINED.format(network=network, data=ARRAYS.format(scale=scale), use=USE_ARRAYS)


def generators(network: str, first: str, second: str | None = None) -> str:
    data = GENERATORS.format(first=first, second=first if second is None else second)
    return INLINED.format(network=network, data=data, use=USE)


class TestSeeds:
    def test_000_both_generators_change(self) -> None:
        (finding,) = findings(CAUSE, SEED_000)
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.site is not None and finding.site.line == 8
        assert "0..1" in finding.evidence[0].summary and "-1..1" in finding.evidence[0].summary
        assert cure(CAUSE, SEED_000) == SEED_000.replace(
            "rescale=1./255", "preprocessing_function=preprocess_input"
        ).replace(
            "import InceptionV3\n",
            "import InceptionV3\n"
            "from tensorflow.keras.applications.inception_v3 import preprocess_input\n",
        )

    def test_001_with_placeholders(self) -> None:
        cured = cure(CAUSE, SEED_001)
        assert cured.count("ImageDataGenerator(preprocessing_function=preprocess_input)") == 2
        assert "applications.resnet50 import preprocess_input\n" in cured
        assert findings(CAUSE, cured) == []

    def test_002_a_single_image(self) -> None:
        cured = cure(CAUSE, SEED_002)
        assert 'x = preprocess_input(x.astype("float32"))  # Incorrect normalization\n' in cured
        assert findings(CAUSE, cured) == []

    def test_003_a_rescaling_layer(self) -> None:
        cured = cure(CAUSE, SEED_003)
        assert cured == SEED_003.replace("Rescaling(1./255)", "Rescaling(1.0 / 127.5, offset=-1)")
        assert findings(CAUSE, cured) == []


class TestSource:
    @pytest.mark.parametrize(
        ("network", "argument"),
        [
            ("MobileNetV2", "preprocessing_function=lambda image: image / 127.5 - 1"),
            ("Xception", "preprocessing_function=lambda image: (image - 127.5) / 127.5"),
            ("EfficientNetB0", "horizontal_flip=True"),
            ("MobileNetV2", "featurewise_center=True, rescale=1/255"),
            ("MobileNetV2", "rescale=factor"),
        ],
    )
    def test_right_or_unknown_scalings_are_left_alone(self, network: str, argument: str) -> None:
        assert findings(CAUSE, generators(network, argument)) == []

    def test_random_weights_have_no_range(self) -> None:
        text = generators("MobileNetV2", "rescale=1/255").replace(
            'weights="imagenet"', "weights=None"
        )
        assert findings(CAUSE, text) == []

    def test_own_weights_have_an_unknown_range(self) -> None:
        text = generators("MobileNetV2", "rescale=1/255").replace('"imagenet"', '"mine.h5"')
        assert findings(CAUSE, text) == []

    def test_include_preprocessing_false_is_not_judged(self) -> None:
        text = generators("MobileNetV3Small", "rescale=1/255").replace(
            "include_top=False", "include_top=False, include_preprocessing=False"
        )
        assert findings(CAUSE, text) == []

    def test_display_code_does_not_count(self) -> None:
        text = NESTED.format(
            data=FOLDERS + "import matplotlib.pyplot as plt\n"
            "for images, labels in train.take(1):\n    plt.imshow(images[0] / 255.0)\n",
            call="x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)\nx = base(x, training=False)",
        )
        assert findings(CAUSE, text) == []

    def test_three_generators(self) -> None:
        text = generators("VGG16", "rescale=1/255").replace(
            "test = other.", "last = ImageDataGenerator(rescale=1.0 / 255)\ntest = last."
        )
        cured = cure(CAUSE, text)
        assert cured.count("preprocessing_function=preprocess_input") == 3
        assert "rescale" not in cured

    def test_windows_line_ends(self) -> None:
        text = generators("VGG16", "rescale=1/255")
        assert cure(CAUSE, text.replace("\n", "\r\n")) == cure(CAUSE, text).replace("\n", "\r\n")

    def test_another_networks_function(self) -> None:
        text = generators("ResNet50", "preprocessing_function=preprocess_input")
        wrong = "from tensorflow.keras.applications.mobilenet_v2 import preprocess_input\n" + text
        cured = cure(CAUSE, wrong)
        assert cured.count("preprocessing_function=resnet50_preprocess_input") == 2
        same = "from tensorflow.keras.applications.vgg16 import preprocess_input\n" + text
        assert findings(CAUSE, same) == []  # VGG16 and ResNet50 were trained alike

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (
                "x_train = x_train / 255.0\nx_test = x_test / 255.0\n",
                'x_train = preprocess_input(x_train.astype("float32"))\n'
                'x_test = preprocess_input(x_test.astype("float32"))\n',
            ),
            (
                "x_train, x_test = x_train / 255.0, x_test / 255.0\n",
                'x_train, x_test = preprocess_input(x_train.astype("float32")), '
                'preprocess_input(x_test.astype("float32"))\n',
            ),
            (
                'x_train = x_train.astype("float32") / 255\n'
                'x_test = x_test.astype("float32") / 255\n',
                'x_train = preprocess_input(x_train.astype("float32"))\n'
                'x_test = preprocess_input(x_test.astype("float32"))\n',
            ),
            (
                "def prepare(images):\n    return images / 255.0\n\n\n"
                "x_train, x_test = prepare(x_train), prepare(x_test)\n",
                'def prepare(images):\n    return preprocess_input(images.astype("float32"))\n\n\n'
                "x_train, x_test = prepare(x_train), prepare(x_test)\n",
            ),
        ],
    )
    def test_arrays(self, before: str, after: str) -> None:
        text = arrays(before)
        name = "from tensorflow.keras.applications.mobilenet_v2 import preprocess_input\n"
        assert cure(CAUSE, text) == text.replace(before, after).replace(
            "import MobileNetV2\n", "import MobileNetV2\n" + name
        )

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (
                "train = train.map(lambda x, y: (x / 255.0, y))\n"
                "val = val.map(lambda x, y: (x / 255.0, y))\n",
                "train = train.map(lambda x, y: (preprocess_input(x), y))\n"
                "val = val.map(lambda x, y: (preprocess_input(x), y))\n",
            ),
            (
                "def scale(image, label):\n"
                "    image = tf.cast(image, tf.float32) / 255.0  # to floats\n"
                "    return image, label\n\n\n"
                "train = train.map(scale).prefetch(2)\nval = val.map(scale).prefetch(2)\n",
                "def scale(image, label):\n"
                "    image = preprocess_input(tf.cast(image, tf.float32))  # to floats\n"
                "    return image, label\n\n\n"
                "train = train.map(scale).prefetch(2)\nval = val.map(scale).prefetch(2)\n",
            ),
        ],
    )
    def test_mapped_functions(self, before: str, after: str) -> None:
        text = NESTED.format(data=FOLDERS + before, call="x = base(inputs, training=False)")
        function = "keras.applications.mobilenet_v2.preprocess_input"
        assert cure(CAUSE, text) == text.replace(
            before, after.replace("preprocess_input", function)
        )


class TestProbe:
    TEXT = generators("MobileNetV2", "rescale=1/255")
    LINE = TEXT[: TEXT.index("base = ")].count("\n") + 1

    def seen(self, **values: object) -> object:
        return measured(UNIT, line=self.LINE, **values)  # type: ignore[arg-type]

    def test_a_significant_loss_is_an_error(self) -> None:
        trace = self.seen(as_is=0.70, expected=0.91, divergence=2.8, after=0.02)
        (finding,) = findings(CAUSE, self.TEXT, trace)  # type: ignore[arg-type]
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert finding.cost == pytest.approx(0.21)
        assert finding.site is not None and finding.site.line == 5
        assert "chance-validation" in finding.explains
        numbers = {m.name: m.value for e in finding.evidence for m in e.measured}
        assert numbers["maximum"] == pytest.approx(1.0)
        assert numbers["batchnorm_divergence"] == 2.8
        assert (numbers["accuracy_as_is"], numbers["accuracy_expected"]) == (0.70, 0.91)
        p = numbers["p_value"]
        assert p is not None and p < 1e-6
        assert finding.remedy is not None

    def test_no_significant_loss_is_a_warning(self) -> None:
        trace = self.seen(as_is=0.90, expected=0.91, divergence=2.8, after=0.02)
        (finding,) = findings(CAUSE, self.TEXT, trace)  # type: ignore[arg-type]
        assert (finding.severity, finding.confidence) == ("warning", "likely")

    def test_weights_that_fit_the_images_are_a_note(self) -> None:
        trace = self.seen(as_is=0.91, expected=0.85, divergence=0.03, after=2.6)
        (finding,) = findings(CAUSE, self.TEXT, trace)  # type: ignore[arg-type]
        assert finding.severity == "note"

    def test_missing_weights_leave_a_structural_warning(self) -> None:
        trace = self.seen(weights_status="missing")
        (finding,) = findings(CAUSE, self.TEXT, trace)  # type: ignore[arg-type]
        assert (finding.severity, finding.confidence) == ("warning", "likely")

    def test_random_weights_are_not_judged(self) -> None:
        assert findings(CAUSE, self.TEXT, self.seen(weights_status="random")) == []  # type: ignore[arg-type]

    def test_the_right_scaling_is_silent(self) -> None:
        text = generators("MobileNetV2", "preprocessing_function=lambda i: i / 127.5 - 1")
        assert findings(CAUSE, text, measured(TF, divergence=0.02, after=0.02)) == []

    def test_the_measurement_overrules_the_source(self) -> None:
        assert findings(CAUSE, self.TEXT, measured(TF, line=self.LINE)) == []

    def test_a_scaling_that_is_not_visible_leaves_advice(self) -> None:
        trace = measured(CAFFE, as_is=0.5, expected=0.9, line=self.LINE)
        (finding,) = findings(CAUSE, self.TEXT, trace)
        assert finding.remedy is None
        assert finding.advice is not None and "not visible in the source" in finding.advice

    def test_an_unreadable_input_is_silent_unless_far_off(self) -> None:
        near = measured(None, divergence=0.3, after=0.1, line=self.LINE)
        assert findings(CAUSE, self.TEXT, near) == []
        far = measured(None, divergence=40.0, after=0.1, line=self.LINE)
        (finding,) = findings(CAUSE, self.TEXT, far)
        assert finding.confidence == "possible"
        assert finding.severity in ("note", "warning")

    def test_a_model_that_was_loaded_has_no_site_in_this_file(self) -> None:
        text = "import keras\nmodel = keras.models.load_model('m.keras')\nmodel.fit(x, y)\n"
        trace = measured(UNIT, as_is=0.5, expected=0.9, line=2)
        (finding,) = findings(CAUSE, text, trace)
        assert finding.remedy is None and finding.advice
