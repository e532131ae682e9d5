from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit, line_of
from tlfix.causes import head_units_mismatch, labels_out_of_range
from tlfix.causes.labels_out_of_range import find
from tlfix.causes.spec import Finding
from tlfix.codemods import transform
from tlfix.program.reader import read
from tlfix.ranking import examine

PROGRAM = """\
import numpy as np
import tensorflow as tf

x, y = np.load('x.npy'), np.load('y.npy')
xv, yv = np.load('xv.npy'), np.load('yv.npy')
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg')
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(x, y, validation_data=(xv, yv), epochs=3)
model.evaluate(xv, yv)
"""
SPARSE = "sparse_categorical_crossentropy"
RECEIVED = (
    "Received a label value of 3 which is outside the valid range of [0, 3).  Label values: 3"
)


def numbers(low: float, high: float, **more: object) -> dict[str, object]:
    counts = {i: 10 for i in range(int(low), int(high) + 1)}
    return {
        "label_kind": "integer",
        "label_dtype": "int64",
        "label_shape": (None,),
        "label_minimum": low,
        "label_maximum": high,
        "histogram": counts,
        "histogram_of": "all",
        "samples": 10 * len(counts),
    } | more


def fraction(high: float | None, **more: object) -> dict[str, object]:
    return {
        "label_kind": "continuous",
        "label_dtype": "float32",
        "label_shape": (None,),
        "label_minimum": None if high is None else 0.0,
        "label_maximum": high,
        "sampled": 100,
    } | more


def found(
    labels: dict[str, object],
    *,
    loss: str = SPARSE,
    units: int = 3,
    valid: dict[str, object] | None = None,
    source: str = PROGRAM,
    crash: str | None = None,
) -> list[Finding]:
    seen = fit(
        source,
        labels=data("training", source, **labels),
        validation=data("validation", source, **(labels if valid is None else valid)),
        units=units,
        loss=loss,
    )
    return list(find(case(source, seen, crash=crash)))


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


def test_labels_that_count_from_one() -> None:
    (finding,) = found(numbers(1, 3))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert "count from 1" in finding.evidence[0].summary
    assert [(m.value, m.threshold, m.n) for m in finding.evidence[0].measured] == [
        (1, 0, 30),
        (3, 2, 30),
    ]
    assert finding.site is not None and finding.site.line == line_of(PROGRAM, "model.fit")
    after = PROGRAM.replace("(x, y, ", "(x, y - 1, ").replace("xv, yv)", "xv, yv - 1)")
    assert cured(PROGRAM, finding) == after


def test_the_crash_joins_the_evidence() -> None:
    (finding,) = found(numbers(1, 3), crash=RECEIVED)
    assert any("stopped" in e.summary for e in finding.evidence)


def test_a_binary_loss_wants_zero_and_one() -> None:
    (finding,) = found(numbers(1, 2), loss="binary_crossentropy", units=1)
    assert cured(PROGRAM, finding).count("- 1") == 3
    signs = numbers(-1, 1, histogram={-1: 40, 1: 60})
    (finding,) = found(signs, loss="binary_crossentropy", units=1)
    assert cured(PROGRAM, finding).count("(yv + 1) // 2") == 2


def test_only_one_split_counts_from_one() -> None:
    (finding,) = found(numbers(0, 2), valid=numbers(1, 3))
    assert "validation" in finding.evidence[0].summary
    assert finding.remedy is None and finding.advice is not None
    assert "only one" in finding.advice


def test_lists_are_left_to_the_reader() -> None:
    source = PROGRAM.replace("model.fit(x, y, ", "y = []\ny.append(1)\nmodel.fit(x, y, ")
    (finding,) = found(numbers(1, 3), source=source)
    assert finding.remedy is None and finding.advice is not None and "list" in finding.advice


@pytest.mark.parametrize(
    ("labels", "loss", "units", "word"),
    [
        (numbers(-1, 2), SPARSE, 3, "-1 to 2"),
        (numbers(0, 9, histogram={0: 5, 4: 5, 9: 5}), SPARSE, 3, "0 to 9"),
        (numbers(0, 255, histogram={0: 5, 255: 5}), "binary_crossentropy", 1, "0 to 255"),
        (fraction(2 / 255), SPARSE, 3, "2/255"),
        (fraction(1 / 255), "binary_crossentropy", 1, "1/255"),
        (fraction(1 / 255, label_shape=(None, 3)), "categorical_crossentropy", 3, "1/255"),
        (fraction(4.5), SPARSE, 3, "fractions"),
        (fraction(None), SPARSE, 3, "NaN"),
        (fraction(None), "binary_crossentropy", 1, "NaN"),
        ({"label_kind": "none", "label_dtype": "<U4"}, SPARSE, 3, "<U4"),
        ({"label_kind": "none", "label_dtype": "object"}, SPARSE, 3, "object"),
    ],
)
def test_what_no_output_stands_for(
    labels: dict[str, object], loss: str, units: int, word: str
) -> None:
    (finding,) = found(labels, loss=loss, units=units)
    assert finding.severity == "error" and word in finding.evidence[0].summary
    assert finding.remedy is None and finding.advice


@pytest.mark.parametrize(
    ("labels", "loss", "units"),
    [
        (numbers(0, 2), SPARSE, 3),
        (numbers(1, 2), SPARSE, 3),
        # Three classes numbered from 1 under four outputs: one output too many, no harm.
        (numbers(1, 3), SPARSE, 4),
        # Too few outputs are another cause.
        (numbers(0, 4), SPARSE, 3),
        (numbers(0, 4), "binary_crossentropy", 1),
        (numbers(0, 1, label_kind="binary"), "binary_crossentropy", 1),
        # Soft labels, quantities, and maps of labels are meant.
        (fraction(0.9), "binary_crossentropy", 1),
        (fraction(0.9), "mean_squared_error", 1),
        (fraction(0.9, label_shape=(None, 3)), "categorical_crossentropy", 3),
        (fraction(2.0, label_shape=(None, 96, 96)), SPARSE, 3),
        (numbers(-1, 1), "hinge", 1),
        ({"label_kind": "none"}, SPARSE, 3),
    ],
)
def test_says_nothing_of_labels_that_fit(labels: dict[str, object], loss: str, units: int) -> None:
    assert found(labels, loss=loss, units=units) == []


def test_a_class_may_be_left_out_on_purpose() -> None:
    source = PROGRAM.replace(
        "'sparse_categorical_crossentropy'",
        "tf.keras.losses.SparseCategoricalCrossentropy(ignore_class=-1)",
    )
    assert found(numbers(-1, 2), source=source) == []


def test_the_message_alone_is_enough() -> None:
    (finding,) = find(case(PROGRAM, crash=RECEIVED, crash_line=9))
    assert finding.severity == "error"
    assert [(m.value, m.threshold) for m in finding.evidence[0].measured] == [(3, 2)]
    assert finding.site is not None and finding.site.line == 9
    assert list(find(case(PROGRAM, crash="No such file"))) == []


def test_says_nothing_without_a_measurement() -> None:
    assert list(find(case(PROGRAM))) == []


def test_the_head_is_not_blamed_for_labels_that_count_from_one() -> None:
    seen = fit(
        PROGRAM,
        labels=data("training", PROGRAM, classes=4, **numbers(1, 3)),
        units=3,
        loss=SPARSE,
    )
    specs = (labels_out_of_range.CAUSE, head_units_mismatch.CAUSE)
    examined = case(PROGRAM, seen)
    assert examined.program == read(PROGRAM, "train.py")
    ranked = examine(examined, {"train.py": PROGRAM}, specs=specs, strict=True).ranked
    assert [(r.cause.id, r.cause.severity) for r in ranked] == [
        ("labels-out-of-range", "error"),
        ("head-units-mismatch", "note"),
    ]
