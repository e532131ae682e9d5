"""How names of Keras and numpy are written: as the program writes them where they are needed."""

from __future__ import annotations

import pytest

from tests.codemods.places import place
from tests.codemods.spans import span
from tlfix.codemods import Declined, transform


def use_loss(source: str) -> str:
    edit = {"compile": place(source, "model.compile"), "loss": "binary_crossentropy"}
    return transform(source, "set_loss", {"edits": [{**edit, "from_logits": True}]})


def weigh(source: str) -> str:
    parameters = {"fit": place(source, "model.fit"), "labels": "y", "rows": False}
    return transform(source, "add_class_weight", parameters)


@pytest.mark.parametrize(
    ("above", "below", "added", "name"),
    [
        ("import keras\n", "import tensorflow as tf\n", "", "keras.losses"),
        ("import os\n", "import keras\n", "from tensorflow.keras.losses import ", ""),
        ("import keras\n", "from keras import losses\n", "", "keras.losses"),
        ("from keras import losses\nimport keras\n", "losses = []\n", "", "keras.losses"),
        (
            "from keras.metrics import BinaryCrossentropy as B\n",
            "",
            "from keras.losses import ",
            "",
        ),
        ("from keras.losses import BinaryCrossentropy as B\n", "", "", "B"),
        ("try:\n    import keras\nexcept ImportError:\n    raise\n", "", "", "keras.losses"),
    ],
)
def test_only_what_is_imported_above_is_used(above: str, below: str, added: str, name: str) -> None:
    call = "BinaryCrossentropy" if not name else f"{name}.BinaryCrossentropy"
    call = name if name == "B" else call
    line = f"{added}BinaryCrossentropy\n" if added else ""
    assert use_loss(f"{above}model.compile('adam')\n{below}") == (
        f"{above}{line}model.compile('adam', loss={call}(from_logits=True))\n{below}"
    )


def test_a_function_may_use_what_is_imported_before_it_can_run() -> None:
    before = "def make(model):\n    model.compile('adam')\nimport keras\nmake(load())\n"
    assert "loss=keras.losses.BinaryCrossentropy(" in use_loss(before)
    before = "def make(model):\n    model.compile('adam')\nmake(load())\nimport keras\n"
    with pytest.raises(Declined, match="no import beside"):
        use_loss(before)


def test_a_parameter_hides_an_import() -> None:
    before = "from keras import losses\ndef make(losses):\n    model.compile('adam')\n"
    after = "from keras.losses import BinaryCrossentropy\n"
    assert after in use_loss(before)
    with pytest.raises(Declined, match="`BinaryCrossentropy` names something else"):
        use_loss(before.replace("(losses)", "(losses, BinaryCrossentropy)"))


def test_numpy_is_imported_above_the_place_where_it_counts() -> None:
    rest = "model.fit(x, y)\n# later\nimport keras.layers\nimport numpy\n"
    assert weigh(f"import keras\n{rest}").startswith("import numpy as np\nimport keras\n")
    with pytest.raises(Declined, match="no import beside"):
        weigh(f"import os\n{rest}")
    with pytest.raises(Declined, match="names something other than numpy"):
        weigh("import keras\nimport numpy as np\ndef run(np):\n    model.fit(x, y)\n")


def test_preprocess_input_is_imported_above_and_does_not_shadow() -> None:
    def preprocessed(source: str) -> str:
        expression = span(source, "x / 255", "x")
        return transform(
            source, "use_preprocess_input", {"module": "resnet50", "expressions": [expression]}
        )

    head = "from keras.applications import ResNet50\n"
    late = f"import os\nx = x / 255\n{head}"
    assert preprocessed(late).startswith(
        "import os\nfrom tensorflow.keras.applications.resnet50 import preprocess_input\n"
    )
    for taken in ("for preprocess_input in a:\n    pass\n", "with a as preprocess_input:\n    b\n"):
        after = preprocessed(f"{head}{taken}x = x / 255\n")
        assert after.endswith(f"{taken}x = resnet50_preprocess_input(x)\n")
