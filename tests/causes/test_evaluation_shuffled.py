from __future__ import annotations

import pytest

from tlfix.causes.evaluation_shuffled import find
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.program.reader import read

FLOW = """\
import numpy as np
import tensorflow as tf
from sklearn.metrics import classification_report, confusion_matrix
from tensorflow.keras.preprocessing.image import ImageDataGenerator

datagen = ImageDataGenerator(rescale=1 / 255)
train = datagen.flow_from_directory('train')
test = datagen.flow_from_directory('test', GIVEN)
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'categorical_crossentropy')
model.fit(train)
"""
SHUFFLED = FLOW.replace(", GIVEN", "")
ORDERED = FLOW.replace("GIVEN", "shuffle=False")
DATASET = """\
import numpy as np
import tensorflow as tf
from sklearn.metrics import confusion_matrix

train = tf.keras.utils.image_dataset_from_directory('train')
test = tf.keras.utils.image_dataset_from_directory('test'GIVEN)
test = test.prefetch(2)
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(train)
"""
LATER = """\
predicted = np.argmax(model.predict(test), axis=1)
true = np.concatenate([y for x, y in test])
print(confusion_matrix(true, predicted))
"""


def found(source: str) -> list[Finding]:
    return list(find(Case(read(source, "train.py"))))


@pytest.mark.parametrize(
    "compared",
    [
        "print(classification_report(test.classes, np.argmax(model.predict(test), axis=1)))\n",
        "p = model.predict(test)\np = np.argmax(p, axis=1)\nprint((p == test.classes).mean())\n",
        "p = model.predict(test)\ny = test.labels\nc = confusion_matrix(y_true=y, y_pred=p > 1)\n",
        "if True:\n    p = model.predict(test)\n    confusion_matrix(test.classes, p)\n",
        "def report(p):\n    pass\n\n\np = model.predict(test)\nt = dict(x=p, y=test.classes)\n",
    ],
)
def test_predictions_of_a_shuffling_flow_against_its_classes(compared: str) -> None:
    (finding,) = found(SHUFFLED + compared)
    assert (finding.severity, finding.confidence) == ("warning", "certain")
    assert "shuffles by default" in finding.evidence[0].summary
    assert found(ORDERED + compared) == []


@pytest.mark.parametrize(
    "compared",
    [
        # Neither a comparison nor rows: counts, another set, and training weights.
        "p = model.predict(test)\nprint(len(p), len(test.classes))\n",
        "p = model.predict(test)\nprint(p)\nprint(np.bincount(test.classes))\n",
        "p = model.predict(train)\nprint(confusion_matrix(test.classes, p))\n",
        "p = model.predict(test)\nconfusion_matrix(test.classes[test.index_array], p)\n",
        "test.shuffle = False\np = model.predict(test)\nconfusion_matrix(test.classes, p)\n",
        "p = model.predict(test)\np = load()\nconfusion_matrix(test.classes, p)\n",
        "model.evaluate(test)\n",
        # Labels and predictions of one batch.
        "x, y = next(test)\np = model.predict(x)\nconfusion_matrix(y, p)\n",
    ],
)
def test_nothing_where_rows_are_not_compared(compared: str) -> None:
    assert found(SHUFFLED + compared) == []


def test_a_dataset_read_twice() -> None:
    (finding,) = found(DATASET.replace("GIVEN", "") + LATER)
    assert finding.severity == "warning"
    looped = "p = model.predict(test)\ny = []\nfor _, b in test:\n    y.extend(b)\nprint(p == y)\n"
    assert len(found(DATASET.replace("GIVEN", "") + looped)) == 1
    assert found(DATASET.replace("GIVEN", ", shuffle=False") + LATER) == []


def test_a_dataset_read_once_or_kept_in_order() -> None:
    whole = DATASET.replace("GIVEN", "")
    once = """\
true, predicted = [], []
for images, labels in test:
    true.extend(labels)
    predicted.extend(model.predict(images))
print(confusion_matrix(true, predicted))
"""
    assert found(whole + once) == []
    assert found(whole.replace("test.prefetch", "test.cache().prefetch") + LATER) == []
    arrays = whole.replace(
        "tf.keras.utils.image_dataset_from_directory('test')",
        "tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(9, KEPT)",
    )
    assert len(found(arrays.replace(", KEPT", "") + LATER)) == 1
    assert found(arrays.replace("KEPT", "reshuffle_each_iteration=False") + LATER) == []


def test_a_flow_of_arrays_against_the_labels_it_was_given() -> None:
    source = SHUFFLED.replace("flow_from_directory('test')", "flow(x_test, y_test)")
    compared = "print(confusion_matrix(y_test, model.predict(test)))\n"
    (finding,) = found(source + compared)
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    assert transform(source, finding.remedy.codemod, parameters) == source.replace(
        "y_test)", "y_test, shuffle=False)"
    )


@pytest.mark.parametrize(
    "source",
    [
        SHUFFLED.replace("model.fit(train)", "model.fit(test)"),
        DATASET.replace("GIVEN", ", validation_split=0.2, subset='validation', seed=1"),
    ],
)
def test_the_order_that_training_or_a_split_needs_is_left_alone(source: str) -> None:
    after = (
        LATER
        if "GIVEN" not in source and "image_dataset" in source
        else ("print(confusion_matrix(test.classes, model.predict(test)))\n")
    )
    (finding,) = found(source + after)
    assert finding.remedy is None and finding.advice
