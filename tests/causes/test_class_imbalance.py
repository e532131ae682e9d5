from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit
from tlfix.causes.class_imbalance import find
from tlfix.causes.spec import Finding
from tlfix.codemods import transform

PROGRAM = """\
import tensorflow as tf
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(rescale=1 / 255)
train = datagen.flow_from_directory('train', target_size=(96, 96))
valid = datagen.flow_from_directory('valid', target_size=(96, 96))
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(2, activation='softmax')])
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(train, validation_data=valid, epochs=3)
"""
ROWS = {"label_kind": "one-hot", "label_shape": (None, 2), "histogram_of": "all"}
SKEWED = {0: 900, 1: 60}
LEARNED = ((80, 0), (2, 38))
PULLED = ((80, 0), (22, 18))
COLLAPSED = ((80, 0), (40, 0))


def found(
    histogram: dict[int, int],
    confusion: tuple[tuple[int, ...], ...] | None,
    source: str = PROGRAM,
    labels: dict[str, object] = ROWS,
    **more: object,
) -> list[Finding]:
    loader = "train = " if "train = " in source else None
    training = data("training", source, loader, histogram=histogram, **labels)
    seen = fit(source, labels=training, units=2, confusion=confusion, steps=40, **more)
    return list(find(case(source, seen)))


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


def test_says_nothing_without_a_measurement() -> None:
    assert list(find(case(PROGRAM))) == []


@pytest.mark.parametrize(
    ("histogram", "confusion"),
    [
        ({0: 500, 1: 480}, PULLED),
        ({0: 900, 1: 300}, PULLED),
        (SKEWED, LEARNED),
        # Too few images of the small class to tell its recall from the other's.
        (SKEWED, ((60, 20), (2, 1))),
        ({0: 900}, None),
    ],
)
def test_says_nothing_where_no_class_suffers(
    histogram: dict[int, int], confusion: tuple[tuple[int, ...], ...] | None
) -> None:
    assert found(histogram, confusion) == []


def test_says_nothing_where_classes_are_weighted_or_resampled() -> None:
    weighted = PROGRAM.replace("epochs=3", "epochs=3, class_weight={0: 0.5, 1: 8.0}")
    assert found(SKEWED, PULLED, weighted) == []
    assert found(SKEWED, PULLED, class_weight_type="dict") == []
    resampled = PROGRAM + "tf.data.Dataset.sample_from_datasets\n"
    assert found(SKEWED, PULLED, resampled) == []


def test_counts_alone_are_a_note() -> None:
    (finding,) = found(SKEWED, None)
    assert (finding.severity, finding.confidence) == ("note", "possible")


def test_a_measured_loss_of_recall_is_a_warning() -> None:
    (finding,) = found(SKEWED, PULLED)
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.evidence[0].measured[0].value == 15.0
    assert finding.evidence[1].measured[0].value == 0.45
    assert finding.evidence[1].measured[0].n == 40


def test_a_collapse_is_only_possibly_due_to_the_skew() -> None:
    (finding,) = found(SKEWED, COLLAPSED)
    assert (finding.severity, finding.confidence) == ("warning", "possible")
    third = {0: 400, 1: 390, 2: 380, 3: 60}
    rows = tuple((20, 0, 0, 0) for _ in range(4))
    (finding,) = found(third, rows, labels=ROWS | {"label_shape": (None, 4)})
    assert finding.severity == "note"


def test_the_cure_counts_the_iterators_classes() -> None:
    (finding,) = found(SKEWED, PULLED)
    assert cured(PROGRAM, finding) == PROGRAM.replace(
        "import tensorflow as tf\n", "import numpy as np\nimport tensorflow as tf\n", 1
    ).replace(
        "model.fit(train, validation_data=valid, epochs=3)\n",
        "counts = np.bincount(train.classes)\n"
        "# A class weighs the more the fewer images it has; on average an image weighs 1.\n"
        "class_weight = {i: counts.sum() / (len(counts) * n) for i, n in enumerate(counts) if n}\n"
        "model.fit(train, validation_data=valid, epochs=3, class_weight=class_weight)\n",
    )


DATASET = """\
import numpy as np
import tensorflow as tf

train = tf.keras.utils.image_dataset_from_directory('train', label_mode='MODE')
train = train.prefetch(2)
model = tf.keras.Sequential([tf.keras.layers.Dense(2, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(train)
"""
ARRAYS = """\
import numpy as np
import tensorflow as tf

x, y = np.load('x.npy'), np.load('y.npy')
model = tf.keras.Sequential([tf.keras.layers.Dense(2, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(x, y, validation_split=0.2)
"""


@pytest.mark.parametrize(
    ("source", "labels", "counted"),
    [
        (
            DATASET.replace("MODE", "int"),
            {"label_kind": "integer", "label_shape": (None,)},
            "np.bincount(np.concatenate([y for _, y in train]))",
        ),
        (
            DATASET.replace("MODE", "int").replace("fit(train)", "fit(train.prefetch(2))"),
            {"label_kind": "integer", "label_shape": (None,)},
            "np.bincount(np.concatenate([y for _, y in train.prefetch(2)]))",
        ),
        (
            DATASET.replace("MODE", "binary"),
            {"label_kind": "binary", "label_shape": (None, 1)},
            "np.bincount(np.ravel(np.concatenate([y for _, y in train])).astype(int))",
        ),
        (
            DATASET.replace("MODE", "categorical"),
            ROWS,
            "np.sum(np.concatenate([y for _, y in train]), axis=0)",
        ),
        (ARRAYS, {"label_kind": "integer", "label_shape": (None,)}, "np.bincount(y)"),
        (ARRAYS, ROWS, "np.sum(y, axis=0)"),
    ],
)
def test_the_cure_counts_labels_as_they_are_held(
    source: str, labels: dict[str, object], counted: str
) -> None:
    (finding,) = found(SKEWED, PULLED, source, labels)
    changed = cured(source, finding)
    assert f"\ncounts = {counted}\n" in changed
    assert changed.count("class_weight=class_weight") == 1


@pytest.mark.parametrize(
    ("of", "words"),
    [
        ("all", "class 0 has 188 training images, class 1 has 12, and"),
        ("sample", "in a sample of 200 training images, class 0 has 188 images, class 1 has 12"),
    ],
)
def test_counts_in_a_sample_are_not_the_data_sets(of: str, words: str) -> None:
    (finding,) = found({0: 188, 1: 12}, PULLED, labels={**ROWS, "histogram_of": of})
    assert finding.evidence[0].summary.startswith(words)
