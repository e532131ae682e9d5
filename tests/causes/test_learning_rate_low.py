from __future__ import annotations

from typing import Any

import pytest

from tests.causes.test_learning_rate_high import program, ranged
from tests.traces import RAW, data, door, fit, trace
from tlfix.causes.learning_rate_low import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import Trace
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
