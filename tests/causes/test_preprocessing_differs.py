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


MAIN = """\
import os
import numpy as np
from PIL import Image
from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input
from tensorflow.keras.layers import Dense, GlobalAveragePooling2D
from tensorflow.keras.models import Model

def read_images(folder):
    images, labels = [], []
    for name in sorted(os.listdir(folder)):
        images.append(np.asarray(Image.open(name).resize((96, 96)), dtype="float32"))
        labels.append(int(name[0]))
    return np.stack(images), np.array(labels)

def build_model():
    base = MobileNetV2(weights="imagenet", include_top=False, input_shape=(96, 96, 3))
    outputs = Dense(8, activation="softmax")(GlobalAveragePooling2D()(base.output))
    model = Model(base.input, outputs)
    model.compile("adam", loss="sparse_categorical_crossentropy")
    return model

def main():
    x_train, y_train = read_images("train")
    x_val, y_val = read_images("val")
    order = np.random.permutation(len(x_train))
    x_train = preprocess_input(x_train)
    x_val = preprocess_input(x_val)
    model = build_model()
    model.fit(x_train, y_train, validation_data=(x_val, y_val))

main()
"""


class TestArrays:
    def test_a_later_scaling_of_what_was_mixed_in_does_not_count(self) -> None:
        mixed = MAIN.replace(
            "    order =",
            "    x_train, y_train = np.concatenate([x_train, x_val]), "
            "np.concatenate([y_train, y_val])\n    order =",
        )
        assert mixed != MAIN
        assert findings(CAUSE, MAIN) == [] and findings(CAUSE, mixed) == []

    def test_an_earlier_scaling_of_what_was_mixed_in_counts(self) -> None:
        mixed = MAIN.replace("    x_train = pre", "    y = 0\n    x_both = pre").replace(
            "preprocess_input(x_train)", "np.concatenate([preprocess_input(x_train), x_val])"
        )
        text = mixed.replace("fit(x_train, y_train", "fit(x_both, y_train")
        assert findings(preprocessing_missing.CAUSE, text) == []

    def test_a_loop_leads_back(self) -> None:
        text = MAIN.replace(
            "    x_train = preprocess_input(x_train)\n    x_val = preprocess_input(x_val)\n",
            "    parts = [x_train, x_val]\n    for index in range(2):\n"
            "        x_train, x_val = parts\n        scaled = preprocess_input(parts[index])\n"
            "        parts[index] = scaled\n    x_train, x_val = parts\n",
        )
        assert findings(preprocessing_missing.CAUSE, text) == [] == findings(CAUSE, text)

    @pytest.mark.parametrize(
        ("removed", "line"),
        [
            ("    x_val = preprocess_input(x_val)\n", 'x_val, y_val = read_images("val")'),
            (
                "    x_train = preprocess_input(x_train)\n",
                'x_train, y_train = read_images("train")',
            ),
        ],
    )
    def test_the_forgotten_side_is_pointed_at(self, removed: str, line: str) -> None:
        text = MAIN.replace(removed, "")
        (finding,) = findings(CAUSE, text)
        assert finding.site is not None
        assert text.splitlines()[finding.site.line - 1].strip() == line

    def test_so_it_is_where_it_was_measured(self) -> None:
        text = MAIN.replace("    x_val = preprocess_input(x_val)\n", "")
        line = text[: text.index("base = ")].count("\n") + 1
        (finding,) = findings(CAUSE, text, measured(TF, RAW, line=line))
        assert finding.site is not None
        assert 'read_images("val")' in text.splitlines()[finding.site.line - 1]

    def test_the_scaling_of_its_own_is_pointed_at(self) -> None:
        text = generators(RIGHT, "rescale=1. / 255")
        (finding,) = findings(CAUSE, text)
        assert finding.site is not None
        assert "rescale=1. / 255" in text.splitlines()[finding.site.line - 1]
