from __future__ import annotations

import pytest

from tests.codemods.places import place
from tlfix.codemods import Declined, Position, transform

BEFORE = """\
import tensorflow as tf

def train(model, order, x, y):
    # Train.
    return model.fit(x, y, validation_split=0.2)
"""
AFTER = """\
import tensorflow as tf
import numpy as np

def train(model, order, x, y):
    # Train.
    order_ = np.random.default_rng(0).permutation(len(y))
    x, y = x[order_], np.asarray(y)[order_]
    return model.fit(x, y, validation_split=0.2)
"""


def shuffle(source: str, line: int, arrays: tuple[str, ...] = ("x", "y")) -> str:
    start = Position(line, source.splitlines()[line - 1].index("model.fit"))
    parameters = {"fit": start, "arrays": arrays, "convert": [False, True]}
    return transform(source, "shuffle_arrays", parameters)


def test_one_order_for_both() -> None:
    assert shuffle(BEFORE, 5) == AFTER


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("import numpy\nmodel.fit(x, y, sample_weight=w)\n", 2, "weights of single images"),
        ("import numpy\nmodel.fit(x, y, **more)\n", 2, "argument"),
        ("import numpy\nfor i in range(3):\n    model.fit(x, y)\n", 3, "in a loop"),
        ("import keras\nnp = 1\nmodel.fit(x, y)\n", 3, "`np` names"),
        ("model.fit(x, y)\n", 1, "no import"),
    ],
)
def test_declines_with_a_reason(source: str, line: int, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        shuffle(source, line)


def test_declines_what_is_no_name() -> None:
    with pytest.raises(Declined, match="plain variables"):
        shuffle("import numpy\nmodel.fit(x / 255, y)\n", 2, ("x / 255", "y"))


def test_a_function_does_not_shuffle_the_variables_of_the_module() -> None:
    source = "import numpy as np\nx, y = load()\ndef run():\n    model.fit(x, y)\n"
    parameters = {"fit": place(source, "model.fit"), "arrays": ["x", "y"]}
    with pytest.raises(Declined, match="not a variable of the function"):
        transform(source, "shuffle_arrays", {**parameters, "convert": [False, False]})
