from __future__ import annotations

from typing import Any

import pytest

from tests.traces import evaluation, falling, fit, flat, place, probe, trace
from tlfix.causes.spec import Case, Finding
from tlfix.causes.too_few_epochs import CAUSE
from tlfix.codemods import transform
from tlfix.probe.trace import Trace
from tlfix.program.reader import read
from tlfix.symptoms.registry import measure_all

TEXT = """\
import keras

EPOCHS = 2
base = keras.applications.MobileNetV2(include_top=False, pooling="avg")
model = keras.Sequential([base, keras.layers.Dense(8, activation="softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(train_ds, validation_data=val_ds, {})
"""
KNOWN = (evaluation("training", 0.86), evaluation("validation", 0.75))
IMPROVING = [2.3 * 0.985**i for i in range(60)]


def program(epochs: str = "epochs=2") -> str:
    return TEXT.format(epochs)


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    symptoms = {} if seen is None else measure_all(seen)
    return list(CAUSE.find(Case(read(text, "train.py"), seen, symptoms)))


def seen(losses: list[float] = IMPROVING, accuracy: float = 0.55, **other: Any) -> Trace:
    fields: dict[str, Any] = {
        "site": place(7),
        "epochs": 2,
        "ran_epochs": 2.0,
        "epoch_logs": ({"loss": 2.0, "val_loss": 1.9}, {"loss": 1.5, "val_loss": 1.4}),
        "evaluations": (evaluation("training", 0.57), evaluation("validation", accuracy)),
        "probes": (probe("as-is", 0.9),),
    }
    return trace(fit(losses, **(fields | other)))


def test_the_source_alone_tells_nothing() -> None:
    assert find(program()) == []


@pytest.mark.parametrize(
    ("epochs", "after"),
    [
        ("epochs=2", "epochs=6"),
        ("epochs=EPOCHS", "epochs=3 * EPOCHS"),
        ("epochs=args.epochs", "epochs=3 * args.epochs"),
    ],
)
def test_still_improving_and_far_below_the_features(epochs: str, after: str) -> None:
    (finding,) = find(program(epochs), seen())
    assert (finding.severity, finding.confidence) == ("warning", "likely")
    assert finding.cost == pytest.approx(0.35)
    assert finding.remedy is not None
    changed = transform(program(epochs), finding.remedy.codemod, finding.remedy.edits["train.py"])
    assert changed == program(after)


def test_short_trainings_are_looked_at_from_their_start() -> None:
    (finding,) = find(program(), seen(IMPROVING[:16]))
    assert "over all 16 steps" in finding.evidence[0].summary
    (finding,) = find(program(), seen(IMPROVING[:28]))
    assert "over the last 20 of all 28 steps" in finding.evidence[0].summary


@pytest.mark.parametrize("epochs", ["epochs=int(a) + b", "initial_epoch=1, epochs=2", "verbose=0"])
def test_elsewhere_advice(epochs: str) -> None:
    (finding,) = find(program(epochs), seen())
    assert finding.remedy is None and finding.advice is not None


def test_given_by_position_it_is_not_read_and_gets_advice() -> None:
    text = program().replace("train_ds, validation_data=val_ds, epochs=2", "x, y, 32, 2")
    (finding,) = find(text, seen())
    assert finding.remedy is None and finding.advice is not None


@pytest.mark.parametrize(
    "trace_",
    [
        seen(ended="budget"),
        seen(ended="time"),
        seen(ended="crashed"),
        seen(ran_epochs=1.2),
        seen(epochs=None),
        seen(accuracy=0.87),
        seen(probes=()),
        seen(flat(60, level=1.2)),
        seen(falling(30, end=1.2) + flat(60, level=1.2)),
        seen(evaluations=KNOWN),
        seen(IMPROVING[:9]),
        seen(epoch_logs=({"val_loss": 1.0}, {"val_loss": 1.3})),
    ],
    ids=[
        "cut by the budget",
        "cut by the clock",
        "crashed",
        "stopped early",
        "unknown",
        "reaches the features",
        "no reference",
        "flat",
        "converged",
        "training images known",
        "few steps",
        "validation loss rises",
    ],
)
def test_otherwise_nothing(trace_: Trace) -> None:
    assert find(program(), trace_) == []


def test_overfitting_needs_no_more_epochs() -> None:
    both = (evaluation("training", 1.0), evaluation("validation", 0.55))
    assert find(program(), seen(evaluations=both)) == []


def test_the_second_of_two_stages_is_judged_by_the_first_ones_reference() -> None:
    head = seen().fits[0]
    tuned = head.model_copy(update={"index": 1, "probes": ()})
    assert len(find(program(), trace(head, tuned))) == 1
    done = tuned.model_copy(update={"evaluations": (evaluation("validation", 0.89),)})
    assert find(program(), trace(head, done)) == []
