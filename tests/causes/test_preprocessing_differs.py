from __future__ import annotations

import pytest

from tests.causes.scaling_cases import FOLDERS, INLINED, NESTED, cure, findings, measured
from tests.traces import RAW, TF, UNIT
from tlfix.causes import preprocessing_mismatch, preprocessing_missing
from tlfix.causes.preprocessing_differs import CAUSE

IMPORT = "from tensorflow.keras.applications.mobilenet_v2 import preprocess_input\n"
GENERATORS = """\
from tensorflow.keras.preprocessing.image import ImageDataGenerator
gen = ImageDataGenerator({first})
other = ImageDataGenerator({second})
train = gen.flow_from_directory("a", target_size=(96, 96))
val = other.flow_from_directory("b", target_size=(96, 96))
"""
USE = "model.fit(train, validation_data=val)"
RIGHT = "preprocessing_function=preprocess_input"


def generators(first: str, second: str, network: str = "MobileNetV2") -> str:
    data = GENERATORS.format(first=first, second=second)
    return IMPORT + INLINED.format(network=network, data=data, use=USE)


class TestSource:
    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (f"{RIGHT}, horizontal_flip=True", ""),
            ("rescale=1./255, horizontal_flip=True", ""),
            ("", "rescale=1./255"),
        ],
    )
    def test_all_become_right(self, first: str, second: str) -> None:
        text = generators(first, second)
        (finding,) = findings(CAUSE, text)
        assert finding.severity == "warning"
        cured = cure(CAUSE, text)
        assert cured.count(RIGHT) == 2
        assert "rescale" not in cured
        assert findings(CAUSE, cured) == []

    def test_it_alone_is_named(self) -> None:
        text = generators("rescale=1./255", "")
        assert findings(preprocessing_missing.CAUSE, text) == []
        assert findings(preprocessing_mismatch.CAUSE, text) == []

    def test_a_forgotten_predict_path(self) -> None:
        data = (
            "from tensorflow.keras.datasets import cifar10\n"
            "(x_train, y_train), (x_test, y_test) = cifar10.load_data()\n"
            'x_train = preprocess_input(x_train.astype("float32"))\n'
        )
        use = "model.fit(x_train, y_train)\nmodel.predict(x_test)"
        text = IMPORT + INLINED.format(network="MobileNetV2", data=data, use=use)
        (finding,) = findings(CAUSE, text)
        assert "test images arrive as raw 0..255; right is training" in finding.evidence[0].summary
        assert cure(CAUSE, text) == text.replace(
            "predict(x_test)", 'predict(preprocess_input(x_test.astype("float32")))'
        )

    def test_a_forgotten_data_set(self) -> None:
        data = FOLDERS + "train = train.map(lambda x, y: (x / 127.5 - 1, y))\n"
        text = NESTED.format(data=data, call="x = base(inputs, training=False)")
        function = "keras.applications.mobilenet_v2.preprocess_input"
        assert cure(CAUSE, text) == text.replace(
            "validation_data=val", f"validation_data=val.map(lambda x, y: ({function}(x), y))"
        )

    def test_augmentation_is_no_difference(self) -> None:
        assert findings(CAUSE, generators(f"{RIGHT}, rotation_range=20", RIGHT)) == []

    def test_two_ways_of_writing_one_scaling(self) -> None:
        by_hand = "preprocessing_function=lambda image: image / 127.5 - 1"
        assert findings(CAUSE, generators(RIGHT, by_hand)) == []


class TestProbe:
    TEXT = generators(RIGHT, "rescale=1./255")
    LINE = TEXT[: TEXT.index("base = ")].count("\n") + 1

    def test_validation_is_wrong(self) -> None:
        trace = measured(TF, UNIT, as_is=0.6, expected=0.9, line=self.LINE)
        (finding,) = findings(CAUSE, self.TEXT, trace)
        assert finding.severity == "error"
        assert "right is training" in finding.evidence[0].summary
        assert cure(CAUSE, self.TEXT, trace) == self.TEXT.replace("rescale=1./255", RIGHT)

    def test_training_is_wrong(self) -> None:
        text = generators("", RIGHT)
        (finding,) = findings(CAUSE, text, measured(RAW, TF, line=self.LINE))
        assert "right is validation" in finding.evidence[0].summary
        assert findings(preprocessing_missing.CAUSE, text, measured(RAW, TF, line=self.LINE)) == []

    @pytest.mark.parametrize(
        ("training", "validation", "count"),
        [(64, 7, 0), (7, 64, 0), (3, 3, 0), (8, 8, 1)],
    )
    def test_a_handful_of_images_does_not_tell(
        self, training: int, validation: int, count: int
    ) -> None:
        trace = measured(TF, UNIT, line=self.LINE)
        numbers = {"training": training, "validation": validation}
        doors = [d.model_copy(update={"n": numbers[d.split]}) for d in trace.fits[0].doors]
        few = trace.fits[0].model_copy(update={"doors": tuple(doors)})
        seen = trace.model_copy(update={"fits": (few,)})
        assert len(findings(CAUSE, self.TEXT, seen)) == count

    @pytest.mark.parametrize("validation", ["same", None])
    def test_alike_or_not_recognised_is_silent(self, validation: str | None) -> None:
        assert findings(CAUSE, self.TEXT, measured(TF, validation, line=self.LINE)) == []

    def test_a_test_path_that_the_probe_never_runs(self) -> None:
        text = self.TEXT.replace("rescale=1./255", RIGHT) + (
            'last = ImageDataGenerator()\nmodel.evaluate(last.flow_from_directory("c"))\n'
        )
        (finding,) = findings(CAUSE, text, measured(TF, line=self.LINE))
        assert (finding.severity, finding.confidence) == ("warning", "possible")
