from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, transform


def put(source: str, until: str | None = None) -> str:
    parameters = {"backbone": place(source, "VGG16(")}
    if until is not None:
        parameters["until"] = place(source, until)
    return transform(source, "freeze_backbone", parameters)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("b = VGG16()\nx = 1\n", "b = VGG16()\nb.trainable = False\nx = 1\n"),
        ("b = VGG16()\nb.trainable = True  # all\n", "b = VGG16()\nb.trainable = False  # all\n"),
        (
            "b = VGG16()\nfor layer in b.layers:\n    layer.trainable = True\n",
            "b = VGG16()\nfor layer in b.layers:\n    layer.trainable = False\n",
        ),
        (
            "b = VGG16()\nm = M(b)\nm.trainable = True\nm.compile()\n",
            "b = VGG16()\nm = M(b)\nm.trainable = True\nb.trainable = False\nm.compile()\n",
        ),
        (
            "def f():\n    self.b = VGG16(\n        top=False,\n    )  # base\n    return 1\n",
            "def f():\n    self.b = VGG16(\n        top=False,\n    )  # base\n"
            "    self.b.trainable = False\n    return 1\n",
        ),
    ],
)
def test_freezes(before: str, after: str) -> None:
    assert put(before) == after


def test_what_follows_the_first_training_stays() -> None:
    before = "b = VGG16()\nm.fit(x)\nb.trainable = True\nm.compile()\nm.fit(x)\n"
    after = before.replace("VGG16()\n", "VGG16()\nb.trainable = False\n")
    assert put(before, until="m.fit") == after


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("m = Sequential([VGG16(), Dense(2)])\n", "no variable holds"),
        ("for i in range(3):\n    b = VGG16()\n", "in a loop"),
        ("b = VGG16()\nb.trainable = False\n", "nothing to change"),
        ("b = VGG16()\nfor l in b.layers:\n    l.trainable = False\n", "nothing to change"),
        ("b = VGG16()\nfor l in b.layers[:5]:\n    l.trainable = False\n", "line 2 decides"),
        ("b = VGG16()\nb.layers[3].trainable = True\n", "line 2 decides"),
        ("b = VGG16()\nfor l in b.layers:\n    l.trainable = l.name == 'x'\n", "line 2 decides"),
        ("b = VGG16()\nm.trainable = False\n", "line 2 freezes `m`"),
        ("b = VGG16(); c = 1\n", "several statements"),
    ],
)
def test_declines(source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        put(source)


def test_twice_is_once() -> None:
    with pytest.raises(Declined, match="nothing to change"):
        put(put("b = VGG16()\nx = 1\n"))
