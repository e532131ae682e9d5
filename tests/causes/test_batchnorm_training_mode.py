from __future__ import annotations

import pytest

from tests.causes.batchnorm_cases import ran, seen, tuned
from tests.traces import model, probe
from tlfix.causes.batchnorm_training_mode import CAUSE
from tlfix.causes.spec import Case, Finding
from tlfix.codemods import transform
from tlfix.probe.trace import Trace
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
            ("base(x)", "base(x, training=False)"),
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

    def test_an_inlined_backbone_has_its_layers_frozen(self) -> None:
        text = TEXT.replace("(base(x))", "(base.output)").replace(
            "Model(inputs,", "Model(base.input,"
        )
        (finding,) = find(text, ran(tuned(seen(0.5, 0.8), 0.9, 0.5)))
        assert finding.remedy is not None and finding.remedy.codemod == "freeze_batchnorm"
        cured = transform(text, "freeze_batchnorm", finding.remedy.edits["train.py"])
        assert cured.count("BatchNormalization") == 1
        assert cured.index("isinstance") > cured.index("base.trainable = True")
