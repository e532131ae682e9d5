from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit
from tlfix.causes import activation_loss_mismatch
from tlfix.causes.head_units_mismatch import find
from tlfix.causes.spec import Finding
from tlfix.codemods import transform

PROGRAM = """\
import tensorflow as tf
from tensorflow.keras.layers import Dense
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(rescale=1 / 255)
train = datagen.flow_from_directory('train', target_size=(96, 96), class_mode='MODE')
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
x = base.output
outputs = Dense(UNITS, activation='ACTIVATION')(x)
model = tf.keras.Model(base.input, outputs)
model.compile(optimizer='adam', loss='LOSS', metrics=['accuracy'])
model.fit(train, epochs=3)
"""
THREE = {"label_shape": (None, 3), "label_kind": "one-hot", "classes": 3}
NUMBERS = {
    "label_shape": (None,),
    "label_kind": "integer",
    "classes": 3,
    "class_indices": {"a": 0, "b": 1, "c": 2},
    "label_minimum": 0.0,
    "label_maximum": 2.0,
}
EIGHT = NUMBERS | {
    "classes": 8,
    "class_indices": None,
    "class_names": tuple("abcdefgh"),
    "label_maximum": 7.0,
    "histogram": dict.fromkeys(range(8), 12),
    "histogram_of": "all",
}
# What image_dataset_from_directory and a ``map`` to ``a > 3`` leave: the names of eight folders.
HALVES = EIGHT | {"label_kind": "binary", "label_maximum": 1.0, "histogram": {0: 48, 1: 48}}
CRASH = (
    "Arguments `target` and `output` must have the same shape. "
    "Received: target.shape=(None, 3), output.shape=(None, 2)"
)


def program(mode: str, loss: str, units: int, activation: str = "softmax") -> str:
    text = PROGRAM.replace("MODE", mode).replace("LOSS", loss).replace("UNITS", str(units))
    return text.replace("ACTIVATION", activation)


def found(
    source: str, labels: dict[str, object], loss: str, units: int, steps: int = 0, **more: object
) -> list[Finding]:
    activation = str(more.pop("activation", "softmax"))
    seen = fit(
        source,
        labels=data("training", source, "train = ", **labels),
        units=units,
        activation=activation,
        loss=loss,
        steps=steps,
    )
    return list(find(case(source, seen, **more)))  # type: ignore[arg-type]


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


def test_says_nothing_where_the_classes_are_not_known() -> None:
    source = program("categorical", "categorical_crossentropy", 2)
    assert list(find(case(source))) == []


@pytest.mark.parametrize(
    ("labels", "loss", "units", "activation"),
    [
        (THREE, "categorical_crossentropy", 3, "softmax"),
        (NUMBERS, "sparse_categorical_crossentropy", 3, "softmax"),
        # Labels that count from 1 and one output more than classes: it works.
        (
            NUMBERS | {"label_minimum": 1.0, "label_maximum": 3.0},
            "sparse_categorical_crossentropy",
            4,
            "softmax",
        ),
        # Only a sample was seen: the other classes may be in the rest.
        (NUMBERS | {"class_indices": None}, "sparse_categorical_crossentropy", 10, "softmax"),
        ({"label_kind": "binary", "classes": 2}, "binary_crossentropy", 1, "sigmoid"),
        (THREE | {"label_shape": (None, 2)}, "binary_crossentropy", 1, "sigmoid"),
        (NUMBERS, "mean_squared_error", 1, "linear"),
    ],
)
def test_says_nothing_of_a_head_that_fits(
    labels: dict[str, object], loss: str, units: int, activation: str
) -> None:
    source = program("categorical", loss, units, activation)
    assert found(source, labels, loss, units, steps=20, activation=activation) == []


def test_too_few_outputs_for_rows() -> None:
    source = program("categorical", "categorical_crossentropy", 2)
    (finding,) = found(source, THREE, "categorical_crossentropy", 2, crash=CRASH)
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert finding.evidence[0].measured[0].value == 2
    assert finding.evidence[0].measured[0].threshold == 3
    assert "must have the same shape" in finding.evidence[1].summary
    assert cured(source, finding) == source.replace("Dense(2", "Dense(train.num_classes")


def test_too_many_outputs_train_and_are_a_warning() -> None:
    loss = "sparse_categorical_crossentropy"
    (finding,) = found(program("sparse", loss, 10), NUMBERS, loss, 10, steps=20)
    assert finding.severity == "warning"


def test_too_few_outputs_for_numbers_are_an_error_even_where_it_ran() -> None:
    loss = "sparse_categorical_crossentropy"
    (finding,) = found(program("sparse", loss, 2), NUMBERS, loss, 2, steps=20)
    assert finding.severity == "error"


def test_the_number_is_written_where_the_pipeline_comes_after_the_head() -> None:
    source = program("categorical", "categorical_crossentropy", 2)
    lines = source.splitlines(keepends=True)
    moved = "".join([*lines[:4], *lines[6:10], *lines[4:6], *lines[10:]])
    (finding,) = found(moved, THREE, "categorical_crossentropy", 2)
    assert cured(moved, finding) == moved.replace("Dense(2", "Dense(3")


def test_one_output_for_three_classes_changes_activation_and_loss_too() -> None:
    source = program("sparse", "binary_crossentropy", 1, "sigmoid")
    (finding,) = found(source, NUMBERS, "binary_crossentropy", 1, steps=20, activation="sigmoid")
    assert finding.severity == "error"
    wanted = source.replace(
        "Dense(1, activation='sigmoid'", "Dense(train.num_classes, activation='softmax'"
    )
    assert cured(source, finding) == wanted.replace("'binary_cross", "'sparse_categorical_cross")


@pytest.mark.parametrize(
    ("labels", "loss", "units", "activation"),
    [
        (HALVES, "binary_crossentropy", 1, "sigmoid"),
        (HALVES | {"histogram": None}, "binary_crossentropy", 1, "sigmoid"),
        (HALVES, "sparse_categorical_crossentropy", 2, "softmax"),
        (
            EIGHT | {"label_maximum": 2.0, "histogram": {0: 30, 1: 30, 2: 36}},
            "sparse_categorical_crossentropy",
            3,
            "softmax",
        ),
    ],
)
def test_inherited_names_do_not_outweigh_the_labels_seen(
    labels: dict[str, object], loss: str, units: int, activation: str
) -> None:
    source = program("sparse", loss, units, activation)
    assert found(source, labels, loss, units, steps=20, activation=activation) == []
    # The same head where all eight classes arrive is too small.
    (finding,) = found(source, EIGHT, loss, units, steps=20, activation=activation)
    assert (finding.severity, finding.confidence) == ("error", "certain")


def test_softmax_over_one_output_of_relabelled_data_is_the_activations_affair() -> None:
    source = program("sparse", "binary_crossentropy", 1, "softmax")
    seen = fit(
        source,
        labels=data("training", source, "train = ", **HALVES),
        units=1,
        activation="softmax",
        loss="binary_crossentropy",
        steps=20,
    )
    assert list(find(case(source, seen))) == []
    (finding,) = activation_loss_mismatch.find(case(source, seen))
    assert finding.severity == "error"
    assert cured(source, finding) == source.replace("softmax", "sigmoid")
