from __future__ import annotations

import pytest

from tests.codemods.spans import span
from tlfix.codemods import Declined, transform


def remove(source: str, **places: object) -> str:
    return transform(source, "remove_scaling", places)


@pytest.mark.parametrize(
    ("before", "text", "operand", "after"),
    [
        ("y = x / 255.0  # kept\n", "x / 255.0", "x", "y = x  # kept\n"),
        ("y = (x / 255.0)\n", "x / 255.0", "x", "y = (x)\n"),
        ("a = 1\nx = x / 255.0\n", "x / 255.0", "x", "a = 1\n"),
        ("x /= 255.0\nb = 2\n", "x /= 255.0", None, "b = 2\n"),
        ("# scale\nx /= 255.0\nb = 2\n", "x /= 255.0", None, "# scale\nb = 2\n"),
        (
            'x = x.astype("float32") / 255.0\n',
            'x.astype("float32") / 255.0',
            'x.astype("float32")',
            'x = x.astype("float32")\n',
        ),
        ("h = Rescaling(1/255)(inputs)\n", "Rescaling(1/255)", None, "h = inputs\n"),
        ("a = 1\nx = Rescaling(1/255)(x)\n", "Rescaling(1/255)", None, "a = 1\n"),
        ("S([Rescaling(1/255), base])\n", "Rescaling(1/255)", None, "S([base])\n"),
        (
            "S([\n    Rescaling(1/255),\n    base,\n])\n",
            "Rescaling(1/255)",
            None,
            "S([\n    base,\n])\n",
        ),
        ("m.add(Rescaling(1/255))\nm.add(b)\n", "Rescaling(1/255)", None, "m.add(b)\n"),
        ("y = preprocess_input(x)\n", "preprocess_input(x)", None, "y = x\n"),
        (
            "d.map(lambda x, y: (x / 255.0, y))\n",
            "x / 255.0",
            "x",
            "d.map(lambda x, y: (x, y))\n",
        ),
    ],
)
def test_removals(before: str, text: str, operand: str | None, after: str) -> None:
    where = span(before, text, operand)
    assert remove(before, removals=[where]) == after
    windows = before.replace("\n", "\r\n")
    assert remove(windows, removals=[where]) == after.replace("\n", "\r\n")
    with pytest.raises(Declined):  # idempotent: the place is gone
        remove(after, removals=[where])


def test_arguments_of_a_generator() -> None:
    call = "ImageDataGenerator(rescale=1/255, zoom_range=0.2, preprocessing_function=f)"
    before = f"g = {call}  # kept\n"
    where = [span(before, call)]
    assert remove(before, rescale=where) == before.replace("rescale=1/255, ", "")
    assert remove(before, preprocessing=where) == before.replace(", preprocessing_function=f", "")


KEPT = """\
scale = Rescaling(1/255)
train = train.map(lambda x, y: (scale(x), y), num_parallel_calls=4)  # kept
images = scale(images)
features = base(scale(flip(inputs)))
model = Sequential([scale, base])
"""


def test_a_layer_kept_in_a_variable_goes_wherever_it_is_used() -> None:
    assert (
        remove(KEPT, removals=[span(KEPT, "Rescaling(1/255)")])
        == """\
train = train.map(lambda x, y: (x, y), num_parallel_calls=4)  # kept
features = base(flip(inputs))
model = Sequential([base])
"""
    )


@pytest.mark.parametrize(
    "use",
    ["train = train.map(scale)", "def f(scale): pass", "scale = other", "y = scale(a, b)"],
)
def test_a_layer_whose_uses_are_not_plain_is_declined(use: str) -> None:
    source = f"scale = Rescaling(1/255)\n{use}\n"
    with pytest.raises(Declined):
        remove(source, removals=[span(source, "Rescaling(1/255)")])


def test_a_layer_kept_in_an_attribute_is_declined() -> None:
    source = "self.scale = Rescaling(1/255)\n"
    with pytest.raises(Declined, match="not kept in a variable"):
        remove(source, removals=[span(source, "Rescaling(1/255)")])


def test_the_only_statement_of_a_block_is_declined() -> None:
    source = "if scale:\n    x /= 255.0\n"
    with pytest.raises(Declined, match="only one of its block"):
        remove(source, removals=[span(source, "x /= 255.0")])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[base, Rescaling(1/255)]", "[base]"),
        ("[\n    base,  # b\n    Rescaling(1/255)  # s\n]", "[\n    base  # b\n]"),
        ("[\n    base,  # b\n    Rescaling(1/255),  # s\n]", "[\n    base,  # b\n]"),
    ],
)
def test_the_last_of_a_list_leaves_no_trace(before: str, after: str) -> None:
    source = f"m = Sequential({before})\n"
    removed = transform(source, "remove_scaling", {"removals": [span(source, "Rescaling(1/255)")]})
    assert removed == f"m = Sequential({after})\n"
