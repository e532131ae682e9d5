from __future__ import annotations

import pytest

from tlfix.program.reader import read
from tlfix.program.removed import ROWS


def rows(text: str) -> list[str]:
    return [use.row for use in read(text, "train.py").removed]


MODEL = "from tensorflow import keras\nm = keras.Sequential()\n"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("keras.optimizers.Adam(lr=1e-3)", "optimizer-lr"),
        ("keras.optimizers.SGD(0.1, decay=1e-6)", "optimizer-decay"),
        ("keras.optimizers.legacy.Adam(1e-3)", "optimizer-legacy"),
        ("m.fit_generator(g, epochs=1)", "fit-generator"),
        ("unheard.fit_generator(g, steps_per_epoch=1)", "fit-generator"),
        ("m.evaluate_generator(g)", "evaluate-generator"),
        ("m.predict_generator(g)", "predict-generator"),
        ("m.predict_classes(x)", "predict-classes"),
        ("m.predict_proba(x)", "predict-proba"),
        ("m.fit(x, y, nb_epoch=3)", "nb-epoch"),
        ("m.fit(g, samples_per_epoch=3)", "samples-per-epoch"),
        ("m.fit(g, nb_val_samples=3)", "nb-val-samples"),
        (
            "m.compile('sgd', metrics=['accuracy'])\nh = m.fit(x, y)\nprint(h.history['acc'])",
            "history-acc",
        ),
        ("from keras.preprocessing.image import ImageDataGenerator", "preprocessing-image"),
        (
            "import keras\nkeras.preprocessing.image.ImageDataGenerator()",
            "preprocessing-image",
        ),
        ("from keras.preprocessing.text import Tokenizer", "preprocessing-text"),
        ("from keras.utils import np_utils", "np-utils"),
        ("from keras.utils.np_utils import to_categorical", "np-utils"),
        ("from keras.layers.core import Dense", "moved-module"),
        ("from keras.layers.normalization import BatchNormalization", "moved-module"),
        ("from keras.engine.training import Model", "moved-module"),
        ("from tensorflow.python.keras.layers import Dense", "moved-module"),
        ("keras.layers.experimental.preprocessing.Rescaling(1)", "moved-module"),
        ("from keras.optimizers import adam_v2", "moved-module"),
        ("keras.Model(input=a, outputs=b)", "model-input-output"),
    ],
)
def test_found(text: str, row: str) -> None:
    assert rows(MODEL + text + "\n") == [row]


@pytest.mark.parametrize(
    "text",
    [
        "keras.optimizers.Adam(learning_rate=1e-3)",
        "keras.optimizers.legacy_thing(lr=1)",
        "def Adam(lr):\n    return lr\nAdam(lr=1)",
        "schedule(lr=1)",
        "def fit_generator(g):\n    return g\nfit_generator(data)",
        "class A:\n    def fit_generator(self, g):\n        return g\nA().fit_generator(g)",
        "from sklearn.svm import SVC\nSVC().predict_proba(x)",
        "clf.predict_proba(x)",
        "from keras.preprocessing.image import load_img, img_to_array",
        "from tensorflow.keras.preprocessing.image import ImageDataGenerator",
        "keras.preprocessing.image.ImageDataGenerator()",
        "from tensorflow.keras.preprocessing.text import Tokenizer",
        "from keras.utils import to_categorical",
        "from keras.applications.resnet50 import ResNet50",
        "from keras.layers import Dense",
        "m.compile('sgd', metrics=['acc'])\nh = m.fit(x, y)\nprint(h.history['acc'])",
        "m.compile('sgd')\nh = m.fit(x, y)\nprint(h.history['acc'])",
        "m.compile('sgd', metrics=['accuracy'])\nh = m.fit(x, y)\nprint(h.history['accuracy'])",
        "print({'acc': 1}['acc'])",
    ],
)
def test_not_found(text: str) -> None:
    assert rows(MODEL + text + "\n") == []


def test_keras_2_by_name_has_lost_nothing() -> None:
    assert rows("import tf_keras as keras\nkeras.optimizers.Adam(lr=1e-3)\n") == []


@pytest.mark.parametrize(
    ("text", "column", "end"),
    [
        ("keras.optimizers.Adam(lr=0.1)", 22, 28),
        ("m.fit_generator(g, epochs=1)", 0, 28),
        ("from keras.preprocessing.image import ImageDataGenerator as G", 38, 61),
    ],
)
def test_where(text: str, column: int, end: int) -> None:
    (use,) = read(MODEL + text + "\n", "train.py").removed
    assert (use.site.line, use.site.column, use.site.end_column) == (3, column, end)


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (
            "from keras.layers.core import Dense",
            "keras.layers.core.Dense",
            "keras.layers.Dense",
        ),
        (
            "from tensorflow.python.keras.layers import Dense",
            "tensorflow.python.keras.layers.Dense",
            "tensorflow.keras.layers.Dense",
        ),
        (
            "from keras.preprocessing.image import ImageDataGenerator",
            "keras.preprocessing.image.ImageDataGenerator",
            "tensorflow.keras.preprocessing.image.ImageDataGenerator",
        ),
        (
            "from keras.utils.np_utils import to_categorical",
            "keras.utils.np_utils.to_categorical",
            "keras.utils.to_categorical",
        ),
    ],
)
def test_what_it_became(text: str, old: str, new: str) -> None:
    (use,) = read(MODEL + text + "\n", "train.py").removed
    assert (use.old, use.new) == (old, new)


def test_every_row_is_sourced() -> None:
    assert all(row.old and row.new and row.source.startswith("https://") for row in ROWS.values())
    assert all(name == row.name for name, row in ROWS.items())
