# ruff: noqa: E501  the seeds are quoted as they are
from __future__ import annotations

import pytest

from tests.causes.scaling_cases import CAFFE, FOLDERS, INLINED, NESTED, cure, findings, measured
from tests.traces import RAW, TF
from tlfix.causes.preprocessing_missing import CAUSE

FUNCTION = "keras.applications.mobilenet_v2.preprocess_input"
CALL = "x = base(inputs, training=False)  # inference mode"
IMPORT = "from tensorflow.keras.applications.{} import preprocess_input\n"

GENERATORS = """\
from tensorflow.keras.preprocessing.image import ImageDataGenerator
gen = ImageDataGenerator({argument})
train = gen.flow_from_directory("a", target_size=(96, 96))
val = gen.flow_from_directory("b", target_size=(96, 96))
"""
USE = "model.fit(train, validation_data=val)"

SEED_003 = """\
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

base_model = keras.applications.MobileNetV2(include_top=False, input_shape=(224, 224, 3))
base_model.trainable = False

inputs = keras.Input(shape=(224, 224, 3))
x = base_model(inputs, training=False) #Important: disable training of the base model layers
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(num_classes, activation='softmax')(x)
model = keras.Model(inputs, outputs)

model.compile(optimizer=keras.optimizers.Adam(), loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(data_generator, epochs=10, steps_per_epoch=100)
"""

SEQUENTIAL = """\
import tensorflow as tf
from tensorflow.keras import layers

train = tf.keras.utils.image_dataset_from_directory("a", image_size=(96, 96))
base = tf.keras.applications.{network}(include_top=False, input_shape=(96, 96, 3), pooling="avg")
model = tf.keras.Sequential([
    base,
    layers.Dense(10, activation="softmax"),
])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train, epochs=3)
"""


def generators(network: str, argument: str = "") -> str:
    return INLINED.format(network=network, data=GENERATORS.format(argument=argument), use=USE)


class TestSource:
    def test_seed_003_needs_the_probe(self) -> None:
        # Nothing in the file tells what `data_generator` yields.
        assert findings(CAUSE, SEED_003) == []
        trace = measured(RAW, as_is=0.37, expected=0.91, divergence=24_382, after=0.02, line=5)
        (finding,) = findings(CAUSE, SEED_003, trace)
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert finding.cost == pytest.approx(0.54)
        assert cure(CAUSE, SEED_003, trace) == SEED_003.replace(
            "base_model(inputs,", f"base_model({FUNCTION}(inputs),"
        )

    def test_a_nested_backbone_is_cured_in_the_model(self) -> None:
        text = NESTED.format(data=FOLDERS, call=CALL)
        assert cure(CAUSE, text) == text.replace("base(inputs", f"base({FUNCTION}(inputs)")

    def test_an_inlined_backbone_is_cured_in_the_generators(self) -> None:
        text = generators("ResNet50")
        assert cure(CAUSE, text) == text.replace(
            "ImageDataGenerator()", "ImageDataGenerator(preprocessing_function=preprocess_input)"
        ).replace("import ResNet50\n", "import ResNet50\n" + IMPORT.format("resnet50"))

    def test_a_sequential_gets_a_layer(self) -> None:
        text = SEQUENTIAL.format(network="MobileNetV2")
        layer = "layers.Rescaling(1.0 / 127.5, offset=-1, input_shape=(96, 96, 3))"
        assert cure(CAUSE, text) == text.replace("    base,\n", f"    {layer},\n    base,\n")

    def test_a_sequential_that_needs_more_is_cured_in_its_data(self) -> None:
        text = SEQUENTIAL.format(network="ResNet50")
        function = "tf.keras.applications.resnet50.preprocess_input"
        assert cure(CAUSE, text) == text.replace(
            "fit(train,", f"fit(train.map(lambda x, y: ({function}(x), y)),"
        )

    def test_inlined_with_data_sets(self) -> None:
        data = (
            "import tensorflow as tf\n"
            'train = tf.keras.utils.image_dataset_from_directory("a", image_size=(96, 96))\n'
            'val = tf.keras.utils.image_dataset_from_directory("b", image_size=(96, 96))\n'
            "names = train.class_names\n"
            "train = train.shuffle(100).prefetch(2)\n"
        )
        text = INLINED.format(network="VGG16", data=data, use=USE)
        step = ".map(lambda x, y: (preprocess_input(x), y))"
        assert cure(CAUSE, text) == text.replace(".prefetch(2)", f"{step}.prefetch(2)").replace(
            "validation_data=val", f"validation_data=val{step}"
        ).replace("import VGG16\n", "import VGG16\n" + IMPORT.format("vgg16"))

    def test_arrays_of_an_inlined_backbone_are_wrapped_where_they_are_used(self) -> None:
        data = (
            "from tensorflow.keras.datasets import cifar10\n"
            "(x_train, y_train), (x_test, y_test) = cifar10.load_data()\n"
        )
        use = "model.fit(x_train, y_train, validation_data=(x_test, y_test))\nmodel.predict(x_test)"
        text = INLINED.format(network="VGG16", data=data, use=use)
        wrapped = 'preprocess_input({}.astype("float32"))'
        cured = cure(CAUSE, text)
        assert f"model.fit({wrapped.format('x_train')}, y_train" in cured
        assert f"validation_data=({wrapped.format('x_test')}, y_test))" in cured
        assert f"model.predict({wrapped.format('x_test')})" in cured

    def test_preprocess_input_in_the_wrong_argument(self) -> None:
        text = IMPORT.format("mobilenet_v2") + generators("MobileNetV2", "preprocess_input")
        (finding,) = findings(CAUSE, text)
        assert finding.site is not None
        assert finding.site.line == text[: text.index("gen = ")].count("\n") + 1
        assert any("featurewise_center" in e.summary for e in finding.evidence)
        assert cure(CAUSE, text) == text.replace(
            "ImageDataGenerator(preprocess_input)",
            "ImageDataGenerator(preprocessing_function=preprocess_input)",
        )

    def test_an_import_that_is_never_applied(self) -> None:
        text = IMPORT.format("mobilenet_v2") + generators("MobileNetV2")
        (finding,) = findings(CAUSE, text)
        assert any("never applied" in e.summary for e in finding.evidence)
        assert cure(CAUSE, text).count("import preprocess_input") == 1

    @pytest.mark.parametrize(
        "data",
        [
            "import numpy as np\ntrain, val = np.load('a.npy'), None\n",
            "from helpers import make\ntrain, val = make(), None\n",
            FOLDERS + "import tensorflow as tf\n"
            "train = train.map(lambda x, y: (tf.image.convert_image_dtype(x, tf.float32), y))\n",
            FOLDERS + "norm = layers.Normalization()\n"
            "train = train.map(lambda x, y: (norm(x), y))\n",
        ],
    )
    def test_unknown_ranges_are_left_alone(self, data: str) -> None:
        assert findings(CAUSE, NESTED.format(data=data, call=CALL)) == []

    @pytest.mark.parametrize("network", ["EfficientNetB0", "ConvNeXtTiny", "MobileNetV3Small"])
    def test_networks_that_scale_inside_want_raw_pixels(self, network: str) -> None:
        assert findings(CAUSE, generators(network)) == []

    @pytest.mark.parametrize(
        "call",
        [
            f"x = base({FUNCTION}(inputs), training=False)",
            f"x = {FUNCTION}(inputs)\nx = base(x, training=False)",
            "x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)\nx = base(x)",
            "x = inputs / 127.5 - 1\nx = base(x)",
        ],
    )
    def test_scaling_in_the_model(self, call: str) -> None:
        assert findings(CAUSE, NESTED.format(data=FOLDERS, call=call)) == []


class TestProbe:
    TEXT = NESTED.format(data=FOLDERS, call=CALL)
    LINE = TEXT[: TEXT.index("base = ")].count("\n") + 1

    def test_missing_weights_leave_a_warning(self) -> None:
        (finding,) = findings(
            CAUSE, self.TEXT, measured(RAW, weights_status="missing", line=self.LINE)
        )
        assert finding.severity == "warning"
        assert finding.remedy is not None

    def test_an_enormous_divergence_alone_is_certain(self) -> None:
        trace = measured(RAW, divergence=24_382, after=0.02, line=self.LINE)
        (finding,) = findings(CAUSE, self.TEXT, trace)
        assert (finding.severity, finding.confidence) == ("error", "certain")

    def test_images_that_do_no_harm_are_no_error(self) -> None:
        trace = measured(
            RAW, as_is=0.9, expected=0.9, divergence=24_382, after=0.02, line=self.LINE
        )
        (finding,) = findings(CAUSE, self.TEXT, trace)
        assert finding.severity == "warning"

    def test_caffe_networks_fed_raw(self) -> None:
        text = generators("ResNet50")
        line = text[: text.index("base = ")].count("\n") + 1
        trace = measured(RAW, as_is=0.6, expected=0.9, line=line, module="resnet50", expects=CAFFE)
        (finding,) = findings(CAUSE, text, trace)
        assert finding.severity == "error"
        assert "resnet50.preprocess_input" in (finding.advice or "")

    def test_an_unknown_network_is_judged_by_its_statistics(self) -> None:
        trace = measured(RAW, divergence=900.0, line=self.LINE, expects=None, module=None)
        (finding,) = findings(CAUSE, self.TEXT, trace)
        assert finding.severity == "warning"
        assert finding.remedy is None

    def test_the_right_input_is_silent(self) -> None:
        assert findings(CAUSE, self.TEXT, measured(TF, divergence=0.02, after=0.02)) == []

    def test_two_fits_are_one_fault(self) -> None:
        once = measured(RAW, divergence=24_382, after=0.02, line=self.LINE)
        twice = once.model_copy(update={"fits": (*once.fits, *once.fits)})
        assert len(findings(CAUSE, self.TEXT, twice)) == 1
