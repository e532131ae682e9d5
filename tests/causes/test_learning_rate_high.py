from __future__ import annotations

from typing import Any

import pytest

from tests.traces import RAW, backbone, door, evaluation, fit, model, place, probe, trace
from tlfix.causes.learning_rate_high import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CompileSeen, RangeTest, Trace
from tlfix.program.reader import read

TEXT = """\
import keras

base = keras.applications.VGG16(weights="imagenet", include_top=False, pooling="avg")
base.trainable = {trainable}
model = keras.Sequential([base, keras.layers.Dense(8, activation="softmax")])
model.compile(optimizer={optimizer}, loss="categorical_crossentropy")
model.fit(train_ds, epochs=5)
"""


def program(optimizer: str, trainable: bool = False) -> str:
    return TEXT.format(optimizer=optimizer, trainable=trainable)


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


def ranged(losses: dict[float, float | None], current: float, **other: Any) -> Trace:
    test = RangeTest(
        rates=tuple(losses),
        losses=tuple(losses.values()),
        initial=2.1,
        current=current,
        steps=20,
        corrected=other.pop("corrected", False),
    )
    fields: dict[str, Any] = {
        "range_test": test,
        "site": place(7),
        "compiled": CompileSeen(site=place(6), optimizer="adam", learning_rate=current),
    }
    return trace(fit([2.0] * 40, **(fields | other)), backbones=(backbone(site=place(3)),))


RISING = {1e-5: 2.0, 1e-4: 1.4, 1e-3: 0.6, 1e-2: 2.9, 1e-1: None}


class TestRead:
    @pytest.mark.parametrize(
        ("optimizer", "trainable", "expected"),
        [
            ("keras.optimizers.Adam(0.01)", True, 1e-5),
            ("keras.optimizers.Adam(0.01)", False, None),
            ("keras.optimizers.RMSprop(0.5)", False, 0.001),
            ("keras.optimizers.Adam(1e-3)", True, None),
            ("keras.optimizers.SGD(0.1, momentum=0.9)", True, None),
            ("keras.optimizers.SGD(1.0)", True, 1e-4),
            ("keras.optimizers.Adadelta(1.0)", True, None),
            ("keras.optimizers.Adam(rate)", True, None),
            ('"adam"', True, None),
        ],
    )
    def test_only_absurd_rates(
        self, optimizer: str, trainable: bool, expected: float | None
    ) -> None:
        found = find(program(optimizer, trainable))
        assert [f.severity for f in found] == ([] if expected is None else ["warning"])
        if expected is not None:
            assert found[0].remedy is not None
            assert found[0].remedy.edits["train.py"]["rate"] == expected


class TestMeasured:
    def test_divergence_is_certain_and_the_new_rate_comes_from_the_test(self) -> None:
        text = program("keras.optimizers.Adam(0.01)")
        (finding,) = find(text, ranged(RISING, 1e-2))
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert finding.remedy is not None
        # 1e-3 has the lowest loss, but the next rate up diverges: one notch lower.
        after = transform(text, "set_learning_rate", finding.remedy.edits["train.py"])
        assert after == text.replace("Adam(0.01)", "Adam(1e-4)")

    def test_not_finite_is_divergence(self) -> None:
        (finding,) = find(program('"adam"'), ranged(RISING, 1e-1))
        assert (finding.severity, finding.confidence) == ("error", "certain")

    def test_much_worse_than_a_lower_rate(self) -> None:
        losses = {1e-4: 0.5, 1e-3: 0.4, 1e-2: 1.7}
        (finding,) = find(program("keras.optimizers.Adam(0.01)"), ranged(losses, 1e-2))
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.remedy is not None
        assert finding.remedy.edits["train.py"]["rate"] == 1e-3

    @pytest.mark.parametrize(
        "losses",
        [
            {1e-4: 1.5, 1e-3: 0.6, 1e-2: 0.9},  # both learn
            {1e-4: 2.0, 1e-3: 2.0, 1e-2: 2.2},  # neither learns
            {1e-3: 2.3, 1e-2: 2.8},  # both rise
            {1e-2: 0.5, 1e-1: None},  # only a higher rate is worse
        ],
    )
    def test_otherwise_nothing(self, losses: dict[float, float | None]) -> None:
        # The measurement decides: the source alone would have given a warning.
        text = program("keras.optimizers.Adam(0.01)", trainable=True)
        assert len(find(text)) == 1
        assert find(text, ranged(losses, 1e-2)) == []

    def test_under_wrong_scaling_it_is_a_note(self) -> None:
        text = program("keras.optimizers.Adam(0.01)")
        (finding,) = find(text, ranged(RISING, 1e-2, doors=(door(RAW),)))
        assert finding.severity == "note"
        (finding,) = find(text, ranged(RISING, 1e-2, doors=(door(RAW),), corrected=True))
        assert finding.severity == "error"

    def test_an_ordinary_rate_on_an_unfrozen_backbone_is_that_causes_affair(self) -> None:
        everything = model(backbone_trainable=400_000)
        losses = {1e-5: 1.2, 1e-4: 0.6, 1e-3: 2.5}
        (finding,) = find(program('"adam"', True), ranged(losses, 1e-3, model=everything))
        assert finding.severity == "note"
        (finding,) = find(program('"adam"', True), ranged(RISING, 1e-2, model=everything))
        assert finding.severity == "error"

    def test_a_model_that_reaches_its_features_gets_a_note_unless_its_loss_diverges(self) -> None:
        good = {
            "probes": (probe("as-is", 0.9),),
            "evaluations": (evaluation("validation", 0.9),),
        }
        (finding,) = find(program('"adam"'), ranged(RISING, 1e-2, **good))
        assert finding.severity == "warning"
        worse = {1e-4: 0.6, 1e-3: 0.5, 1e-2: 1.9}
        (finding,) = find(program('"adam"'), ranged(worse, 1e-2, **good))
        assert finding.severity == "note"

    def test_a_schedule_gets_advice(self) -> None:
        compiled = CompileSeen(site=place(6), learning_rate=1e-2, scheduled=True)
        (finding,) = find(program("opt"), ranged(RISING, 1e-2, compiled=compiled))
        assert finding.remedy is None
        assert finding.advice is not None and "schedule" in finding.advice
