from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, Position, transform

MADE = "base = VGG16()\n"
REST = "model.compile('adam')\nmodel.fit(x)\n"
LOOP = """\
for layer in base.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.trainable = False  # keep the pretrained statistics
"""


def freeze(source: str, imports: str = "from keras import layers\n") -> str:
    """The codemod at the last ``fit``."""
    source = imports + source
    start = source.rindex("model.fit")
    fit = Position(source.count("\n", 0, start) + 1, start - source.rfind("\n", 0, start) - 1)
    changed = transform(
        source, "freeze_batchnorm", {"backbone": place(source, "VGG16()"), "fit": fit}
    )
    assert changed.startswith(imports) or "import BatchNormalization" in changed
    return changed.removeprefix(imports)


@pytest.mark.parametrize(
    "before",
    [
        MADE,
        f"{MADE}base.trainable = True\n",
        f"{MADE}base.trainable = False\n{REST}base.trainable = True\n",
        f"{MADE}for layer in base.layers[:-30]:\n    layer.trainable = False\n",
        f"{MADE}model = Model(base)\nmodel.trainable = True\n",
    ],
)
def test_behind_the_last_statement_on_trainable(before: str) -> None:
    assert freeze(before + REST) == before + LOOP + REST
    with pytest.raises(Declined, match="BatchNorm already"):
        freeze(before + LOOP + REST)


def test_the_class_is_imported_where_it_must_be() -> None:
    changed = freeze(MADE + REST, "from keras.applications import VGG16\n")
    assert "from keras.layers import BatchNormalization\n" in changed
    assert "isinstance(layer, BatchNormalization)" in changed


def test_in_a_function() -> None:
    def inside(text: str) -> str:
        return "def main():\n" + "".join(f"    {line}\n" for line in text.splitlines())

    assert freeze(inside(MADE + REST)) == inside(MADE + LOOP + REST)


def test_a_function_that_freezes_something_does_not_matter() -> None:
    other = "def shut(model):\n    model.trainable = False\n"
    assert freeze(other + MADE + REST) == other + MADE + LOOP + REST


def test_in_a_model_of_its_own() -> None:
    """The layers are frozen where the backbone is made, which is long before compile."""
    model = """\
class Classifier(Model):
    def __init__(self):
        super().__init__()
        self.base = VGG16()
        self.head = layers.Dense(2)
model = Classifier()
"""
    loop = "".join(f"        {line}\n" for line in LOOP.replace("base", "self.base").splitlines())
    made = "        self.base = VGG16()\n"
    assert freeze(model + REST) == model.replace(made, made + loop) + REST


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (f"{MADE}base.trainable = flag\n{REST}", "by itself"),
        (
            f"{MADE}for layer in base.layers:\n    if 'conv' in layer.name:\n"
            f"        layer.trainable = True\n{REST}",
            "by itself",
        ),
        (f"{MADE}if x:\n    base.trainable = True\n{REST}", "another block"),
        (f"{MADE}{REST}base.trainable = True\nmodel.fit(x)\n", "after compile"),
        (f"{MADE}base = other\n{REST}", "bound more than once"),
        (f"{MADE}for i in x:\n    model.compile('adam')\n    model.fit(x)\n", "in a loop"),
        (f"use(VGG16())\n{REST}", "no variable holds"),
        (
            f"{MADE}def open_up(model):\n    model.trainable = True\n{REST}",
            "unfreezes `model` in another function",
        ),
        (f"{MADE}model.fit(x)\n", "does not stand in the same function"),
    ],
)
def test_declines_with_a_reason(source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        freeze(source)
