from __future__ import annotations

from typing import Any

import pytest

from tests.causes.test_learning_rate_high import program, ranged
from tests.traces import RAW, data, door, evaluation, fit, model, place, trace
from tlfix.causes.learning_rate_low import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CompileSeen, FitSeen, Trace
from tlfix.program.reader import read

STANDING = {1e-6: 2.09, 1e-5: 2.05, 1e-4: 1.9, 1e-3: 0.7, 1e-2: 0.9}
SHORT = {"epochs": 5, "steps_per_epoch": 20}


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


@pytest.mark.parametrize(
    ("optimizer", "trainable", "expected"),
    [
        ("keras.optimizers.Adam(1e-7)", False, 0.001),
        ("keras.optimizers.Adam(1e-7)", True, 1e-5),
        ("keras.optimizers.SGD(1e-8)", False, 0.01),
        ("keras.optimizers.Adam(1e-6)", False, None),
        ("keras.optimizers.Adam(0.0)", False, None),
    ],
)
def test_only_tiny_rates_without_a_measurement(
    optimizer: str, trainable: bool, expected: float | None
) -> None:
    found = find(program(optimizer, trainable))
    assert [f.severity for f in found] == ([] if expected is None else ["warning"])
    if expected is not None:
        assert found[0].remedy is not None
        assert found[0].remedy.edits["train.py"]["rate"] == expected


def test_a_rate_that_stands_still_is_raised_to_what_learns() -> None:
    text = program("keras.optimizers.Adam(1e-6)")
    (finding,) = find(text, ranged(STANDING, 1e-6, **SHORT))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.remedy is not None
    after = transform(text, "set_learning_rate", finding.remedy.edits["train.py"])
    assert after == text.replace("Adam(1e-6)", "Adam(0.001)")


@pytest.mark.parametrize(
    ("losses", "current", "other"),
    [
        # 1e-5 for 10,000 steps leads as far as 1e-3 for 100.
        (STANDING, 1e-5, {"epochs": 10, "steps_per_epoch": 1000}),
        # How long it would train is not known, and it is a hundredth of what learns.
        (STANDING, 1e-5, {"epochs": 10, "training": data("training", samples=None)}),
        ({1e-5: 1.9, 1e-4: 1.0, 1e-3: 0.5}, 1e-5, SHORT),  # it does move
        ({1e-5: 2.1, 1e-4: 2.0, 1e-3: 1.9}, 1e-5, SHORT),  # nothing learns
        ({1e-5: 2.1, 1e-4: 2.2, 1e-3: None}, 1e-5, SHORT),
    ],
)
def test_otherwise_nothing(
    losses: dict[float, float | None], current: float, other: dict[str, Any]
) -> None:
    assert find(program('"adam"'), ranged(losses, current, **other)) == []


def test_a_second_stage_is_slow_on_purpose() -> None:
    (second,) = ranged(STANDING, 1e-6, index=1, **SHORT).fits
    assert find(program('"adam"'), trace(fit([2.0] * 20), second)) == []


def test_under_wrong_scaling_it_is_a_note() -> None:
    (finding,) = find(program('"adam"'), ranged(STANDING, 1e-6, doors=(door(RAW),), **SHORT))
    assert finding.severity == "note"


STAGED = """\
import keras

base = keras.applications.VGG16(weights="imagenet", include_top=False, pooling="avg")
base.trainable = False
head = keras.Sequential([base, keras.layers.Dense(8, activation="softmax")])
head.compile(optimizer=keras.optimizers.Adam(1e-3), loss="categorical_crossentropy")
head.fit(train_ds, epochs=5)
for layer in base.layers[-4:]:
    layer.trainable = True
head.compile(optimizer=keras.optimizers.Adam(1e-5), loss="categorical_crossentropy")
head.fit(train_ds, epochs=2)
"""


def second(**other: Any) -> FitSeen:
    """Stage two of ``STAGED``: a part of the backbone trains at 1e-5 for a few steps."""
    (tuned,) = ranged(
        STANDING,
        1e-5,
        index=1,
        site=place(11),
        compiled=CompileSeen(site=place(10), optimizer="adam", learning_rate=1e-5),
        epochs=2,
        steps_per_epoch=8,
        model=model(**({"trainable": 150_000, "backbone_trainable": 140_000} | other)),
    ).fits
    return tuned


def first(**other: Any) -> FitSeen:
    compiled = CompileSeen(site=place(6), optimizer="adam", learning_rate=1e-3)
    return fit([2.0] * 20, site=place(7), compiled=compiled, **other)


def severities(seen: Trace) -> list[str]:
    return [finding.severity for finding in find(STAGED, seen)]


def test_a_second_stage_is_a_note_at_most() -> None:
    assert set(severities(trace(first(), second()))) <= {"note"}
    # Built anew around the same backbone, the model has a key of its own.
    assert severities(trace(first(), second(key=1))) == ["note"]
    trained = second().model_copy(
        update={"evaluations": (evaluation("validation", 0.8, when="before"),)}
    )
    assert severities(trace(trained)) == ["note"]


def test_another_model_before_is_no_first_stage() -> None:
    other = first(model=model(key=5, backbones=(7,)))
    assert severities(trace(other, second())) == ["warning"]
    # A frozen backbone with a new head starts anew, whatever was trained around it before.
    assert severities(trace(first(), second(key=1, backbone_trainable=0))) == ["warning"]


def test_the_source_is_not_held_against_a_compile_that_no_fit_ran_under() -> None:
    text = STAGED.replace("1e-5", "1e-8")
    assert [f.site.line for f in find(text) if f.site] == [10]
    assert find(text, trace(first())) == []
