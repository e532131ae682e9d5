from __future__ import annotations

import pytest

from tlfix.codemods import Declined, Position, transform

BEFORE = """\
train_datagen = ImageDataGenerator(
    rescale=1. / 255,
    rotation_range=20,  # degrees
    validation_split=0.2,
)  # one for both
train = train_datagen.flow_from_directory("data", subset="training")
valid = train_datagen.flow_from_directory("data", subset="validation")
"""
AFTER = """\
train_datagen = ImageDataGenerator(
    rescale=1. / 255,
    rotation_range=20,  # degrees
    validation_split=0.2,
)  # one for both
validation_datagen = ImageDataGenerator(
    rescale=1. / 255,
    validation_split=0.2,
)
train = train_datagen.flow_from_directory("data", subset="training")
valid = validation_datagen.flow_from_directory("data", subset="validation")
"""


def separate(source: str, lost: tuple[str, int] = ("rotation_range", 6)) -> str:
    """The generator is the first call, the flow the last line's."""
    lines = source.splitlines()
    last = next(i for i, line in enumerate(lines) if ")" in line and line[0] in ")tg")
    start = Position(1, lines[0].index("Image"))
    end = Position(last + 1, lines[last].index(")") + 1)
    flow = lines[-1]
    spans = [
        {
            "start": Position(len(lines), flow.index("=") + 2),
            "end": Position(len(lines), len(flow)),
        }
    ]
    parameters = {"generator": start, "end": end, "flows": spans, "arguments": [lost]}
    return transform(source, "separate_generator", parameters)


def test_adds_a_copy_without_the_argument() -> None:
    assert separate(BEFORE) == AFTER


def test_takes_a_name_that_is_free() -> None:
    changed = separate(BEFORE.replace("train =", "validation_datagen = train ="))
    assert "\nvalidation_datagen_ = ImageDataGenerator(\n" in changed
    assert "\nvalid = validation_datagen_.flow" in changed


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("g = ImageDataGenerator(True, rotation_range=9)\nv = g.flow(x)\n", "statistics"),
        ("g = ImageDataGenerator(**options)\nv = g.flow(x)\n", r"\*argument"),
        ("g = h = ImageDataGenerator(rotation_range=9)\nv = g.flow(x)\n", "not assigned"),
        ("g = ImageDataGenerator(rotation_range=9)\ng = h\nv = g.flow(x)\n", "more than one"),
        ("g = ImageDataGenerator(rotation_range=9)\nv = h.flow(x)\n", "does not use"),
    ],
)
def test_declines_with_a_reason(source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        separate(source)
