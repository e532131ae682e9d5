"""Layers in front of a layer, in every style a model is written in."""

from __future__ import annotations

import pytest

from tests.codemods.spans import span
from tlfix.codemods import Declined, transform

HIDDEN = [
    {"symbol": "layers.Dense", "arguments": '128, activation="relu"'},
    {"symbol": "layers.Dropout", "arguments": "0.5"},
]
IMPORT = "from keras import layers\n"


def insert(source: str, before: str, layers: list[dict[str, str]] = HIDDEN) -> str:
    return transform(source, "insert_layers", {"before": span(source, before), "layers": layers})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "m = keras.Sequential([base, layers.Dense(8)])\n",
            'm = keras.Sequential([base, layers.Dense(128, activation="relu"), '
            "layers.Dropout(0.5), layers.Dense(8)])\n",
        ),
        (
            "m = keras.Sequential([\n    base,  # frozen\n    layers.Dense(8),\n])\n",
            'm = keras.Sequential([\n    base,  # frozen\n    layers.Dense(128, activation="relu"),'
            "\n    layers.Dropout(0.5),\n    layers.Dense(8),\n])\n",
        ),
        (
            "m.add(base)\n# the output\nm.add(layers.Dense(8))\n",
            'm.add(base)\n# the output\nm.add(layers.Dense(128, activation="relu"))\n'
            "m.add(layers.Dropout(0.5))\nm.add(layers.Dense(8))\n",
        ),
        (
            "def make(x):\n    x = layers.Dense(8)(x)\n    return x\n",
            'def make(x):\n    x = layers.Dense(128, activation="relu")(x)\n'
            "    x = layers.Dropout(0.5)(x)\n    x = layers.Dense(8)(x)\n    return x\n",
        ),
        (
            "out = layers.Dense(8)(x)\n",
            'x = layers.Dense(128, activation="relu")(x)\nx = layers.Dropout(0.5)(x)\n'
            "out = layers.Dense(8)(x)\n",
        ),
        (
            "m = keras.Model(i, layers.Dense(8)(x))\n",
            "m = keras.Model(i, layers.Dense(8)("
            'layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x))))\n',
        ),
        (
            "out = layers.Dense(8)(base.output)\n",
            "out = layers.Dense(8)("
            'layers.Dropout(0.5)(layers.Dense(128, activation="relu")(base.output)))\n',
        ),
    ],
)
def test_every_style(before: str, after: str) -> None:
    assert insert(IMPORT + before, "layers.Dense(8)") == IMPORT + after
    windows = (IMPORT + before).replace("\n", "\r\n")
    assert insert(windows, "layers.Dense(8)") == (IMPORT + after).replace("\n", "\r\n")


@pytest.mark.parametrize(
    "rest",
    ["boxes = layers.Dense(4)(x)\n", "def other():\n    return x\n", "for _ in r:\n    use(x)\n"],
)
def test_a_name_that_is_used_again_is_not_bound_anew(rest: str) -> None:
    source = f"{IMPORT}out = layers.Dense(8)(x)\n{rest}"
    assert insert(source, "layers.Dense(8)") == (
        f"{IMPORT}out = layers.Dense(8)("
        f'layers.Dropout(0.5)(layers.Dense(128, activation="relu")(x)))\n{rest}'
    )


def test_quotes_and_names_are_the_programs() -> None:
    source = "from tensorflow.keras.layers import Dense\nm.add(Dense(8, activation='softmax'))\n"
    after = insert(source, "Dense(8, activation='softmax')")
    assert "m.add(Dense(128, activation='relu'))\nm.add(Dropout(0.5))\n" in after
    assert "from tensorflow.keras.layers import Dropout\n" in after


@pytest.mark.parametrize(
    "source",
    [
        "head = layers.Dense(8)\nout = head(x)\n",
        "m = keras.Sequential((base, layers.Dense(8)))\n",
        "a = 1; m.add(layers.Dense(8))\n",
        "out = layers.Dense(8)(*x)\n",
        "out = layers.Dense(8)(inputs=x)\n",
    ],
)
def test_it_declines_elsewhere(source: str) -> None:
    with pytest.raises(Declined):
        insert(IMPORT + source, "layers.Dense(8)")


def test_it_declines_where_no_layer_stands() -> None:
    where = span("\n\n\nDense(8)", "Dense(8)")
    with pytest.raises(Declined):
        transform(IMPORT, "insert_layers", {"before": where, "layers": HIDDEN})


def test_a_function_does_not_bind_the_variables_of_the_module() -> None:
    source = "from keras import layers\ni = load()\ndef head():\n    x = layers.Dense(8)(i)\n"
    parameters = {
        "before": span(source, "layers.Dense(8)"),
        "layers": [{"symbol": "layers.Dropout", "arguments": "0.5"}],
    }
    assert transform(source, "insert_layers", parameters) == source.replace(
        "(i)\n", "(layers.Dropout(0.5)(i))\n"
    )
