from __future__ import annotations

import pytest

from tlfix.codemods import Declined, Position, transform


def replace(source: str, row: str, line: int = 1, column: int = 0) -> str:
    uses = [{"row": row, "at": Position(line, column)}]
    return transform(source, "replace_removed_api", {"uses": uses})


@pytest.mark.parametrize(
    ("row", "before", "after"),
    [
        ("lr", "Adam(lr=1e-4)  # small\n", "Adam(learning_rate=1e-4)  # small\n"),
        ("nb_epoch", "m.fit(x, y, nb_epoch=3)\n", "m.fit(x, y, epochs=3)\n"),
        ("workers", "m.fit(x, workers=4, epochs=2)\n", "m.fit(x, epochs=2)\n"),
        ("decay", "SGD(0.1, decay=1e-6)\n", "SGD(0.1)\n"),
        ("fit_generator", "m.fit_generator(g)\n", "m.fit(g)\n"),
        (
            "fit_generator",
            "m.fit_generator(g, 100, 5, 1, [stop], valid, 10)\n",
            "m.fit(g, steps_per_epoch=100, epochs=5, verbose=1, callbacks=[stop], "
            "validation_data=valid, validation_steps=10)\n",
        ),
        (
            "fit_generator",
            "h = m.fit_generator(\n    generator=g,\n    epochs=5,  # enough\n    workers=4,\n"
            "    use_multiprocessing=True,\n    validation_data=v,\n)\n",
            "h = m.fit(\n    x=g,\n    epochs=5,  # enough\n    validation_data=v,\n)\n",
        ),
        ("evaluate_generator", "m.evaluate_generator(g, 10)\n", "m.evaluate(g, steps=10)\n"),
        (
            "predict_generator",
            "m.predict_generator(g, steps=10, verbose=1, workers=2)\n",
            "m.predict(g, steps=10, verbose=1)\n",
        ),
        ("predict_proba", "m.predict_proba(x)\n", "m.predict(x)\n"),
        ("predict_classes", "m.predict_classes(x)\n", "m.predict(x).argmax(axis=-1)\n"),
        ("np_utils", "from keras.utils import np_utils\n", "from keras import utils as np_utils\n"),
        (
            "np_utils",
            "from keras.utils.np_utils import to_categorical\n",
            "from keras.utils import to_categorical\n",
        ),
        (
            "np_utils",
            "keras.utils.np_utils.to_categorical(y)\n",
            "keras.utils.to_categorical(y)\n",
        ),
        (
            "keras.preprocessing.image",
            "from keras.preprocessing.image import ImageDataGenerator\n",
            "from tensorflow.keras.preprocessing.image import ImageDataGenerator\n",
        ),
    ],
)
def test_replaces(row: str, before: str, after: str) -> None:
    column = 4 if before.startswith("h = ") else 0
    assert replace(before, row, column=column) == after
    with pytest.raises(Declined):
        replace(after, row, column=column)


def test_replaces_only_the_uses_it_is_told() -> None:
    source = "def fit_generator(lr):\n    return lr\n\nfit_generator(lr=1)\nm.fit_generator(g)\n"
    after = replace(source, "fit_generator", 5)
    assert after == source.replace("m.fit_generator(g)", "m.fit(g)")


def test_two_uses_on_one_line() -> None:
    source = "m.compile(Adam(lr=1, decay=2), 'mse')\n"
    uses = [{"row": "lr", "at": Position(1, 10)}, {"row": "decay", "at": Position(1, 21)}]
    changed = transform(source, "replace_removed_api", {"uses": uses})
    assert changed == "m.compile(Adam(learning_rate=1), 'mse')\n"


@pytest.mark.parametrize(
    ("row", "source", "reason"),
    [
        ("lr", "Adam(lr=1, learning_rate=2)\n", "both lr and learning_rate"),
        ("fit_generator", "m.fit_generator(g, samples_per_epoch=2000)\n", "counts images"),
        ("fit_generator", "m.fit_generator(*args)\n", "through"),
        ("evaluate_generator", "m.evaluate_generator(g, 10, 5)\n", "depends on the version"),
        ("np_utils", "from keras.utils import np_utils, to_categorical\n", "other names"),
        ("lr", "Adam(1)\n", "not used"),
    ],
)
def test_declines_with_a_reason(row: str, source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        replace(source, row)
