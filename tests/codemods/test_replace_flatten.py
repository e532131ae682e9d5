"""``Flatten`` made global pooling, spelled and imported as it was."""

from __future__ import annotations

import pytest

from tests.codemods.spans import span
from tlfix.codemods import Declined, transform


def pool(source: str, flatten: str) -> str:
    return transform(source, "replace_flatten", {"flatten": span(source, flatten)})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = layers.Flatten()(x)  # kept\n", "x = layers.GlobalAveragePooling2D()(x)  # kept\n"),
        (
            "x = tf.keras.layers.Flatten(name='f')(x)\n",
            "x = tf.keras.layers.GlobalAveragePooling2D(name='f')(x)\n",
        ),
        (
            "from keras.layers import (\n    Dense,\n    Flatten,  # one\n)\nm.add(Flatten())\n",
            "from keras.layers import (\n    Dense,\n    GlobalAveragePooling2D,  # one\n)\n"
            "m.add(GlobalAveragePooling2D())\n",
        ),
        (
            "from keras.layers import Dense, Flatten\nm.add(Flatten())\nn.add(Flatten(name='n'))\n",
            "from keras.layers import Dense, GlobalAveragePooling2D, Flatten\n"
            "m.add(GlobalAveragePooling2D())\nn.add(Flatten(name='n'))\n",
        ),
        (
            "from keras.layers import Flatten as F, GlobalAveragePooling2D\nm.add(F())\n",
            "from keras.layers import Flatten as F, GlobalAveragePooling2D\n"
            "m.add(GlobalAveragePooling2D())\n",
        ),
        (
            "from keras.layers import Flatten as F\nm.add(F())\n",
            "from keras.layers import GlobalAveragePooling2D\nm.add(GlobalAveragePooling2D())\n",
        ),
        (
            "from keras.layers import *\nm.add(Flatten())\n",
            "from keras.layers import *\nm.add(GlobalAveragePooling2D())\n",
        ),
    ],
)
def test_every_spelling(before: str, after: str) -> None:
    flatten = next(
        t
        for t in ("layers.Flatten()", "tf.keras.layers.Flatten(name='f')", "Flatten()", "F()")
        if t in before
    )
    assert pool(before, flatten) == after
    windows = before.replace("\n", "\r\n")
    assert pool(windows, flatten) == after.replace("\n", "\r\n")


@pytest.mark.parametrize("source", ["from a import Dense\nDense()\n", "make()()\n", "1\n"])
def test_it_declines_elsewhere(source: str) -> None:
    text = source.splitlines()[-1]
    with pytest.raises(Declined):
        pool(source, text)
