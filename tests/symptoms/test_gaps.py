"""The symptoms that compare: overfitting, mode gap, slow learning."""

from __future__ import annotations

import pytest

from tests.traces import (
    data,
    evaluation,
    falling,
    fit,
    flat,
    probe,
    trace,
)
from tlfix.probe.trace import Trace
from tlfix.symptoms.registry import measure_all


class TestOverfitting:
    def program(self, validation: float, logs: tuple[dict[str, float], ...] = ()) -> Trace:
        return trace(
            fit(
                falling(60),
                epoch_logs=logs,
                evaluations=(evaluation("training", 1.0), evaluation("validation", validation)),
            )
        )

    def test_gap(self) -> None:
        found = measure_all(self.program(0.70))
        assert set(found) == {"overfitting"}
        assert found["overfitting"].measured[0].value == pytest.approx(0.30)

    def test_significant_but_small(self) -> None:
        assert measure_all(self.program(0.88)) == {}

    def test_chance_is_another_matter(self) -> None:
        assert set(measure_all(self.program(0.13))) == {"chance-validation"}

    def test_a_gap_that_closes(self) -> None:
        logs = ({"accuracy": 0.8, "val_accuracy": 0.4}, {"accuracy": 0.95, "val_accuracy": 0.7})
        assert measure_all(self.program(0.70, logs)) == {}

    def test_a_gap_that_opens(self) -> None:
        logs = ({"acc": 0.7, "val_acc": 0.65}, {"acc": 0.95, "val_acc": 0.7})
        assert set(measure_all(self.program(0.70, logs))) == {"overfitting"}

    def test_wider_than_that_of_the_features(self) -> None:
        seen = self.program(0.60).fits[0]
        narrow = seen.model_copy(update={"probes": (probe("as-is", 0.64, train_accuracy=0.80),)})
        better = seen.model_copy(update={"probes": (probe("as-is", 0.75, train_accuracy=1.0),)})
        assert "overfitting" in measure_all(trace(narrow))
        assert "overfitting" in measure_all(trace(better))


class TestModeGap:
    def program(self, inference: float, training: float) -> Trace:
        return trace(
            fit(
                falling(60),
                evaluations=(
                    evaluation("training", inference),
                    evaluation("training", training, mode="training"),
                ),
            )
        )

    def test_batch_statistics_alone_know_the_answer(self) -> None:
        found = measure_all(self.program(0.13, 0.77))
        assert set(found) == {"mode-gap"}

    def test_dropout(self) -> None:
        assert measure_all(self.program(0.95, 0.55)) == {}

    def test_small(self) -> None:
        assert measure_all(self.program(0.80, 0.95)) == {}


class TestSlowLearning:
    def program(self, accuracy: float, losses: list[float], reference: float = 0.91) -> Trace:
        return trace(
            fit(
                losses,
                evaluations=(evaluation("validation", accuracy),),
                probes=(probe("as-is", 0.37), probe("expected", reference)),
            )
        )

    def test_stopped_short(self) -> None:
        losses = falling(30, start=2.3, end=1.6) + flat(60, level=1.6)
        found = measure_all(self.program(0.38, losses))
        assert set(found) == {"slow-learning"}
        assert found["slow-learning"].measured[0].threshold == 0.91

    def test_the_expected_scaling_is_the_reference(self) -> None:
        """Under the program's own scaling (0.37) nothing would be missing."""
        losses = falling(30, start=2.3, end=1.6) + flat(60, level=1.6)
        assert measure_all(self.program(0.38, losses, reference=0.4)) == {}

    def test_not_halfway_after_a_hundred_steps(self) -> None:
        losses = [2.3 - 0.005 * i for i in range(120)]
        assert set(measure_all(self.program(0.38, losses))) == {"slow-learning"}
        assert measure_all(self.program(0.60, losses)) == {}

    def test_small_batches_have_seen_too_little(self) -> None:
        losses = falling(30, start=2.3, end=1.6) + flat(60, level=1.6)
        seen = self.program(0.38, losses)
        small = seen.fits[0].model_copy(update={"training": data("training", batch_size=4)})
        assert measure_all(trace(small)) == {}
