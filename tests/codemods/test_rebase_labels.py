from __future__ import annotations

import pytest

from tests.codemods.spans import span
from tlfix.codemods import Declined, transform


def rebased(source: str, *labels: str, offset: int = 1, factor: int = 1) -> str:
    spans = [span(source, text) for text in labels]
    return transform(source, "rebase_labels", {"labels": spans, "offset": offset, "factor": factor})


@pytest.mark.parametrize(
    ("label", "after"),
    [
        ("y_train", "y_train - 1"),
        ("data.y", "data.y - 1"),
        ("frame['y']", "frame['y'] - 1"),
        ("load(  'y')", "load(  'y') - 1"),
        ("y or z", "(y or z) - 1"),
    ],
)
def test_subtracts_one(label: str, after: str) -> None:
    source = f"m.fit(x, {label},  epochs=3)  # kept\r\n"
    assert rebased(source, label) == f"m.fit(x, {after},  epochs=3)  # kept\r\n"


def test_signs_become_zero_and_one() -> None:
    source = "m.fit(x, y)\n"
    assert rebased(source, "y)".rstrip(")"), offset=-1, factor=2) == "m.fit(x, (y + 1) // 2)\n"


def test_all_places_or_none() -> None:
    source = "m.fit(x, yt, validation_data=(xv, yv))\n"
    assert rebased(source, "yt", "yv") == "m.fit(x, yt - 1, validation_data=(xv, yv - 1))\n"
    with pytest.raises(Declined):
        rebased(source, "yt", "xv, ")


def test_a_starred_pair_is_declined() -> None:
    source = "model.fit(*pair)\n"
    with pytest.raises(Declined, match="no labels"):
        transform(source, "rebase_labels", {"labels": [span(source, "pair")], "offset": 1})
