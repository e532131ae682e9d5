from __future__ import annotations

import pytest

from tlfix.codemods import Declined, Position, transform

IMAGE = "keras.preprocessing.image.ImageDataGenerator"


def replace(source: str, old: str, new: str = "", mark: str | None = None) -> str:
    """``source`` after the use that starts at the text ``mark`` (the start of all if none)."""
    before = source[: source.index(mark)] if mark else ""
    at = Position(before.count("\n") + 1, len(before.rpartition("\n")[2]))
    return transform(source, "replace_removed_api", {"uses": [{"old": old, "new": new, "at": at}]})


@pytest.mark.parametrize(
    ("old", "new", "mark", "before", "after"),
    [
        (
            "lr=",
            "learning_rate=",
            "lr",
            "Adam(lr=1e-4)  # small\n",
            "Adam(learning_rate=1e-4)  # small\n",
        ),
        ("nb_epoch=", "epochs=", "nb", "m.fit(x, nb_epoch=3)\n", "m.fit(x, epochs=3)\n"),
        ("input=", "inputs=", "in", "Model(input=i, output=o)\n", "Model(inputs=i, output=o)\n"),
        ("acc", "accuracy", "'acc'", "h.history['acc']\n", "h.history['accuracy']\n"),
        ("val_acc", "val_accuracy", '"val', 'h["val_acc"]\n', 'h["val_accuracy"]\n'),
        ("fit_generator", "fit", None, "m.fit_generator(g)\n", "m.fit(g)\n"),
        (
            "fit_generator",
            "fit",
            None,
            "m.fit_generator(g, 100, 5, 1, [stop], valid, 10)\n",
            "m.fit(g, steps_per_epoch=100, epochs=5, verbose=1, callbacks=[stop], "
            "validation_data=valid, validation_steps=10)\n",
        ),
        (
            "fit_generator",
            "fit",
            "m.",
            "h = m.fit_generator(\n    generator=g,\n    epochs=5,  # enough\n    workers=4,\n"
            "    use_multiprocessing=True,\n    validation_data=v,\n)\n",
            "h = m.fit(\n    x=g,\n    epochs=5,  # enough\n    validation_data=v,\n)\n",
        ),
        (
            "evaluate_generator",
            "",
            None,
            "m.evaluate_generator(g, 10)\n",
            "m.evaluate(g, steps=10)\n",
        ),
        (
            "predict_generator",
            "",
            None,
            "m.predict_generator(g, steps=10, verbose=1, workers=2)\n",
            "m.predict(g, steps=10, verbose=1)\n",
        ),
        ("predict_proba", "", None, "m.predict_proba(x)\n", "m.predict(x)\n"),
        ("predict_classes", "", None, "m.predict_classes(x)\n", "m.predict(x).argmax(axis=-1)\n"),
        (
            "keras.utils.np_utils.to_categorical",
            "keras.utils.to_categorical",
            None,
            "keras.utils.np_utils.to_categorical(y)\n",
            "keras.utils.to_categorical(y)\n",
        ),
        (
            "tensorflow.keras.optimizers.legacy.Adam",
            "tensorflow.keras.optimizers.Adam",
            None,
            "tf.keras.optimizers.legacy.Adam(1e-3)\n",
            "tf.keras.optimizers.Adam(1e-3)\n",
        ),
    ],
)
def test_replaces_calls_and_arguments(
    old: str, new: str, mark: str | None, before: str, after: str
) -> None:
    assert replace(before, old, new, mark) == after
    with pytest.raises(Declined):
        replace(after, old, new)


@pytest.mark.parametrize(
    ("old", "new", "mark", "before", "after"),
    [
        (
            "keras.utils.np_utils",
            "keras.utils",
            "np_utils",
            "from keras.utils import np_utils  # old\n",
            "from keras import utils as np_utils  # old\n",
        ),
        (
            "keras.utils.np_utils",
            "keras.utils",
            "np_utils",
            "from keras.utils import np_utils, plot_model\n",
            "from keras.utils import plot_model\nfrom keras import utils as np_utils\n",
        ),
        (
            "keras.utils.np_utils.to_categorical",
            "keras.utils.to_categorical",
            "to_",
            "from keras.utils.np_utils import to_categorical\n",
            "from keras.utils import to_categorical\n",
        ),
        (
            IMAGE,
            f"tensorflow.{IMAGE}",
            "Image",
            "from keras.preprocessing.image import ImageDataGenerator, load_img  # both\n",
            "from tensorflow.keras.preprocessing.image import ImageDataGenerator, load_img"
            "  # both\n",
        ),
        (
            "keras.utils.np_utils",
            "keras.utils",
            "keras",
            "import keras.utils.np_utils as u\n",
            "import keras.utils as u\n",
        ),
        (
            "keras.layers.core.*",
            "keras.layers.*",
            None,
            "from keras.layers.core import *\n",
            "from keras.layers import *\n",
        ),
    ],
)
def test_replaces_imports(old: str, new: str, mark: str | None, before: str, after: str) -> None:
    assert replace(before, old, new, mark) == after


def test_several_names_of_one_import_stay_together() -> None:
    source = "from keras.layers.core import Dense, Dropout as D\n"
    uses = [
        {"old": f"keras.layers.core.{name}", "new": f"keras.layers.{name}", "at": Position(1, at)}
        for name, at in (("Dense", 30), ("Dropout", 37))
    ]
    changed = transform(source, "replace_removed_api", {"uses": uses})
    assert changed == "from keras.layers import Dense, Dropout as D\n"


def test_replaces_only_the_uses_it_is_told() -> None:
    source = "def fit_generator(lr):\n    return lr\n\nfit_generator(lr=1)\nm.fit_generator(g)\n"
    after = replace(source, "fit_generator", "fit", "m.")
    assert after == source.replace("m.fit_generator(g)", "m.fit(g)")


def test_two_uses_on_one_call() -> None:
    source = "m.fit_generator(g, nb_epoch=2)\n"
    uses = [
        {"old": "fit_generator", "new": "fit", "at": Position(1, 0)},
        {"old": "nb_epoch=", "new": "epochs=", "at": Position(1, 19)},
    ]
    assert transform(source, "replace_removed_api", {"uses": uses}) == "m.fit(g, epochs=2)\n"


@pytest.mark.parametrize(
    ("old", "source", "reason"),
    [
        ("lr=", "Adam(lr=1, learning_rate=2)\n", "both lr and learning_rate"),
        ("fit_generator", "m.fit_generator(g, samples_per_epoch=2000)\n", "counts images"),
        ("fit_generator", "m.fit_generator(*args)\n", "through"),
        ("evaluate_generator", "m.evaluate_generator(g, 10, 5)\n", "depends on the version"),
        ("lr=", "Adam(1)\n", "not used"),
    ],
)
def test_declines_with_a_reason(old: str, source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        replace(source, old, "learning_rate=" if old == "lr=" else "")
