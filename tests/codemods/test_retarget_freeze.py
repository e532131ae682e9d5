from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, Position, transform


def put(source: str, statement: str) -> str:
    parameters = {"statement": place(source, statement), "backbone": "base"}
    return transform(source, "retarget_freeze", parameters)


@pytest.mark.parametrize(
    ("statement", "after"),
    [
        ("model.trainable = False  # all\n", "base.trainable = False  # all\n"),
        (
            "for layer in model.layers:  # all\n    layer.trainable = False\n",
            "for layer in base.layers:  # all\n    layer.trainable = False\n",
        ),
        (
            "for layer in self.model.layers[:]:\n    layer.trainable = False\n",
            "for layer in base.layers[:]:\n    layer.trainable = False\n",
        ),
    ],
)
def test_freezes_the_backbone_instead(statement: str, after: str) -> None:
    assert put("x = 1\n" + statement, statement) == "x = 1\n" + after


def test_in_a_function() -> None:
    before = "def main():\n    model.trainable = False\n"
    assert put(before, "model.t") == "def main():\n    base.trainable = False\n"


def test_declines_elsewhere() -> None:
    with pytest.raises(Declined, match="line 1 does not set `trainable`"):
        put("x = 1\nmodel.trainable = False\n", "x")


def test_twice_is_once() -> None:
    once = put("model.trainable = False\n", "model")
    with pytest.raises(Declined, match="nothing to change"):
        put(once, "base")


@pytest.mark.parametrize(
    "source",
    ["model.trainable = False\nbase = load()\n", "model.trainable = other.trainable = False\n"],
)
def test_declines_where_the_backbone_cannot_stand(source: str) -> None:
    with pytest.raises(Declined, match="cannot stand"):
        transform(source, "retarget_freeze", {"statement": Position(1, 0), "backbone": "base"})
