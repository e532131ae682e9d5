from __future__ import annotations

import pytest

from tests.causes.label_cases import case, data, fit
from tlfix.causes.class_weight_invalid import find
from tlfix.causes.spec import Finding
from tlfix.codemods import transform

PROGRAM = """\
import numpy as np
import tensorflow as tf
from sklearn.utils import class_weight

x, y = np.load('x.npy'), np.load('y.npy')
weights = WEIGHTS
model = tf.keras.Sequential([tf.keras.layers.Dense(3, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(x, y, class_weight=weights)
"""
ARRAY = "class_weight.compute_class_weight('balanced', classes=np.unique(y), y=y)"
CRASH = "'numpy.ndarray' object has no attribute 'get'"


def program(weights: str) -> str:
    return PROGRAM.replace("WEIGHTS", weights)


def cured(source: str, finding: Finding) -> str:
    assert finding.remedy is not None, finding.advice
    (parameters,) = finding.remedy.edits.values()
    return transform(source, finding.remedy.codemod, parameters)


@pytest.mark.parametrize(
    "weights",
    [
        "{0: 1.0, 1: 2.0, 2: 3.0}",
        f"dict(enumerate({ARRAY}))",
        f"dict(zip(np.unique(y), {ARRAY}))",
        "None",
        "load_weights_somehow()",
        "{i: 1 / n for i, n in enumerate(np.bincount(y))}",
    ],
)
def test_says_nothing_of_a_dict_or_what_it_cannot_read(weights: str) -> None:
    assert list(find(case(program(weights)))) == []


@pytest.mark.parametrize("weights", [ARRAY, "[1.0, 2.0, 3.0]"])
def test_an_array_becomes_a_dict(weights: str) -> None:
    source = program(weights)
    (finding,) = find(case(source))
    assert (finding.severity, finding.confidence) == ("error", "likely")
    wanted = source.replace("class_weight=weights", "class_weight=dict(enumerate(weights))")
    assert cured(source, finding) == wanted


def test_an_array_is_certain_once_it_stopped_the_run() -> None:
    source = program("load_weights_somehow()")
    seen = fit(source, class_weight_type="ndarray")
    (finding,) = find(case(source, seen, crash=CRASH))
    assert (finding.severity, finding.confidence) == ("error", "certain")
    assert CRASH in finding.evidence[-1].summary
    assert "dict(enumerate(weights))" in cured(source, finding)


def test_a_word_has_no_cure_only_advice() -> None:
    (finding,) = find(case(program("'balanced'")))
    assert finding.severity == "error" and finding.remedy is None and finding.advice


def test_names_are_seen_where_the_source_does_not_tell_the_keys() -> None:
    source = program("{name: 1.0 for name in names}")
    weights = {"dog": 1.0, "cat": 1.0}
    seen = fit(source, class_weight_type="dict", class_weight=weights, steps=5)
    (finding,) = find(case(source, seen))
    assert (finding.severity, finding.confidence) == ("warning", "certain")
    assert finding.remedy is None and finding.advice
    numbers = fit(source, class_weight_type="dict", class_weight={"0": 1.0, "1.0": 2.0}, steps=5)
    assert list(find(case(source, numbers))) == []


def test_names_as_keys_become_the_indices_the_probe_saw() -> None:
    source = program("{'dog': 1.0, 'cat': 3.0}")
    labels = data("training", source, class_indices={"cat": 0, "dog": 1}, label_kind="integer")
    seen = fit(source, labels=labels, class_weight_type="dict", steps=5)
    (finding,) = find(case(source, seen))
    assert finding.severity == "warning"
    assert "class_weight={0: 3.0, 1: 1.0}" in cured(source, finding)


def test_keys_that_count_from_one() -> None:
    source = program("{1: 1.0, 2: 2.0, 3: 3.0}")
    labels = data(
        "training", source, class_names=("a", "b", "c"), label_kind="integer", label_shape=(None,)
    )
    seen = fit(source, labels=labels, class_weight_type="dict", steps=5)
    (finding,) = find(case(source, seen))
    assert finding.severity == "warning"
    assert "class_weight={0: 1.0, 1: 2.0, 2: 3.0}" in cured(source, finding)


def test_a_class_left_out_is_a_note() -> None:
    source = program("{0: 1.0, 2: 2.0}")
    labels = data(
        "training", source, class_names=("a", "b", "c"), label_kind="integer", label_shape=(None,)
    )
    seen = fit(source, labels=labels, class_weight_type="dict", steps=5)
    (finding,) = find(case(source, seen))
    assert finding.severity == "note"
