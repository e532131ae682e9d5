from __future__ import annotations

from typing import Any

import pytest

from tests.causes.batchnorm_cases import ran, seen, tuned
from tests.traces import model, probe
from tlfix.causes.batchnorm_training_mode import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import Environment, Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick


def find(text: str, trace: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), trace)))


class TestRead:
    def test_unfrozen_without_training_false_is_a_note(self) -> None:
        (finding,) = find(TEXT)
        assert finding.severity == "note" and finding.remedy is None and finding.advice
        assert finding.site is not None and finding.site.line == 12

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("base(x)", "base(x, training=False)"),  # what that is worth only a probe can tell
            ("base.trainable = True", "base.trainable = False"),
            ("base.trainable = False\n", ""),  # from the start: another cause
            ("ResNet50(", "VGG16("),
            ('weights="imagenet"', "weights=None"),
            ("base.trainable = True", "base.trainable = True\nfreeze(base, BatchNormalization)"),
        ],
    )
    def test_nothing_to_say(self, old: str, new: str) -> None:
        assert find(TEXT.replace(old, new)) == []


class TestMeasured:
    def test_harm_is_a_warning_with_its_cost(self) -> None:
        (finding,) = find(TEXT, ran(tuned(seen(0.5, 0.8), 0.9, 0.5)))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert finding.cost == pytest.approx(0.3)
        assert finding.remedy is not None
        cured = transform(TEXT, finding.remedy.codemod, finding.remedy.edits["train.py"])
        assert cured == CAUSE.examples.healthy

    def test_a_reference_above_it_is_harm_too(self) -> None:
        short = tuned(seen(0.5, 0.5), 0.9, 0.5, probes=(probe("as-is", 0.9),))
        (finding,) = find(TEXT, ran(short))
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.cost is None

    @pytest.mark.parametrize(
        ("accuracy", "recalibrated", "training_mode", "inference"),
        [
            (0.8, 0.82, 0.9, 0.88),  # no harm at all
            (0.6, 0.8, 0.88, 0.88),  # no gap between the modes
            (0.8, 0.8, 0.95, 0.7),  # a gap, and nothing would be better
        ],
    )
    def test_without_harm_it_is_a_note(
        self, accuracy: float, recalibrated: float, training_mode: float, inference: float
    ) -> None:
        fit = tuned(seen(accuracy, recalibrated), training_mode, inference)
        (finding,) = find(TEXT, ran(fit))
        assert finding.severity == "note" and finding.remedy is None and finding.advice

    def test_at_chance_the_statistics_are_the_matter(self) -> None:
        (finding,) = find(TEXT, ran(tuned(seen(0.13, 0.8), 0.9, 0.13)))
        assert finding.severity == "note"

    def test_a_training_cut_short_may_catch_up(self) -> None:
        """512 images in batches of 32, 50 epochs: 800 steps, after which 0.03 % are old."""
        long = tuned(seen(0.5, 0.8), 0.9, 0.5, ended="budget", epochs=50)
        assert [f.severity for f in find(TEXT, ran(long))] == ["note"]
        short = tuned(seen(0.5, 0.8), 0.9, 0.5, ended="budget", epochs=5)
        assert [f.severity for f in find(TEXT, ran(short))] == ["warning"]

    def test_only_a_pretrained_backbone_that_follows_the_batches(self) -> None:
        fit = tuned(seen(0.5, 0.8), 0.9, 0.5)
        assert find(TEXT, ran(fit, weights_status="random")) == []
        assert find(TEXT, ran(fit, batchnorms=0)) == []
        assert find(TEXT, ran(tuned(seen(0.5, 0.8, updating=0), 0.9, 0.5))) == []
        frozen = model(backbone_training_mode=False)
        assert find(TEXT, ran(tuned(seen(0.5, 0.8), 0.9, 0.5, model=frozen))) == []

    def test_the_layers_of_a_head_are_not_the_backbones(self) -> None:
        """One layer of 53 follows the batches, as it should: the 52 others are frozen."""
        fit = tuned(seen(0.5, 0.8, layers=53, updating=1), 0.9, 0.5)
        assert find(TEXT, ran(fit)) == []
        both = tuned(seen(0.5, 0.8, layers=53, updating=2), 0.9, 0.5)
        assert [f.severity for f in find(TEXT, ran(both))] == ["warning"]

    def test_an_inlined_backbone_has_its_layers_frozen(self) -> None:
        text = TEXT.replace("(base(x))", "(base.output)").replace(
            "Model(inputs,", "Model(base.input,"
        )
        (finding,) = find(text, ran(tuned(seen(0.5, 0.8), 0.9, 0.5)))
        assert finding.remedy is not None and finding.remedy.codemod == "freeze_batchnorm"
        cured = transform(text, "freeze_batchnorm", finding.remedy.edits["train.py"])
        assert cured.count("BatchNormalization") == 1
        assert cured.index("isinstance") > cured.index("base.trainable = True")


class TestOverridden:
    """``training=False`` where the backbone is called, in a model whose statistics moved."""

    GUIDE = TEXT.replace("base(x)", "base(x, training=False)")

    def ran(self, keras: str | None, accuracy: float = 0.8, **other: Any) -> Trace:
        versions = None if keras is None else Environment(python="3.11", keras=keras)
        fit = tuned(seen(accuracy, 0.8), 0.9, accuracy, **other)
        return ran(fit).model_copy(update={"environment": versions})

    @staticmethod
    def told(finding: Finding) -> bool:
        return any("which fit overrides" in evidence.summary for evidence in finding.evidence)

    def test_the_recipe_of_the_guide_is_no_fault_without_harm(self) -> None:
        (finding,) = find(self.GUIDE, self.ran("3.15.1"))
        assert finding.severity == "note" and finding.remedy is None
        assert self.told(finding)
        assert "line 7 calls" in finding.evidence[-1].summary

    def test_what_is_measured_wins_over_what_is_written(self) -> None:
        (finding,) = find(self.GUIDE, self.ran("3.15.1", 0.5))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert finding.remedy is not None
        edits = finding.remedy.edits["train.py"]
        cured = transform(self.GUIDE, finding.remedy.codemod, edits)
        assert cured == CAUSE.examples.healthy.replace("base(x)", "base(x, training=False)")

    @pytest.mark.parametrize(
        ("keras", "told"),
        [("3.0.0", True), ("3.15.1", True), ("3.16.0", False), ("2.15.0", False), (None, False)],
    )
    def test_only_where_this_keras_does_so(self, keras: str | None, told: bool) -> None:
        (finding,) = find(self.GUIDE, self.ran(keras))
        assert self.told(finding) is told

    def test_a_call_of_its_own_keeps_to_it(self) -> None:
        own = model(kind="subclassed", backbone_trainable=400_000, backbone_training_mode=True)
        (finding,) = find(self.GUIDE, self.ran("3.15.1", model=own))
        assert not self.told(finding)
        (finding,) = find(TEXT, self.ran("3.15.1"))
        assert not self.told(finding)
