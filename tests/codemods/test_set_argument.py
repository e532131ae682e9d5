from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, Position, transform


def put(source: str, keyword: str, value: str | None, **more: object) -> str:
    edit = {"call": Position(1, 0), "keyword": keyword, "index": None, "value": value} | more
    return transform(source, "set_argument", {"edits": [edit]})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f()\n", "f(loss='b')\n"),
        ("f(a, x=1)  # kept\n", "f(a, x=1, loss='b')  # kept\n"),
        ("f(a, loss='a', x=1)\n", "f(a, loss='b', x=1)\n"),
        ('f(a, loss="a")\n', 'f(a, loss="b")\n'),
        ('f(x="other")\n', 'f(x="other", loss="b")\n'),
        ("f(a, x = 1)\n", "f(a, x = 1, loss = 'b')\n"),
        ("f(\n    a,\n    x=1,\n)\n", "f(\n    a,\n    x=1,\n    loss='b',\n)\n"),
        ("f(\n    a,\n    x=1\n)\n", "f(\n    a,\n    x=1,\n    loss='b'\n)\n"),
        ("f(\n    x=1,\n)\n", "f(\n    x=1,\n    loss='b',\n)\n"),
        ("f(a,\n  x=1)\n", "f(a,\n  x=1,\n  loss='b')\n"),
        (
            "f(\n    a,  # first\n    x=1  # second\n)\n",
            "f(\n    a,  # first\n    x=1,  # second\n    loss='b'\n)\n",
        ),
        (
            "f(\n    a,  # first\n    x=1,  # second\n)\n",
            "f(\n    a,  # first\n    x=1,  # second\n    loss='b',\n)\n",
        ),
        ("f(a, (1, 2),)\n", "f(a, (1, 2), loss='b',)\n"),
        ("f(\n    a, b\n)\n", "f(\n    a, b,\n    loss='b'\n)\n"),
        ("f(a, g(1), [\n    1,\n])\n", "f(a, g(1), [\n    1,\n], loss='b')\n"),
    ],
)
def test_sets_or_adds(before: str, after: str) -> None:
    assert put(before, "loss", "'b'") == after
    with pytest.raises(Declined):  # idempotent: nothing left to do
        put(after, "loss", "'b'")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("f(a, loss='a')\n", "f(a)\n"),
        ("f(loss='a')\n", "f()\n"),
        ("f(loss='a', b=1)\n", "f(b=1)\n"),
        ("f(a, loss='a', b=1)\n", "f(a, b=1)\n"),
        (
            "f(\n    a,\n    loss='a',  # gone\n    b=1,  # kept\n)\n",
            "f(\n    a,\n    b=1,  # kept\n)\n",
        ),
        ("f(\n    a,\n    loss='a',\n)\n", "f(\n    a,\n)\n"),
        ("f(\n    a,\n    loss='a'\n)\n", "f(\n    a\n)\n"),
        ("f(a,\n  loss='a')\n", "f(a)\n"),
        ("f(a, loss='a',\n  b=1)\n", "f(a,\n  b=1)\n"),
    ],
)
def test_removes(before: str, after: str) -> None:
    assert put(before, "loss", None) == after


def test_sets_a_positional_argument_in_place() -> None:
    assert put("f('adam', 'a')\n", "loss", "'b'", index=1) == "f('adam', 'b')\n"
    assert put("f('adam')\n", "loss", "'b'", index=1) == "f('adam', loss='b')\n"


def test_end_tells_a_layer_from_its_call() -> None:
    source = "Dense(2)(x)\n"
    edit = {"call": Position(1, 0), "end": Position(1, 8), "keyword": "units", "index": 0}
    changed = transform(source, "set_argument", {"edits": [edit | {"value": "3"}]})
    assert changed == "Dense(3)(x)\n"
    with pytest.raises(Declined, match="several calls start"):
        put(source, "units", "3", index=0)


def test_several_edits_at_once_nested_calls_included() -> None:
    source = "m.compile(Adam(lr=1), loss='a')\n"
    edits = [
        {"call": Position(1, 0), "keyword": "loss", "index": 1, "value": "'b'"},
        {"call": Position(1, 10), "keyword": "lr", "index": None, "value": "2"},
    ]
    changed = transform(source, "set_argument", {"edits": edits})
    assert changed == "m.compile(Adam(lr=2), loss='b')\n"


@pytest.mark.parametrize(
    ("source", "more"),
    [
        ("f(a, **options)\n", {}),
        ("f(*values)\n", {"index": 1}),
        ("g = 1\nf()\n", {}),
    ],
)
def test_declines_with_a_reason(source: str, more: dict[str, object]) -> None:
    with pytest.raises(Declined, match=r"argument|no such call"):
        put(source, "loss", "'b'", **more)


@pytest.mark.parametrize("comma", ["", ","])
def test_the_comment_of_the_last_argument_goes_with_it(comma: str) -> None:
    before = f"g = f(\n    zoom=2,  # zoom\n    scale=3{comma}  # scale\n)\n"
    edit = {"call": place(before, "f("), "keyword": "scale", "index": None, "value": None}
    assert transform(before, "set_argument", {"edits": [edit]}) == (
        f"g = f(\n    zoom=2{comma}  # zoom\n)\n"
    )
