"""Each symptom on the smallest trace that shows it, and on its neighbour that does not."""

from __future__ import annotations

from typing import Any

from tests.traces import (
    confusion,
    crashed,
    data,
    evaluation,
    falling,
    fit,
    flat,
    healthy,
    model,
    place,
    probe,
    trace,
)
from tlfix.probe.trace import Evaluation, Trace
from tlfix.symptoms.registry import SYMPTOMS, measure_all


def one_class(n: int = 200) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(n // 8 if column == 3 else 0 for column in range(8)) for _ in range(8))


def scored(accuracy: float) -> Evaluation:
    return evaluation("validation", accuracy)


def test_every_symptom_has_its_text_and_its_own_id() -> None:
    assert len({spec.id for spec in SYMPTOMS}) == len(SYMPTOMS) == 14
    for spec in SYMPTOMS:
        assert spec.title and spec.what and spec.source, spec.id


def test_crash() -> None:
    symptom = measure_all(crashed("Shapes (None, 1) and (None, 8) differ\nmore", line=41))["crash"]
    assert symptom.severity == "error"
    assert symptom.summary == (
        "ValueError during training at line 41: Shapes (None, 1) and (None, 8) differ"
    )


def test_crash_with_an_endless_message() -> None:
    summary = measure_all(crashed("x" * 5000 + "\nmore", line=41))["crash"].summary
    assert summary == f"ValueError during training at line 41: {'x' * 299}…"
    whole = measure_all(crashed("x" * 300, line=41))["crash"].summary
    assert whole.endswith("x" * 300)


def test_crash_in_a_graph_names_the_reason() -> None:
    message = 'Graph execution error:\n\nDetected at node x\n  File "a", line 1, in f\n\nlabel 7\n'
    summary = measure_all(crashed(message, line=41))["crash"].summary
    assert summary == "ValueError during training at line 41: label 7"


def test_crash_without_message_or_line() -> None:
    seen = crashed()
    assert seen.crash is not None
    bare = seen.model_copy(
        update={"crash": seen.crash.model_copy(update={"message": "", "site": None})}
    )
    assert measure_all(bare)["crash"].summary == "ValueError during training"


class TestChance:
    def stuck(self, accuracy: float = 0.13, reference: float = 0.91, count: int = 40) -> Trace:
        return trace(
            fit(
                flat(count),
                evaluations=(
                    evaluation("training", accuracy, loss=2.08),
                    evaluation("validation", 0.12, loss=2.09),
                ),
                probes=(probe("expected", reference),),
            )
        )

    def test_both_splits_while_the_features_can_do_better(self) -> None:
        found = measure_all(self.stuck())
        assert set(found) == {"chance-accuracy", "chance-validation", "flat-loss"}
        assert found["chance-accuracy"].severity == "error"
        measured = found["chance-accuracy"].measured[0]
        assert (measured.value, measured.threshold, measured.n) == (0.13, 0.125, 200)

    def test_too_few_steps(self) -> None:
        found = measure_all(self.stuck(count=25))
        assert "chance-accuracy" not in found and "chance-validation" not in found

    def test_features_no_better(self) -> None:
        found = measure_all(self.stuck(reference=0.18))
        assert set(found) == {"flat-loss"}

    def test_a_falling_loss_needs_more_steps(self) -> None:
        def program(count: int) -> Trace:
            return trace(
                fit(
                    falling(count, start=9.0, end=1.6),
                    evaluations=(evaluation("training", 0.13),),
                    probes=(probe("as-is", 0.91),),
                )
            )

        assert "chance-accuracy" not in measure_all(program(60))
        assert "chance-accuracy" in measure_all(program(120))

    def test_a_loss_that_fell_only_to_that_of_guessing(self) -> None:
        seen = trace(
            fit(
                falling(60, start=9.0, end=2.2),
                evaluations=(evaluation("training", 0.13),),
                probes=(probe("as-is", 0.91),),
            )
        )
        assert "chance-accuracy" in measure_all(seen)

    def test_few_images_cannot_tell(self) -> None:
        seen = trace(
            fit(
                flat(60),
                evaluations=(evaluation("training", 0.125, n=16),),
                probes=(probe("as-is", 0.91),),
            )
        )
        assert "chance-accuracy" not in measure_all(seen)

    def test_validation_at_chance_while_training_is_learned_needs_no_reference(self) -> None:
        seen = trace(
            fit(
                falling(40),
                evaluations=(evaluation("training", 0.9), evaluation("validation", 0.13)),
            )
        )
        found = measure_all(seen)
        assert set(found) == {"chance-validation"}
        assert "training reaches 0.90" in found["chance-validation"].summary

    def test_majority_class_baseline_not_one_over_classes(self) -> None:
        """0.70 of 200 is far above 1/2, and still what the largest class alone gives."""
        table = ((140, 0), (60, 0))
        skewed: dict[str, Any] = {
            "majority": 0.7,
            "classes": 2,
            "confusion": table,
            "balanced_accuracy": 0.5,
        }
        seen = trace(
            fit(
                flat(40, level=0.61, noise=0.03),
                training=data("training", classes=2, histogram={0: 358, 1: 154}),
                evaluations=(evaluation("training", 0.70, **skewed),),
                probes=(probe("expected", 0.95, chance=0.7),),
            )
        )
        assert set(measure_all(seen)) == {
            "chance-accuracy",
            "flat-loss",
            "single-class-predictions",
        }

    def test_only_the_last_fit_is_judged(self) -> None:
        first = fit(flat(40), evaluations=(evaluation("training", 0.12),))
        last = fit(
            falling(40),
            index=1,
            evaluations=(evaluation("training", 0.95), evaluation("validation", 0.92)),
        )
        assert measure_all(trace(first, last)) == {}

    def test_each_model_is_judged(self) -> None:
        """The second model learns; the first did not, and its fit is named."""
        bad = self.stuck().fits[0]
        good = healthy().fits[0].model_copy(update={"model": model(key=1), "site": place(50)})
        found = measure_all(trace(bad, good))
        assert found["chance-accuracy"].summary.endswith("(model of the fit at line 20)")


class TestBelowChance:
    def test_zero(self) -> None:
        seen = trace(fit(falling(40), evaluations=(scored(0.0),)))
        found = measure_all(seen)
        assert set(found) == {"zero-accuracy"}
        assert found["zero-accuracy"].severity == "error"

    def test_zero_of_few_images_among_many_classes_cannot_be_told(self) -> None:
        seen = trace(fit(falling(40), evaluations=(evaluation("validation", 0.0, classes=100),)))
        assert measure_all(seen) == {}

    def test_below_but_not_zero(self) -> None:
        found = measure_all(trace(fit(falling(40), evaluations=(scored(0.04),))))
        assert set(found) == {"below-chance"}

    def test_an_untrained_model_is_not_below_chance(self) -> None:
        """Its mistakes come in clumps: the binomial law does not hold for it."""
        seen = trace(fit(flat(60), evaluations=(scored(0.04),)))
        assert set(measure_all(seen)) == {"flat-loss"}

    def test_a_sample_with_few_of_the_classes(self) -> None:
        """Three of the eight classes are in the sample: guessing still is 1/8, not 1/3."""
        partial = evaluation("validation", 0.2, classes=3, confusion=None)
        seen = trace(fit(falling(40), evaluations=(evaluation("training", 0.9), partial)))
        assert measure_all(seen) == {}

    def test_validation_holds_one_unseen_class(self) -> None:
        """What ``validation_split`` makes of ordered data."""
        unseen = evaluation("validation", 0.0, classes=1, majority=1.0, confusion=None)
        seen = trace(fit(falling(40), evaluations=(evaluation("training", 0.9), unseen)))
        assert set(measure_all(seen)) == {"zero-accuracy"}

    def test_not_significant(self) -> None:
        assert measure_all(trace(fit(falling(40), evaluations=(scored(0.09),)))) == {}

    def test_naming_one_rare_class_is_not_below_chance(self) -> None:
        rare = ((0, 180), (0, 20))
        seen = trace(
            fit(
                falling(40, start=0.7, end=0.5, noise=0.02),
                evaluations=(
                    evaluation(
                        "validation",
                        0.1,
                        classes=2,
                        confusion=rare,
                        majority=0.9,
                        balanced_accuracy=None,
                    ),
                ),
            )
        )
        assert measure_all(seen) == {}


def test_single_class_predictions() -> None:
    seen = trace(
        fit(
            flat(40),
            evaluations=(evaluation("validation", 0.125, confusion=one_class()),),
            probes=(probe("as-is", 0.16),),
        )
    )
    found = measure_all(seen)
    assert set(found) == {"single-class-predictions", "flat-loss"}
    assert found["single-class-predictions"].summary.startswith("class 3 is predicted for 100% of")


def test_two_predicted_classes_are_not_one() -> None:
    table = tuple(tuple((20, 5)[c] if c < 2 else 0 for c in range(8)) for _ in range(8))
    seen = trace(fit(flat(40), evaluations=(evaluation("validation", 0.125, confusion=table),)))
    assert "single-class-predictions" not in measure_all(seen)


def test_the_confusion_helper_has_the_accuracy_it_is_asked_for() -> None:
    table = confusion(0.3, 200)
    assert sum(table[i][i] for i in range(8)) == 60
    assert sum(map(sum, table)) == 200
