from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, transform


def align(source: str, *calls: str, keyword: str = "target_size", index: int = 1) -> str:
    places = [place(source, call) for call in calls]
    return transform(
        source,
        "align_target_size",
        {"calls": places, "keyword": keyword, "index": index, "size": "SIZE"},
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('g.flow("a", target_size=(9, 9))', 'g.flow("a", target_size=SIZE)'),
        ('g.flow("a", (9, 9), class_mode="b")', 'g.flow("a", SIZE, class_mode="b")'),
        ('g.flow("a", shuffle=False)', 'g.flow("a", shuffle=False, target_size=SIZE)'),
    ],
)
def test_the_size_is_set_where_it_stands(before: str, after: str) -> None:
    source = f"x = {before}  # kept\r\n"
    assert align(source, before) == f"x = {after}  # kept\r\n"


def test_several_calls_and_no_other() -> None:
    source = "a = f(target_size=1)\nbb = f(target_size=2)\nccc = f(target_size=3)\n"
    after = "a = f(target_size=SIZE)\nbb = f(target_size=2)\nccc = f(target_size=SIZE)\n"
    assert align(source, "f(target_size=1)", "f(target_size=3)") == after
    with pytest.raises(Declined):
        align(after, "f(target_size=SIZE)")


def test_hidden_arguments_are_declined() -> None:
    with pytest.raises(Declined):
        align("f(**options)\n", "f(")
