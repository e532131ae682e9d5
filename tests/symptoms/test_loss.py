"""The symptoms of the loss: flat, pinned, not finite, growing."""

from __future__ import annotations

import math

import pytest

from tests.traces import (
    evaluation,
    falling,
    fit,
    flat,
    healthy,
    trace,
)
from tlfix.probe.trace import CompileSeen
from tlfix.symptoms.history import histories
from tlfix.symptoms.registry import measure_all

LN8 = math.log(8)


class TestLoss:
    def test_flat(self) -> None:
        found = measure_all(trace(fit(flat(24))))
        assert set(found) == {"flat-loss"}
        assert found["flat-loss"].measured[1].name == "p-value of a falling trend"

    def test_constant(self) -> None:
        assert set(measure_all(trace(fit([2.5] * 24)))) == {"flat-loss"}

    def test_too_short_to_be_called_flat(self) -> None:
        assert measure_all(trace(fit(flat(19)))) == {}

    def test_low_and_flat_is_done(self) -> None:
        assert measure_all(trace(fit(flat(40, level=0.2, noise=0.05)))) == {}

    def test_pinned_after_a_fall(self) -> None:
        """From 12 to ln 8 in ten steps, and there it stays: dead units, constant predictions."""
        losses = falling(10, start=12, end=3) + flat(50, noise=0.02)
        seen = trace(fit(losses, evaluations=(evaluation("training", 0.13, loss=2.08),)))
        assert "flat-loss" in measure_all(seen)

    def test_the_scale_of_another_loss_is_unknown(self) -> None:
        compiled = CompileSeen(loss="mean_squared_error")
        assert measure_all(trace(fit(flat(40, level=300), compiled=compiled))) == {}

    def test_fall_on_the_same_images_counts_against_noise(self) -> None:
        seen = trace(
            fit(
                flat(24, level=2.0, noise=0.3),
                evaluations=(
                    evaluation("training", 0.12, when="before", loss=2.4),
                    evaluation("training", 0.45, loss=1.9),
                ),
            )
        )
        assert measure_all(seen) == {}

    def test_not_finite(self) -> None:
        found = measure_all(trace(fit([2.1, 2.0, None, None])))
        assert set(found) == {"loss-not-finite"}
        assert "from step 3, in 2 of 4 steps" in found["loss-not-finite"].summary
        assert found["loss-not-finite"].severity == "error"

    def test_not_finite_in_an_earlier_fit(self) -> None:
        """Non-finite numbers count in any fit, not only in the last."""
        last = healthy().fits[0].model_copy(update={"index": 1})
        assert set(measure_all(trace(fit([2.1, None]), last))) == {"loss-not-finite"}

    def test_not_finite_output(self) -> None:
        seen = trace(fit(falling(30), evaluations=(evaluation("validation", None, finite=False),)))
        assert set(measure_all(seen)) == {"loss-not-finite"}

    def test_rising(self) -> None:
        rising = [2.1 + 0.2 * i for i in range(30)]
        assert set(measure_all(trace(fit(rising)))) == {"loss-diverging", "flat-loss"}

    def test_jump(self) -> None:
        losses = [2.3, 2.2, 60.0, 300.0, 250.0, 220.0, 210.0, 190.0]
        found = measure_all(trace(fit(losses)))
        assert set(found) == {"loss-diverging"}
        assert "jumps from 2.3 to 300" in found["loss-diverging"].summary

    def test_wandering_far_below_guessing_is_not_diverging(self) -> None:
        losses = [0.02 + 0.002 * i for i in range(30)]
        assert measure_all(trace(fit(losses))) == {}


@pytest.mark.parametrize(
    ("loss", "other", "expected"),
    [
        ("sparse_categorical_crossentropy", {}, LN8),
        ("categorical_crossentropy", {}, LN8),
        ("binary_crossentropy", {}, 0.376_77),  # each output is a question of 1 against 7
        ("mean_squared_error", {}, None),
        ("categorical_crossentropy", {"class_weight": {"0": 2.0}}, None),
        ("categorical_crossentropy", {"training": None}, None),
    ],
)
def test_loss_of_guessing(loss: str, other: dict[str, object], expected: float | None) -> None:
    seen = trace(fit(flat(20), compiled=CompileSeen(loss=loss), **other))
    assert histories(seen)[0].chance_loss == (
        None if expected is None else pytest.approx(expected, abs=1e-4)
    )
