from __future__ import annotations

import pytest

from tlfix.codemods import Declined, Position, transform


def set_loss(source: str, loss: str, from_logits: bool = False) -> str:
    line = source[: source.index("model.compile")].count("\n") + 1
    edit = {"compile": Position(line, 0), "loss": loss, "from_logits": from_logits}
    return transform(source, "set_loss", {"edits": [edit]})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("model.compile('adam', 'mse')\n", "model.compile('adam', 'binary_crossentropy')\n"),
        ('model.compile(loss="mse")\n', 'model.compile(loss="binary_crossentropy")\n'),
        ("model.compile('adam')\n", "model.compile('adam', loss='binary_crossentropy')\n"),
        (
            "model.compile(\n    loss=LOSS,  # chosen\n)\n",
            'model.compile(\n    loss="binary_crossentropy",  # chosen\n)\n',
        ),
    ],
)
def test_names_the_loss(before: str, after: str) -> None:
    assert set_loss(before, "binary_crossentropy") == after
    with pytest.raises(Declined, match="nothing to change"):
        set_loss(after, "binary_crossentropy")


@pytest.mark.parametrize(
    ("imports", "spelled"),
    [
        ("import keras\n", "keras.losses.BinaryCrossentropy"),
        ("import tensorflow as tf\n", "tf.keras.losses.BinaryCrossentropy"),
        ("from tensorflow.keras import losses\n", "losses.BinaryCrossentropy"),
        ("from keras.losses import BinaryCrossentropy as B\n", "B"),
    ],
)
def test_makes_the_object_in_the_programs_own_words(imports: str, spelled: str) -> None:
    changed = set_loss(f"{imports}model.compile(loss=old)\n", "binary_crossentropy", True)
    assert changed == f"{imports}model.compile(loss={spelled}(from_logits=True))\n"


def test_declines_where_nothing_compiles() -> None:
    edit = {"compile": Position(1, 0), "loss": "mse", "from_logits": False}
    with pytest.raises(Declined, match="no `compile` call"):
        transform("model.fit(x)\n", "set_loss", {"edits": [edit]})
