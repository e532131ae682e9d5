from __future__ import annotations

import pytest

from tlfix.codemods import Declined, Position, transform


def weigh(source: str, line: int, labels: str = "train.classes", rows: bool = False) -> str:
    column = source.splitlines()[line - 1].index("model.fit")
    where = Position(line, column)
    return transform(source, "add_class_weight", {"fit": where, "labels": labels, "rows": rows})


def test_counts_before_the_fit_and_imports_numpy() -> None:
    before = """\
import os
import tensorflow as tf

train = load()

# Train.
history = model.fit(train, epochs=2)  # short
"""
    after = """\
import os
import numpy as np
import tensorflow as tf

train = load()

counts = np.bincount(train.classes)
# A class weighs the more the fewer images it has; on average an image weighs 1.
class_weight = {i: counts.sum() / (len(counts) * n) for i, n in enumerate(counts) if n}
# Train.
history = model.fit(train, epochs=2, class_weight=class_weight)  # short
"""
    assert weigh(before, 7) == after
    with pytest.raises(Declined, match="weights already"):
        weigh(after, 11)


def test_uses_the_names_that_are_free_and_the_numpy_that_is_there() -> None:
    before = """\
import numpy
from sklearn.utils import class_weight

def run(model, x, y):
    return model.fit(
        x,
        y,
    )
"""
    after = """\
import numpy
from sklearn.utils import class_weight

def run(model, x, y):
    counts = numpy.sum(y, axis=0)
    # A class weighs the more the fewer images it has; on average an image weighs 1.
    class_weight_ = {i: counts.sum() / (len(counts) * n) for i, n in enumerate(counts) if n}
    return model.fit(
        x,
        y,
        class_weight=class_weight_,
    )
"""
    assert weigh(before, 5, labels="y", rows=True) == after


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("import keras\nmodel.fit(x, class_weight=w)\n", 2, "weights already"),
        ("import keras\nmodel.fit(x, **options)\n", 2, r"\*\*argument"),
        ("import keras\nwith model.fit(x) as h:\n    pass\n", 2, "statement of its own"),
        ("model.fit(x)\n", 1, "no import"),
    ],
)
def test_declines_with_a_reason(source: str, line: int, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        weigh(source, line)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import keras\nruns = [model.fit(x) for x in folds]\n", "comprehension"),
        ("import keras\nrun = lambda x: model.fit(x)\n", "lambda"),
        (
            "import keras\nmodel.fit(x, y, 8, 2, 0, [], 0.1, None, True, {0: 1})\n",
            "weights already",
        ),
        ("import keras\nmodel.fit(*data)\n", r"\*argument"),
    ],
)
def test_declines_where_the_counts_would_not_run_with_the_fit(source: str, reason: str) -> None:
    with pytest.raises(Declined, match=reason):
        weigh(source, 2)
