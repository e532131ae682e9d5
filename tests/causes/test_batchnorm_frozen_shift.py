from __future__ import annotations

from typing import Any

import pytest

from tests.causes.batchnorm_cases import ran, seen
from tests.traces import RAW, door, fit, model, place, probe
from tlfix.causes.batchnorm_frozen_shift import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.probe.trace import BatchNormSeen, FitSeen, Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick


def find(trace: Trace | None) -> list[Finding]:
    return list(CAUSE.find(Case(read(TEXT, "train.py"), trace)))


def frozen(before: float, after: float, shift: float | None = 5.0, **other: Any) -> FitSeen:
    fields: dict[str, Any] = {
        "site": place(10),
        "batchnorm": BatchNormSeen(layers=52, updating=0, momentum=0.99, shift=shift),
        "doors": (door(),),
        "probes": (
            probe("as-is", before),
            probe("as-is", after, weights="recalibrated"),
        ),
    }
    return fit([1.0] * 30, **(fields | other))


def test_better_features_with_new_statistics() -> None:
    (finding,) = find(ran(frozen(0.6, 0.8)))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.cost == pytest.approx(0.2)
    assert finding.remedy is None and finding.advice
    assert finding.site is not None and finding.site.line == 3
    assert "60% with the stored statistics and 80%" in finding.evidence[1].summary


@pytest.mark.parametrize(
    ("before", "after", "shift"),
    [
        (0.6, 0.8, 0.13),  # scanned digits
        (0.6, 0.8, None),
        (0.8, 0.83, 5.0),  # no gain to speak of
        (0.8, 0.6, 5.0),
    ],
)
def test_otherwise_nothing(before: float, after: float, shift: float | None) -> None:
    assert find(ran(frozen(before, after, shift))) == []


def test_it_must_beat_every_scaling_that_was_tried() -> None:
    probes = (
        probe("as-is", 0.6),
        probe("expected", 0.79),
        probe("expected", 0.8, weights="recalibrated"),
    )
    assert find(ran(frozen(0, 0, probes=probes))) == []
    assert len(find(ran(frozen(0, 0, probes=(probes[0], probes[2]))))) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"doors": (door(RAW),)},
        {"doors": (door(reads_as=None, divergence=9.0, divergence_expected=0.1),)},
        {"doors": (door(reads_as=None),)},
        {"doors": ()},
        {"batchnorm": None},
        {"batchnorm": seen(0.5, 0.8, shift=5.0)},
    ],
)
def test_scaled_wrong_or_not_frozen(other: dict[str, Any]) -> None:
    assert find(ran(frozen(0.6, 0.8, **other))) == []


def test_a_later_stage_that_lets_them_follow_is_the_cure() -> None:
    two = fit([1.0] * 30, index=1, batchnorm=seen(0.8, 0.8), model=model())
    assert find(ran(frozen(0.6, 0.8), two)) == []
    other = two.model_copy(update={"model": model(key=1)})
    assert len(find(ran(frozen(0.6, 0.8), other))) == 1


def test_random_weights_have_no_statistics() -> None:
    assert find(ran(frozen(0.6, 0.8), weights_status="random")) == []
    assert find(None) == []
