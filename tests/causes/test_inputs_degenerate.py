from __future__ import annotations

import pytest

from tests.causes.scaling_cases import findings
from tests.traces import crashed, data, fit, model, trace
from tlfix.causes.inputs_degenerate import CAUSE
from tlfix.causes.spec import Finding
from tlfix.probe.trace import InputsSeen, PipelineSeen, Place

PROGRAM = """\
import numpy as np
import tensorflow as tf
x, y = np.load('x.npy'), np.load('y.npy')
base = tf.keras.applications.MobileNetV2(include_top=False, pooling='avg', input_shape=(96, 96, 3))
model = tf.keras.Sequential([base, tf.keras.layers.Dense(3, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(x, y, epochs=3)
"""


def found(n: int = 200, *, split: str = "training", **seen: object) -> list[Finding]:
    counts = {k: seen.pop(k) for k in ("constant", "repeated", "grey", "not_finite") if k in seen}
    one = data(split, images=InputsSeen(n=n, **counts), **seen)  # type: ignore[arg-type]
    return findings(CAUSE, PROGRAM, trace(fit(**{split: one})))


def test_says_nothing_of_pictures() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("seen", "severity", "word"),
    [
        ({"not_finite": 1}, "error", "NaN"),
        ({"constant": 200}, "error", "one value"),
        ({"constant": 60}, "warning", "one value"),
        ({"constant": 4}, "note", "one value"),
        ({"repeated": 199}, "error", "the same"),
        ({"repeated": 120}, "warning", "copies"),
        ({"grey": 200}, "note", "grey"),
    ],
)
def test_grades_by_how_many(seen: dict[str, object], severity: str, word: str) -> None:
    (finding,) = found(**seen)
    assert finding.severity == severity and word in finding.evidence[0].summary
    assert finding.advice and finding.remedy is None
    assert finding.evidence[0].measured[0].n == 200


@pytest.mark.parametrize(
    "seen",
    [
        {"constant": 1},
        {"repeated": 60},
        {"grey": 150},
        # A data set that comes round again repeats itself.
        {"repeated": 120, "samples": None},
        {"repeated": 120, "samples": 64},
        {
            "repeated": 120,
            "sites": (PipelineSeen(kind="repeat", site=Place(path="train.py", line=3)),),
        },
    ],
)
def test_leaves_what_is_common_alone(seen: dict[str, object]) -> None:
    assert found(**seen) == []


def test_a_few_images_are_not_judged_but_nan_is() -> None:
    assert found(8, constant=5, repeated=7, grey=8) == []
    assert len(found(8, not_finite=1)) == 1


def test_blank_images_are_not_told_again_as_copies_or_grey() -> None:
    (finding,) = found(constant=200, repeated=199, grey=200)
    assert "one value" in finding.evidence[0].summary


def test_one_image_for_all_is_seen_in_a_stream_too() -> None:
    (finding,) = found(repeated=199, samples=None)
    assert finding.severity == "error"


def test_both_splits_are_looked_at() -> None:
    (finding,) = found(split="validation", constant=200)
    assert "validation" in finding.evidence[0].summary


@pytest.mark.parametrize("kind", ["<U24", "object", "bytes"])
def test_what_is_no_number_is_an_error(kind: str) -> None:
    (finding,) = found(input_dtype=kind)
    assert finding.severity == "error" and kind in finding.evidence[0].summary


def test_a_scaling_cut_to_whole_numbers() -> None:
    (finding,) = found(input_dtype="uint8", minimum=0, maximum=1)
    assert finding.severity == "warning"
    assert found(input_dtype="uint8", minimum=0, maximum=255) == []
    assert found(input_dtype="float32", minimum=0, maximum=1) == []
    assert found(input_dtype="float16", minimum=0, maximum=255) == []


def test_texts_are_not_images() -> None:
    text = fit(training=data("training", input_dtype="object"), model=model(backbones=()))
    assert findings(CAUSE, PROGRAM, trace(text)) == []


@pytest.mark.parametrize(
    "message",
    [
        "OpenCV(4.9.0) resize.cpp:4152: error: (-215:Assertion failed) !ssize.empty() in function",
        "OpenCV(4.9.0) color.cpp:196: error: (-215:Assertion failed) !_src.empty() in 'cvtColor'",
        "cannot identify image file 'data/train/cat/Thumbs.db'",
        "Unknown image file format. One of JPEG, PNG, GIF, BMP required.",
    ],
)
def test_a_file_that_cannot_be_read_explains_the_crash(message: str) -> None:
    (finding,) = findings(CAUSE, PROGRAM, crashed(message, line=3))
    assert (finding.severity, finding.explains) == ("error", ("crash",))
    assert finding.site is not None and finding.site.line == 3
    assert message.split(".db")[0] in finding.evidence[0].summary


def test_another_crash_is_another_matter() -> None:
    assert findings(CAUSE, PROGRAM, crashed("No such file or directory: 'x.npy'")) == []
