from __future__ import annotations

import pytest

from tests.causes.scaling_cases import FOLDERS, INLINED, NESTED, TWICE, cure, findings, measured
from tests.traces import RAW, UNIT
from tlfix.causes.preprocessing_double import CAUSE

FUNCTION = "keras.applications.mobilenet_v2.preprocess_input"
IMPORT = "from tensorflow.keras.applications.mobilenet_v2 import preprocess_input\n"
GENERATORS = """\
from tensorflow.keras.preprocessing.image import ImageDataGenerator
gen = ImageDataGenerator({first})
other = ImageDataGenerator({second})
train = gen.flow_from_directory("a", target_size=(96, 96))
val = other.flow_from_directory("b", target_size=(96, 96))
"""
USE = "model.fit(train, validation_data=val)"


def generators(network: str, argument: str) -> str:
    data = GENERATORS.format(first=argument, second=argument)
    return INLINED.format(network=network, data=data, use=USE)


class TestSource:
    def test_rescale_and_preprocess_input(self) -> None:
        text = IMPORT + generators(
            "MobileNetV2", "rescale=1./255, preprocessing_function=preprocess_input"
        )
        assert cure(CAUSE, text) == text.replace("rescale=1./255, ", "")

    def test_a_network_that_scales_inside(self) -> None:
        text = generators("EfficientNetB0", "rescale=1./255, horizontal_flip=True")
        assert cure(CAUSE, text) == text.replace("rescale=1./255, ", "")

    def test_a_map_function_and_the_model(self) -> None:
        data = (
            FOLDERS
            + "train = train.map(lambda x, y: (x / 255.0, y))\n"
            + "val = val.map(lambda x, y: (x / 255.0, y))\n"
        )
        text = NESTED.format(data=data, call=f"x = base({FUNCTION}(inputs), training=False)")
        assert cure(CAUSE, text) == text.replace("x / 255.0", "x")

    def test_arrays_and_the_model(self) -> None:
        data = (
            "(train, y), (val, y_val) = keras.datasets.cifar10.load_data()\n"
            "train = train / 255.0\nval = val / 255.0\n"
        )
        text = NESTED.format(
            data=data,
            call="x = layers.Rescaling(1 / 127.5, offset=-1)(inputs)\nx = base(x)",
        ).replace("fit(train, validation_data=val)", "fit(train, y, validation_data=(val, y_val))")
        assert cure(CAUSE, text) == text.replace("train = train / 255.0\nval = val / 255.0\n", "")

    def test_two_steps_that_make_one_right_scaling(self) -> None:
        data = FOLDERS + "train = train.map(lambda x, y: (x / 255.0, y))\n"
        text = NESTED.format(
            data=data, call="x = layers.Rescaling(2.0, offset=-1)(inputs)\nx = base(x)"
        ).replace(", validation_data=val", "")
        assert findings(CAUSE, text) == []

    def test_third_party_networks_are_not_judged(self) -> None:
        text = generators("EfficientNetB0", "rescale=1./255").replace(
            "from tensorflow.keras.applications import", "from efficientnet.tfkeras import"
        )
        assert findings(CAUSE, text) == []

    @pytest.mark.parametrize("argument", ["", "horizontal_flip=True"])
    def test_raw_pixels_are_right_for_them(self, argument: str) -> None:
        assert findings(CAUSE, generators("EfficientNetB0", argument)) == []


class TestProbe:
    TEXT = IMPORT + generators(
        "MobileNetV2", "rescale=1./255, preprocessing_function=preprocess_input"
    )
    LINE = TEXT[: TEXT.index("base = ")].count("\n") + 1

    def test_a_flat_image_costs_everything(self) -> None:
        trace = measured(
            TWICE, as_is=0.21, expected=0.91, divergence=43.0, after=0.02, line=self.LINE
        )
        (finding,) = findings(CAUSE, self.TEXT, trace)
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert finding.cost == pytest.approx(0.70)
        assert "scaled twice" in finding.evidence[0].summary

    def test_scaled_outside_a_network_that_scales_inside(self) -> None:
        text = generators("EfficientNetB0", "rescale=1./255")
        trace = measured(
            UNIT, as_is=0.2, expected=0.9, line=self.LINE - 1, module="efficientnet", expects=RAW
        )
        (finding,) = findings(CAUSE, text, trace)
        assert finding.severity == "error"
        assert finding.remedy is not None and finding.remedy.codemod == "remove_scaling"

    def test_include_preprocessing_false_is_not_judged(self) -> None:
        text = generators("MobileNetV3Small", "rescale=1./255").replace(
            "include_top=False", "include_preprocessing=False, include_top=False"
        )
        trace = measured(UNIT, line=self.LINE - 1, module="mobilenet_v3", expects=RAW)
        assert findings(CAUSE, text, trace) == []
