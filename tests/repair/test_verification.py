"""Decisions from constructed trials: the arithmetic is small enough to follow by hand."""

from __future__ import annotations

import pytest

from tlfix.probe.trace import Crash, DataSeen, Evaluation, FitSeen, ModelSeen, Trace
from tlfix.repair.scores import choose_metric, score
from tlfix.repair.verification import in_words, verify


def trace(
    accuracy: float | None = None,
    *,
    seed: int = 0,
    n: int = 200,
    split: str = "validation",
    crash: Crash | None = None,
    histogram: dict[int, int] | None = None,
    **more: object,
) -> Trace:
    evaluations = ()
    if accuracy is not None:
        seen = {"split": split, "mode": "inference", "when": "after", "n": n, "accuracy": accuracy}
        evaluations = (Evaluation.model_validate({**seen, **more}),)
    data = DataSeen(split="training", kind="array", histogram=histogram)
    fit = FitSeen(
        index=0,
        model=ModelSeen(key=0, kind="functional"),
        training=data,
        evaluations=evaluations,
    )
    return Trace(status="crashed" if crash else "completed", seed=seed, fits=(fit,), crash=crash)


def decide(before: list[Trace], after: list[Trace]) -> tuple[str, str | None]:
    metric = choose_metric((), [*before, *after])
    found = verify(metric, [score(t, metric) for t in before], [score(t, metric) for t in after])
    return found.decision, found.reason


def runs(*accuracies: float, n: int = 200) -> list[Trace]:
    return [trace(a, seed=seed, n=n) for seed, a in enumerate(accuracies)]


CRASH = Crash(type="TypeError", message="fit() got an unexpected keyword\nmore")


@pytest.mark.parametrize(
    ("before", "after", "n", "decision"),
    [
        ((0.37, 0.39, 0.35), (0.91, 0.90, 0.92), 200, "improved"),
        ((0.91, 0.90, 0.92), (0.37, 0.39, 0.35), 200, "worse"),
        ((0.80, 0.80, 0.80), (0.80, 0.80, 0.80), 10_000, "unchanged"),
        # The same runs on 200 images: ±0.08, which says nothing.
        ((0.80, 0.80, 0.80), (0.80, 0.80, 0.80), 200, "inconclusive"),
        # Five points gained on average, but not with every seed.
        ((0.80, 0.80, 0.80), (0.95, 0.80, 0.80), 10_000, "inconclusive"),
        # Surely more, and not worth a commit.
        ((0.800, 0.800, 0.800), (0.806, 0.806, 0.806), 1_000_000, "unchanged"),
    ],
)
def test_decision(
    before: tuple[float, ...], after: tuple[float, ...], n: int, decision: str
) -> None:
    assert decide(runs(*before, n=n), runs(*after, n=n))[0] == decision


def test_the_numbers_that_leave() -> None:
    before, after = runs(0.37, 0.39, 0.35), runs(0.91, 0.90, 0.92)
    found = verify(
        "validation_accuracy",
        [score(t, "validation_accuracy") for t in before],
        [score(t, "validation_accuracy") for t in after],
    )
    assert found.metric == "validation_accuracy"
    assert found.before == (0.37, 0.39, 0.35)
    assert found.after == (0.91, 0.90, 0.92)
    assert found.seeds == (0, 1, 2)
    assert found.delta == pytest.approx(0.54)
    assert found.ci95 is not None
    # Seeds: differences .54 .51 .57, s = .03, ±4.30 · .03 / √3 = ±.0745;
    # images: √(.37·.63/204 + .91·.09/204) ≈ .040. Together ±.09.
    assert found.ci95 == pytest.approx((0.449, 0.631), abs=0.01)
    assert in_words(found).startswith("validation accuracy 0.370 → 0.910 (+0.540, 95 % interval")


def test_flags_per_image_make_a_small_gain_visible() -> None:
    def runs_with_flags(right: int) -> list[Trace]:
        flags = tuple(i < right for i in range(200))
        return [trace(right / 200, seed=s, correct=flags) for s in range(3)]

    assert decide(runs_with_flags(170), runs_with_flags(180))[0] == "improved"
    assert decide(runs(0.85, 0.85, 0.85), runs(0.90, 0.90, 0.90))[0] == "inconclusive"


def test_it_runs_where_it_crashed_before() -> None:
    crashed = [trace(seed=s, crash=CRASH) for s in range(3)]
    metric = choose_metric((), [*crashed, *runs(0.8, 0.8, 0.8)])
    after = [score(t, metric) for t in runs(0.8, 0.8, 0.8)]
    found = verify(metric, [score(t, metric) for t in crashed], after)
    assert (found.decision, found.delta, found.ci95) == ("improved", None, None)
    assert found.before == (None, None, None)
    assert found.reason == "it ran where it crashed before"


def test_every_seed_has_to_finish() -> None:
    crashed = [trace(seed=s, crash=CRASH) for s in range(3)]
    mixed = [*runs(0.8, 0.8), trace(seed=2, crash=CRASH)]
    assert decide(crashed, mixed)[0] == "inconclusive"
    assert decide(runs(0.8, 0.8, 0.8), mixed)[0] == "worse"


def test_finishing_without_a_score_is_not_an_improvement() -> None:
    crashed = [trace(seed=s, crash=CRASH) for s in range(3)]
    unscored = [trace(seed=s) for s in range(3)]
    decision, reason = decide(crashed, unscored)
    assert decision == "inconclusive"
    assert reason is not None
    assert "was not scored" in reason


def test_a_crash_on_the_first_seed_is_enough_to_be_worse() -> None:
    decision, reason = decide(runs(0.8, 0.8, 0.8), [trace(crash=CRASH)])
    assert decision == "worse"
    assert reason == "it crashes where it ran before: TypeError: fit() got an unexpected keyword"


def test_both_crash() -> None:
    crashed = [trace(seed=s, crash=CRASH) for s in range(3)]
    decision, reason = decide(crashed, crashed[:1])
    assert decision == "inconclusive"
    assert reason is not None
    assert reason.startswith("it still crashes: TypeError")


def test_a_crash_after_training_does_not_hide_the_score() -> None:
    late = Crash(type="KeyError", message="'acc'", during="after")
    before = [trace(0.4, seed=s, crash=late) for s in range(3)]
    assert decide(before, [trace(0.9, seed=s, crash=late) for s in range(3)])[0] == "improved"
    assert decide(before, runs(0.4, 0.4, 0.4)) == ("improved", "it ran where it crashed before")
    assert decide(before, runs(0.1, 0.1, 0.1))[0] == "worse"


def test_balanced_accuracy_where_classes_are_imbalanced() -> None:
    even, skewed = trace(0.8, histogram={0: 50, 1: 60}), trace(0.8, histogram={0: 90, 1: 10})
    assert choose_metric((), [even]) == "validation_accuracy"
    assert choose_metric((), [skewed]) == "validation_balanced_accuracy"
    assert choose_metric(("class-imbalance",), [even]) == "validation_balanced_accuracy"
    assert choose_metric(("learning-rate-high",), [even]) == "validation_accuracy"
    assert choose_metric((), [trace(0.8, split="training")]) == "training_accuracy"


def test_training_accuracy_only_if_a_finished_run_has_no_validation() -> None:
    crashed = trace(crash=CRASH)
    assert choose_metric((), [crashed, trace(0.8)]) == "validation_accuracy"
    assert choose_metric((), [trace(0.8, split="training"), trace(0.8)]) == "training_accuracy"


def test_balanced_accuracy_is_as_uncertain_as_its_rarest_class() -> None:
    # 95 images of one class, 5 of the other.
    seen = trace(0.97, n=100, balanced_accuracy=0.8, confusion=((95, 0), (2, 3)))
    measured = score(seen, "validation_balanced_accuracy")
    common, rare = (97 / 99) * (2 / 99) / 99, (5 / 9) * (4 / 9) / 9
    assert measured.value == 0.8
    assert measured.variance == pytest.approx((common + rare) / 4)


def test_predictions_that_are_not_numbers_score_nothing() -> None:
    broken = trace(0.0, finite=False).fits[0].evaluations[0].model_copy(update={"accuracy": None})
    base = trace(0.5)
    fit = base.fits[0].model_copy(update={"evaluations": (broken,)})
    assert score(base.model_copy(update={"fits": (fit,)}), "validation_accuracy").value == 0.0


def test_the_last_fit_that_was_scored_counts() -> None:
    first, second = trace(0.4).fits[0], trace(0.9).fits[0]
    assert score(Trace(fits=(first, second)), "validation_accuracy").value == 0.9
    assert score(Trace(fits=(first, trace().fits[0])), "validation_accuracy").value == 0.4
