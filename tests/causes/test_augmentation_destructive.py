from __future__ import annotations

import pytest

from tests.traces import RAW, data, door, evaluation, fit, place, probe, trace
from tlfix.causes.augmentation_destructive import CAUSE, find
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import FitSeen, NeighboursSeen
from tlfix.program.reader import read

SOURCE = CAUSE.examples.sick
LINE = SOURCE[: SOURCE.index("model.fit(")].count("\n") + 1


def seen(as_is: float, unaugmented: float | None, *, n: int = 200, **more: object) -> FitSeen:
    probes = [probe("as-is", as_is, n=n)]
    if unaugmented is not None:
        probes.append(probe("as-is", unaugmented, n=n, variant="unaugmented"))
    training = data("training", augmentation={"rotation_range": 180})
    fields: dict[str, object] = {"probes": tuple(probes), "training": training}
    return fit(site=place(LINE), **(fields | more))  # type: ignore[arg-type]


def found(one: FitSeen | None, source: str = SOURCE) -> list[Finding]:
    return list(find(Case(read(source, "train.py"), trace(one) if one else None)))


def test_features_that_are_worth_more_without_it_are_a_warning() -> None:
    (finding,) = found(seen(0.6, 0.9))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.cost == pytest.approx(0.3)
    accuracy, p = finding.evidence[0].measured
    assert (accuracy.value, accuracy.threshold, accuracy.n) == (0.6, 0.9, 200)
    # 60 images only the one gets right and none only the other: 2 * 0.5 ** 60.
    assert p.value == pytest.approx(2 * 0.5**60)


@pytest.mark.parametrize(
    "one",
    [None, seen(0.6, None), seen(0.9, 0.9), seen(0.9, 0.6), seen(0.88, 0.92), seen(0.5, 0.8, n=10)],
)
def test_nothing_without_a_significant_loss(one: FitSeen | None) -> None:
    assert found(one) == []


MAPPED = {
    "training": data("training", repeats_exactly=False, augmentation={"augment": "RandomUniform"}),
    "doors": (door(), door(split="validation")),
    "neighbours": NeighboursSeen(n=240, k=5, agreement=0.3, shuffled_mean=0.12, shuffled_std=0.01),
    "probes": (
        probe("as-is", 0.45, n=160),
        probe("as-is", 0.8, n=160, variant="validation", training=128),
    ),
}


def test_validation_images_stand_in_for_a_function_that_is_mapped() -> None:
    (finding,) = found(seen(0, None, **MAPPED))
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert "on 128 other validation images" in finding.evidence[0].summary


@pytest.mark.parametrize(
    "other",
    [
        {"training": data("training", repeats_exactly=True)},
        {"doors": (door(), door(RAW, split="validation"))},
        {
            "neighbours": NeighboursSeen(
                n=240, k=5, agreement=0.13, shuffled_mean=0.12, shuffled_std=0.01
            )
        },
    ],
    ids=["nothing random", "scaled differently", "labels at random"],
)
def test_not_where_something_else_sets_the_splits_apart(other: dict[str, object]) -> None:
    assert found(seen(0, None, **(MAPPED | other))) == []


def test_a_model_that_learned_all_the_same_makes_it_a_note() -> None:
    (finding,) = found(seen(0.6, 0.9, evaluations=(evaluation("validation", 0.91),)))
    assert finding.severity == "note" and finding.cost is None


def test_the_cure_softens_what_is_beyond_the_usual() -> None:
    (finding,) = found(seen(0.6, 0.9))
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    assert transform(SOURCE, finding.remedy.codemod, parameters) == SOURCE.replace(
        "rotation_range=180, zoom_range=0.9, width_shift_range=0.8",
        "rotation_range=20, zoom_range=0.1, width_shift_range=0.1",
    )


@pytest.mark.parametrize(
    ("given", "softened"),
    [
        ("RandomRotation(0.5)", "RandomRotation(0.1)"),
        (
            "RandomZoom(height_factor=0.2, width_factor=(-0.7, 0.7))",
            "RandomZoom(height_factor=0.2, width_factor=0.1)",
        ),
        ("RandomFlip()", 'RandomFlip(mode="horizontal")'),
    ],
)
def test_layers_are_softened_too(given: str, softened: str) -> None:
    mild = CAUSE.examples.healthy.replace("Sequential([", f"Sequential([tf.keras.layers.{given}, ")
    (finding,) = found(seen(0.6, 0.9), mild)
    assert finding.remedy is not None
    (parameters,) = finding.remedy.edits.values()
    assert transform(mild, finding.remedy.codemod, parameters) == mild.replace(given, softened)


def test_what_is_usual_already_is_advised_on() -> None:
    (finding,) = found(seen(0.6, 0.9), CAUSE.examples.healthy)
    assert finding.remedy is None and "halve" in (finding.advice or "")
