from __future__ import annotations

from typing import Any

import pytest

from tests.traces import data, evaluation, fit, place, probe, trace
from tlfix.causes.spec import Case, Finding
from tlfix.causes.steps_misconfigured import CAUSE
from tlfix.codemods import transform
from tlfix.probe.trace import Environment, Trace
from tlfix.program.reader import read

TEXT = CAUSE.examples.sick
STEPS = "steps_per_epoch=train.samples"


def find(text: str, seen: Trace | None = None) -> list[Finding]:
    return list(CAUSE.find(Case(read(text, "train.py"), seen)))


def severities(text: str, seen: Trace | None = None) -> list[str]:
    return [finding.severity for finding in find(text, seen)]


class TestRead:
    @pytest.mark.parametrize(
        "steps",
        ["train.samples", "train.n", "count\ncount = train.samples"],
    )
    def test_the_number_of_images(self, steps: str) -> None:
        steps, _, before = steps.partition("\n")
        text = TEXT.replace("train.samples", steps).replace("model.fit", f"{before}\nmodel.fit")
        (finding,) = find(text)
        assert (finding.severity, finding.confidence) == ("warning", "likely")
        assert finding.remedy is not None
        after = transform(text, "set_argument", finding.remedy.edits["train.py"])
        assert after == text.replace(f"    steps_per_epoch={steps},\n", "")

    @pytest.mark.parametrize(
        "steps",
        [
            "train.samples // 32",
            "train.samples / train.batch_size",
            "len(train)",
            "valid.samples",
            "100",
            "steps",
            "other.samples",
        ],
    )
    def test_anything_else(self, steps: str) -> None:
        assert find(TEXT.replace("train.samples", steps)) == []

    def test_batches_of_one_image(self) -> None:
        assert find(TEXT.replace("batch_size=32", "batch_size=1")) == []

    @pytest.mark.parametrize("steps", ["len(x)", "x.shape[0]"])
    def test_arrays(self, steps: str) -> None:
        text = f"import keras\nmodel.fit(x, y, steps_per_epoch={steps}, epochs=2)\n"
        assert severities(text) == ["warning"]
        assert find(text.replace("steps_per_epoch=", "steps_per_epoch=1 + ")) == []
        flow = (
            "from keras.preprocessing.image import ImageDataGenerator\n"
            "gen = ImageDataGenerator(rotation_range=9)\n"
            f"model.fit_generator(gen.flow(x, y), steps_per_epoch={steps}, epochs=2)\n"
        )
        assert severities(flow) == ["warning"]

    def test_validation_alone_is_a_note(self) -> None:
        text = TEXT.replace("samples,", "samples // 32,").replace("valid.samples // 32", "valid.n")
        (finding,) = find(text)
        assert finding.severity == "note" and finding.remedy is not None
        assert "validation_steps" not in transform(
            text, "set_argument", finding.remedy.edits["train.py"]
        )


def ran(steps: int | None, epochs: int = 10, keras: str = "3.15.0", **other: Any) -> Trace:
    """512 images in batches of 32: 16 batches."""
    seen = fit([1.0] * 30, site=place(5), steps_per_epoch=steps, epochs=epochs, **other)
    return trace(seen, environment=Environment(python="3.12", keras=keras))


class TestTraining:
    def test_exhausted_on_keras_3_is_a_note(self) -> None:
        """Measured with Keras 3.15: each epoch takes all batches, with a warning."""
        (finding,) = find(TEXT, ran(512, ran_epochs=10.0))
        assert finding.severity == "note" and finding.remedy is not None

    def test_exhausted_and_ended(self) -> None:
        (finding,) = find(TEXT, ran(512, ran_epochs=1.0))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert "after 1 of 10 epochs" in finding.evidence[0].summary

    @pytest.mark.parametrize(
        "other",
        [{"ended": "budget"}, {"ended": "time"}, {"callbacks": ("EarlyStopping",)}],
    )
    def test_an_end_for_another_reason(self, other: dict[str, Any]) -> None:
        assert severities(TEXT, ran(512, ran_epochs=1.0, **other)) == ["note"]

    def test_keras_2_ends_where_tf_data_runs_out(self) -> None:
        kind = data("training", kind="tf.data")
        seen = ran(512, keras="2.15.0", ran_epochs=1.0, ended="budget", training=kind)
        assert severities(TEXT, seen) == ["warning"]

    @pytest.mark.parametrize(("steps", "epochs"), [(16, 1), (17, 5), (4, 4), (2, 30), (None, 1)])
    def test_every_image_is_seen(self, steps: int | None, epochs: int) -> None:
        assert find(TEXT, ran(steps, epochs, ran_epochs=float(epochs))) == []

    @pytest.mark.parametrize(("epochs", "expected"), [(1, "warning"), (3, "warning"), (6, "note")])
    def test_some_are_never_seen(self, epochs: int, expected: str) -> None:
        (finding,) = find(TEXT, ran(2, epochs))
        assert finding.severity == expected
        assert finding.evidence[0].measured[0].value == pytest.approx(2 * epochs / 16)

    def test_one_pass_in_short_epochs_that_leaves_the_model_behind(self) -> None:
        behind = {"probes": (probe("as-is", 0.9),), "ran_epochs": 16.0}
        low, high = (evaluation("validation", accuracy) for accuracy in (0.5, 0.88))
        (finding,) = find(TEXT, ran(1, 16, evaluations=(low,), **behind))
        assert finding.severity == "warning"
        assert "1.0 passes" in finding.evidence[0].summary
        assert find(TEXT, ran(1, 16, evaluations=(high,), **behind)) == []
        assert find(TEXT, ran(1, 32, evaluations=(low,), **behind)) == []

    def test_huge_data_may_be_left_before_the_end(self) -> None:
        huge = data("training", samples=1_000_000)
        assert severities(TEXT, ran(100, 10, training=huge)) == ["note"]

    def test_all_stages_count(self) -> None:
        one = fit([1.0] * 4, index=0, site=place(5), steps_per_epoch=2, epochs=2)
        two = fit([1.0] * 30, index=1, site=place(5), epochs=10)
        assert find(TEXT, trace(one, two)) == []

    def test_data_without_end_are_not_judged(self) -> None:
        endless = data("training", samples=None)
        assert find(TEXT, ran(2, 1, training=endless)) == []


class TestValidation:
    ORDER = tuple(i // 64 for i in range(512))

    def seen(self, steps: int, **other: Any) -> Trace:
        return ran(16, validation_steps=steps, validation=data("validation", **other))

    def test_the_first_classes_of_ordered_data(self) -> None:
        (finding,) = find(TEXT, self.seen(4, order=self.ORDER))
        assert (finding.severity, finding.confidence) == ("warning", "certain")
        assert "2 of the 8 classes" in finding.evidence[0].summary
        assert finding.remedy is not None
        assert finding.site is not None and finding.site.line == 10

    def test_mixed_data(self) -> None:
        mixed = tuple(i % 8 for i in range(512))
        assert severities(TEXT, self.seen(4, order=mixed)) == ["note"]
        assert severities(TEXT, self.seen(4, order=self.ORDER, shuffled=True)) == ["note"]
        assert severities(TEXT, self.seen(1, order=mixed)) == ["warning"]  # 32 images

    @pytest.mark.parametrize("steps", [15, 16, 40])
    def test_nearly_all_of_it(self, steps: int) -> None:
        assert find(TEXT, self.seen(steps, order=tuple(i % 8 for i in range(512)))) == []


def test_the_probe_overrules_the_source() -> None:
    assert find(TEXT, ran(16, ran_epochs=10.0)) == []
