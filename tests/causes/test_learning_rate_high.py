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


def test_where_the_own_rate_diverges_a_rate_that_moves_the_loss_is_enough() -> None:
    """A small vocabulary's embedding at 5.0: twenty steps at 0.05 win 18 % of the loss."""
    losses = {0.005: 2.07, 0.05: 1.72, 0.5: 9.2, 5.0: 353.0}
    (finding,) = find(program("keras.optimizers.Adam(5.0)"), ranged(losses, 5.0))
    assert finding.severity != "note"
    assert find(program("keras.optimizers.Adam(5.0)"), ranged(losses | {5.0: 1.9}, 5.0)) == []


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


HELPERS = """\
import keras
from keras.applications import MobileNetV2
from keras.optimizers import Adam

def make():
    m = keras.Sequential([keras.layers.Dense(8, activation="softmax")])
    m.compile(Adam({own}), "categorical_crossentropy")
    return m

def mob():
    b = MobileNetV2(include_top=False, pooling="avg")
    b.trainable = {trainable}
    return b

b = mob()
m = keras.Sequential([b, keras.layers.Dense(8, activation="softmax")])
m.compile({rate}, "categorical_crossentropy")
m.fit(train_ds)
"""


class TestWhoseRate:
    def test_the_rate_of_another_model_is_not_the_backbones(self) -> None:
        text = HELPERS.format(own="1e-2", trainable=False, rate='"adam"')
        assert find(text) == []
        assert find(HELPERS.format(own="1e-2", trainable=True, rate='"adam"')) == []

    def test_its_own_is(self) -> None:
        (finding,) = find(HELPERS.format(own="1e-3", trainable=True, rate="Adam(1e-2)"))
        assert finding.site is not None and finding.site.line == 17
        assert "MobileNetV2" in finding.evidence[0].summary

    def test_a_head_on_cached_features_in_the_same_script(self) -> None:
        text = program('"adam"', trainable=True) + (
            "small = keras.Sequential([keras.layers.Dense(8)])\n"
            'small.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")\n'
        )
        assert find(text) == []

    def test_a_compile_that_no_fit_ran_under_is_left_alone(self) -> None:
        text = HELPERS.format(own="0.5", trainable=False, rate='"adam"')
        assert [f.site.line for f in find(text) if f.site] == [7]

        def ran(line: int | None) -> Trace:
            site = place(line) if line else None
            return trace(fit([2.0] * 20, compiled=CompileSeen(site=site, optimizer="adam")))

        assert find(text, ran(17)) == []
        assert len(find(text, ran(7))) == 1
        # Where the probe does not know which compile it was, and where no fit was reached.
        assert len(find(text, ran(None))) == 1
        assert len(find(text, trace(status="crashed"))) == 1
