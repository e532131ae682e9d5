from __future__ import annotations

import pytest

from tests.traces import data, fit, place, trace
from tlfix.causes.ordered_validation_split import CAUSE, find
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import FitSeen
from tlfix.program.reader import read

SOURCE = """\
import numpy as np
import tensorflow as tf

x, y = np.load('x.npy'), load_labels()
model = tf.keras.Sequential([tf.keras.layers.Dense(8, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(x, y, validation_split=0.2)
"""
EVEN = {i: 40 for i in range(8)}
CUT = {i: 50 for i in range(6)} | {6: 20}
REST = {6: 30, 7: 50}


def seen(ours: dict[int, int], theirs: dict[int, int], **more: object) -> FitSeen:
    fields: dict[str, object] = {
        "site": place(7),
        "training": data("training", histogram=ours, histogram_of="all"),
        "validation": data("validation", histogram=theirs, histogram_of="all"),
        "validation_split": 0.2,
    }
    return fit(**(fields | more))  # type: ignore[arg-type]


def found(one: FitSeen | None, source: str = SOURCE) -> list[Finding]:
    return list(find(Case(read(source, "train.py"), trace(one) if one else None)))


def test_classes_that_training_lacks_are_an_error() -> None:
    (finding,) = found(seen(CUT, REST))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert "50 of 80 validation images" in finding.evidence[0].summary
    share, association, p = finding.evidence[0].measured
    assert share.value == 0.625 and share.n == 80
    assert association.value is not None and association.value > 0.5
    assert p.value is not None and p.threshold is not None and p.value < p.threshold


@pytest.mark.parametrize(
    "one",
    [
        seen(EVEN, {i: 10 for i in range(8)}),
        # Three images of a rare class may all fall into validation by accident.
        seen({0: 400, 1: 400}, {0: 100, 1: 97, 2: 3}),
        # A split made by somebody else, and one that was not counted in full.
        seen(CUT, REST, validation_split=None),
        seen(CUT, REST, training=data("training", histogram=CUT, histogram_of="sample")),
        # Twice as many of one class: unlike, but no cut.
        seen({0: 400, 1: 400}, {0: 130, 1: 70}),
    ],
)
def test_nothing_where_chance_may_have_cut_so(one: FitSeen) -> None:
    assert found(one) == []


def test_one_class_left_in_validation_is_a_warning() -> None:
    (finding,) = found(seen({0: 500, 1: 300}, {1: 200}))
    assert finding.severity == "warning"
    assert finding.evidence[0].summary.startswith("class 1 is 100% of the validation images")


def test_static_only_where_the_labels_are_written_down_in_order() -> None:
    assert found(None) == []
    (finding,) = found(None, CAUSE.examples.sick)
    assert finding.severity == "warning"
    shuffled = CAUSE.examples.sick.replace("model.fit(", "np.random.shuffle(labels)\nmodel.fit(")
    assert found(None, shuffled) == []
    whole = CAUSE.examples.sick.replace("validation_split=0.2", "batch_size=8")
    assert found(None, whole) == []


def test_a_measured_mix_refutes_the_static_reading() -> None:
    line = CAUSE.examples.sick[: CAUSE.examples.sick.index("model.fit(")].count("\n") + 1
    even = seen({0: 400, 1: 400}, {0: 100, 1: 100}, site=place(line))
    assert found(even, CAUSE.examples.sick) == []


def test_the_cure_shuffles_both_together() -> None:
    (finding,) = found(seen(CUT, REST))
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    assert transform(SOURCE, finding.remedy.codemod, parameters) == SOURCE.replace(
        "model.fit",
        "order = np.random.default_rng(0).permutation(len(y))\n"
        "x, y = x[order], np.asarray(y)[order]\n"
        "model.fit",
    )


def test_what_is_no_variable_is_advised_on() -> None:
    source = SOURCE.replace("fit(x, y", "fit(x / 255, y")
    (finding,) = found(seen(CUT, REST), source)
    assert finding.remedy is None and "stratify" in (finding.advice or "")
