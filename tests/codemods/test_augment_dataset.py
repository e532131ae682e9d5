from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, Position, transform

BEFORE = """\
from keras import layers
from keras.models import Sequential

train = load()

# Two stages.
model.fit(train, epochs=3)
model.fit(train, epochs=6)
"""
AFTER = """\
from keras import layers
from keras.models import Sequential

train = load()

# Of the training images only; each epoch sees them another way.
augmentation = Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])
train = train.map(lambda x, y: (augmentation(x, training=True), y))
# Two stages.
model.fit(train, epochs=3)
model.fit(train, epochs=6)
"""


def augment(source: str, line: int) -> str:
    return transform(source, "augment_dataset", {"fit": Position(line, 0), "dataset": "train"})


def test_maps_layers_in_the_programs_own_style() -> None:
    assert augment(BEFORE, 7) == AFTER


def test_imports_what_is_missing() -> None:
    changed = augment("from tensorflow.keras.models import Model\nmodel.fit(train)\n", 2)
    assert "from tensorflow.keras.layers import RandomFlip\n" in changed
    assert "from tensorflow.keras.models import Sequential\n" in changed
    compile(changed, "train.py", "exec")


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        (BEFORE + "print(train.class_names)\n", 7, "used after the fit"),
        ("import keras\nhistory = [model.fit(train) for _ in range(2)]\n", 2, "no `fit` call"),
        ("model.fit(train)\n", 1, "no import"),
    ],
)
def test_declines_with_a_reason(source: str, line: int, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        augment(source, line)


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("model.fit(train, validation_data=train)\n", "shall stay"),
        ("model.fit(train), model.evaluate(train)\n", "shall stay"),
        ("def check():\n    model.evaluate(train)\nmodel.fit(train)\n", "shall stay"),
        ("def run():\n    model.fit(train)\n", "not a variable of the function"),
        ("run = lambda train: model.fit(train)\n", "lambda"),
    ],
)
def test_declines_where_more_than_the_training_would_change(rest: str, reason: str) -> None:
    source = f"import keras\ntrain = load()\n{rest}"
    with pytest.raises(Declined, match=reason):
        transform(
            source, "augment_dataset", {"fit": place(source, "model.fit"), "dataset": "train"}
        )
