from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit, line_of
from tlfix.causes.labels_single_class import find

PROGRAM = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

train = ImageDataGenerator().flow_from_directory('data', target_size=(96, 96), class_mode='binary')
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(1, activation='sigmoid')])
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])
model.fit(train, epochs=3)
"""
ONE = {"label_kind": "binary", "histogram": {0: 320}, "histogram_of": "all"}


def found(loss: str = "binary_crossentropy", **labels: object) -> list:
    seen = data("training", PROGRAM, "train = ", **{**ONE, **labels})
    return list(find(case(PROGRAM, fit(PROGRAM, labels=seen, loss=loss, units=1, steps=20))))


def test_all_labels_of_one_class_are_an_error_with_their_number() -> None:
    (finding,) = found()
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert [(m.value, m.threshold, m.n) for m in finding.evidence[0].measured] == [(1, 2, 320)]
    assert finding.site is not None and finding.site.line == line_of(PROGRAM, "train = ")


def test_the_only_folder_is_named() -> None:
    (finding,) = found(class_indices={"train": 0})
    assert "'train'" in finding.evidence[0].summary
    assert finding.advice is not None and "'data'" in finding.advice and "'train'" in finding.advice


def test_one_hot_rows_of_one_class_count_too() -> None:
    assert len(found("categorical_crossentropy", label_kind="one-hot", histogram={3: 50})) == 1


@pytest.mark.parametrize(
    "labels",
    [
        {"histogram": {0: 300, 1: 20}},
        # The beginning of sorted data is of one class.
        {"histogram_of": "sample"},
        {"histogram": None},
        {"label_kind": "continuous"},
        {"label_kind": "none", "histogram": None},
        {"histogram": {0: 1}},
    ],
)
def test_says_nothing_of_several_classes_or_a_mere_sample(labels: dict[str, object]) -> None:
    assert found(**labels) == []


def test_a_class_that_is_listed_but_empty_is_not_a_second_class() -> None:
    assert len(found(histogram={0: 320, 1: 0})) == 1


def test_a_loss_that_is_no_classification_may_ignore_its_labels() -> None:
    assert found("mean_squared_error") == []


def test_says_nothing_without_a_measurement() -> None:
    assert list(find(case(PROGRAM))) == []
