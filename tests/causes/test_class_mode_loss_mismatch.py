from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit, line_of
from tlfix.causes.class_mode_loss_mismatch import find
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform

PROGRAM = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(rescale=1 / 255)
train = datagen.flow_from_directory('train', target_size=(96, 96), class_mode='MODE')
valid = datagen.flow_from_directory('valid', target_size=(96, 96), class_mode='MODE')
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(UNITS, activation='ACTIVATION')])
model.compile(optimizer='adam', loss='LOSS', metrics=['accuracy'])
model.fit(train, validation_data=valid, epochs=3)
"""

DATASET = """\
import tensorflow as tf

train = tf.keras.utils.image_dataset_from_directory('train', image_size=(96, 96))
valid = tf.keras.utils.image_dataset_from_directory('valid', image_size=(96, 96))
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(UNITS, activation='ACTIVATION')])
model.compile(optimizer='adam', loss='LOSS', metrics=['accuracy'])
model.fit(train, validation_data=valid, epochs=3)
"""

ARRAYS = """\
import numpy as np
import tensorflow as tf

x, y = np.load('x.npy'), np.load('y.npy')
model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(3, 'softmax')])
model.compile('adam', 'LOSS')
model.fit(x, y, validation_split=0.2)
"""


def program(text: str, mode: str, loss: str, units: int = 3, activation: str = "softmax") -> str:
    for name, value in {"MODE": mode, "LOSS": loss, "ACTIVATION": activation}.items():
        text = text.replace(name, value)
    return text.replace("UNITS", str(units))


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


def only(examined: Case) -> Finding:
    (finding,) = find(examined)
    return finding


HEALTHY = [
    (PROGRAM, "categorical", "categorical_crossentropy", 3, "softmax"),
    (PROGRAM, "sparse", "sparse_categorical_crossentropy", 3, "softmax"),
    (PROGRAM, "binary", "binary_crossentropy", 1, "sigmoid"),
    (PROGRAM, "categorical", "binary_crossentropy", 2, "softmax"),
    (PROGRAM, "categorical", "binary_crossentropy", 3, "sigmoid"),
    (PROGRAM, "binary", "sparse_categorical_crossentropy", 2, "softmax"),
    (PROGRAM, "input", "mean_squared_error", 3, "linear"),
    (PROGRAM, "raw", "categorical_crossentropy", 3, "softmax"),
    (PROGRAM, "categorical", "my_own_loss", 3, "softmax"),
    (DATASET, "", "sparse_categorical_crossentropy", 3, "softmax"),
    (DATASET, "", "binary_crossentropy", 1, "sigmoid"),
]


@pytest.mark.parametrize("parts", HEALTHY)
def test_says_nothing_of_a_consistent_program(parts: tuple[str, str, str, int, str]) -> None:
    assert list(find(case(program(*parts)))) == []


def test_says_nothing_where_the_labels_may_be_changed_by_a_map() -> None:
    source = program(DATASET, "", "categorical_crossentropy").replace(
        "base =", "train = train.map(lambda x, y: (x, tf.one_hot(y, 3)))\nbase ="
    )
    training = [f for f in find(case(source)) if "training" in f.evidence[0].summary]
    assert training == []


def test_says_nothing_of_arrays_it_cannot_read() -> None:
    assert list(find(case(program(ARRAYS, "", "categorical_crossentropy")))) == []


@pytest.mark.parametrize(
    ("mode", "loss", "units", "activation", "new"),
    [
        ("sparse", "categorical_crossentropy", 3, "softmax", "sparse_categorical_crossentropy"),
        ("binary", "categorical_crossentropy", 2, "softmax", "sparse_categorical_crossentropy"),
        (
            "categorical",
            "sparse_categorical_crossentropy",
            3,
            "softmax",
            "categorical_crossentropy",
        ),
        ("binary", "binary_crossentropy", 2, "softmax", "sparse_categorical_crossentropy"),
        ("binary", "categorical_crossentropy", 1, "sigmoid", "binary_crossentropy"),
        ("binary", "sparse_categorical_crossentropy", 1, "sigmoid", "binary_crossentropy"),
    ],
)
def test_changes_the_loss_where_all_pipelines_agree(
    mode: str, loss: str, units: int, activation: str, new: str
) -> None:
    source = program(PROGRAM, mode, loss, units, activation)
    finding = only(case(source))
    assert (finding.severity, finding.confidence) == ("error", "likely")
    assert finding.site is not None
    assert finding.site.line == line_of(source, "model.compile")
    assert cured(source, finding) == source.replace(f"'{loss}'", f"'{new}'")


def test_reads_the_default_of_class_mode() -> None:
    source = program(PROGRAM, "sparse", "sparse_categorical_crossentropy")
    source = source.replace(", class_mode='sparse'", "")
    assert "one-hot" in only(case(source)).evidence[0].summary


def test_one_output_and_rows_of_two_want_other_labels_in_every_pipeline() -> None:
    source = program(PROGRAM, "categorical", "binary_crossentropy", 1, "sigmoid")
    finding = only(case(source))
    assert cured(source, finding) == source.replace("'categorical'", "'binary'")


def test_one_output_under_a_categorical_loss_wants_both() -> None:
    source = program(PROGRAM, "categorical", "categorical_crossentropy", 1, "sigmoid")
    wanted = source.replace("'categorical'", "'binary'").replace("categorical_c", "binary_c")
    assert cured(source, only(case(source))) == wanted


def test_changes_only_the_pipeline_that_differs() -> None:
    source = program(PROGRAM, "categorical", "categorical_crossentropy")
    sick = source.replace(
        "'valid', target_size=(96, 96), class_mode='categorical'",
        "'valid', target_size=(96, 96), class_mode='sparse'",
    )
    finding = only(case(sick))
    assert finding.site is not None and finding.site.line == line_of(sick, "valid = ")
    assert cured(sick, finding) == source


def test_keeps_a_loss_object_that_says_more() -> None:
    loss = "tf.keras.losses.CategoricalCrossentropy(label_smoothing=0.1)"
    source = program(PROGRAM, "sparse", "LOSS").replace("'LOSS'", loss)
    assert cured(source, only(case(source))) == source.replace("'sparse'", "'categorical'")


def test_keeps_from_logits() -> None:
    loss = "tf.keras.losses.{}Crossentropy(from_logits=True)"
    source = program(DATASET, "", "LOSS", 3, "linear")
    sick = source.replace("'LOSS'", loss.format("Categorical"))
    finding = only(case(sick))
    assert cured(sick, finding) == source.replace("'LOSS'", loss.format("SparseCategorical"))


CRASH = (
    "Arguments `target` and `output` must have the same rank (ndim). "
    "Received: target.shape=(None,), output.shape=(None, 3)"
)


def test_the_probe_sees_the_labels_of_arrays() -> None:
    source = program(ARRAYS, "", "categorical_crossentropy")
    seen = fit(
        source,
        labels=data("training", source, label_kind="integer", label_shape=(None,)),
        units=3,
        activation="softmax",
        loss="categorical_crossentropy",
    )
    finding = only(case(source, seen, crash=CRASH))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert CRASH in finding.evidence[-1].summary
    assert cured(source, finding) == source.replace("'categor", "'sparse_categor")


def test_a_run_that_trained_overrules_the_reading() -> None:
    source = program(PROGRAM, "sparse", "categorical_crossentropy")
    seen = fit(
        source,
        labels=data("training", source, "train = ", label_kind="one-hot", label_shape=(None, 3)),
        validation=data("validation", source, label_kind="one-hot", label_shape=(None, 3)),
        units=3,
        activation="softmax",
        loss="categorical_crossentropy",
        steps=20,
    )
    assert list(find(case(source, seen))) == []


def test_a_loss_of_zero_is_reported_though_it_trains() -> None:
    source = program(ARRAYS, "", "categorical_crossentropy").replace(
        "(3, 'softmax')", "(1, 'sigmoid')"
    )
    seen = fit(
        source,
        labels=data("training", source, label_kind="binary", label_shape=(None,)),
        units=1,
        activation="sigmoid",
        loss="categorical_crossentropy",
        steps=20,
    )
    finding = only(case(source, seen))
    assert finding.confidence == "certain"
    assert cured(source, finding) == source.replace("'categorical_", "'binary_")


def test_both_stages_are_cured_though_only_the_first_was_reached() -> None:
    source = program(ARRAYS, "", "categorical_crossentropy")
    stage = "".join(source.splitlines(keepends=True)[-2:])
    source += stage
    seen = fit(
        source,
        labels=data("training", source, label_kind="integer", label_shape=(None,)),
        units=3,
        activation="softmax",
        loss="categorical_crossentropy",
    )
    changed = cured(source, only(case(source, seen, crash=CRASH)))
    assert changed == source.replace("'categor", "'sparse_categor")


def test_keeps_the_loss_that_the_metrics_go_with() -> None:
    source = program(PROGRAM, "sparse", "categorical_crossentropy").replace(
        "metrics=['accuracy']", "metrics=[tf.keras.metrics.AUC()]"
    )
    assert cured(source, only(case(source))) == source.replace("'sparse'", "'categorical'")
