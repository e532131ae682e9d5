from __future__ import annotations

from typing import Any

import pytest

from tests.traces import backbone, evaluation, fit, model, place, probe, trace
from tlfix.causes.backbone_unfrozen import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import CompileSeen, FitSeen, Trace
from tlfix.program.reader import read

PROGRAM = """\
import keras
from keras import layers

base = keras.applications.MobileNetV2(weights="imagenet", include_top=False, pooling="avg")
{freeze}outputs = layers.Dense(8, activation="softmax")(base.output)
model = keras.Model(base.input, outputs)
model.compile(optimizer={optimizer}, loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(train_ds, validation_data=val_ds, epochs=5)
"""


def program(freeze: str = "", optimizer: str = '"adam"') -> str:
    return PROGRAM.format(freeze=freeze, optimizer=optimizer)


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


def severities(text: str, seen: Trace | None = None) -> list[str]:
    return [finding.severity for finding in find(text, seen)]


def unfrozen(**other: Any) -> FitSeen:
    fields: dict[str, Any] = {
        "site": place(8),
        "model": model(trainable=408_000, backbone_trainable=397_000, backbone_training_mode=True),
        "backbone_change": 0.08,
    }
    return fit([2.0] * 40, **(fields | other))


def seen(*fits: FitSeen, **other: Any) -> Trace:
    return trace(*fits, backbones=(backbone(site=place(4), **other),))


class TestRead:
    @pytest.mark.parametrize(
        ("optimizer", "expected"),
        [
            ('"adam"', ["warning"]),
            ('"rmsprop"', ["warning"]),
            ('"sgd"', ["warning"]),
            ("keras.optimizers.Adam(3e-4)", ["warning"]),
            ("keras.optimizers.Adam(1e-5)", ["note"]),
            ("keras.optimizers.SGD(1e-3, momentum=0.9)", ["note"]),
            ("keras.optimizers.Adam(rate)", []),
            ("optimizer", []),
            ('"adadelta"', []),
        ],
    )
    def test_by_the_rate(self, optimizer: str, expected: list[str]) -> None:
        assert severities(program(optimizer=optimizer)) == expected

    @pytest.mark.parametrize(
        "freeze",
        [
            "base.trainable = False\n",
            "for layer in base.layers:\n    layer.trainable = False\n",
            "for layer in base.layers[:-4]:\n    layer.trainable = False\n",
            "base.trainable = flag\n",
            "freeze(base)\n",
            "if flag:\n    base.trainable = False\n",
            "base.trainable = False\nif flag:\n    base.trainable = True\n",
            "base.trainable = False\nfor layer in base.layers:\n"
            "    if layer.name.endswith('bn'):\n        layer.trainable = True\n",
            "base.trainable = False\nfor layer in base.layers[-9:]:\n    layer.trainable = True\n",
            "for layer in base.layers: setattr(layer, 'trainable', False)\n",
            "[setattr(layer, 'trainable', 0) for layer in base.layers]\n",
        ],
    )
    def test_whatever_may_freeze_it_keeps_it_quiet(self, freeze: str) -> None:
        assert severities(program(freeze)) == []

    @pytest.mark.parametrize(
        "text",
        [
            program().replace('"imagenet"', "None"),
            program().replace("base.output", "features").replace("base.input", "inputs"),
            program(optimizer='"adam"').replace("epochs=5", "callbacks=[LearningRateScheduler(f)]")
            + "from keras.callbacks import LearningRateScheduler\nLearningRateScheduler(f)\n",
        ],
    )
    def test_nothing_to_say_of(self, text: str) -> None:
        assert severities(text) == []

    def test_a_comment_freezes_nothing(self) -> None:
        assert severities(program("# base.trainable = False  (freeze)\n")) == ["warning"]

    def test_it_points_at_the_statement_that_unfreezes(self) -> None:
        (finding,) = find(program("base.trainable = True\n"))
        assert finding.site is not None and finding.site.line == 5
        (finding,) = find(program())
        assert finding.site is not None and finding.site.line == 4

    def test_a_variable_bound_again_gets_the_freeze_alone(self) -> None:
        text = program().replace("base", "model")
        (finding,) = find(text)
        assert finding.remedy is not None and finding.remedy.codemod == "freeze_backbone"
        after = transform(text, "freeze_backbone", finding.remedy.edits["train.py"])
        assert after == program("base.trainable = False\n").replace("base", "model")

    def test_without_a_fit_there_is_advice(self) -> None:
        text = program().replace("model.fit", "# model.fit")
        (finding,) = find(text)
        assert finding.severity == "warning" and finding.advice


BASELINE = """\
import keras
small = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(8, activation="softmax")])
small.compile({small}, "categorical_crossentropy")
small.fit(train_ds)
base = keras.applications.MobileNetV2(include_top=False, pooling="avg")
{freeze}model = keras.Sequential([base, keras.layers.Dense(8, activation="softmax")])
model.compile({rate}, "categorical_crossentropy")
model.fit(train_ds)
"""


class TestWhoseTraining:
    def test_a_baseline_that_trains_first_is_not_the_backbones(self) -> None:
        frozen = BASELINE.format(small='"adam"', rate='"adam"', freeze="base.trainable = False\n")
        assert find(frozen) == []
        # Nor where the baseline is made and trained between backbone and freeze.
        lines = frozen.splitlines(keepends=True)
        assert find("".join([lines[0], lines[4], *lines[1:4], *lines[5:]])) == []

    def test_its_own_model_left_open_is(self) -> None:
        (finding,) = find(BASELINE.format(small='"adam"', rate='"adam"', freeze=""))
        assert finding.severity == "warning"
        assert finding.remedy is not None
        assert finding.remedy.edits["train.py"]["fit"].line == 8

    def test_the_rate_is_that_of_its_own_model(self) -> None:
        gentle = "keras.optimizers.Adam(1e-5)"
        assert severities(BASELINE.format(small='"adam"', rate=gentle, freeze="")) == ["note"]
        assert severities(BASELINE.format(small=gentle, rate='"adam"', freeze="")) == ["warning"]


class TestMeasured:
    def test_features_that_got_worse_are_certain(self) -> None:
        spoiled = unfrozen(probes=(probe("as-is", 0.9), probe("as-is", 0.5, weights="trained")))
        (finding,) = find(program(), seen(spoiled))
        assert (finding.severity, finding.confidence) == ("error", "certain")
        assert finding.cost == pytest.approx(0.4)
        assert finding.remedy is not None and finding.remedy.codemod == "stage_unfreeze"

    def test_good_in_training_mode_at_chance_in_inference_mode(self) -> None:
        trap = unfrozen(
            probes=(probe("as-is", 0.9),),
            evaluations=(
                evaluation("training", 0.77, mode="training"),
                evaluation("training", 0.13),
                evaluation("validation", 0.12),
            ),
        )
        (finding,) = find(program(), seen(trap))
        assert (finding.severity, finding.confidence) == ("error", "likely")
        assert finding.cost == pytest.approx(0.78)

    @pytest.mark.parametrize(("change", "expected"), [(0.08, "likely"), (0.01, "possible")])
    def test_below_the_features_with_a_changed_backbone(self, change: float, expected: str) -> None:
        low = unfrozen(
            probes=(probe("as-is", 0.9),),
            evaluations=(evaluation("validation", 0.6),),
            backbone_change=change,
        )
        (finding,) = find(program(), seen(low))
        assert (finding.severity, finding.confidence) == ("warning", expected)

    def test_a_slow_training_cut_short_may_yet_arrive(self) -> None:
        slow = unfrozen(
            compiled=CompileSeen(optimizer="adam", learning_rate=1e-5),
            ended="budget",
            probes=(probe("as-is", 0.9),),
            evaluations=(
                evaluation("training", 0.64, mode="training"),
                evaluation("training", 0.26),
                evaluation("validation", 0.26),
            ),
        )
        assert severities(program(), seen(slow)) == ["note"]

    def test_too_few_steps_at_a_low_rate_are_no_fault(self) -> None:
        low = unfrozen(
            probes=(probe("as-is", 0.9),),
            evaluations=(evaluation("validation", 0.3),),
            backbone_change=0.001,
        )
        assert severities(program(optimizer="keras.optimizers.Adam(1e-5)"), seen(low)) == ["note"]

    @pytest.mark.parametrize("accuracy", [0.95, 0.9, 0.84])
    def test_what_reaches_its_features_gets_a_note(self, accuracy: float) -> None:
        good = unfrozen(
            probes=(probe("as-is", 0.9), probe("as-is", 0.92, weights="trained")),
            evaluations=(evaluation("validation", accuracy),),
        )
        (finding,) = find(program(), seen(good))
        assert finding.severity == "note" and finding.remedy is None

    def test_wrong_scaling_is_not_held_against_it(self) -> None:
        raw = unfrozen(
            probes=(probe("as-is", 0.37), probe("expected", 0.91)),
            evaluations=(evaluation("validation", 0.40),),
        )
        assert severities(program(), seen(raw)) == ["note"]

    def test_two_stages_are_healthy(self) -> None:
        head = fit([2.0] * 40, site=place(8))
        tuned = unfrozen(
            index=1,
            probes=(probe("as-is", 0.9), probe("as-is", 0.5, weights="trained")),
        )
        assert severities(program(), seen(head, tuned)) == []

    def test_a_head_that_is_already_trained_is_not_fresh(self) -> None:
        loaded = unfrozen(
            probes=(probe("as-is", 0.9), probe("as-is", 0.5, weights="trained")),
            evaluations=(evaluation("validation", 0.85, when="before"),),
        )
        assert severities(program(), seen(loaded)) == []

    def test_the_top_alone_is_not_everything(self) -> None:
        top = unfrozen(model=model(backbone_trainable=100_000, trainable=110_000))
        assert severities(program(), seen(top)) == []

    @pytest.mark.parametrize(("status", "expected"), [("random", []), ("missing", ["warning"])])
    def test_without_pretrained_weights_only_the_source_speaks(
        self, status: str, expected: list[str]
    ) -> None:
        bad = unfrozen(probes=(probe("as-is", 0.9), probe("as-is", 0.5, weights="trained")))
        assert severities(program(), seen(bad, weights_status=status)) == expected

    def test_a_crash_before_training_leaves_the_reading(self) -> None:
        assert severities(program(), trace(status="crashed")) == ["warning"]
