"""Verdicts, exit codes, notes and the reference, on traces and causes made for the purpose."""

from __future__ import annotations

from typing import Any

import pytest

from tests.test_ranking import PROGRAM, TEXT, finding, spec
from tests.traces import (
    backbone,
    crashed,
    data,
    evaluation,
    falling,
    fit,
    flat,
    healthy,
    probe,
    trace,
)
from tlfix.causes.spec import CauseSpec
from tlfix.diagnosis import diagnose, exit_code
from tlfix.findings import Diagnosis
from tlfix.probe.trace import Environment, Trace


def diagnosis(seen: Trace | None, *specs: CauseSpec) -> Diagnosis:
    made, _ = diagnose(PROGRAM, "0" * 64, seen, {"train.py": TEXT}, specs=specs, strict=True)
    return made


def stuck(**other: Any) -> Trace:
    return trace(
        fit(
            flat(40),
            evaluations=(evaluation("training", 0.13), evaluation("validation", 0.12)),
            probes=(probe("as-is", 0.14), probe("expected", 0.91, features=1280)),
        ),
        **other,
    )


WARNING = spec("TL102", finding("warning", explains=("chance-accuracy", "chance-validation")))
ERROR = spec("TL901", finding("error", explains=("crash",)))
NOTE = spec("TL305", finding("note", explains=("chance-accuracy",)))


@pytest.mark.parametrize(
    ("seen", "specs", "verdict", "code"),
    [
        (healthy(), (), "healthy", 0),
        (healthy(), (NOTE,), "healthy", 0),
        (healthy(), (WARNING,), "sick", 1),
        (stuck(), (WARNING,), "sick", 1),
        # at chance, and nothing known explains it
        (stuck(), (), "inconclusive", 0),
        (stuck(), (NOTE,), "inconclusive", 0),
        (crashed(fits=()), (), "crashed", 3),
        (crashed(fits=()), (ERROR,), "crashed", 1),
        (crashed(fits=()), (WARNING,), "crashed", 3),
        # it crashed after something was measured
        (crashed(fits=healthy().fits), (), "crashed", 3),
        (crashed(fits=healthy().fits), (WARNING,), "crashed", 1),
        (trace(status="timed-out", reason="60 s"), (), "inconclusive", 3),
        (trace(status="timed-out"), (WARNING,), "sick", 3),
        (healthy().model_copy(update={"status": "timed-out"}), (), "inconclusive", 3),
        (healthy().model_copy(update={"status": "timed-out"}), (WARNING,), "sick", 1),
        # nothing was trained
        (trace(), (), "inconclusive", 3),
        (trace(), (NOTE,), "inconclusive", 3),
        (trace(), (WARNING,), "sick", 1),
        (trace(fit([])), (), "inconclusive", 0),
        (None, (), "inconclusive", 3),
        (None, (WARNING,), "sick", 3),
        (None, (ERROR,), "sick", 1),
    ],
)
def test_verdict_and_exit_code(
    seen: Trace | None, specs: tuple[CauseSpec, ...], verdict: str, code: int
) -> None:
    made = diagnosis(seen, *specs)
    assert (made.verdict, exit_code(made)) == (verdict, code)


def test_too_few_steps_to_judge() -> None:
    made = diagnosis(trace(fit(falling(8, start=2.4, end=2.0))))
    assert made.verdict == "inconclusive"
    assert made.notes == (
        "Only 8 training steps were seen: too few to judge learning, 20 are needed.",
    )


def test_a_script_without_training_is_told_so() -> None:
    assert diagnosis(trace()).notes == (
        "The script ended without any training call that tlfix can see: no fit, train_on_batch or "
        "optimizer step was reached.",
    )
    assert diagnosis(trace(status="timed-out")).notes == (
        "The probe ran out of time before any training was seen: give it more, or let the script "
        "use less data.",
    )


def measured(*splits: str, accuracy: float | None = 0.95, **other: Any) -> Diagnosis:
    """A healthy program whose last fit was scored on ``splits`` alone."""
    scores = tuple(evaluation(split, accuracy, loss=0.3) for split in splits)
    return diagnosis(trace(fit(falling(60), evaluations=scores, **other)))


def test_healthy_without_validation_data_says_so() -> None:
    made = measured("training", validation=None)
    assert made.verdict == "healthy"
    assert made.notes == (
        "No validation data: tlfix saw none in the last training, so only training images were "
        "judged.",
    )


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("continuous", "the labels are continuous, not one class per image"),
        ("none", "no predictions could be held against labels"),
    ],
)
def test_healthy_without_accuracy_says_so(kind: str, why: str) -> None:
    validation = data("validation", label_kind=kind)
    made = measured("training", "validation", accuracy=None, validation=validation)
    assert made.verdict == "healthy"
    assert made.notes == (f"Accuracy was not measured: {why}, so only the loss was judged.",)


def test_healthy_with_all_measured_says_nothing() -> None:
    made = measured("training", "validation")
    assert (made.verdict, made.notes) == ("healthy", ())


def test_few_steps_are_enough_where_the_model_has_learned() -> None:
    seen = trace(
        fit(
            falling(12),
            evaluations=(evaluation("validation", 0.90),),
            probes=(probe("as-is", 0.91),),
        )
    )
    assert diagnosis(seen).verdict == "healthy"


def test_far_behind_its_features_is_not_healthy() -> None:
    found = (evaluation("training", 0.25), evaluation("validation", 0.25))
    few = fit(falling(60, end=1.9), evaluations=found, probes=(probe("as-is", 0.9),))
    made = diagnosis(trace(few))
    assert made.verdict == "inconclusive"
    assert "0.25 after 60 steps where the features allow 0.90" in made.notes[0]
    near = fit(falling(60), evaluations=(evaluation("validation", 0.7),), probes=few.probes)
    assert diagnosis(trace(near)).verdict == "healthy"


def test_missing_weights() -> None:
    """Random weights in place of pretrained ones: nothing about learning is concluded."""
    made = diagnosis(stuck(backbones=(backbone(weights_status="missing"),)))
    assert made.verdict == "inconclusive"
    assert made.symptoms == ()
    assert made.reference.accuracy is None
    assert "learning cannot be judged" in made.notes[0]


def test_missing_weights_of_a_network_nobody_trained() -> None:
    spare = backbone(key=7, weights_status="missing")
    assert diagnosis(healthy().model_copy(update={"backbones": (backbone(), spare)})).notes == ()


def test_unexplained_symptoms_are_kept_and_named() -> None:
    made = diagnosis(stuck(), WARNING)
    assert {symptom.id for symptom in made.symptoms} >= {"chance-accuracy", "flat-loss"}
    assert len(made.notes) == 1
    assert made.notes[0].startswith("No cause that tlfix knows explains flat-loss: ")


def test_a_crash_is_told_once() -> None:
    made = diagnosis(crashed("Shapes differ"))
    assert "No cause that tlfix knows explains the crash." in made.notes
    assert sum("Shapes differ" in text for text in (*made.notes, made.symptoms[0].summary)) == 1


def test_reference_under_the_backbones_own_scaling() -> None:
    reference = diagnosis(stuck()).reference
    assert reference.accuracy == 0.91 and reference.chance == 0.125
    assert reference.method == (
        "ridge classifier on 1280 features of MobileNetV2, 256 training and 200 validation images, "
        "scaled as mobilenet_v2.preprocess_input does"
    )


def test_reference_as_the_program_scales() -> None:
    method = diagnosis(healthy()).reference.method
    assert method is not None and method.endswith("validation images, scaled as the program does")


def test_chance_without_a_reference() -> None:
    seen = trace(fit(falling(40), evaluations=(evaluation("validation", 0.9),)))
    reference = diagnosis(seen).reference
    assert (reference.accuracy, reference.chance) == (None, 0.125)


def test_notes_of_the_trace_and_of_its_fits() -> None:
    seen = healthy().model_copy(update={"notes": ("plots were closed",)})
    fits = (seen.fits[0].model_copy(update={"notes": ("labels unseen", "labels unseen")}),)
    made = diagnosis(seen.model_copy(update={"fits": fits}))
    assert made.notes == ("plots were closed", "labels unseen")


def test_document() -> None:
    environment = Environment(python="3.11.9", keras="3.15.0", backend="tensorflow")
    seen = healthy().model_copy(update={"environment": environment, "timings": {"import": 3.0}})
    document = diagnosis(seen, WARNING).model_dump(mode="json", by_alias=True)
    assert document["schema"] == "tlfix.diagnosis/1"
    assert document["script"] == {"path": "train.py", "kind": "python", "sha256": "0" * 64}
    assert document["environment"]["keras"] == "3.15.0"
    assert document["probe"]["fits"] == 1 and document["probe"]["steps"] == 60
    assert document["causes"][0]["explains"] == []
    assert document["timings"] == {"import": 3.0}
    assert Diagnosis.model_validate(document) == diagnosis(seen, WARNING)


def test_the_same_trace_twice_gives_the_same_diagnosis() -> None:
    assert diagnosis(stuck(), WARNING, NOTE) == diagnosis(stuck(), WARNING, NOTE)
