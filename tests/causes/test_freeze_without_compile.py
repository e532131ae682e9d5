from __future__ import annotations

from typing import Any

import pytest

from tests.traces import backbone, fit, model, place, trace
from tlfix.causes.freeze_without_compile import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CompileSeen, Environment, FitSeen, Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick
CHANGE = "base.trainable = True  # fine-tune\n"
COMPILE = 'model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")\n'
FIRST, SECOND = 9, 12


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


def strength(text: str, seen: Trace | None = None) -> list[tuple[str, str]]:
    return [(finding.severity, finding.confidence) for finding in find(text, seen)]


class TestRead:
    @pytest.mark.parametrize(
        "change",
        [
            CHANGE,
            "for layer in base.layers[-20:]:\n    layer.trainable = True\n",
            "for layer in base.layers:\n    layer.trainable = True\n",
            "model.trainable = False\n",
        ],
    )
    def test_changed_between_two_fits(self, change: str) -> None:
        text = TEXT.replace(CHANGE, change)
        (finding,) = find(text)
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.site is not None and finding.site.line == 11
        assert finding.remedy is not None
        after = transform(text, "recompile", finding.remedy.edits["train.py"])
        assert after == text.replace(change, change + COMPILE)
        assert find(after) == []

    @pytest.mark.parametrize(
        "between",
        [
            "",
            CHANGE + COMPILE,
            COMPILE.join((CHANGE, "model.summary()\n")),
            "if fine_tune:\n    base.trainable = True\n",
            "base.trainable = flag\n",
            "base.trainable = False\n",  # it is already
            "other.trainable = True\n",
            f"{CHANGE}compile_model(model)\n",
            f"{CHANGE}model = keras.Model(inputs, outputs)\n",
        ],
    )
    def test_nothing_changes_or_it_is_compiled(self, between: str) -> None:
        assert find(TEXT.replace(CHANGE, between)) == []

    def test_between_compile_and_the_first_fit_it_counts(self) -> None:
        """So it is on Keras 3."""
        text = TEXT.replace(CHANGE, "").replace("model.fit", f"{CHANGE}model.fit", 1)
        assert find(text) == []

    def test_in_a_loop_the_order_of_lines_tells_nothing(self) -> None:
        text = TEXT.replace("model.fit(train, epochs=5)\n\n", "for i in range(2):\n    ")
        text = text.replace(CHANGE, "model.fit(train)\n    base.trainable = True\n")
        assert find(text) == []

    def test_in_functions(self) -> None:
        compiled = "def start():\n    model.compile('adam', 'mse')\n"
        assert find(TEXT.replace(CHANGE, f"{CHANGE}start()\n") + compiled) == []


def stage(index: int, trainable: int = 0, change: float | None = 0.0, **other: Any) -> FitSeen:
    fields: dict[str, Any] = {
        "index": index,
        "site": place(SECOND if index else FIRST),
        "model": model(backbone_trainable=trainable),
        "backbone_change": change,
    }
    return fit([1.0] * 20, **(fields | other))


def seen(*fits: FitSeen, keras: str = "3.15.0") -> Trace:
    environment = Environment(python="3.12", keras=keras)
    return trace(*fits, backbones=(backbone(site=place(3)),), environment=environment)


class TestMeasured:
    def test_unfreezing_moved_nothing(self) -> None:
        (finding,) = find(TEXT, seen(stage(0), stage(1, 397_000)))
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert [e.source for e in finding.evidence] == ["static", "probe"]

    def test_freezing_stopped_nothing(self) -> None:
        text = TEXT.replace("base.trainable = False\n", "").replace(CHANGE, CHANGE[:17] + "False\n")
        trained = seen(stage(0, 397_000, 0.1, site=place(8)), stage(1, 0, 0.04, site=place(11)))
        (finding,) = find(text, trained)
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert "frozen, and its kernels still changed by 4.00%" in finding.evidence[1].summary

    def test_moved_after_all(self) -> None:
        assert find(TEXT, seen(stage(0), stage(1, 397_000, 0.02))) == []

    def test_other_layers_moved_as_well(self) -> None:
        more = seen(stage(0, 100_000, 0.01), stage(1, 397_000, 0.02))
        assert strength(TEXT, more) == [("note", "possible")]

    def test_not_reached_or_not_measured(self) -> None:
        assert strength(TEXT, seen(stage(0))) == [("warning", "likely")]
        assert strength(TEXT, seen(stage(0), stage(1, 397_000, None))) == [("warning", "likely")]

    def test_without_a_reason_in_the_source_it_is_likely_only(self) -> None:
        text = TEXT.replace(CHANGE, "unfreeze(base)\n")
        (finding,) = find(text, seen(stage(0), stage(1, 397_000)))
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.remedy is not None
        assert find(text, seen(stage(0), stage(1, 5_000))) == []  # BatchNorm's scales alone

    @pytest.mark.parametrize(
        "other",
        [
            {"compiled": CompileSeen(optimizer="adam", learning_rate=1e-9)},
            {"compiled": CompileSeen(optimizer="adam", learning_rate=None)},
            {"model": model(key=1, backbone_trainable=397_000)},
            {"steps": ()},
        ],
    )
    def test_unmoved_for_another_reason(self, other: dict[str, Any]) -> None:
        text = TEXT.replace(CHANGE, "unfreeze(base)\n")
        assert find(text, seen(stage(0), stage(1, 397_000, **other))) == []

    def test_a_correct_program(self) -> None:
        text = CAUSE.examples.healthy
        assert find(text, seen(stage(0), stage(1, 397_000, 0.01, site=place(13)))) == []

    def test_keras_2_counts_from_compile(self) -> None:
        text = TEXT.replace("base.trainable = False\n", "").replace(
            "model.fit", "base.trainable = False\nmodel.fit", 1
        )
        text = text[: text.index(CHANGE)]
        moved = stage(0, 0, 0.04)
        assert strength(text, seen(moved, keras="2.15.0")) == [("error", "certain")]
        assert find(text, seen(stage(0, 0, 0.0), keras="2.15.0")) == []
        assert find(text, seen(stage(0, 0, 0.0))) == []
